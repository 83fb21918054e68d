"""Poisson inputs, constant currents, sources: the same draws as plain NumPy makes, in every slicing."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from chip.random import Purpose
from network import Network
from tests.chip.chips import LSB, Cut, Lone, spec_of
from tests.chip.goodness import DEVIATE, chi_square, moments
from tests.chip.networks import QUIET, RELAY, delta, describe, everything, times
from tests.chip.oracle import GOLDEN, draws, finalise, key_of, poisson_counts
from tests.chip.strategies import cuts, few

SEED = 5


def poisson_input(rate_hz: Any, weight: float = LSB) -> dict[str, Any]:
    return {"kind": "poisson", "rate_hz": rate_hz, "weight": weight}


def driven(*inputs: dict[str, Any], size: int = 20) -> Network:
    """Return a network of two populations; the second has the inputs and adds them up."""
    cells = delta("cells", size, QUIET, inputs=list(inputs))
    return describe([delta("others", 3, QUIET), cells], recordings=[everything("cells", size)])


def potentials(network: Network, n_ticks: int) -> np.ndarray:
    """Return (n_ticks, n_neurons) potentials in LSBs; after 1e4 ticks the leak has taken 1e-6 of them."""
    (rows,) = Lone(spec_of(network)).states(n_ticks)
    return rows / LSB


def counts_of(network: Network, n_ticks: int) -> np.ndarray:
    """Return (n_ticks, n_neurons) how many events of weight LSB came."""
    exact = np.diff(potentials(network, n_ticks), axis=0, prepend=0.0)
    assert np.abs(exact - np.rint(exact)).max() < 1e-3
    return np.rint(exact).astype(np.int64)


def expected_bits(number: int, n_ticks: int, size: int) -> np.ndarray:
    """Return the (n_ticks, size) draws of one input of the second population."""
    of_tick = draws(key_of(SEED, Purpose.INPUT, 1, number), np.arange(n_ticks))
    return draws(of_tick[:, None], np.arange(size)[None, :])


def uniforms(key: np.uint64, size: int) -> np.ndarray:
    """Return what a uniform value draws for each neuron, from 0 to 1: its own bits, hashed on once."""
    bits = finalise(draws(key, np.arange(size)) + np.uint64(GOLDEN))
    return ((bits & np.uint64(0xFFFFFFFF)).astype(np.float64) + 0.5) / 2.0**32


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


def test_a_source_of_given_times_spikes_in_just_those_ticks() -> None:
    network = describe(
        [delta("cells", 2, QUIET)], sources=[times((0, 1, 7), (), (1, 29, 30)), times((5,), name="other")]
    )
    assert Lone(spec_of(network)).run(30) == [(0, 2), (1, 2), (1, 4), (5, 5), (7, 2), (29, 4)]


def test_a_slice_of_a_source_spikes_in_its_own_times() -> None:
    network = describe([delta("cells", 2, QUIET)], sources=[times((3,), (1,), (1, 2), (0,))])
    pieces = [Cut("cells", 0, 2), Cut("source", 1, 2, bank=-1)]
    assert Lone(spec_of(network, cuts=pieces)).run(9) == [(1, 3), (1, 4), (2, 4)]


def poisson_source(rate_hz: float, size: int) -> Network:
    source = {"kind": "poisson", "name": "drive", "size": size, "rate_hz": rate_hz}
    return describe([delta("cells", 3, QUIET)], sources=[times((2,)), source])


@pytest.mark.parametrize("rate_hz", [0.0, 5.0, 800.0, 9_999.0, 10_000.0])
def test_a_poisson_source_spikes_where_its_draw_is_below_the_rate(rate_hz: float) -> None:
    spikes = Lone(spec_of(poisson_source(rate_hz, 100))).run(30)
    of_tick = draws(key_of(SEED, Purpose.SOURCE, 2), np.arange(30))
    chance = draws(of_tick[:, None], np.arange(100)[None, :]) / 2.0**64
    ticks, neurons = np.nonzero(chance < rate_hz * 1e-4)
    assert [s for s in spikes if s[1] > 3] == list(zip(ticks.tolist(), (neurons + 4).tolist(), strict=True))


def test_a_poisson_source_has_its_rate_in_every_neuron_and_tick() -> None:
    spikes = np.array(Lone(spec_of(poisson_source(1000.0, 200))).run(200))
    spikes = spikes[spikes[:, 1] > 3]
    n, sd = 200 * 200, math.sqrt(200 * 200 * 0.1 * 0.9)
    assert abs(spikes.shape[0] - 0.1 * n) < DEVIATE * sd
    for counts in (np.bincount(spikes[:, 0], minlength=200), np.bincount(spikes[:, 1] - 4, minlength=200)):
        # Binomial counts vary less than chi-square's Poisson ones, by 1 - p.
        scaled = 20.0 + (counts - 20.0) / math.sqrt(0.9)
        assert abs(chi_square(scaled, spikes.shape[0] / 200)) < DEVIATE


@pytest.mark.parametrize("size", [1, 7, 8, 9, 17, 64])
def test_all_neurons_may_fire_at_once(size: int) -> None:
    sources = [{"kind": "poisson", "name": "drive", "size": size, "rate_hz": 10_000.0}]
    cells = [
        delta(name, n, RELAY | {"i_offset_pa": 1e5}) for name, n in (("one", size), ("two", 3), ("six", size))
    ]
    spikes = Lone(spec_of(describe(cells, sources=sources))).run(2)
    assert spikes == [(tick, neuron) for tick in (0, 1) for neuron in range(3 * size + 3)]
