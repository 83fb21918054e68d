"""README.md: what it prints is what its network does. `tests.acceptance.test_readme` runs it on a service."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from cluster import RunOutcome, run_local
from network import Network
from tests.readme import block

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> Network:
    """The Python example's network: its lines up to the service."""
    described, _ = block("From Python", 0).split("with Client()")
    names: dict[str, Any] = {}
    exec(described, names)
    built: Network = names["net"].build()
    return built


@pytest.fixture(scope="module")
def outcome(network: Network) -> RunOutcome:
    assert ".run(duration_ms=1000)" in block("From Python", 0)
    return run_local(network, n_ticks=network.ticks(1000.0))


def test_the_python_example_prints_the_spikes_and_rates(outcome: RunOutcome) -> None:
    printed = f"{outcome.summary['n_spikes']}\n{outcome.summary['rates_hz']} True\n"
    assert block("From Python", 1) == printed


def test_the_curl_example_prints_the_rates_and_a_populations_spikes(
    network: Network, outcome: RunOutcome
) -> None:
    assert "spikes?population=inh&from_tick=50&to_tick=210&format=csv" in block("The same in curl", 0)
    rates, csv = block("The same in curl", 1).split("\n", 1)
    assert rates == str(outcome.summary["rates_hz"])
    inhibitory = outcome.neuron >= network.offsets["inh"]
    chosen = inhibitory & (outcome.tick >= 50) & (outcome.tick < 210)
    expected = np.stack([outcome.tick[chosen], outcome.neuron[chosen]], axis=1)
    assert csv.startswith("tick,neuron\n")
    np.testing.assert_array_equal(np.loadtxt(io.StringIO(csv), delimiter=",", skiprows=1), expected)
