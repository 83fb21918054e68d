from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chip import SLOT_CAPACITY, Chip, SlotOverflow, Snapshot, SnapshotMismatch
from chip.arrays import ARRIVALS, FREE, HIGHEST, IN_USE, QUEUED, ROWS, SEGMENTS, TAKEN
from chip.lanes import CHUNKS_OF_QUEUE
from chip.queues import CHUNK, read_arrivals
from network import Network
from tests.chip.chips import LSB, Cut, Layouts, Lone, spec_of
from tests.chip.networks import QUIET, RELAY, delta, describe, everything, explicit, times


def busy(*, weight: float = -0.4, fan_in: int = 5) -> Network:
    """Return a network with every kind of state: spikes in flight, samples, given times, refractoriness."""
    cells = delta(
        "cells",
        30,
        RELAY | {"t_ref_ms": 0.5, "tau_m_ms": 5.0},
        initial={"v_mv": {"kind": "uniform", "low": 0.0, "high": 0.9}},
        inputs=[{"kind": "poisson", "rate_hz": 900.0, "weight": 0.5}],
    )
    listed = times(*[tuple(range(k, 90, 7)) for k in range(8)])
    inner = {
        "source": "cells",
        "target": "cells",
        "connectivity": {"rule": "fixed_in_degree", "n": fan_in},
        "weight": weight,
        "delay_ms": {"kind": "uniform", "low": 0.1, "high": 2.0},
    }
    outer = {
        "source": "source",
        "target": "cells",
        "connectivity": {"rule": "all_to_all"},
        "weight": 0.3,
        "delay_ms": 0.4,
    }
    recordings = [everything("cells", 30), everything("cells", 5) | {"interval_ms": 0.3}]
    return describe([cells], sources=[listed], projections=[inner, outer], recordings=recordings)


INNER, OUTER = "cells->cells", "source->cells"


ONE_OF_EACH = {INNER: ROWS, OUTER: SEGMENTS}


def fresh(layouts: Layouts = ONE_OF_EACH) -> Lone:
    return Lone(spec_of(busy(), layouts=layouts))


def mid_flight(layouts: Layouts = ONE_OF_EACH) -> Lone:
    """Return a chip after 30 ticks, with output that nobody has drained."""
    lone = fresh(layouts)
    spikes = lone.run(30)
    output = lone.chip.arrays.output
    output.spikes[:3] = [(29 << 32) + neuron for neuron in range(3)]
    output.counters[2] = 3
    assert len(spikes) > 20
    assert lone.chip.in_flight(30) > 20
    return lone


def everything_of(lone: Lone, n_ticks: int) -> tuple[Any, ...]:
    """Run on, and return all that can be seen of it."""
    before = lone.chip.drain_spikes().tolist()
    spikes = lone.run(n_ticks)
    samples = [rows.tolist() for rows in lone.chip.drain_samples()]
    in_flight = lone.chip.in_flight(lone.tick)
    return before, spikes, samples, lone.chip.n_synaptic_events, in_flight


def restored(lone: Lone, snapshot: Snapshot, tick: int) -> Lone:
    lone.chip.restore(snapshot)
    lone.tick = tick
    return lone


EACH = {
    "segments": SEGMENTS,
    "both": ONE_OF_EACH,
    "rows": ROWS,
    "inner queued": {INNER: QUEUED},
    "outer queued": {INNER: ROWS, OUTER: QUEUED},
    "queued": QUEUED,
}


@pytest.mark.parametrize("layouts", EACH.values(), ids=EACH)
def test_a_restored_chip_goes_on_as_if_nothing_had_been(layouts: Layouts) -> None:
    """Queues are part full, and rows have arrived that nobody has read."""
    lone = mid_flight(layouts)
    queues = lone.chip.arrays.flight.queues
    n_queued = sum(block.layout == QUEUED for block in lone.chip.spec.blocks)
    assert (queues.state[IN_USE] > 0) == (n_queued > 0)
    assert (queues.state[ARRIVALS] > 0) == (n_queued > 0)
    snapshot = lone.chip.snapshot()
    on = everything_of(lone, 40)
    assert len(on[0]) == 3
    assert len(on[2][0]) == 70
    assert everything_of(restored(lone, snapshot, 30), 40) == on
    assert everything_of(restored(fresh(layouts), snapshot, 30), 40) == on


def test_a_snapshot_is_a_copy() -> None:
    lone = mid_flight()
    snapshot = lone.chip.snapshot()
    kept = {name: array.copy() for name, array in snapshot.items()}
    lone.run(20)
    lone.chip.drain_samples()
    assert same(snapshot, kept)
    restored(lone, snapshot, 30).run(5)
    assert same(snapshot, kept)


def same(one: Snapshot, other: Snapshot) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_reset_returns_to_tick_0() -> None:
    lone = fresh()
    first_tick = lone.chip.snapshot()
    first = everything_of(lone, 50)
    lone.chip.reset()
    assert same(lone.chip.snapshot(), first_tick)
    lone.tick = 0
    assert everything_of(lone, 50) == first


def crowded() -> Lone:
    """Return a chip whose wheel holds more than it began with: every source spikes in every tick."""
    network = describe(
        [delta("cells", 30, RELAY)],
        sources=[times(*[tuple(range(60))] * 5)],
        projections=[explicit([(k % 5, k, 1.0, 1 + 37 * k) for k in range(30)], name="long")],
        recordings=[everything("cells", 30)],
    )
    return Lone(spec_of(network, layouts=ROWS))


def test_a_wheel_that_has_grown_is_restored_into_one_that_has_not() -> None:
    lone = crowded()
    small = lone.chip.arrays.flight.wheel.next.size
    first = lone.chip.snapshot()
    lone.run(60)
    assert lone.chip.arrays.flight.wheel.next.size > 4 * small
    snapshot, waiting = lone.chip.snapshot(), lone.chip.in_flight(60)
    assert waiting > 1000
    on = everything_of(lone, 150)
    assert len(on[1]) > 150
    assert everything_of(restored(crowded(), snapshot, 60), 150) == on
    assert everything_of(restored(lone, snapshot, 60), 150) == on
    again = restored(lone, first, 0)
    assert again.chip.in_flight(0) == 0
    again.run(60)
    assert again.chip.in_flight(60) == waiting
    assert everything_of(again, 150)[1] == on[1]


N_FLOOD, N_CELLS = 600, 7


def flood(n_ticks: int = 12) -> Network:
    """Return a network in which more words are queued than the first chunks hold."""
    entries = [(k, j, 1.0 + j, 1 + (k + j) % 3) for k in range(N_FLOOD) for j in range(N_CELLS)]
    return describe(
        [delta("cells", N_CELLS, QUIET)],
        sources=[times(*[tuple(range(n_ticks))] * N_FLOOD)],
        projections=[explicit(entries, name="flood")],
        recordings=[everything("cells", N_CELLS)],
    )


def flooded(layout: int = QUEUED) -> Lone:
    return Lone(spec_of(flood(), layouts=layout))


def test_chunks_that_run_out_are_made_more_and_nothing_is_lost_or_doubled() -> None:
    lone, plain = flooded(), flooded(SEGMENTS)
    first, n_words = lone.chip.arrays.flight.queues.next.size, N_FLOOD * N_CELLS
    assert first == CHUNKS_OF_QUEUE * 4
    assert first * CHUNK < n_words
    lone.run(1)
    plain.run(1)
    arrays, before = lone.chip.arrays, lone.chip.n_synaptic_events
    assert before == (n_words, 0)  # arrived, not read
    assert not read_arrivals(arrays.synapses, arrays.flight.queues, arrays.output.counters)
    queues = arrays.flight.queues
    assert 0 < queues.state[TAKEN] < queues.state[ARRIVALS] == N_FLOOD
    assert lone.chip.n_synaptic_events == before
    assert lone.chip.in_flight(1) == n_words
    # No part of the row that did not fit has been queued.
    assert not read_arrivals(arrays.synapses, arrays.flight.queues, arrays.output.counters)
    assert lone.chip.in_flight(1) == n_words
    assert lone.read() > 0
    assert lone.chip.arrays.flight.queues.next.size > first
    assert lone.chip.arrays.flight.queues.state[ARRIVALS] == 0
    assert (lone.chip.n_synaptic_events, lone.chip.in_flight(1)) == (before, n_words)
    for _ in range(16):
        assert lone.run(1) == plain.run(1)
        assert lone.chip.n_synaptic_events == plain.chip.n_synaptic_events
        assert lone.chip.in_flight(lone.tick) == plain.chip.in_flight(plain.tick)
    (mine,), (theirs,) = lone.chip.drain_samples(), plain.chip.drain_samples()
    assert np.array_equal(mine, theirs)
    assert lone.chip.n_synaptic_events == (12 * n_words, 12 * n_words)
    state = lone.chip.arrays.flight.queues.state
    assert state[IN_USE] == 0


def test_chunks_are_used_again() -> None:
    lone = flooded()
    lone.run(6)
    chunks = lone.chip.arrays.flight.queues.next.size
    highest = int(lone.chip.arrays.flight.queues.state[HIGHEST])
    lone.run(6)
    queues = lone.chip.arrays.flight.queues
    assert (queues.next.size, queues.state[HIGHEST]) == (chunks, highest)
    assert highest * CHUNK < 5 * N_FLOOD * N_CELLS
    lone.run(5)
    free, place = set(), int(queues.state[FREE])
    while place >= 0:
        assert place not in free
        free.add(place)
        place = int(queues.next[place])
    assert free == set(range(highest))


@pytest.mark.slow
@pytest.mark.parametrize("stop_in_the_middle", [False, True])
def test_chunks_that_have_grown_are_restored_into_a_chip_whose_have_not(stop_in_the_middle: bool) -> None:
    lone, first = flooded(), flooded().chip.snapshot()
    lone.run(1 if stop_in_the_middle else 5)
    if stop_in_the_middle:
        arrays = lone.chip.arrays
        assert not read_arrivals(arrays.synapses, arrays.flight.queues, arrays.output.counters)
    else:
        assert lone.chip.arrays.flight.queues.next.size > flooded().chip.arrays.flight.queues.next.size
    tick, snapshot = lone.tick, lone.chip.snapshot()
    waiting = lone.chip.in_flight(tick)
    on = everything_of(lone, 12)
    for other in (flooded(), lone):
        again = restored(other, snapshot, tick)
        assert again.chip.in_flight(tick) == waiting
        assert everything_of(again, 12) == on
    again = restored(lone, first, 0)
    assert (again.chip.in_flight(0), again.chip.n_synaptic_events) == (0, (0, 0))
    again.run(tick)
    assert everything_of(again, 12)[1:] == on[1:]


def without(name: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.__delitem__(name)


def cut(name: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.update({name: snapshot[name][:-1]})


def as_type(name: str, kind: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.update({name: snapshot[name].astype(kind)})


ADVICE = "restore a snapshot of the same network on the same placement"

REFUSED = {
    "no state": (without("state"), "'state' must be float64 of shape ({state},), got nothing"),
    "float32": (
        as_type("state", "f4"),
        "'state' must be float64 of shape ({state},), got float32 of shape ({state},)",
    ),
    "slots": (cut("slots"), "'slots' must be int32 of shape (32,), got int32 of shape (31,)"),
    "history": (cut("arrived"), "'arrived' must be int32 of shape (5,), got int32 of shape (4,)"),
    "buckets": (cut("buckets"), "'buckets' must be int32 of shape (21,), got int32 of shape (20,)"),
    "wheel": (cut("wheel"), "'wheel' must be int64 of shape (3,), got int64 of shape (2,)"),
    "next": (
        cut("wheel_next"),
        "'wheel_next' must be int32 of shape ({wheel},), got int32 of shape ({wheel_less},)",
    ),
    "place": (
        as_type("wheel_place", "u4"),
        "'wheel_place' must be int64 of shape ({wheel},), got uint32 of shape ({wheel},)",
    ),
    "row": (without("wheel_row"), "'wheel_row' must be uint32 of shape ({wheel},), got nothing"),
    "block": (
        as_type("wheel_block", "i8"),
        "'wheel_block' must be int32 of shape ({wheel},), got int64 of shape ({wheel},)",
    ),
    "sent": (without("wheel_sent"), "'wheel_sent' must be int64 of shape ({wheel},), got nothing"),
    "cursor": (cut("cursor"), "'cursor' must be int64 of shape (2,), got int64 of shape (1,)"),
    "counters": (cut("counters"), "'counters' must be int64 of shape (3,), got int64 of shape (2,)"),
    "rows": (cut("rows"), "'rows' must be int64 of shape (2,), got int64 of shape (1,)"),
    "no identity": (without("identity"), "'identity' must be uint64 of shape (4,), got nothing"),
    "no flight": (without("flight"), "'flight' must be uint32 of shape ({flight},), got nothing"),
    "flight": (
        cut("flight"),
        "'flight' must be uint32 of shape ({flight},), got uint32 of shape ({less},)",
    ),
    "spikes": (cut("spikes"), "'spikes' must be uint64 of shape (3,), got uint64 of shape (2,)"),
    "samples": (cut("samples"), "'samples' must be float64 of shape (950,), got float64 of shape (949,)"),
}


@pytest.mark.parametrize(("spoil", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_refused_snapshot_changes_nothing(spoil: Callable[[Snapshot], None], rule: str) -> None:
    snapshot = mid_flight().chip.snapshot()
    n_flight, n_wheel = snapshot["flight"].size, snapshot["wheel_next"].size
    spoil(snapshot)
    lone = fresh()
    lone.run(10)
    before = lone.chip.snapshot()
    with pytest.raises(SnapshotMismatch) as refused:
        lone.chip.restore(snapshot)
    sizes = {"flight": n_flight, "less": n_flight - 1, "wheel": n_wheel, "wheel_less": n_wheel - 1}
    rule = rule.format(state=before["state"].size, **sizes)
    assert str(refused.value) == f"chip (board 0, chip 0): snapshot array {rule}; {ADVICE}"
    assert same(lone.chip.snapshot(), before)


REFUSED_QUEUES = {
    "first": (cut("queue_first"), "'queue_first' must be int32 of shape (32,), got int32 of shape (31,)"),
    "chunks in use": (
        as_type("queue_chunks_in_use", "i8"),
        "'queue_chunks_in_use' must be int32 of shape (32,), got int64 of shape (32,)",
    ),
    "tail": (without("queue_tail"), "'queue_tail' must be int64 of shape (32,), got nothing"),
    "queues": (cut("queues"), "'queues' must be int64 of shape (6,), got int64 of shape (5,)"),
    "chunks": (
        cut("queue_chunks"),
        "'queue_chunks' must be uint32 of shape ({words},), got uint32 of shape ({words_less},)",
    ),
    "next": (without("queue_next"), "'queue_next' must be int32 of shape ({chunks},), got nothing"),
    "row": (
        cut("queue_row"),
        "'queue_row' must be uint32 of shape ({rows},), got uint32 of shape ({rows_less},)",
    ),
    "sent": (without("queue_sent"), "'queue_sent' must be int64 of shape ({rows},), got nothing"),
}


@pytest.mark.parametrize(("spoil", "rule"), REFUSED_QUEUES.values(), ids=REFUSED_QUEUES)
def test_a_refused_snapshot_of_queues_changes_nothing(spoil: Callable[[Snapshot], None], rule: str) -> None:
    snapshot = mid_flight(QUEUED).chip.snapshot()
    chunks, rows = snapshot["queue_next"].size, snapshot["queue_row"].size
    assert chunks > 0
    assert rows > 0
    spoil(snapshot)
    lone = fresh(QUEUED)
    lone.run(10)
    before = lone.chip.snapshot()
    with pytest.raises(SnapshotMismatch) as refused:
        lone.chip.restore(snapshot)
    words = chunks * CHUNK
    sizes = {"words": words, "words_less": words - 1, "chunks": chunks, "rows": rows, "rows_less": rows - 1}
    assert str(refused.value) == f"chip (board 0, chip 0): snapshot array {rule.format(**sizes)}; {ADVICE}"
    assert same(lone.chip.snapshot(), before)


@pytest.mark.parametrize("other", [busy(weight=-0.5), busy(fan_in=6)], ids=["weights", "fan-in"])
def test_a_snapshot_of_other_synapses_is_refused(other: Network) -> None:
    snapshot = mid_flight().chip.snapshot()
    lone = Lone(spec_of(other, layouts=ONE_OF_EACH))
    before = lone.chip.snapshot()
    with pytest.raises(SnapshotMismatch) as refused:
        lone.chip.restore(snapshot)
    assert str(refused.value) == (
        "chip (board 0, chip 0): a snapshot must be of a chip with the same synapses and sources, "
        f"got another's; {ADVICE}"
    )
    assert same(lone.chip.snapshot(), before)


def loaded(n_synapses: int, *, inputs: tuple[dict[str, Any], ...] = ()) -> Any:
    """Return a chip's specification with `n_synapses` of the largest weight onto neuron 4 of "cells"."""
    cells = delta("cells", 6, QUIET, inputs=list(inputs))
    entries = [(k, 4, 32767 * 2.0**15 * LSB, 1) for k in range(n_synapses)]
    network = describe(
        [delta("others", 2, QUIET), cells],
        sources=[times(*[()] * n_synapses)],
        projections=[explicit(entries, name="heavy")],
    )
    pieces = [Cut("others", 0, 2), Cut("cells", 3, 3, 0, 2), Cut("source", 0, n_synapses, -1)]
    return spec_of(network, cuts=pieces, shifts={"heavy": 15})


def test_a_slot_that_could_overflow_is_refused() -> None:
    assert Chip(loaded(2)).memory.load.max() == 2147418112 <= SLOT_CAPACITY
    with pytest.raises(SlotOverflow) as refused:
        Chip(loaded(3))
    assert str(refused.value) == (
        "population 'cells', receptor 'delta': the weights onto one neuron must add up to at most 2147483647 "
        "LSBs, got 3221127168 onto neuron 4, most of it from its synapses; use fewer synapses or weights of "
        "a narrower range"
    )
    assert (refused.value.population, refused.value.receptor) == ("cells", "delta")
    assert (refused.value.neuron, refused.value.load) == (4, 3221127168)


def test_poisson_inputs_count_with_the_most_that_they_can_add() -> None:
    # A mean of 1 event a tick: at most 1 + 8 + 24 of them, and 65,535 LSBs are left.
    fits, spills = ({"kind": "poisson", "rate_hz": 10_000.0, "weight": -w * LSB} for w in (1985, 1986))
    Chip(loaded(2, inputs=(fits,)))
    with pytest.raises(SlotOverflow, match="got 2147483650 onto neuron 4"):
        Chip(loaded(2, inputs=(spills,)))


def test_spikes_are_drained_once() -> None:
    lone = mid_flight()
    assert lone.chip.drain_spikes().tolist() == [(29 << 32) + neuron for neuron in range(3)]
    assert lone.chip.drain_spikes().tolist() == []


def test_what_a_chip_says_of_itself() -> None:
    chip = Lone(spec_of(busy())).chip
    assert repr(chip) == "Chip(chip (board 0, chip 0): 38 neurons, 390 synapses, 38 axons)"
    assert chip.n_synaptic_events == (0, 0)
    static = sum(getattr(array, "nbytes", 0) for array in chip.arrays.synapses)
    assert chip.n_bytes > static > 4 * 390


def test_building_tells_its_progress() -> None:
    told: list[float] = []
    Chip(spec_of(busy()), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_chip_is_the_same_however_many_threads_build_it() -> None:
    one, other = (Chip(spec_of(busy(), layouts=ONE_OF_EACH), threads=threads) for threads in (1, 3))
    assert same(one.snapshot(), other.snapshot())
    for name in ("words", "start", "beside", "load", "digest"):
        assert np.array_equal(getattr(one.memory, name), getattr(other.memory, name))


@pytest.mark.parametrize("layouts", EACH.values(), ids=EACH)
def test_room_is_made_only_where_there_is_none(layouts: Layouts) -> None:
    chip = fresh(layouts).chip
    sizes = [group.next.size for group in chip.arrays.flight[1:]]
    flight = chip.arrays.flight
    chip.make_room()
    assert [group.next.size for group in chip.arrays.flight[1:]] == sizes
    for mine, theirs in zip(chip.arrays.flight, flight, strict=True):
        assert all(one is other for one, other in zip(mine, theirs, strict=True))
