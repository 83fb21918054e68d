from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from network import Network
from network.schema import Description

DEFS: dict[str, Any] = Network.model_json_schema()["$defs"]


def all_models(model: type[BaseModel] = Description) -> list[type[BaseModel]]:
    return [each for sub in model.__subclasses__() for each in (sub, *all_models(sub))]


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model.__name__)
def test_every_field_is_described_so_that_errors_can_end_with_it(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        assert not field.description.endswith("."), name
        assert field.description.split()[0] in {"the", "what", "where", "whether"}, name


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model.__name__)
def test_all_parts_are_frozen_and_closed(model: type[BaseModel]) -> None:
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Uniform", "kind"),
        ("Normal", "kind"),
        ("PoissonInput", "kind"),
        ("DCInput", "kind"),
        ("PoissonSource", "kind"),
        ("SpikeTimesSource", "kind"),
        ("OneToOne", "rule"),
        ("AllToAll", "rule"),
        ("FixedInDegree", "rule"),
        ("FixedTotalNumber", "rule"),
        ("Explicit", "rule"),
        ("StateRecording", "kind"),
    ],
)
def test_json_always_names_the_variant(name: str, tag: str) -> None:
    assert DEFS[name]["required"][0] == tag


def test_plain_parts_need_no_tag() -> None:
    assert DEFS["Population"]["required"] == ["name", "size", "model"]
