"""Poisson inputs and constant currents: the same draws as plain NumPy makes, in every slicing."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from chip import SlotOverflow
from chip.poisson import NEVER, poisson_table
from chip.random import Purpose
from tests.chip.chips import LSB, Cut, Lone, spec_of
from tests.chip.drives import SEED, counts_of, driven, expected_bits, poisson_input, potentials, uniforms
from tests.chip.goodness import DEVIATE, chi_square, moments
from tests.chip.networks import QUIET, RELAY, delta, describe, everything
from tests.chip.oracle import key_of, poisson_counts, poisson_masses
from tests.chip.strategies import cuts, few
from tests.chip.waves import COURSES, RAMP, SINE, STEPS, sine, steps, values_of


@pytest.mark.parametrize("rate_hz", [0.0, 8.0, 12_800.0, 300_000.0])
def test_a_poisson_input_counts_by_inversion_of_its_draws(rate_hz: float) -> None:
    counts = counts_of(driven(poisson_input(rate_hz)), 50)
    mean = rate_hz * 1e-4
    if mean == 0.0:
        assert not counts.any()
    else:
        assert np.array_equal(counts, poisson_counts(expected_bits(0, 50, 20), mean))


def test_a_draw_must_be_above_a_threshold_to_count_one_more() -> None:
    """Each neuron's own draw becomes a threshold: then the counts are the ranks of the draws."""
    lone = Lone(spec_of(driven(poisson_input(12_800.0))))
    inputs, bits = lone.chip.arrays.inputs, expected_bits(0, 1, 20)[0] >> np.uint64(32)
    inputs.thresholds[:20] = np.sort(bits)
    inputs.thresholds[20:] = 2**32 - 1
    inputs.guides[0] = np.searchsorted(inputs.thresholds, np.arange(256, dtype=np.uint32) << 24)
    (rows,) = lone.states(1)
    assert np.rint(rows[0] / LSB).tolist() == np.argsort(np.argsort(bits)).tolist()


MEANS = [0.01, 0.1, 0.5, 1.0, 3.0, 7.9, 12.0, 20.0, 21.0, 22.0, 25.0, 40.0, 120.0, 699.0]
"""Events a tick; up to about 20 of them, draws are compared with all usual thresholds."""


@pytest.mark.parametrize("mean", MEANS)
def test_counts_are_the_thresholds_below_the_draws(mean: float) -> None:
    """1,300 neurons: two pieces and a part of a third, in each of which rare draws are counted on for."""
    size, n_ticks = 1300, 12
    network = driven(poisson_input(mean * 1e4), size=size)
    thresholds, _ = poisson_table(mean * 1e4 * 0.1 * 1e-3)
    draws = expected_bits(0, n_ticks, size) >> np.uint64(32)
    expected = (draws[:, :, None] > thresholds.astype(np.uint64)).sum(axis=2)
    assert np.array_equal(counts_of(network, n_ticks), expected)
    assert expected.any()


@pytest.mark.parametrize("means", [(30.0, 0.02), (12.0, 0.3), (600.0, 5.0), (600.0, 0.5)])
def test_what_is_left_of_a_larger_table_does_not_count(means: tuple[float, float]) -> None:
    """A law of few events is tabulated over one of many: the old thresholds stand behind the new."""
    size, n_ticks, (large, small) = 1300, 40, means
    course = steps((0.0, 1.0), (1.0, small / large), (2.0, 1.0), (3.0, small / large))
    lone = Lone(spec_of(driven(poisson_input(large * 1e4, modulation=course), size=size)))
    (rows,) = lone.states(n_ticks)
    counts = np.rint(np.diff(rows / LSB, axis=0, prepend=0.0)).astype(np.int64)
    draws = expected_bits(0, n_ticks, size) >> np.uint64(32)
    now = values_of(course, n_ticks)
    for tick in range(n_ticks):
        thresholds, _ = poisson_table(float(large * 1e4 * 0.1 * 1e-3 * now[tick]))
        expected = (draws[tick][:, None] > thresholds.astype(np.uint64)).sum(axis=1)
        assert np.array_equal(counts[tick], expected)
    table = lone.chip.arrays.inputs.thresholds
    end = int(np.flatnonzero(table == NEVER)[0])
    assert (table[end + 1 :] < NEVER).any()  # what the law of the first ticks has left there


def test_rates_of_each_neuron_are_drawn_and_kept() -> None:
    low, high = 1000.0, 90_000.0
    counts = counts_of(driven(poisson_input({"kind": "uniform", "low": low, "high": high})), 50)
    rates = low + (high - low) * uniforms(key_of(SEED, Purpose.INPUT, 1, 0, 1), 20)
    bits = expected_bits(0, 50, 20)
    for neuron, rate_hz in enumerate(rates.tolist()):
        assert np.array_equal(counts[:, neuron], poisson_counts(bits[:, neuron], rate_hz * 1e-4))


@pytest.mark.parametrize("rate_hz", [12_800.0, {"kind": "uniform", "low": 12_800.0, "high": 12_800.000001}])
def test_mean_and_variance_of_a_poisson_input(rate_hz: Any) -> None:
    counts = counts_of(driven(poisson_input(rate_hz), size=400), 50)
    mean = 1.28
    of_mean, _ = moments(counts, mean, math.sqrt(mean))
    # The fourth central moment of a Poisson number is mean (1 + 3 mean).
    variance = ((counts - mean) ** 2).mean()
    of_variance = (variance - mean) / math.sqrt((mean * (1.0 + 3.0 * mean) - mean**2) / counts.size)
    assert abs(of_mean) < DEVIATE
    assert abs(of_variance) < DEVIATE


def test_inputs_of_a_population_are_independent_and_add_up() -> None:
    network = driven(poisson_input(8000.0, LSB), poisson_input(8000.0, -1000 * LSB))
    sums = np.diff(potentials(network, 40), axis=0, prepend=0.0)
    first, second = (poisson_counts(expected_bits(k, 40, 20), 0.8) for k in (0, 1))
    assert not np.array_equal(first, second)
    assert np.abs(sums - (first - 1000 * second)).max() < 1e-3


@pytest.mark.parametrize("kind", COURSES)
def test_a_modulated_input_has_the_law_of_each_tick(kind: str) -> None:
    counts = counts_of(driven(poisson_input(13_000.0, modulation=COURSES[kind])), 50)
    bits, means = expected_bits(0, 50, 20), 1.3 * values_of(COURSES[kind], 50)
    for tick, mean in enumerate(means.tolist()):
        expected = poisson_counts(bits[tick], mean) if mean else np.zeros(20)
        assert np.array_equal(counts[tick], expected)
    assert np.unique(means).size > 3


def test_a_modulated_input_with_a_rate_for_each_neuron() -> None:
    drawn = {"kind": "uniform", "low": 1000.0, "high": 90_000.0}
    counts = counts_of(driven(poisson_input(drawn, modulation=SINE)), 50)
    rates = 1000.0 + 89_000.0 * uniforms(key_of(SEED, Purpose.INPUT, 1, 0, 1), 20)
    bits, course = expected_bits(0, 50, 20), values_of(SINE, 50)
    for tick in range(50):
        expected = [int(poisson_counts(bits[tick, k], rates[k] * 1e-4 * course[tick])) for k in range(20)]
        assert counts[tick].tolist() == expected


@pytest.mark.parametrize("rate_hz", [12_800.0, {"kind": "uniform", "low": 0.0, "high": 12_800.0}])
def test_a_modulation_of_1_is_none(rate_hz: Any) -> None:
    constant = counts_of(driven(poisson_input(rate_hz)), 30)
    assert np.array_equal(
        counts_of(driven(poisson_input(rate_hz, modulation=steps((0.0, 1.0)))), 30), constant
    )
    later = counts_of(driven(poisson_input(rate_hz, modulation=steps((1.0, 1.0), (2.0, 0.0)))), 30)
    assert np.array_equal(later[10:20], constant[10:20])
    assert not later[:10].any()
    assert not later[20:].any()


def test_events_of_a_modulated_input_follow_its_course() -> None:
    course = sine(1.0, 0.9, 100.0, -45.0)
    counts = counts_of(driven(poisson_input(8000.0, modulation=course), size=300), 200)
    means = 0.8 * values_of(course, 200)
    assert abs(chi_square(counts.sum(axis=1), 300 * means)) < DEVIATE
    low = means < 0.4
    law = np.array([poisson_masses(mean, 30) for mean in means[low].tolist()]).sum(axis=0)
    observed = np.bincount(counts[low].ravel(), minlength=30)
    cells = [np.append(of[:3], of[3:].sum()) for of in (observed, 300 * law)]
    assert abs(chi_square(*cells)) < DEVIATE


def test_rates_may_follow_the_distance_from_the_centre() -> None:
    space = {"kind": "grid", "shape": [1, 5], "extent_um": [10.0, 50.0], "periodic": False}
    rate = {"kind": "distance_linear", "at_zero": 1000.0, "slope_per_um": 300.0}
    inputs = [poisson_input(rate), poisson_input(rate, 1000 * LSB, modulation=RAMP)]
    cells = delta("cells", 5, QUIET, inputs=inputs, positions=space)
    network = describe([delta("others", 3, QUIET), cells], recordings=[everything("cells", 5)])
    sums, course = counts_of(network, 40), values_of(RAMP, 40)
    for neuron, rate_hz in enumerate([7000.0, 4000.0, 1000.0, 4000.0, 7000.0]):
        steady = poisson_counts(expected_bits(0, 40, 5)[:, neuron], rate_hz * 1e-4)
        ramped = [
            int(poisson_counts(expected_bits(1, 40, 5)[tick, neuron], rate_hz * 1e-4 * course[tick]))
            for tick in range(40)
        ]
        assert np.array_equal(sums[:, neuron], steady + 1000 * np.array(ramped))


def test_modulated_inputs_go_on_from_a_snapshot() -> None:
    drawn = {"kind": "uniform", "low": 1000.0, "high": 90_000.0}
    network = driven(poisson_input(9000.0, modulation=SINE), poisson_input(drawn, modulation=STEPS))
    (whole,) = Lone(spec_of(network)).states(30)
    first, second = Lone(spec_of(network)), Lone(spec_of(network))
    first.states(11)
    second.states(23)  # its laws are those of another tick
    second.chip.restore(first.chip.snapshot())
    second.tick = 11
    (rest,) = second.states(19)
    assert np.array_equal(rest, whole[11:])


def test_room_in_slots_is_for_the_greatest_modulated_rate() -> None:
    weight = 2.0**31 / 100 * LSB
    Lone(spec_of(driven(poisson_input(1000.0, weight, modulation=sine(1.0, 1.0, 5.0)))))
    load = (100 + 80 + 24) * round(2**31 / 100)  # events: mean, eight standard deviations and 24 more
    message = (
        "population 'cells', receptor 'delta': the weights onto one neuron must add up to at most 2147483647 "
        f"LSBs, got {load} onto neuron 0, most of it from input 0; use fewer synapses or weights of a "
        "narrower range"
    )
    with pytest.raises(SlotOverflow, match=f"^{re.escape(message)}$"):
        Lone(spec_of(driven(poisson_input(1000.0, weight, modulation=sine(500.0, -500.0, 5.0)))))


@few
@given(cuts(17))
def test_slices_receive_the_same_input(ranges: list[tuple[int, int]]) -> None:
    cells = delta(
        "cells",
        17,
        RELAY | {"v_threshold_mv": {"kind": "uniform", "low": 2.0, "high": 9.0}},
        initial={"v_mv": {"kind": "normal", "mean": 0.0, "sd": 1.0}},
        inputs=[
            poisson_input(9000.0, 0.5),
            poisson_input({"kind": "uniform", "low": 0.0, "high": 9000.0}, 0.5),
            poisson_input(9000.0, 0.5, modulation=SINE),
            {"kind": "dc", "current_pa": {"kind": "uniform", "low": 0.0, "high": 90.0}},
        ],
    )
    drive = {"kind": "poisson", "name": "drive", "size": 17, "rate_hz": 500.0}
    network = describe([cells], sources=[drive])
    pieces = [Cut("cells", low, high - low, bank, 3 * bank) for bank, (low, high) in enumerate(ranges)]
    pieces += [Cut("drive", low, high - low, bank=-1) for low, high in ranges]
    spikes = Lone(spec_of(network)).run(60)
    assert sorted(Lone(spec_of(network, cuts=pieces)).run(60)) == sorted(spikes)
    assert len({neuron for _, neuron in spikes}) > 20


def test_constant_currents_add_up() -> None:
    currents = [{"kind": "dc", "current_pa": 30.0}, {"kind": "dc", "current_pa": -5.0}]
    parameters = QUIET | {"i_offset_pa": 100.0, "tau_m_ms": 20.0, "c_m_pf": 50.0}
    network = describe([delta("cells", 2, parameters, inputs=currents)], recordings=[everything("cells", 2)])
    (rows,) = Lone(spec_of(network)).states(30)
    ms = 0.1 * np.arange(1, 31)
    assert rows[:, 0] == pytest.approx(125.0 * 20.0 / 50.0 * (1.0 - np.exp(-ms / 20.0)), rel=1e-12)
    assert np.array_equal(rows[:, 0], rows[:, 1])


def test_currents_are_drawn_for_each_neuron() -> None:
    drawn = {"kind": "normal", "mean": 50.0, "sd": 5.0}
    network = describe(
        [delta("cells", 30, QUIET | {"i_offset_pa": drawn}, inputs=[{"kind": "dc", "current_pa": drawn}])],
        recordings=[everything("cells", 30)],
    )
    (rows,) = Lone(spec_of(network)).states(1)
    current = rows[0] * 250.0 / 0.1  # c_m / h: nothing leaks
    assert np.unique(current).size == 30
    assert max(map(abs, moments(current, 100.0, math.sqrt(50.0)))) < DEVIATE


@pytest.mark.parametrize("size", [1, 7, 8, 9, 17, 64])
def test_all_neurons_may_fire_at_once(size: int) -> None:
    sources = [{"kind": "poisson", "name": "drive", "size": size, "rate_hz": 10_000.0}]
    cells = [
        delta(name, n, RELAY | {"i_offset_pa": 1e5}) for name, n in (("one", size), ("two", 3), ("six", size))
    ]
    spikes = Lone(spec_of(describe(cells, sources=sources))).run(2)
    assert spikes == [(tick, neuron) for tick in (0, 1) for neuron in range(3 * size + 3)]
