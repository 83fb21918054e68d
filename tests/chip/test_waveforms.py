"""Waveforms against their definition, tick by tick, to the end of the longest run."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from chip.waveforms import WaveformTable, evaluate
from network import Sine, Steps, Waveform
from tests.chip.waves import COURSES, ramp, sine, steps, value_at, values_of

LAST = 2**32 - 2
"""The last tick that a network can have."""


def evaluated(waveforms: list[dict[str, Any]], ticks: list[int], timestep_ms: float = 0.1) -> np.ndarray:
    """Return (n_ticks, n_waveforms) what the kernel makes of them."""
    table = WaveformTable(timestep_ms)
    assert [table.number(described(one)) for one in waveforms] == list(range(len(waveforms)))
    arrays = table.arrays()
    rows = []
    for tick in ticks:
        evaluate(arrays, tick)
        rows.append(arrays.now.copy())
    return np.array(rows)


def described(waveform: dict[str, Any]) -> Waveform:
    return TypeAdapter(Waveform).validate_python(waveform)


@pytest.mark.parametrize("kind", COURSES)
def test_waveforms_follow_their_definition(kind: str) -> None:
    found = evaluated([COURSES[kind]], list(range(300)))[:, 0]
    assert np.abs(found - values_of(COURSES[kind], 300)).max() < 5e-16
    assert np.unique(found).size > 3


def test_steps_are_exact_in_the_tick_of_their_time() -> None:
    never = steps()
    long = steps(*((0.1 * tick, float(tick)) for tick in range(3, 400, 2)))
    from_0 = steps((0.0, -3.5), (LAST * 0.1, 7.0))
    found = evaluated([never, long, from_0], [0, 2, 3, 4, 5, 398, 399, 400, LAST - 1, LAST])
    assert found[:, 0].tolist() == [0.0] * 10
    assert found[:, 1].tolist() == [0, 0, 3, 3, 5, 397, 399, 399, 399, 399]
    assert found[:, 2].tolist() == [-3.5] * 9 + [7.0]


def test_a_ramp_is_constant_before_and_after() -> None:
    down = ramp(1.0, 2.0, 5.0, -5.0)
    found = evaluated([down], [0, 9, 10, 15, 20, 21, LAST])[:, 0]
    assert found.tolist() == [5.0, 5.0, 5.0, 0.0, -5.0, -5.0, -5.0]


def test_a_ramp_in_plain_numpy_has_the_same_bits() -> None:
    first, last, start, stop = 0.3, 7.1, 12, 297
    tick = np.arange(400)
    exact = first + (last - first) * ((tick - start) / (stop - start))
    exact = np.where(tick <= start, first, np.where(tick >= stop, last, exact))
    assert np.array_equal(evaluated([ramp(1.2, 29.7, first, last)], tick.tolist())[:, 0], exact)


@pytest.mark.parametrize("timestep_ms", [0.1, 0.05, 0.125, 1.0])
def test_a_sine_keeps_its_phase_to_the_last_tick(timestep_ms: float) -> None:
    waves = [
        sine(0.0, 1.0, f, phase) for f, phase in ((50.0, 0.0), (123.456, -77.7), (1e6, 0.1), (1 / 3, 359.9))
    ]
    ticks = [0, 1, 12_345, 10**8 + 7, 2**31, LAST - 1, LAST]
    found = evaluated(waves, ticks, timestep_ms)
    exact = [[value_at(wave, tick, Fraction(str(timestep_ms))) for wave in waves] for tick in ticks]
    assert np.abs(found - np.array(exact)).max() < 3e-16


def test_a_sine_of_frequency_0_is_its_phase() -> None:
    found = evaluated(
        [sine(1.0, 2.0, 0.0, 90.0), sine(1.0, 2.0, 0.0, -90.0), sine(1.0, 2.0, 0.0)], [0, 5, LAST]
    )
    assert found.tolist() == [[3.0, -1.0, 1.0]] * 3


def test_equal_waveforms_are_evaluated_once() -> None:
    table = WaveformTable(0.1)
    numbers = [
        table.number(waveform)
        for waveform in (
            Sine(amplitude=1, frequency_hz=2),
            None,
            Steps(times_ms=(), values=()),
            Sine(amplitude=1, frequency_hz=2),
        )
    ]
    assert numbers == [0, -1, 1, 0]
    assert table.arrays().now.size == 2


def test_no_waveforms_are_no_work() -> None:
    arrays = WaveformTable(0.1).arrays()
    evaluate(arrays, 3)
    assert arrays.now.size == arrays.step_tick.size == arrays.turns.size == 0
