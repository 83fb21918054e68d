from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pytest

from chip import SLOT_CAPACITY, Chip, SlotOverflow, Snapshot, SnapshotMismatch
from network import Network
from tests.chip.chips import LSB, Cut, Lone, spec_of
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


def fresh(in_rows: Collection[str] = (INNER,)) -> Lone:
    return Lone(spec_of(busy(), in_rows=in_rows))


def mid_flight(in_rows: Collection[str] = (INNER,)) -> Lone:
    """Return a chip after 30 ticks, with output that nobody has drained."""
    lone = fresh(in_rows)
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


@pytest.mark.parametrize("in_rows", [(), (INNER,), (INNER, OUTER)], ids=["segments", "both", "rows"])
def test_a_restored_chip_goes_on_as_if_nothing_had_been(in_rows: Collection[str]) -> None:
    lone = mid_flight(in_rows)
    snapshot = lone.chip.snapshot()
    on = everything_of(lone, 40)
    assert len(on[0]) == 3
    assert len(on[2][0]) == 70
    assert everything_of(restored(lone, snapshot, 30), 40) == on
    assert everything_of(restored(fresh(in_rows), snapshot, 30), 40) == on


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
    return Lone(spec_of(network, in_rows=("long",)))


def test_a_wheel_that_has_grown_is_restored_into_one_that_has_not() -> None:
    lone = crowded()
    small = lone.chip.arrays.flight.wheel_next.size
    first = lone.chip.snapshot()
    lone.run(60)
    assert lone.chip.arrays.flight.wheel_next.size > 4 * small
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


def without(name: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.__delitem__(name)


def cut(name: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.update({name: snapshot[name][:-1]})


def as_type(name: str, kind: str) -> Callable[[Snapshot], None]:
    return lambda snapshot: snapshot.update({name: snapshot[name].astype(kind)})


ADVICE = "restore a snapshot of the same network on the same placement"

REFUSED = {
    "no state": (without("state"), "'state' must be float64 of shape (60,), got nothing"),
    "float32": (as_type("state", "f4"), "'state' must be float64 of shape (60,), got float32 of shape (60,)"),
    "slots": (cut("slots"), "'slots' must be int32 of shape (30,), got int32 of shape (29,)"),
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
    "axon": (without("wheel_axon"), "'wheel_axon' must be uint32 of shape ({wheel},), got nothing"),
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
    rule = rule.format(flight=n_flight, less=n_flight - 1, wheel=n_wheel, wheel_less=n_wheel - 1)
    assert str(refused.value) == f"chip (board 0, chip 0): snapshot array {rule}; {ADVICE}"
    assert same(lone.chip.snapshot(), before)


@pytest.mark.parametrize("other", [busy(weight=-0.5), busy(fan_in=6)], ids=["weights", "fan-in"])
def test_a_snapshot_of_other_synapses_is_refused(other: Network) -> None:
    snapshot = mid_flight().chip.snapshot()
    lone = Lone(spec_of(other, in_rows=(INNER,)))
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
    one, other = (Chip(spec_of(busy(), in_rows=(INNER,)), threads=threads) for threads in (1, 3))
    assert same(one.snapshot(), other.snapshot())
    for name in ("words", "start", "late", "load", "digest"):
        assert np.array_equal(getattr(one.memory, name), getattr(other.memory, name))


def test_room_is_made_only_where_there_is_none() -> None:
    chip = fresh().chip
    arrays = chip.arrays
    chip.make_room()
    assert chip.arrays is arrays
