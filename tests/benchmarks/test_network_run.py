"""Runs of any network: what is taken of the spikes, and a run in a process of its own."""

import numpy as np
import pytest

from benchmarks.network_run import NetworkRun, activity, described, run
from benchmarks.rule_networks import rule_networks
from cluster import SYSTEMS, DeployOptions, RunOutcome, fit
from network import Network
from spikerack.examples import million


def outcome(spikes: list[tuple[int, int]]) -> RunOutcome:
    pairs = np.array(sorted(spikes), np.uint32).reshape(-1, 2)
    return RunOutcome(pairs[:, 0], pairs[:, 1], {}, [], {})


def neurons(n: int) -> Network:
    return million(1 / 65_536).model_copy(
        update={"populations": million(n / 65_536).populations[:1], "projections": ()}
    )


def test_neurons_in_step_modulate_the_rate() -> None:
    """Ten neurons, all in every tenth of 100 ticks: counts 10 or 0, mean 1, variance 9, 8 too many."""
    spikes = [(tick, neuron) for tick in range(5, 100, 10) for neuron in range(10)]
    rate_hz, cv, modulation = activity(neurons(10), outcome(spikes), 0, 100)
    assert (rate_hz, cv) == (100.0, 0.0)
    assert modulation == pytest.approx(8**0.5)


def test_neurons_out_of_step_do_not() -> None:
    spikes = [(tick, tick % 10) for tick in range(100)]
    assert activity(neurons(10), outcome(spikes), 0, 100) == (100.0, 0.0, 0.0)


def test_intervals_of_one_and_three_ticks_vary_by_a_half() -> None:
    ticks = np.cumsum([1, 3] * 5)
    assert activity(neurons(1), outcome([(int(t), 0) for t in (0, *ticks)]), 0, 21)[1] == pytest.approx(0.5)


def test_the_warm_up_is_left_out() -> None:
    spikes = [(tick, 0) for tick in (0, 1, 2, 50, 60)]
    assert activity(neurons(1), outcome(spikes), 50, 100)[0] == 40.0


def test_silence_is_no_activity() -> None:
    assert activity(neurons(10), outcome([]), 0, 100) == (0.0, 0.0, 0.0)


@pytest.mark.slow
def test_a_run_says_what_it_took() -> None:
    network = million(1 / 1024, rate_hz=20.0)
    options = {"chips": 16, "placement": "consecutive"}
    found = run(NetworkRun(described(network), 300, options, first=described(million(1e-4)), warm_up_ms=50.0))
    assert found.summary["state"] == "complete"
    assert found.summary["n_synapses"] == network.n_synapses
    assert found.rate_hz == pytest.approx(20.0, rel=0.1)
    assert 0.1 < found.isi_cv < 1.0
    assert found.modulation < 0.2
    assert found.events > 200 * found.summary["n_spikes"]
    assert found.peak_pss_bytes > 50_000_000
    assert found.expected_bytes > 50_000_000
    assert found.realtime_factor > 0


@pytest.mark.parametrize("n", [20_000, 1_000_000])
def test_networks_of_all_rules_have_about_as_many_synapses(n: int) -> None:
    few = {"one_to_one": 10, "pooling": 10, "explicit": 50}
    for name, network in rule_networks(n).items():
        found = fit(network, SYSTEMS["rack-8x8"], DeployOptions()).n_synapses
        assert 0.35 * n <= found * few.get(name, 1) <= 4 * n, name
