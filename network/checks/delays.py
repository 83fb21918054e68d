"""Delays: an axonal and a dendritic part, which together are at least one tick and not too many.

What is given exactly, as a constant or in a list, stands on the time grid. What is drawn, or a function of
distance, is rounded half up to ticks; a total that rounds to none is one tick, so half a tick is the least
that may be drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from network.checks.values import bounds_problems
from network.connectivity import Explicit, Uploaded
from network.errors import Problem, show
from network.grid import MAX_DELAY_TICKS, off_grid, on_grid
from network.projection import Projection
from network.values import Array, Value, bounds_of


class Part(NamedTuple):
    """One part of a delay.

    Attributes
    ----------
    path : str
        Where it stands.
    value : Value or None
        What is drawn; None for what is exact.
    times_ms : (n,) float64 array, ms
        What is exact.
    listed : bool
        Whether these stand in a list.
    low, high : float
        Bounds in ms.
    """

    path: str
    value: Value | None
    times_ms: NDArray[np.float64]
    listed: bool
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether it is given, not drawn."""
        return self.value is None

    @property
    def empty(self) -> bool:
        """Whether it is an empty list: there are no synapses."""
        return self.exact and not self.times_ms.size

    def ticks(self, ms: float, timestep_ms: float) -> float:
        """Return the ticks of one of its times; may be infinite."""
        ticks = ms / timestep_ms
        if not math.isfinite(ticks):
            return ticks
        return float(round(ticks)) if self.exact else float(math.floor(ticks + 0.5))


def delay_problems(
    path: str, projection: Projection, reach_um: float, timestep_ms: float
) -> Iterator[Problem]:
    """Yield the problems of a projection's delays.

    Parameters
    ----------
    path : str
        Where the projection stands.
    projection : Projection
    reach_um : float
        The greatest distance of a pair.
    timestep_ms : float
    """
    dendritic = _dendritic(path, projection, reach_um)
    if projection.axonal_delay_ms is None:
        yield from _drawn_problems(dendritic, reach_um)
        yield from _problems_alone(dendritic, timestep_ms)
        return
    axonal = _part(f"{path}.axonal_delay_ms", projection.axonal_delay_ms, reach_um)
    problems = [
        problem
        for part in (dendritic, axonal)
        for problem in (*_drawn_problems(part, reach_um), *_part_problems(part, timestep_ms))
    ]
    yield from problems or _total_problems(dendritic, axonal, timestep_ms)


def _dendritic(path: str, projection: Projection, reach_um: float) -> Part:
    rule = projection.connectivity
    if isinstance(rule, Explicit | Uploaded) and rule.delays_ms is not None:
        bounds_only = isinstance(rule, Uploaded) and not rule.n
        return _exact(f"{path}.connectivity.delays_ms", () if bounds_only else rule.delays_ms, listed=True)
    assert projection.delay_ms is not None
    return _part(f"{path}.delay_ms", projection.delay_ms, reach_um)


def _part(path: str, value: Value, reach_um: float) -> Part:
    if isinstance(value, Array):
        return _exact(f"{path}.values", value.values, listed=True)
    if isinstance(value, int | float):
        return _exact(path, (value,), listed=False)
    return Part(path, value, np.empty(0), False, *bounds_of(value, reach_um))


def _exact(path: str, times_ms: tuple[float, ...], *, listed: bool) -> Part:
    times = np.array(times_ms, dtype=np.float64)
    ends = (float(times.min()), float(times.max())) if times.size else (0.0, 0.0)
    return Part(path, None, times, listed, *ends)


def _drawn_problems(part: Part, reach_um: float) -> Iterator[Problem]:
    """Yield the problem of what is drawn and can leave the numbers on its way."""
    if part.value is not None:
        yield from bounds_problems(part.path, part.value, reach_um)


def _problems_alone(part: Part, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of a delay that has one part."""
    if part.exact:
        yield from _grid_problems(part, timestep_ms, min_ticks=1)
        return
    half, step = 0.5 * timestep_ms, show(timestep_ms)
    if not part.low >= half:
        where, got = _end(part, "low", part.low)
        rule = f"must be at least half of timestep_ms, {show(half)}, {got}"
        yield where, f"{rule}; a delay is one tick or more"
    if not part.ticks(part.high, timestep_ms) <= MAX_DELAY_TICKS:
        where, got = _end(part, "high", part.high)
        rule = f"must stay below {MAX_DELAY_TICKS} and a half ticks of {step} ms, {got}"
        yield where, f"{rule}; lower it or raise timestep_ms"


def _end(part: Part, name: str, bound: float) -> tuple[str, str]:
    """Return where a bound stands, and how it is shown: as given, or as what follows from the rest."""
    if getattr(part.value, name, None) == bound:
        return f"{part.path}.{name}", f"got {show(bound)}"
    return part.path, f"got {show(bound)} at its {name}est"


def _grid_problems(part: Part, timestep_ms: float, *, min_ticks: int) -> Iterator[Problem]:
    """Yield the problem of the first time that is off the grid."""
    limits = {"max_ticks": MAX_DELAY_TICKS, "min_ticks": min_ticks}
    bad = np.flatnonzero(~on_grid(part.times_ms, timestep_ms, **limits))
    if bad.size:
        where = f"{part.path}[{bad[0]}]" if part.listed else part.path
        yield where, str(off_grid(float(part.times_ms[bad[0]]), timestep_ms, **limits))


def _part_problems(part: Part, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of one of two parts."""
    if part.exact:
        yield from _grid_problems(part, timestep_ms, min_ticks=0)
    elif not part.low >= 0.0:
        where, got = _end(part, "low", part.low)
        yield where, f"must be >= 0, {got}; raise it"


def _total_problems(dendritic: Part, axonal: Part, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of two parts together."""
    path, beside = dendritic.path, "together with axonal_delay_ms"
    lows = f"got {show(dendritic.low)} and {show(axonal.low)} at the least"
    if dendritic.empty or axonal.empty:
        pass
    elif dendritic.exact and axonal.exact:
        if not any(part.ticks(part.low, timestep_ms) for part in (dendritic, axonal)):
            yield (
                path,
                f"must be at least timestep_ms, {show(timestep_ms)}, {beside}, {lows}; raise one of them",
            )
    elif dendritic.low + axonal.low < 0.5 * timestep_ms:
        half = show(0.5 * timestep_ms)
        yield path, f"must be at least half of timestep_ms, {half}, {beside}, {lows}; raise one of them"
    most = sum(part.ticks(part.high, timestep_ms) for part in (dendritic, axonal))
    if not most <= MAX_DELAY_TICKS:
        highs = f"got {show(dendritic.high)} and {show(axonal.high)} at the most"
        rule = f"must be at most {MAX_DELAY_TICKS} ticks of {show(timestep_ms)} ms {beside}, {highs}"
        yield path, f"{rule}; shorten one of them or raise timestep_ms"
