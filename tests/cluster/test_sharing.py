"""Workers that share chips: what is said of spikes, events and chips does not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import cluster.team
from cluster import DeployOptions, RunOutcome, run_local
from cluster.lowering import lower
from cluster.options import Placement
from cluster.team import ThreadTeam, total_digest
from cluster.worker import Tally, Worker, chips_of_workers
from tests.cluster.samples import everything_network, plan_of

CHIPS = 8
N_TICKS = 503
"""The last three ticks are of an epoch of four that has begun: its keys are in the mailboxes."""

EVERY = everything_network()
WORKERS = pytest.mark.parametrize("n_workers", [1, 2, 3, 5])

Shared = Callable[[int], None]


@pytest.mark.parametrize(("n_chips", "n_workers"), [(8, 1), (8, 3), (8, 5), (8, 8), (64, 48), (1, 1)])
def test_workers_take_consecutive_chips_as_equally_as_can_be(n_chips: int, n_workers: int) -> None:
    shares = chips_of_workers(n_chips, n_workers)
    assert len(shares) == n_workers
    assert [chip for share in shares for chip in share] == list(range(n_chips))
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Shared:
    """Make teams from now on have so many workers, whatever the cores."""

    def workers(n_workers: int) -> None:
        monkeypatch.setattr(
            cluster.team, "chips_of_workers", lambda n_chips, _: chips_of_workers(n_chips, n_workers)
        )

    return workers


def outcome_of(placement: Placement) -> RunOutcome:
    options = DeployOptions(chips=CHIPS, placement=placement)
    return run_local(EVERY, n_ticks=N_TICKS, options=options)


@pytest.fixture(scope="module", params=["default", "shuffled"])
def apart(request: pytest.FixtureRequest, kernels: None) -> RunOutcome:
    """The run of a placement in which each chip has a worker of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster.team, "chips_of_workers", lambda n_chips, _: chips_of_workers(n_chips, n_chips))
        return outcome_of(request.param)


def without(summary: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name not in names}


@WORKERS
def test_spikes_and_certificate_do_not_depend_on_the_workers(
    apart: RunOutcome, shared: Shared, n_workers: int
) -> None:
    shared(n_workers)
    together = outcome_of(apart.summary["placement"])
    assert np.array_equal(together.tick, apart.tick)
    assert np.array_equal(together.neuron, apart.neuron)
    for mine, theirs in zip(together.states, apart.states, strict=True):
        assert np.array_equal(mine, theirs)
    for name in ("digest", "synapse_digest", "n_spikes", "rates_hz", "quantisation", "n_saturated_weights"):
        assert together.summary[name] == apart.summary[name]
    certificate = apart.summary["conservation"]
    assert certificate["holds"]
    assert certificate["address_events"]["in_flight"] > 0
    assert certificate["synaptic_events"]["in_flight"] > 0
    assert together.summary["conservation"] == certificate


@WORKERS
def test_each_chip_is_reported_as_if_it_had_a_worker_of_its_own(
    apart: RunOutcome, shared: Shared, n_workers: int
) -> None:
    shared(n_workers)
    chips = outcome_of(apart.summary["placement"]).summary["chips"]
    assert len(chips) == CHIPS
    for mine, theirs in zip(chips, apart.summary["chips"], strict=True):
        assert mine["n_synapses"] > 0
        assert without(mine, "n_bytes") == without(theirs, "n_bytes")
        assert mine["n_bytes"] > 4 * mine["n_synapses"]


@pytest.fixture
def team(shared: Shared, kernels: None) -> Iterator[ThreadTeam]:
    shared(3)
    made = ThreadTeam(plan_of(EVERY, CHIPS, placement="shuffled"))
    built = made.build(lambda phase, share: None)
    assert [[chip.chip for chip in worker.chips] for worker in built] == [[0, 1], [2, 3, 4], [5, 6, 7]]
    assert total_digest(built) == total_digest([Worker(plan_of(EVERY), (range(1),), 0).built()])
    yield made
    made.close()


def counted(tally: Tally) -> tuple[Any, ...]:
    events = [chip.tolist() for chip in tally.entry_events]
    return tally.received, tally.mailed, tally.synaptic, events


def test_workers_that_are_reset_do_the_same_again(team: ThreadTeam) -> None:
    def run() -> tuple[np.ndarray, list[tuple[Any, ...]]]:
        team.reset()
        parts = [advance for until in (3, 100, 301) for advance in team.advance(until)]
        spikes = np.sort(np.concatenate([part.spikes for part in parts]))
        return spikes, [counted(tally) for tally in team.tallies()]

    (first, first_counted), (second, second_counted) = run(), run()
    assert first.size > 100
    assert np.array_equal(first, second)
    assert first_counted == second_counted
    assert sum(sum(map(sum, events)) for *_, events in first_counted) == first.size


def test_chips_of_one_worker_share_banks() -> None:
    plan = plan_of(EVERY, CHIPS, placement="shuffled")
    spec = lower(plan, range(2, 5))
    assert spec.n_banks == 1
    assert {part.chip for part in spec.slices} == {2, 3, 4}
    assert spec.name == "chip (board 0, chip 2), chip (board 0, chip 3), chip (board 0, chip 4)"
    alone = [lower(plan, (chip,)) for chip in (2, 3, 4)]
    for chip, own in zip((2, 3, 4), alone, strict=True):
        mine = [(p.number, p.first, p.n) for p in spec.slices if p.chip == chip]
        assert mine == [(p.number, p.first, p.n) for p in own.slices]
        assert {p.chip for p in own.slices} == {chip}
    # Neurons of a bank are apart.
    placed = [
        (p.bank, n) for p in spec.slices if p.bank >= 0 for n in range(p.bank_neuron, p.bank_neuron + p.n)
    ]
    assert len(placed) == len(set(placed))
    assert spec.epoch_ticks == plan.epoch_ticks
    assert lower(plan, range(CHIPS)).epoch_ticks == 1
