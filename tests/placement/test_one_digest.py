"""The same spikes and synapses, bit for bit, on any number of chips, however placed, whatever runs them.

Pairs of choices here; `python -m benchmarks.placement` runs all combinations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cluster import DeployOptions, run_local
from network import Network
from spikerack.examples import microcircuit
from spikerack.reference import microcircuit_bands
from tests.placement.one_digest import PAIRWISE, Combination, pairs_left_out

SCALE, MS = 0.1, 1000.0

RUNS = [
    pytest.param(chosen, id=str(chosen), marks=[pytest.mark.ray] if chosen.backend == "ray" else [])
    for chosen in PAIRWISE
]

FLOAT64 = [(1, "default"), (2, "shuffled"), (8, "default")]


def circuit(drive: str) -> Network:
    return microcircuit(SCALE, seed=1, drive=drive)


@cache
def run(chosen: Combination, precision: str = "float32") -> dict[str, Any]:
    network = circuit(chosen.drive)
    options = DeployOptions(chips=chosen.chips, placement=chosen.placement, precision=precision)
    return run_local(network, n_ticks=network.ticks(MS), options=options, backend=chosen.backend).summary


@cache
def plain(drive: str, precision: str = "float32") -> dict[str, Any]:
    """The run that the others are compared with."""
    return run(Combination(drive, 1, "local", "default"), precision)


def assert_same_run(summary: dict[str, Any], drive: str, precision: str = "float32") -> None:
    expected = plain(drive, precision)
    assert (summary["state"], summary["error"]) == ("complete", None)
    assert summary["digest"] == expected["digest"]
    assert summary["synapse_digest"] == expected["synapse_digest"]
    assert (summary["n_spikes"], summary["rates_hz"]) == (expected["n_spikes"], expected["rates_hz"])
    assert summary["conservation"]["holds"]
    assert summary["conservation"]["lossless"]


def assert_rates_are_nests(summary: dict[str, Any], drive: str) -> None:
    bands = microcircuit_bands(SCALE, drive)
    rates = {name: summary["rates_hz"][name] for name in bands}
    assert {name: rate for name, rate in rates.items() if not bands[name].holds(rate)} == {}
    assert summary["n_spikes"] > {"dc": 500, "poisson": 15_000}[drive]


def test_any_two_choices_meet() -> None:
    assert pairs_left_out() == set()
    assert len(PAIRWISE) == 8


@pytest.mark.slow
@pytest.mark.parametrize("chosen", RUNS)
def test_one_digest(chosen: Combination) -> None:
    summary = run(chosen)
    assert (summary["n_chips"], summary["placement"]) == (chosen.chips, chosen.placement)
    assert_same_run(summary, chosen.drive)
    assert_rates_are_nests(summary, chosen.drive)


@pytest.mark.slow
@pytest.mark.parametrize(("chips", "placement"), FLOAT64)
def test_one_digest_in_float64(chips: int, placement: str) -> None:
    summary = run(Combination("poisson", chips, "local", placement), "float64")
    assert summary["precision"] == "float64"
    assert_same_run(summary, "poisson", "float64")
    assert_rates_are_nests(summary, "poisson")


@pytest.mark.slow
def test_runs_that_differ_have_other_digests() -> None:
    """What the comparison can tell: the drive, the precision and the seed change the digest."""
    network = microcircuit(SCALE, seed=2, drive="poisson")
    other = run_local(network, n_ticks=network.ticks(MS)).summary
    runs = [plain("dc"), plain("poisson"), plain("poisson", "float64"), other]
    assert len({summary["digest"] for summary in runs}) == 4
    assert plain("dc")["synapse_digest"] == plain("poisson")["synapse_digest"] != other["synapse_digest"]
