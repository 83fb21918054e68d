"""Waveforms on the chip: rates and currents that change over time, evaluated once a tick.

A waveform's value in tick t is that at the time t timestep_ms. So what changes at T ms acts on the
membrane from tick T / timestep_ms on: a potential sampled at T does not show it yet, that at T +
timestep_ms does.

NEST's devices send their currents along connections with a delay of D ticks, at least 1, and what they
are at T acts from tick T / timestep_ms + D on. So a `step_current_generator` does what `Steps` do whose
times are D timestep_ms later, and an `ac_generator`, which is silent before tick D + 1, what a `Sine`
does whose phase is less by the turns of D ticks.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from chip.arithmetic import sine
from chip.arrays import Waveforms, first_of
from chip.jit import tick_kernel
from network import Ramp, Sine, Steps, Waveform

STEPS, RAMP, SINE = range(3)
"""Kinds of waveforms."""

_FINE = np.uint64(32)


class WaveformTable:
    """The waveforms of a chip, each once."""

    def __init__(self, timestep_ms: float) -> None:
        self._timestep_ms = timestep_ms
        self._numbers: dict[Waveform, int] = {}

    def number(self, waveform: Waveform | None) -> int:
        """Return the number of a waveform, a new one if it is new; -1 for None."""
        return -1 if waveform is None else self._numbers.setdefault(waveform, len(self._numbers))

    def arrays(self) -> Waveforms:
        """Return all waveforms as kernels take them."""
        waveforms, h = tuple(self._numbers), self._timestep_ms
        steps = [w if isinstance(w, Steps) else Steps(times_ms=(), values=()) for w in waveforms]
        times = np.array([time for own in steps for time in own.times_ms], np.float64)
        return Waveforms(
            now=np.zeros(len(waveforms)),
            kind=np.array([_kind(w) for w in waveforms], np.int64),
            step_first=first_of([len(own.times_ms) for own in steps]),
            step_tick=np.rint(times / h).astype(np.int64),
            step_value=np.array([value for own in steps for value in own.values], np.float64),
            numbers=np.array([_numbers(w, h) for w in waveforms], np.float64).reshape(len(waveforms), 4),
            turns=np.array([_turns(w, h) for w in waveforms], np.uint64).reshape(len(waveforms), 3),
        )


def _kind(waveform: Waveform) -> int:
    match waveform:
        case Steps():
            return STEPS
        case Ramp():
            return RAMP
        case Sine():
            return SINE


def _numbers(waveform: Waveform, timestep_ms: float) -> tuple[float, ...]:
    match waveform:
        case Steps():
            return 0.0, 0.0, 0.0, 0.0
        case Ramp():
            start, stop = round(waveform.start_ms / timestep_ms), round(waveform.stop_ms / timestep_ms)
            return start, stop, waveform.first, waveform.last
        case Sine():
            return waveform.offset, waveform.amplitude, 0.0, 0.0


def _turns(waveform: Waveform, timestep_ms: float) -> tuple[int, int, int]:
    """Return a sine's turns as integers: exact to 2**-63 of a turn in all of 2**32 ticks."""
    if not isinstance(waveform, Sine):
        return 0, 0, 0
    frequency, h = _as_written(waveform.frequency_hz), _as_written(timestep_ms)
    start = round(_as_written(waveform.phase_degrees) / 360 % 1 * 2**64)
    a_tick = round(frequency * h / 1000 % 1 * 2**96)
    return start % 2**64, (a_tick >> 32) % 2**64, a_tick % 2**32


def _as_written(number: float) -> Fraction:
    """Return the decimal number that is meant: 0.1 is a tenth."""
    return Fraction(repr(float(number)))


@tick_kernel
def evaluate(waveforms, tick):
    """Write the values of all waveforms in `tick` into ``waveforms.now``."""
    for k in range(waveforms.now.size):
        if waveforms.kind[k] == STEPS:
            waveforms.now[k] = _steps(waveforms, k, tick)
        elif waveforms.kind[k] == RAMP:
            waveforms.now[k] = _ramp(waveforms.numbers[k], np.float64(tick))
        else:
            waveforms.now[k] = _sine(waveforms.numbers[k], waveforms.turns[k], np.uint64(tick))


@tick_kernel
def _steps(waveforms, k, tick):
    first, end = waveforms.step_first[k], waveforms.step_first[k + 1]
    passed = np.searchsorted(waveforms.step_tick[first:end], tick, side="right")
    return waveforms.step_value[first + passed - 1] if passed > 0 else 0.0


@tick_kernel
def _ramp(numbers, tick):
    start, stop, first, last = numbers[0], numbers[1], numbers[2], numbers[3]
    if tick <= start:
        return first
    if tick >= stop:
        return last
    return first + (last - first) * ((tick - start) / (stop - start))


@tick_kernel
def _sine(numbers, turns, tick):
    return numbers[0] + numbers[1] * sine(turns[0] + tick * turns[1] + ((tick * turns[2]) >> _FINE))
