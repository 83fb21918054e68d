"""The worker loop: what fills up is drained, and nothing is lost; keys reach the axons that they mean."""

from __future__ import annotations

import os

import numpy as np
import pytest

import chip.lanes
import chip.layout
import cluster.axons
import cluster.worker
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.lanes import pushes_at_once
from cluster import DeployOptions, RunOutcome, run_local
from cluster.errors import WorkerAborted
from cluster.exchange import Shape, abort
from cluster.loop import ABORTED, run
from cluster.lowering import lower
from cluster.worker import Worker, chips_of_workers
from network import Network, parse_network
from tests.cluster.samples import everything, everything_network, pair, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()
N_TICKS = 400


def outcome_of(chips: int) -> RunOutcome:
    return run_local(EVERY, n_ticks=N_TICKS, options=DeployOptions(chips=chips))


def calls_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record (tick reached, tick wanted) of each call from now on."""
    calls = []

    def recorded(arrays, port, mail, tick, until):
        reached = run(arrays, port, mail, tick, until)
        calls.append((reached, until))
        return reached

    monkeypatch.setattr(cluster.worker, "run", recorded)
    return calls


# The least that a buffer must hold is one tick: a spike of every neuron, a row of every recording.
LEAST_SPIKES = {1: -243, 3: -80}


@pytest.mark.parametrize("chips", [1, 3])
@pytest.mark.parametrize(
    ("buffer", "room"), [("_SPIKE_ROOM", None), ("_SAMPLE_ROWS", 1), ("_SAMPLE_ROWS", 3)]
)
def test_a_buffer_that_is_full_is_drained_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, chips: int, buffer: str, room: int | None
) -> None:
    roomy = outcome_of(chips)
    monkeypatch.setattr(chip.layout, buffer, LEAST_SPIKES[chips] if room is None else room)
    calls = calls_of_the_loop(monkeypatch)
    narrow = outcome_of(chips)
    assert sum(reached < until for reached, until in calls) > 10
    assert np.array_equal(narrow.tick, roomy.tick)
    assert np.array_equal(narrow.neuron, roomy.neuron)
    assert narrow.summary["digest"] == roomy.summary["digest"]
    assert narrow.summary["conservation"] == roomy.summary["conservation"]
    for mine, theirs in zip(narrow.states, roomy.states, strict=True):
        assert mine.shape == theirs.shape
        assert np.array_equal(mine, theirs)
    assert [states.shape for states in roomy.states] == [(N_TICKS // 5, 2, 13), (N_TICKS, 1, 3)]
    assert roomy.tick.size > 2 * EVERY.n_neurons


def test_a_roomy_buffer_needs_one_call_an_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = calls_of_the_loop(monkeypatch)
    outcome_of(1)
    assert all(reached == until for reached, until in calls)


def n_workers(chips: int) -> int:
    """Return how many workers share chips on this machine."""
    return min(chips, len(os.sched_getaffinity(0)))


def scattered() -> Network:
    """The network of all rules, with delays of up to 300 ms: 3,000 ticks."""
    network = everything()
    spread = {"kind": "lognormal", "log_mean": 1.0, "log_sd": 2.0, "low": 0.4, "high": 300}
    for projection in network["projections"]:
        if projection.get("delay_ms") is not None:
            projection["delay_ms"] = spread
    return parse_network(network)


def delivered(outcome: RunOutcome) -> int:
    return outcome.summary["conservation"]["synaptic_events"]["delivered"]


@pytest.mark.slow
def test_short_and_long_delays_are_the_same_in_any_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and queues, on three chips too, with a wheel that begins too small; segments of 3,000 columns."""
    network = scattered()

    def outcome(chips: int) -> RunOutcome:
        return run_local(network, n_ticks=4000, options=DeployOptions(chips=chips))

    def layouts() -> set[int]:
        return {block.layout for block in lower(plan_of(network), (0,)).blocks}

    assert layouts() == {ROWS, QUEUED}
    monkeypatch.setattr(chip.lanes, "wheel_size", pushes_at_once)
    rows = outcome(1), outcome(3)
    monkeypatch.setattr(cluster.axons, "_SHORT", 0)
    assert layouts() == {SEGMENTS, ROWS}
    without_queues = outcome(1), outcome(3)
    monkeypatch.setattr(cluster.axons, "_COLUMNS", 3000)
    assert layouts() == {SEGMENTS}
    for other in (*rows[1:], *without_queues, outcome(1), outcome(3)):
        assert np.array_equal(other.tick, rows[0].tick)
        assert np.array_equal(other.neuron, rows[0].neuron)
        assert other.summary["digest"] == rows[0].summary["digest"]
        assert other.summary["synapse_digest"] == rows[0].summary["synapse_digest"]
        assert other.summary["conservation"]["holds"]
        assert delivered(other) == delivered(rows[0]) > 100_000
    assert rows[0].tick.size > 4000


@pytest.mark.parametrize("chips", [1, 3])
def test_a_wheel_without_room_is_given_more(monkeypatch: pytest.MonkeyPatch, chips: int) -> None:
    network = scattered()
    monkeypatch.setattr(chip.lanes, "wheel_size", pushes_at_once)
    calls = calls_of_the_loop(monkeypatch)
    outcome = run_local(network, n_ticks=400, options=DeployOptions(chips=chips))
    assert sum(reached < until for reached, until in calls) >= n_workers(chips)
    assert outcome.summary["conservation"]["lossless"]
    assert outcome.summary["conservation"]["synaptic_events"]["in_flight"] > 1000


def queueing() -> Network:
    """The network of all rules, with delays of up to 25 ms, of which few synapses share one."""
    network = everything()
    for projection in network["projections"]:
        if projection.get("delay_ms") is not None:
            projection["delay_ms"] = {"kind": "uniform", "low": 0.4, "high": 25}
    return parse_network(network)


@pytest.mark.parametrize("chips", [1, 3])
def test_chunks_that_run_out_are_given_more(monkeypatch: pytest.MonkeyPatch, chips: int) -> None:
    """There is none at first."""
    network, options = queueing(), DeployOptions(chips=chips)
    assert {b.layout for b in lower(plan_of(network), (0,)).blocks} >= {QUEUED}
    roomy = run_local(network, n_ticks=600, options=options)
    monkeypatch.setattr(chip.lanes, "CHUNKS_OF_QUEUE", 0)
    calls = calls_of_the_loop(monkeypatch)
    narrow = run_local(network, n_ticks=600, options=options)
    assert sum(reached < until for reached, until in calls) >= n_workers(chips)
    for name in ("digest", "conservation", "synapse_digest"):
        assert narrow.summary[name] == roomy.summary[name]
    assert narrow.summary["conservation"]["lossless"]
    assert narrow.summary["conservation"]["synaptic_events"]["in_flight"] > 1000


def attached(chips: int, number: int = 0) -> tuple[Worker, np.ndarray]:
    plan, shares = plan_of(EVERY, chips), chips_of_workers(chips, chips)
    worker, shape = Worker(plan, shares, number), Shape.of(plan, shares)
    buffer = np.zeros(shape.n_bytes, np.uint8)
    worker.attach(shape.mailboxes(buffer))
    return worker, buffer


def test_an_aborted_chip_says_so_and_stops() -> None:
    worker, buffer = attached(3, number=1)
    mail = Shape.of(worker.plan, chips_of_workers(3, 3)).mailboxes(buffer)
    abort(mail)
    assert run(worker.chip.arrays, worker.port, mail, 0, 10) == ABORTED
    with pytest.raises(WorkerAborted) as caught:
        worker.advance(10)
    assert str(caught.value) == ("chip (board 0, chip 1): aborted after tick 0, another part has died")


def test_no_tick_is_done_twice_nor_beyond_the_end() -> None:
    worker, _ = attached(1)
    parts = [worker.advance(until) for until in (1, 2, 2, 7, 150)]
    assert [part.tick for part in parts] == [1, 2, 2, 7, 150]
    assert parts[2].spikes.size == 0
    joined = np.concatenate([part.spikes for part in parts])
    worker.reset()
    assert worker.tick == 0
    assert np.array_equal(worker.advance(150).spikes, joined)
    assert joined.size > 0
    assert int(joined.max() >> 32) < 150


@pytest.mark.parametrize("sizes", [(3, 0, 4), (0, 3, 4), (3, 4, 0)])
def test_a_key_names_the_member_that_is_not_empty(sizes: tuple[int, int, int]) -> None:
    network = pair(
        populations=[
            {"name": f"p{k}", "size": size, "model": "lif_curr_delta", "parameters": {"t_ref_ms": 0}}
            for k, size in enumerate(sizes)
        ],
        sources=[{"kind": "spike_times", "name": "probe", "size": 1, "times_ms": [[2.0]]}],
        projections=[
            {
                "source": "probe",
                "target": f"p{k}",
                "connectivity": {"rule": "all_to_all"},
                "weight": 64,
                "delay_ms": k + 1,
            }
            for k in range(3)
        ],
    )
    outcome = run_local(parse_network(network), n_ticks=8, options=DeployOptions(chips=3))
    fired = sorted(zip(outcome.tick.tolist(), outcome.neuron.tolist(), strict=True))
    first = np.cumsum([0, *sizes]).tolist()
    expected = [(1, 7)] + [(2 + k, first[k] + i) for k, size in enumerate(sizes) for i in range(size)]
    assert fired == sorted(expected)
