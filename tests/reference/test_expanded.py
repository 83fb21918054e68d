"""Networks made by rules, spike for spike what NEST 3.10 fires with their synapses one by one.

The committed cases hold the synapses that chips once made of the rules. Chips must make them again, on any
number of chips, and fire what NEST fired; then nothing is left between a rule and its spikes that was not
compared.
"""

from functools import cache

import numpy as np
import pytest

from cluster import DeployOptions, run_local
from network import parse_network
from tests.reference.cases import ReferenceCase
from tests.reference.expanded import FOLDER, NETWORKS, as_case
from tests.reference.expanding import expand

COLUMNS = ("source", "target", "weights", "delay_ticks")
CHIPS = (1, 3)


@cache
def committed(name: str) -> ReferenceCase:
    return ReferenceCase.load(name, FOLDER)


def test_all_networks_are_committed() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.npz")) == sorted(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("chips", CHIPS)
@pytest.mark.parametrize("name", NETWORKS)
def test_chips_make_the_synapses_that_nest_was_given(name: str, chips: int) -> None:
    made, case = as_case(NETWORKS[name], expand(NETWORKS[name], chips)), committed(name)
    assert {key: getattr(made, key).size for key in COLUMNS} == dict.fromkeys(COLUMNS, case.source.size)
    differing = {key: int((getattr(made, key) != getattr(case, key)).sum()) for key in COLUMNS}
    assert differing == dict.fromkeys(COLUMNS, 0), (
        "run make reference ARGS=expanded if the rules' draws changed"
    )
    assert np.array_equal(made.input_tick, case.input_tick)
    assert made.populations == case.populations


@pytest.mark.slow
@pytest.mark.parametrize("chips", CHIPS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_spike_differs_from_nests(name: str, chips: int) -> None:
    case, network = committed(name), parse_network(NETWORKS[name])
    options = DeployOptions(chips=chips, precision="float64")
    outcome = run_local(network, n_ticks=case.n_ticks, options=options)
    ours = outcome.tick.astype(np.int64) * network.n_neurons + outcome.neuron
    tick, neuron = case.all_spikes()
    differing = np.setxor1d(ours, tick * network.n_neurons + neuron)
    assert (outcome.summary["state"], differing.tolist()) == ("complete", [])
    assert ours.size == tick.size


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_fires_by_its_synapses(name: str) -> None:
    """Each neuron fires, and the gaps are not those of a clock: a wrong synapse would move spikes."""
    case = committed(name)
    rates_hz = np.bincount(case.spike_neuron, minlength=case.n_neurons) / (case.n_ticks * 1e-4)
    assert rates_hz.max() < 200
    assert (rates_hz > 0).mean() > 0.9
    gaps = np.concatenate([np.diff(case.spike_tick[case.spike_neuron == k]) for k in range(case.n_neurons)])
    assert gaps.std() > 0.3 * gaps.mean()
    assert np.unique(case.delay_ticks).size > 5
    assert case.delay_ticks.min() >= 1
