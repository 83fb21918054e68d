from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chip import SliceSpec
from chip.arrays import FIRED, FIRED_END, first_of
from chip.layout import Places
from tests.chip.chips import Cut, Lone, spec_of, whole
from tests.chip.networks import QUIET, RELAY, delta, describe, explicit, times


def part(bank: int, bank_neuron: int, n: int, n_receptors: int) -> SliceSpec:
    member: Any = SimpleNamespace(name="cells")
    return SliceSpec(member, 0, 0, 0, n, bank, bank_neuron, lsb=(1.0,) * n_receptors)


def test_a_bank_has_room_for_its_widest_slice_and_most_receptors() -> None:
    slices = (part(0, 0, 10, 1), part(0, 10, 5, 2), part(1, 4, 3, 1), part(-1, 0, 99, 0))
    places = Places.of(SimpleNamespace(n_banks=3, slices=slices))  # type: ignore[arg-type]
    assert places.bank_slot.tolist() == [0, 30, 37]
    assert places.bank_pitch.tolist() == [15, 7, 0]
    assert places.n_slots == 37
    assert [places.slot(slices[1], receptor) for receptor in (0, 1)] == [10, 25]
    assert places.slot(slices[2], 0) == 34


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
    spec = spec_of(two_models(), cuts=cuts_of_two_models())
    synapses, places = Lone(spec).chip.arrays.synapses, Places.of(spec)
    assert synapses.axon_lane.tolist() == [0, 0, 1, 1, 2, 2]
    second = int(places.bank_slot[1] + places.bank_pitch[1])
    assert synapses.axon_slot.tolist() == [0, 0, 9, 9, second, second]
    assert synapses.axon_shift.tolist() == [0] * 6
    assert synapses.axon_start.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert synapses.first_late == synapses.words.size == 2


def test_axons_in_rows_stand_last_and_in_no_lane() -> None:
    network = two_models()
    spec = spec_of(network, cuts=cuts_of_two_models(), in_rows=("source->cells",))
    arrays = Lone(spec).chip.arrays
    assert arrays.synapses.axon_lane.tolist() == [0, 0, 1, 1, -1, -1]
    assert arrays.synapses.axon_slot[-1] == 0
    assert (arrays.synapses.first_late, arrays.synapses.late.tolist()) == (1, [1])
    assert arrays.flight.buckets.tolist() == [-1, -1]
    assert arrays.flight.wheel_next.size == 8


def test_slices_stand_bank_by_bank_with_sources_last() -> None:
    arrays = Lone(spec_of(two_models(), cuts=cuts_of_two_models())).chip.arrays
    assert arrays.bank_first.tolist() == [0, 2, 3, 4]
    assert arrays.flight.bank_lane.tolist() == [0, 2, 3]


def test_flags_of_a_slice_are_whole_words() -> None:
    network = describe([delta(name, n, RELAY) for name, n in (("one", 1), ("two", 8), ("six", 9))])
    arrays = Lone(spec_of(network)).chip.arrays
    output = arrays.output
    assert arrays.slices[:, [FIRED, FIRED_END]].tolist() == [[0, 8], [8, 16], [16, 32]]
    assert output.fired.size == 8 + 8 + 16
    assert np.shares_memory(output.fired, output.fired_words)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_state_and_coefficients_have_the_precision(precision: str) -> None:
    neurons = Lone(spec_of(two_models(), precision=precision)).chip.arrays.neurons
    assert {array.dtype.name for array in (neurons.state, neurons.coefficients, neurons.drive)} == {precision}
    assert neurons.slots.dtype == np.int32


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
