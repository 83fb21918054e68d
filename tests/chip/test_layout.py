from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chip import SliceSpec, Terminal
from chip.arrays import (
    BLOCK_SHIFT,
    BLOCK_SLOT,
    COLUMNS,
    COUNTDOWN,
    DRIVE,
    ENTRY,
    LANE,
    LANE_SHIFT,
    LANE_SLOT,
    LAYOUT,
    QUEUED,
    ROWS,
    SEGMENTS,
    STATE,
    first_of,
)
from chip.lanes import CHUNKS_OF_QUEUE
from chip.layout import LINE_BYTES, Places
from chip.queues import CHUNK
from tests.chip.chips import Cut, Lone, spec_of, whole
from tests.chip.networks import QUIET, RELAY, delta, describe, explicit, times


def part(bank: int, bank_neuron: int, n: int, n_receptors: int) -> SliceSpec:
    member: Any = SimpleNamespace(name="cells")
    return SliceSpec(member, 0, 0, 0, n, bank, bank_neuron, lsb=(1.0,) * n_receptors)


def test_a_bank_has_room_for_its_widest_slice_and_most_receptors() -> None:
    slices = (part(0, 0, 10, 1), part(0, 10, 5, 2), part(1, 4, 3, 1), part(-1, 0, 99, 0))
    places = Places.of(SimpleNamespace(n_banks=3, slices=slices))  # type: ignore[arg-type]
    assert places.bank_slot.tolist() == [0, 32, 48]
    assert places.bank_pitch.tolist() == [16, 16, 0]  # whole cache lines
    assert places.n_slots == 48
    assert [places.slot(slices[1], receptor) for receptor in (0, 1)] == [10, 26]
    assert places.slot(slices[2], 0) == 36


def test_first_of_consecutive_ranges() -> None:
    assert first_of([3, 0, 2]).tolist() == [0, 3, 3, 5]
    assert first_of([]).tolist() == [0]


def test_slots_of_different_neurons_and_receptors_never_meet() -> None:
    spec = spec_of(two_models(), cuts=cuts_of_two_models())
    places = Places.of(spec)
    taken = [
        slot
        for piece in spec.slices
        if piece.bank >= 0
        for receptor in range(len(piece.lsb))
        for slot in range(places.slot(piece, receptor), places.slot(piece, receptor) + piece.n)
    ]
    assert len(taken) == len(set(taken)) == 2 * 9 + 5
    assert max(taken) < places.n_slots


def two_models() -> Any:
    exponential = {"name": "exp", "size": 9, "model": "lif_curr_exp", "parameters": {"v_threshold_mv": 1e6}}
    return describe(
        [exponential, delta("cells", 5, QUIET)],
        sources=[times((0,), (1,))],
        projections=[
            explicit([(0, 0, 1.0, 1)]),
            explicit([(1, 8, 1.0, 3)], target="exp", receptor="inhibitory"),
        ],
    )


def cuts_of_two_models() -> list[Cut]:
    return [Cut("exp", 0, 4), Cut("cells", 0, 5, 0, 4), Cut("exp", 4, 5, 1, 0), Cut("source", 0, 2, -1)]


def test_axons_lead_to_their_receptor_slots_and_lanes() -> None:
    """Two axons for "cells" in bank 0; two for each part of "exp", inhibitory, in banks 0 and 1."""
    spec = spec_of(two_models(), cuts=cuts_of_two_models(), shifts={"source->exp": 2})
    arrays, places = Lone(spec).chip.arrays, Places.of(spec)
    blocks, second = arrays.synapses.blocks, int(places.bank_slot[1] + places.bank_pitch[1])
    assert blocks[:, LAYOUT].tolist() == [SEGMENTS] * 3
    assert blocks[:, LANE].tolist() == [0, 1, 2]
    assert arrays.flight.lanes.table[:, LANE_SLOT].tolist() == [0, 16, second]
    assert arrays.flight.lanes.table[:, LANE_SHIFT].tolist() == [0, 2, 2]
    assert blocks[:, ENTRY].tolist() == [0, 2, 4]
    assert blocks[:, COLUMNS].tolist() == [1, 1, 1]
    assert arrays.synapses.start.size == 7
    assert arrays.synapses.first_beside == arrays.synapses.words.size == 2


def test_axons_in_rows_stand_last_and_in_no_lane() -> None:
    network = two_models()
    layouts, shifts = {"source->exp": ROWS}, {"source->exp": 2}
    spec = spec_of(network, cuts=cuts_of_two_models(), layouts=layouts, shifts=shifts)
    arrays, places = Lone(spec).chip.arrays, Places.of(spec)
    blocks, second = arrays.synapses.blocks, int(places.bank_slot[1] + places.bank_pitch[1])
    assert blocks[:, LAYOUT].tolist() == [SEGMENTS, ROWS, ROWS]
    assert blocks[:, LANE].tolist() == [0, -1, -1]
    assert blocks[1:, BLOCK_SLOT].tolist() == [16, second]
    assert blocks[1:, BLOCK_SHIFT].tolist() == [2, 2]
    assert (arrays.synapses.first_beside, arrays.synapses.beside.tolist()) == (1, [3])
    assert arrays.flight.wheel.buckets.tolist() == [-1] * 4
    assert arrays.flight.wheel.next.size == 16


def test_queued_axons_of_a_source_lead_into_all_banks() -> None:
    """One block of two axons with three terminals, whose codes stand beside the words."""
    spec = spec_of(two_models(), cuts=cuts_of_two_models(), layouts=QUEUED, shifts={"source->exp": 2})
    arrays, places = Lone(spec).chip.arrays, Places.of(spec)
    second = int(places.bank_slot[1] + places.bank_pitch[1])
    (block,) = spec.blocks
    assert block.terminals == (Terminal(0, 0, 0), Terminal(0, 1, 2), Terminal(1, 1, 2))
    assert (block.n, block.delays.tolist(), spec.n_axons) == (2, [1, 3], 2)
    assert spec.queued_terminals == block.terminals
    assert arrays.synapses.blocks[0, [LAYOUT, ENTRY, COLUMNS, LANE]].tolist() == [QUEUED, 0, 1, -1]
    assert arrays.synapses.start.tolist() == [0, 1, 2]
    assert (arrays.synapses.first_beside, arrays.synapses.beside.tolist()) == (0, [1, 2 << 8 | 3])
    queues = arrays.flight.queues
    assert queues.terminal_slot.tolist() == [0, 16, second]
    assert queues.terminal_shift.tolist() == [0, 2, 2]
    assert queues.bank_first.tolist() == [0, 2, 3]
    assert queues.ticks == 4
    assert queues.first.size == queues.n_chunks.size == queues.tail.size == 12
    assert queues.next.size == CHUNKS_OF_QUEUE * 12
    assert queues.chunks.size == CHUNK * queues.next.size
    assert queues.row.size == queues.sent.size == 4


@pytest.mark.parametrize(("longest", "ticks"), [(1, 2), (7, 8), (8, 16), (255, 256)])
def test_queues_are_a_power_of_two_above_the_longest_delay(longest: int, ticks: int) -> None:
    network = describe(
        [delta("cells", 1, QUIET)], sources=[times((0,))], projections=[explicit([(0, 0, 1.0, longest)])]
    )
    queues = Lone(spec_of(network, layouts=QUEUED)).chip.arrays.flight.queues
    assert queues.ticks == queues.tail.size == ticks


def test_slices_stand_bank_by_bank_with_sources_last() -> None:
    arrays = Lone(spec_of(two_models(), cuts=cuts_of_two_models())).chip.arrays
    assert arrays.bank_first.tolist() == [0, 2, 3, 4]
    assert arrays.flight.lanes.bank_first.tolist() == [0, 2, 3]


def test_flags_are_whole_cache_lines_and_enough_for_the_largest_slice() -> None:
    network = describe([delta(name, n, RELAY) for name, n in (("one", 1), ("two", 65), ("six", 9))])
    arrays = Lone(spec_of(network)).chip.arrays
    output = arrays.output
    assert arrays.slices[:, COUNTDOWN].tolist() == [0, 64, 192]
    assert output.fired.size == 2 * LINE_BYTES
    assert output.fired.ctypes.data % LINE_BYTES == 0
    assert np.shares_memory(output.fired, output.fired_words)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_state_and_coefficients_have_the_precision(precision: str) -> None:
    neurons = Lone(spec_of(two_models(), precision=precision)).chip.arrays.neurons
    assert {array.dtype.name for array in (neurons.state, neurons.coefficients, neurons.drive)} == {precision}
    assert neurons.slots.dtype == np.int32


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_what_is_walked_every_tick_begins_cache_lines(precision: str) -> None:
    """Slices of 9, 8 and 5 neurons: the arrays, each slice's drive and flags, each receptor's slots."""
    network = describe([delta(name, n, QUIET) for name, n in (("one", 9), ("two", 8), ("six", 5))])
    arrays, size = Lone(spec_of(network, precision=precision)).chip.arrays, np.dtype(precision).itemsize
    neurons = arrays.neurons
    for array in (neurons.slots, neurons.state, neurons.drive):
        assert array.ctypes.data % LINE_BYTES == 0
    assert not (arrays.slices[:, [STATE, DRIVE]] * size % LINE_BYTES).any()
    assert not (arrays.slices[:, [COUNTDOWN]] % LINE_BYTES).any()
    assert not (Places.of(spec_of(two_models(), cuts=cuts_of_two_models())).bank_pitch * 4 % LINE_BYTES).any()


def test_equal_parameters_are_kept_once_and_drawn_ones_for_each_neuron() -> None:
    fixed = Lone(spec_of(describe([delta("cells", 100, QUIET)]))).chip.arrays.neurons.coefficients
    drawn = QUIET | {"v_threshold_mv": {"kind": "normal", "mean": 5.0, "sd": 1.0}}
    varied = Lone(spec_of(describe([delta("cells", 100, drawn)]))).chip.arrays.neurons.coefficients
    assert (fixed.size, varied.size) == (5, 500)
    assert np.array_equal(varied[:100], np.full(100, fixed[0]))
    assert np.unique(varied[100:200]).size == 100


def test_default_cuts_are_the_whole_network() -> None:
    assert whole(two_models()) == [
        Cut("exp", 0, 9, 0, 0),
        Cut("cells", 0, 5, 0, 9),
        Cut("source", 0, 2, -1, 14),
    ]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    ("ticks", "kind"), [(0, "uint8"), (255, "uint8"), (256, "uint32"), (65_536, "uint32")]
)
def test_refractory_ticks_are_counted_down_in_what_holds_the_longest(
    ticks: int, kind: str, precision: str
) -> None:
    """The second population's neurons, as soon as they may, fire once more; the first rest for a tick."""
    parameters = RELAY | {"i_offset_pa": 1e6}
    short, long = parameters | {"t_ref_ms": 0.1}, parameters | {"t_ref_ms": 0.1 * ticks}
    network = describe([delta("short", 1, short), delta("long", 2, long)])
    lone = Lone(spec_of(network, precision=precision))
    countdown = lone.chip.arrays.neurons.countdown
    assert countdown.dtype.name == kind
    spikes = lone.run(min(2 * ticks + 3, 600))
    assert {tick for tick, neuron in spikes if neuron == 0} == set(range(0, lone.tick, 2))
    for number in (1, 2):
        assert [t for t, neuron in spikes if neuron == number] == list(range(0, lone.tick, ticks + 1))
    first = int(lone.chip.arrays.slices[1, COUNTDOWN])
    assert countdown[first : first + 2].tolist() == [ticks - (lone.tick - 1) % (ticks + 1)] * 2
