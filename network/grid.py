"""The time grid: which times are whole numbers of ticks.

A time in ms is on the grid when it is within 1e-9 of a whole number of ticks, relative, and never more
than a thousandth of a tick away: 1.5 / 0.1 is not 15 in binary, but 0.15 / 0.1 must not pass for 1 or 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from network.errors import show

MAX_DELAY_TICKS = 65_535
MAX_TICKS = 2**32 - 1


def on_grid(ms: ArrayLike, timestep_ms: float, *, max_ticks: int, min_ticks: int = 1) -> NDArray[np.bool_]:
    """Tell which times are a whole number of ticks, `min_ticks` at least and `max_ticks` at most.

    Parameters
    ----------
    ms : array_like, shape (n,), float64, ms
        The times.
    timestep_ms : float
        The duration of a tick.
    max_ticks : int
        The most ticks that are allowed.
    min_ticks : int
        The fewest: 1, or 0.

    Returns
    -------
    ndarray, shape (n,), bool
        True where the time is on the grid.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        exact = np.asarray(ms, dtype=np.float64) / timestep_ms
        ticks = np.rint(exact)
        close = np.abs(exact - ticks) <= np.minimum(1e-9 * np.abs(exact), 1e-3)
    return np.asarray((ticks >= min_ticks) & (ticks <= max_ticks) & close)


def off_grid(ms: float, timestep_ms: float, *, max_ticks: int, min_ticks: int = 1) -> str | None:
    """Return what is wrong with a time, or None if it is a whole number of ticks within the limits."""
    if on_grid(ms, timestep_ms, max_ticks=max_ticks, min_ticks=min_ticks):
        return None
    step = show(timestep_ms)
    if ms < 0 and not min_ticks:
        return f"must be >= 0, got {show(ms)}; time starts at 0"
    if ms <= 0:
        return f"must be > 0, got {show(ms)}; the shortest is timestep_ms, {step}"
    if ms / timestep_ms > max_ticks:
        most = f"must be at most {max_ticks} ticks of {step} ms"
        return f"{most}, got {show(ms)}; shorten it or raise timestep_ms"
    below = int(ms / timestep_ms)
    nearest = [show(float(f"{n * timestep_ms:.12g}")) for n in (below, below + 1) if n >= min_ticks]
    verb = "are" if len(nearest) == 2 else "is"
    rule = f"must be a multiple of timestep_ms, {step}"
    return f"{rule}, got {show(ms)}; the nearest {verb} {' and '.join(nearest)}"
