"""Waveforms once more, from their definition, in fractions: what the chip's are held against."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

H = Fraction(1, 10)
"""The timestep in ms of all networks here."""


def steps(*pairs: tuple[float, float]) -> dict[str, Any]:
    """Return steps of (time in ms, value from then on)."""
    return {"kind": "steps", "times_ms": [t for t, _ in pairs], "values": [value for _, value in pairs]}


def ramp(start_ms: float, stop_ms: float, first: float, last: float) -> dict[str, Any]:
    return {"kind": "ramp", "start_ms": start_ms, "stop_ms": stop_ms, "first": first, "last": last}


def sine(offset: float, amplitude: float, frequency_hz: float, phase_degrees: float = 0.0) -> dict[str, Any]:
    return {
        "kind": "sine",
        "offset": offset,
        "amplitude": amplitude,
        "frequency_hz": frequency_hz,
        "phase_degrees": phase_degrees,
    }


STEPS = steps((0.5, 2.0), (1.2, 0.25), (3.0, 0.0), (3.1, 1.5))
RAMP = ramp(0.7, 3.2, 0.5, 2.0)
SINE = sine(1.25, 0.75, 170.0, 33.0)
COURSES = {"steps": STEPS, "ramp": RAMP, "sine": SINE}
"""Of each kind one that is never negative, and does something in the first 40 ticks."""


def sine_of_turns(turns: Fraction) -> float:
    """Return sin(2 pi turns): reduced without error, so that `math.sin` sees a small angle."""
    quarter = math.floor(4 * turns + Fraction(1, 2))
    radians = float(turns - Fraction(quarter, 4)) * 2.0 * math.pi
    value = math.cos(radians) if quarter % 2 else math.sin(radians)
    return -value if quarter % 4 >= 2 else value


def value_at(waveform: Mapping[str, Any], tick: int, h: Fraction = H) -> float:
    """Return a waveform's value in a tick."""
    ms = tick * h
    if waveform["kind"] == "steps":
        passed = [
            v for t, v in zip(waveform["times_ms"], waveform["values"], strict=True) if written(t) <= ms
        ]
        return float(passed[-1]) if passed else 0.0
    if waveform["kind"] == "ramp":
        start, stop, first, last = (written(waveform[k]) for k in ("start_ms", "stop_ms", "first", "last"))
        share = min(max((ms - start) / (stop - start), Fraction(0)), Fraction(1))
        return float(first + (last - first) * share)
    turns = written(waveform["frequency_hz"]) * ms / 1000 + written(waveform["phase_degrees"]) / 360
    return float(waveform["offset"] + waveform["amplitude"] * sine_of_turns(turns))


def values_of(waveform: Mapping[str, Any], n_ticks: int) -> np.ndarray:
    """Return the values in ticks 0 ... n_ticks - 1."""
    return np.array([value_at(waveform, tick) for tick in range(n_ticks)])


def written(number: float) -> Fraction:
    return Fraction(str(number))
