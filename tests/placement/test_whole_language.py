"""Whatever the language accepts is built and run, on any placement with one digest."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from cluster.local import run_local
from cluster.options import DeployOptions
from cluster.systems import SYSTEMS
from network import parse_network
from tests.network.strategies import networks

N_TICKS = 2
RACK = SYSTEMS["rack-2x2"]

PLACEMENTS = (
    DeployOptions(chips=1, precision="float64"),
    DeployOptions(chips=3, precision="float64"),
    DeployOptions(chips=3, precision="float64", placement="shuffled"),
)


@pytest.mark.slow
@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(networks())
def test_whatever_is_accepted_runs_with_one_digest(described: dict[str, Any]) -> None:
    network = parse_network(described)
    outcomes = [run_local(network, n_ticks=N_TICKS, system=RACK, options=options) for options in PLACEMENTS]
    first = outcomes[0].summary
    for outcome in outcomes:
        assert outcome.summary["state"] == "complete"
        for name in ("digest", "synapse_digest", "n_synapses", "n_saturated_weights"):
            assert outcome.summary[name] == first[name]
        for mine, others in zip(outcome.states, outcomes[0].states, strict=True):
            assert np.array_equal(mine, others)
