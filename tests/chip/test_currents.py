"""Currents that change: potentials and spikes of the exact recursion, noise with the meaning of NEST's."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from chip.arrays import DRIVE, SIZE
from chip.normal import TABLE, normal
from chip.random import Purpose
from network import Network
from tests.chip.chips import Cut, Lone, spec_of
from tests.chip.drives import SEED, driven, uniforms
from tests.chip.goodness import DEVIATE, KS_LIMIT, kolmogorov_smirnov, moments
from tests.chip.networks import QUIET, delta, describe, everything
from tests.chip.oracle import draws, key_of
from tests.chip.strategies import cuts, few
from tests.chip.waves import COURSES, RAMP, SINE, STEPS, sine, steps, values_of

N = 60
TAU_MS, C_PF, OFFSET_PA = 7.0, 120.0, 35.0
LEAKY = {
    "v_rest_mv": -65.0,
    "v_reset_mv": -64.0,
    "v_threshold_mv": -62.5,
    "tau_m_ms": TAU_MS,
    "c_m_pf": C_PF,
    "t_ref_ms": 0.3,
    "i_offset_pa": OFFSET_PA,
}


def current(waveform: Mapping[str, Any], current_pa: Any = 100.0) -> dict[str, Any]:
    return {"kind": "current", "current_pa": current_pa, "waveform": waveform}


def noise(sd_pa: float, interval_ms: float = 0.1, mean_pa: float = 0.0) -> dict[str, Any]:
    return {"kind": "noise", "mean_pa": mean_pa, "sd_pa": sd_pa, "interval_ms": interval_ms}


def leaky(model: str, *inputs: dict[str, Any], size: int = 3) -> Network:
    cells = {"name": "cells", "size": size, "model": model, "parameters": LEAKY, "inputs": list(inputs)}
    return describe([cells], recordings=[everything("cells", size)])


def recursion(current_pa: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the potential of a leaky neuron after each tick, in mV, and the ticks of its spikes."""
    decay = math.exp(-0.1 / TAU_MS)
    gain = TAU_MS / C_PF * (1.0 - decay)
    v, refractory, potentials, spikes = 0.0, 0, [], []
    for tick, pa in enumerate(current_pa.tolist()):
        if refractory:
            refractory -= 1
        else:
            v = v * decay + pa * gain
        if v >= 2.5:
            v, refractory = 1.0, 3
            spikes.append(tick)
        potentials.append(v - 65.0)
    return np.array(potentials), spikes


@pytest.mark.parametrize("model", ["lif_curr_exp", "lif_curr_delta"])
@pytest.mark.parametrize("kind", COURSES)
def test_potentials_and_spikes_follow_the_exact_recursion(kind: str, model: str) -> None:
    network = leaky(model, current(COURSES[kind]))
    (rows,), lone = Lone(spec_of(network)).states(N), Lone(spec_of(network))
    exact, spikes = recursion(OFFSET_PA + 100.0 * values_of(COURSES[kind], N))
    assert np.abs(rows - exact[:, None]).max() < 1e-12
    assert lone.run(N) == [(tick, neuron) for tick in spikes for neuron in range(3)]
    assert len(spikes) >= 2


def test_a_step_shows_in_the_sample_at_the_end_of_its_first_tick() -> None:
    """A step at 1.0 ms: the sample at 1.0 ms, of tick 9, is not moved by it, that at 1.1 ms is."""
    (rows,) = Lone(spec_of(driven(current(steps((1.0, 1.0)))))).states(12)
    assert (np.flatnonzero(rows[:, 0]) == [10, 11]).all()


def test_each_neuron_has_its_own_share() -> None:
    share = {"kind": "uniform", "low": -50.0, "high": 50.0}
    (rows,) = Lone(spec_of(leaky("lif_curr_exp", current(SINE, share), size=9))).states(N)
    shares = -50.0 + 100.0 * uniforms(key_of(SEED, Purpose.INPUT, 0, 0), 9)
    for neuron, pa in enumerate(shares.tolist()):
        exact, _ = recursion(OFFSET_PA + pa * values_of(SINE, N))
        assert np.abs(rows[:, neuron] - exact).max() < 1e-12


def test_shares_may_follow_the_distance_from_the_centre() -> None:
    space = {"kind": "grid", "shape": [5], "extent_um": [50.0], "periodic": False}
    share = {"kind": "distance_linear", "at_zero": 10.0, "slope_per_um": 2.0}
    cells = delta("cells", 5, QUIET, inputs=[current(steps((0.0, 1.0)), share)], positions=space)
    (rows,) = Lone(spec_of(describe([cells], recordings=[everything("cells", 5)]))).states(1)
    assert rows[0] / (0.1 / 250.0) == pytest.approx([50.0, 30.0, 10.0, 30.0, 50.0], rel=1e-6)


def test_currents_add_up_with_those_that_stay() -> None:
    both = [current(STEPS), {"kind": "dc", "current_pa": 12.5}, current(RAMP, -40.0), current(STEPS, 3.0)]
    (rows,) = Lone(spec_of(leaky("lif_curr_delta", *both))).states(N)
    exact, _ = recursion(OFFSET_PA + 12.5 + 103.0 * values_of(STEPS, N) - 40.0 * values_of(RAMP, N))
    assert np.abs(rows - exact[:, None]).max() < 1e-12


def drive_of_second(lone: Lone) -> np.ndarray:
    """Return the drive of the second slice, whose inputs these tests are of."""
    arrays = lone.chip.arrays
    first, size = arrays.slices[1, [DRIVE, SIZE]]
    return arrays.neurons.drive[first : first + size]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_drive_is_computed_in_float64_and_rounded_once(precision: str) -> None:
    lone = Lone(spec_of(driven(current(SINE, 1.0), current(RAMP, 0.1)), precision=precision))
    arrays = lone.chip.arrays
    for _ in range(30):
        lone.run(1)
        of_sine, of_ramp = arrays.waveforms.now.tolist()
        exact = arrays.currents.gain[0] * (0.0 + (of_sine + 0.1 * of_ramp))
        assert (drive_of_second(lone) == np.dtype(precision).type(exact)).all()


def test_a_current_of_zero_changes_no_bit() -> None:
    bare, silent = (
        driven({"kind": "dc", "current_pa": 3.3}),
        driven({"kind": "dc", "current_pa": 3.3}, current(steps((100.0, 1.0)))),
    )
    (one,), (other,) = (Lone(spec_of(network)).states(N) for network in (bare, silent))
    assert np.array_equal(one, other)


def test_what_does_not_change_is_not_computed_anew() -> None:
    lone = Lone(spec_of(driven(current(steps((0.0, 1.0), (1.0, 2.0))), noise(5.0, 1.0))))
    lone.run(1)
    drive = lone.chip.arrays.neurons.drive
    first = drive.copy()
    drive[:] = 0.0
    lone.run(9)
    assert not drive.any()
    lone.run(1)
    assert drive_of_second(lone).all()
    assert not np.array_equal(drive, first)


def test_a_network_without_them_has_no_room_for_them() -> None:
    arrays = Lone(spec_of(driven({"kind": "dc", "current_pa": 3.3}))).chip.arrays
    assert [field.size for field in arrays.currents] == [0] * len(arrays.currents)
    assert arrays.waveforms.now.size == 0


def test_a_chip_goes_on_from_a_snapshot() -> None:
    network = leaky("lif_curr_exp", current(SINE), noise(80.0, 0.4))
    (whole,) = Lone(spec_of(network)).states(40)
    first, second = Lone(spec_of(network)), Lone(spec_of(network))
    first.states(17)
    second.states(31)  # its drive is that of another tick
    second.chip.restore(first.chip.snapshot())
    second.tick = 17
    (rest,) = second.states(23)
    assert np.array_equal(rest, whole[17:])
    second.chip.reset()
    second.tick = 0
    (again,) = second.states(40)
    assert np.array_equal(again, whole)


def noises(*inputs: dict[str, Any], n_ticks: int, size: int = 20) -> np.ndarray:
    """Return (n_ticks, size) the current into each neuron, in pA, from its potential."""
    network = driven(*inputs, size=size, parameters=QUIET | {"tau_m_ms": TAU_MS, "c_m_pf": C_PF})
    (rows,) = Lone(spec_of(network)).states(n_ticks)
    before = np.concatenate([np.zeros((1, size)), rows[:-1]])
    decay = math.exp(-0.1 / TAU_MS)
    return (rows - before * decay) / (TAU_MS / C_PF * (1.0 - decay))


def expected_noise(number: int, n_intervals: int, size: int) -> np.ndarray:
    """Return (n_intervals, size) standard normal numbers of one input of the second population."""
    of_interval = draws(key_of(SEED, Purpose.INPUT, 1, number), np.arange(n_intervals))
    bits = draws(of_interval[:, None], np.arange(size)[None, :])
    return np.array([[normal(np.uint32(word & 0xFFFFFFFF), TABLE) for word in row] for row in bits.tolist()])


def test_noise_is_drawn_for_each_neuron_and_interval() -> None:
    drawn = noises(noise(30.0, 0.5, 7.0), noise(4.0, 0.1), n_ticks=50)
    slow, fast = 7.0 + 30.0 * expected_noise(0, 10, 20), 4.0 * expected_noise(1, 50, 20)
    assert np.abs(drawn - (np.repeat(slow, 5, axis=0) + fast)).max() < 1e-9


def test_noise_is_constant_within_an_interval() -> None:
    drawn = noises(noise(30.0, 0.5), n_ticks=52).round(9)
    assert (drawn[:50].reshape(10, 5, 20) == drawn[:50:5, None, :]).all()
    assert np.unique(drawn).size == 11 * 20


def test_noise_without_spread_is_a_constant_current() -> None:
    (noisy,), (constant,) = (
        Lone(spec_of(driven(given))).states(N)
        for given in (noise(0.0, 0.3, 12.0), {"kind": "dc", "current_pa": 12.0})
    )
    assert np.array_equal(noisy, constant)


def test_noise_is_normal_with_its_mean_and_standard_deviation() -> None:
    drawn = noises(noise(30.0, 0.1, 50.0), n_ticks=100, size=100).ravel()
    assert max(map(abs, moments(drawn, 50.0, 30.0))) < DEVIATE
    assert kolmogorov_smirnov(drawn, NormalDist(50.0, 30.0).cdf) < KS_LIMIT


def test_noise_is_independent_between_neurons_and_intervals() -> None:
    n = 250
    drawn = noises(noise(1.0), n_ticks=n, size=30)
    across = np.corrcoef(drawn.T)[np.triu_indices(30, 1)]
    later = [np.corrcoef(drawn[:-lag, k], drawn[lag:, k])[0, 1] for k in range(30) for lag in (1, 2, 3)]
    for correlations in (across, np.array(later)):
        assert max(map(abs, moments(correlations * math.sqrt(n), 0.0, 1.0))) < DEVIATE


def test_noises_of_a_population_and_of_two_are_independent() -> None:
    one = delta("one", 50, QUIET, inputs=[noise(1.0)])
    two = delta("two", 50, QUIET, inputs=[noise(1.0)])
    network = describe([one, two], recordings=[everything("one", 50), everything("two", 50)])
    samples = [np.diff(rows, axis=0).ravel() for rows in Lone(spec_of(network)).states(200)]
    both = np.corrcoef(*samples)[0, 1] * math.sqrt(samples[0].size)
    within = np.corrcoef(expected_noise(0, 200, 50).ravel(), expected_noise(1, 200, 50).ravel())[0, 1]
    assert abs(both) < DEVIATE
    assert abs(within * math.sqrt(200 * 50)) < DEVIATE


@few
@given(cuts(17))
def test_slices_receive_the_same_currents(ranges: list[tuple[int, int]]) -> None:
    share = {"kind": "normal", "mean": 500.0, "sd": 300.0}
    currents = [current(SINE, share), noise(400.0, 0.3, 100.0), current(RAMP), current(sine(0, 300, 900))]
    cells = delta(
        "cells", 17, LEAKY | {"tau_m_ms": {"kind": "uniform", "low": 5, "high": 9}}, inputs=currents
    )
    network = describe([cells])
    pieces = [Cut("cells", low, high - low, bank, 3 * bank) for bank, (low, high) in enumerate(ranges)]
    spikes = Lone(spec_of(network)).run(60)
    assert sorted(Lone(spec_of(network, cuts=pieces)).run(60)) == sorted(spikes)
    assert len({neuron for _, neuron in spikes}) > 10


def test_empty_populations_may_have_currents() -> None:
    empty = delta("empty", 0, QUIET, inputs=[current(SINE), noise(3.0)])
    full = delta("full", 2, QUIET, inputs=[current(SINE), noise(3.0)])
    lone = Lone(spec_of(describe([empty, full], recordings=[everything("full", 2)])))
    (rows,) = lone.states(5)
    assert rows.shape == (5, 2)
    assert np.unique(rows).size == 10
