"""A run without the service: what it returns, and what it refuses."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from chip import SlotOverflow
from cluster import CapacityError, DeployOptions, run_local
from network import NetworkError, parse_network
from tests.cluster.samples import empty_in_space, everything, everything_network, overloaded

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()

# The command line's promise: `spikerack run --json` prints at least these.
PROMISED = {
    "digest",
    "synapse_digest",
    "n_neurons",
    "n_synapses",
    "n_chips",
    "n_spikes",
    "rates_hz",
    "build_seconds",
    "run_seconds",
    "realtime_factor",
    "peak_memory_bytes",
    "bytes_per_synapse",
    "conservation",
    "quantisation",
}


def test_empty_populations_run() -> None:
    summary = run_local(parse_network(empty_in_space()), n_ticks=5).summary
    assert (summary["n_neurons"], summary["n_synapses"], summary["n_spikes"]) == (0, 0, 0)


def test_a_summary_holds_what_is_promised() -> None:
    before = set(threading.enumerate())
    outcome = run_local(EVERY, n_ticks=100, options=DeployOptions(chips=3, placement="shuffled"))
    summary = outcome.summary
    assert set(summary) >= PROMISED
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["n_neurons"], summary["n_synapses"], summary["n_chips"]) == (243, EVERY.n_synapses, 3)
    assert (summary["system"], summary["placement"], summary["precision"]) == (
        "rack-8x8",
        "shuffled",
        "float32",
    )
    assert summary["epoch_ticks"] == 4
    assert summary["bytes_per_synapse"] > 4
    assert summary["memory_bytes"] < summary["peak_memory_bytes"]
    assert [line["chip"] for line in summary["chips"]] == [
        "(board 0, chip 0)",
        "(board 0, chip 1)",
        "(board 0, chip 2)",
    ]
    for key in ("n_neurons", "n_synapses"):
        assert sum(line[key] for line in summary["chips"]) == summary[key]
    assert set(threading.enumerate()) == before


def test_spikes_are_sorted_and_numbered_through() -> None:
    outcome = run_local(EVERY, n_ticks=300, options=DeployOptions(chips=3))
    assert (outcome.tick.dtype, outcome.neuron.dtype) == (np.uint32, np.uint32)
    keys = outcome.tick.astype(np.int64) * 243 + outcome.neuron
    assert np.all(np.diff(keys) > 0)
    assert outcome.tick.max() < 300
    probe = outcome.tick[outcome.neuron == 240].tolist(), outcome.tick[outcome.neuron == 242].tolist()
    assert probe == ([0, 24], [76])


def test_progress_is_told_by_phases() -> None:
    told: list[tuple[str, float, str]] = []
    run_local(EVERY, n_ticks=3000, progress=lambda *step: told.append(step))
    assert list(dict.fromkeys(phase for phase, _, _ in told)) == [
        "building chips",
        "compiling kernels",
        "running",
    ]
    assert told[-1][:2] == ("running", 1.0)
    assert all(0 <= share <= 1 for _, share, _ in told)
    assert told[-1][2].endswith(" s a biological second")


def test_a_network_of_nothing_runs() -> None:
    empty = parse_network({"name": "empty", "timestep_ms": 1, "seed": 0, "populations": []})
    outcome = run_local(empty, n_ticks=10, options=DeployOptions(chips=2))
    assert (outcome.summary["state"], outcome.summary["n_spikes"]) == ("complete", 0)
    assert outcome.summary["bytes_per_synapse"] is None
    assert outcome.summary["conservation"]["holds"]


def test_what_the_chips_do_not_know_is_refused_before_anything_is_built() -> None:
    network = everything()
    network["populations"][0]["model"] = "lif"
    with pytest.raises(NetworkError) as wrong:
        run_local(parse_network(network), n_ticks=1)
    assert str(wrong.value) == (
        "populations[0].model must be one of lif_curr_delta, lif_curr_exp, got 'lif'; choose one of them"
    )
    with pytest.raises(CapacityError) as large:
        run_local(EVERY, n_ticks=1, options=DeployOptions(chips=65))
    assert str(large.value) == (
        "system 'rack-8x8': chips must be at most 64, got 65; use fewer chips or a larger system"
    )


def test_weights_that_no_slot_can_hold_are_refused_and_no_thread_is_left(tmp_path: Path) -> None:
    before, network = set(threading.enumerate()), parse_network(overloaded(tmp_path))
    with pytest.raises(SlotOverflow) as caught:
        run_local(network, n_ticks=1, options=DeployOptions(chips=2), arrays=tmp_path)
    assert str(caught.value) == (
        "population 'second', receptor 'delta': the weights onto one neuron must add up to at most "
        "2147483647 LSBs, got 2184500000 onto neuron 0, most of it from its synapses; use fewer synapses or "
        "weights of a narrower range"
    )
    assert set(threading.enumerate()) == before
