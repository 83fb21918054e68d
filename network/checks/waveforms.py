"""Rates and currents over time: on the time grid; no rate below 0 or beyond a spike a tick."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from network.errors import Problem, show
from network.grid import MAX_TICKS, off_grid, on_grid
from network.waveform import Ramp, Steps, Waveform, extremes


def waveform_problems(path: str, waveform: Waveform, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of a waveform's times."""
    match waveform:
        case Steps():
            times = np.array(waveform.times_ms, dtype=np.float64)
            good = on_grid(times, timestep_ms, max_ticks=MAX_TICKS, min_ticks=0)
            named = [(f"times_ms[{k}]", waveform.times_ms[k]) for k in np.flatnonzero(~good)[:1]]
        case Ramp():
            named = [("start_ms", waveform.start_ms), ("stop_ms", waveform.stop_ms)]
        case _:
            named = []
    for name, ms in named:
        problem = off_grid(ms, timestep_ms, max_ticks=MAX_TICKS, min_ticks=0)
        if problem:
            yield f"{path}.{name}", problem


def modulation_problems(path: str, modulation: Waveform | None, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of a waveform that a rate is multiplied with."""
    if modulation is None:
        return
    yield from waveform_problems(path, modulation, timestep_ms)
    low = extremes(modulation)[0]
    if low < 0:
        yield path, f"must be >= 0, got {show(low)} at its lowest; raise it"


def rate_problems(
    path: str, rate_hz: float, timestep_ms: float, *, modulation: Waveform | None, correlation: float = 1.0
) -> Iterator[Problem]:
    """Yield the problem of a source that would have to spike more than once a tick.

    Parameters
    ----------
    path : str
        Where the rate stands.
    rate_hz : float
    timestep_ms : float
    modulation : waveform or None
        What the rate is multiplied with.
    correlation : float
        What the rate is divided by: that of a mother process.
    """
    greatest = 1.0 if modulation is None else extremes(modulation)[1]
    if rate_hz * greatest / correlation <= 1000.0 / timestep_ms:
        return
    most = show(1000.0 / timestep_ms * correlation / greatest)
    rule = f"must be at most {most}, one spike a tick of {show(timestep_ms)} ms"
    if correlation < 1.0:
        rule += f" of the process that is copied with correlation {show(correlation)}"
    if greatest != 1.0:
        rule += f" at {show(greatest)} times the rate"
    advice = "lower it, or use more neurons" if correlation == 1.0 else "lower it, or raise the correlation"
    yield path, f"{rule}, got {show(rate_hz)}; {advice}"
