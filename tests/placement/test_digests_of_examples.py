"""The spikes of the networks that are measured: work on speed changes none of them, in any layout."""

from __future__ import annotations

from typing import Any

import pytest

from chip.arrays import QUEUED, SEGMENTS
from cluster import DeployOptions, run_local
from cluster.lowering import lower
from cluster.plan import Plan
from cluster.systems import SYSTEMS
from spikerack.examples import EXAMPLES

# Whoever changes a number here changes users' spikes, and says so in the changelog.
KNOWN: dict[str, tuple[dict[str, Any], float, str]] = {
    "brunel": ({"scale": 0.2}, 300.0, "faf7b5d4f770c0c858308b8e253c4b5490aebb39ab0b6610fae4fa5c030c4fc4"),
    "cuba": ({}, 300.0, "6649f2dcd89a78c032a9c00a71b559fa24ebcfbc8423ff24ef92839d353eac3c"),
    "microcircuit": (
        {"scale": 0.05, "drive": "poisson"},
        300.0,
        "28a08d233b04740855db71207fa80df11b93cbf6be88b9c9b86dc2601978db36",
    ),
    "million": (
        {"scale": 0.005, "rate_hz": 20.0},
        400.0,
        "24521990814a6192b8734c5ea7260040fe3b3ab12cfd8ea9e879678abe1b7cc8",
    ),
}
CHIPS = {"million": 16}


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("example", KNOWN)
def test_an_example_fires_what_it_always_fired(example: str) -> None:
    arguments, duration_ms, digest = KNOWN[example]
    network = EXAMPLES[example](seed=1, **arguments)
    options = DeployOptions(chips=CHIPS.get(example, 2), placement="consecutive")
    outcome = run_local(network, n_ticks=network.ticks(duration_ms), options=options, threads=2)
    assert outcome.summary["state"] == "complete"
    assert outcome.summary["n_spikes"] > 1000
    assert outcome.summary["digest"] == digest


def test_a_million_has_segments_and_queued_rows() -> None:
    arguments, _, _ = KNOWN["million"]
    network = EXAMPLES["million"](seed=1, **arguments)
    plan = Plan(network, SYSTEMS["rack-8x8"], DeployOptions(chips=16, placement="consecutive"))
    assert {block.layout for block in lower(plan, range(8)).blocks} == {SEGMENTS, QUEUED}
