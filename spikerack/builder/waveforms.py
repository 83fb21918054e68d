"""Waveforms: courses of a current or rate over time."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.typing import ArrayLike

from network import Ramp, Sine, Steps
from spikerack.builder.parts import part


def steps(times_ms: ArrayLike | Iterable[float], values: ArrayLike | Iterable[float]) -> Steps:
    """Return ``values[k]`` from ``times_ms[k]`` on, and 0 before the first time."""
    return part(Steps, "steps", times_ms=times_ms, values=values)


def ramp(start_ms: float, stop_ms: float, first: float, last: float) -> Ramp:
    """Return `first` until `start_ms`, a straight line to `last` at `stop_ms`, and `last` from there on."""
    return part(Ramp, "ramp", start_ms=start_ms, stop_ms=stop_ms, first=first, last=last)


def sine(amplitude: float, frequency_hz: float, *, offset: float = 0.0, phase_degrees: float = 0.0) -> Sine:
    """Return ``offset + amplitude * sin(2 pi frequency_hz t + phase_degrees)``."""
    return part(
        Sine,
        "sine",
        amplitude=amplitude,
        frequency_hz=frequency_hz,
        offset=offset,
        phase_degrees=phase_degrees,
    )
