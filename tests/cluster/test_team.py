"""The team in threads: progress, repetition, cores, and its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import psutil
import pytest

import cluster.team
from cluster.errors import WorkerAborted
from cluster.plan import Plan
from cluster.team import ThreadTeam, peak_bytes_of_process, total_digest
from cluster.worker import Built, Worker, chips_of_workers
from tests.cluster.samples import everything_network, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()
SECONDS = 20.0


@pytest.fixture
def team() -> Iterator[ThreadTeam]:
    made = ThreadTeam(plan_of(EVERY, 3))
    made.build(lambda phase, share: None)
    yield made
    made.close()


def chip_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("chip_")]


def test_building_tells_its_progress() -> None:
    told: list[tuple[str, float]] = []
    team = ThreadTeam(plan_of(EVERY, 3))
    built = team.build(lambda phase, share: told.append((phase, share)))
    team.close()
    phases = list(dict.fromkeys(phase for phase, _ in told))
    assert phases == ["building chips", "compiling kernels"]
    shares = [share for phase, share in told if phase == "building chips"]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert 0 < shares[0] < 0.5
    assert [chip.chip for b in built for chip in b.chips] == [0, 1, 2]
    assert sum(b.n_synapses for b in built) == EVERY.n_synapses


def test_the_synapse_digest_does_not_depend_on_the_chips(team: ThreadTeam) -> None:
    alone = Worker(plan_of(EVERY), (range(1),), 0).built()
    plan, shares = plan_of(EVERY, 3, placement="shuffled"), chips_of_workers(3, 3)
    three = [Worker(plan, shares, chip).built() for chip in range(3)]
    assert total_digest([alone]) == total_digest(three)
    other = everything_network(seed=8)
    assert total_digest([Worker(plan_of(other), (range(1),), 0).built()]) != total_digest([alone])


def test_a_total_digest_is_32_digits() -> None:
    def with_lanes(*lanes: int) -> Built:
        return Built((), 0, 0, lanes)

    parts = [with_lanes(2**64 - 1, 5), with_lanes(3, 2**63), with_lanes(0, 2**63)]
    assert total_digest(parts) == "0000000000000002" + "0000000000000005"


def test_a_team_that_is_reset_does_the_same_again(team: ThreadTeam) -> None:
    def spikes() -> np.ndarray:
        team.reset()
        parts = [team.advance(until) for until in (3, 100, 301)]
        return np.sort(np.concatenate([a.spikes for part in parts for a in part]))

    first, first_tallies = spikes(), team.tallies()
    second, second_tallies = spikes(), team.tallies()
    assert first.size > 100
    assert np.array_equal(first, second)
    for mine, theirs in zip(first_tallies, second_tallies, strict=True):
        assert (mine.received, mine.mailed, mine.synaptic) == (
            theirs.received,
            theirs.mailed,
            theirs.synaptic,
        )
        for events, others in zip(mine.entry_events, theirs.entry_events, strict=True):
            assert np.array_equal(events, others)
    assert sum(events.sum() for t in first_tallies for events in t.entry_events) == first.size


def test_an_error_of_one_chip_stops_the_others_and_is_the_one_that_is_raised(
    team: ThreadTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Worker.advance

    def dies(worker: Worker, until: int):
        if 2 in worker.chips:
            raise MemoryError("chip (board 0, chip 2): no memory")
        return advance(worker, until)

    monkeypatch.setattr(Worker, "advance", dies)
    with pytest.raises(MemoryError, match=r"^chip \(board 0, chip 2\): no memory$"):
        team.advance(10**9)


def test_close_ends_an_advance_that_waits_and_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    team = ThreadTeam(plan_of(EVERY, 3))
    team.build(lambda phase, share: None)
    inside, go_on, advance = threading.Event(), threading.Event(), Worker.advance

    def late(worker: Worker, until: int):
        if 0 in worker.chips:
            inside.set()
            assert go_on.wait(SECONDS)
        return advance(worker, until)

    monkeypatch.setattr(Worker, "advance", late)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            team.advance(10**9)
        except BaseException as error:
            errors.append(error)

    running = threading.Thread(target=run)
    running.start()
    assert inside.wait(SECONDS)
    closing = threading.Thread(target=team.close)
    closing.start()
    go_on.set()
    for thread in (running, closing):
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert [type(error) for error in errors] == [WorkerAborted]
    assert chip_threads() == []
    team.close()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize("threads", [1, 2, None])
def test_chips_keep_to_the_cores_that_they_are_given(
    monkeypatch: pytest.MonkeyPatch, threads: int | None
) -> None:
    mine, seen, shares = sorted(os.sched_getaffinity(0)), [], []

    def worker(plan: Plan, chips: Sequence[range], me: int, progress: object) -> Worker:
        seen.append(sorted(os.sched_getaffinity(0)))
        shares.append(chips)
        return Worker(plan, chips, me)

    monkeypatch.setattr(cluster.team, "Worker", worker)
    team = ThreadTeam(plan_of(EVERY, 2), threads)  # no more workers than cores
    team.build(lambda phase, share: None)
    team.close()
    n_workers = 1 if threads == 1 else 2
    assert seen == [mine[:threads]] * n_workers
    assert shares == [chips_of_workers(2, n_workers)] * n_workers
    assert sorted(os.sched_getaffinity(0)) == mine


def test_the_peak_of_this_process_is_at_least_what_it_has_now() -> None:
    now = psutil.Process().memory_info().rss
    assert now <= peak_bytes_of_process() < 64 << 30
