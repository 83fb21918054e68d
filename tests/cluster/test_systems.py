from __future__ import annotations

import pytest
from pydantic import ValidationError

from cluster import DEFAULT_SYSTEM, SYSTEMS, ChipLimits, DeployOptions


def test_presets() -> None:
    assert {name: (system.name, system.n_chips, repr(system.tree)) for name, system in SYSTEMS.items()} == {
        "rack-2x2": ("rack-2x2", 4, "rack[2] > board[2] > chip"),
        "rack-8x8": ("rack-8x8", 64, "rack[8] > board[8] > chip"),
    }
    assert DEFAULT_SYSTEM in SYSTEMS
    assert SYSTEMS["rack-2x2"].description == (
        "2 boards of 2 generic chips of 16 banks and 4 GiB of synapse memory."
    )


def test_the_description_says_what_the_limits_say() -> None:
    limits = ChipLimits()
    assert (limits.banks, limits.neurons) == (16, 16 * 65_536)
    assert 4 * limits.synapse_words == 4 << 30


def test_a_system_survives_json() -> None:
    for system in SYSTEMS.values():
        assert type(system).model_validate_json(system.model_dump_json()) == system


@pytest.mark.parametrize("wrong", [{"chips": 0}, {"chips": 4097}, {"placement": "best"}, {"speed": 2}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DeployOptions(**wrong)
