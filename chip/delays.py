"""Delays: which ones the description of a projection allows, in ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chip.laws import Law, law_of
from network import Projection, Value
from network.grid import MAX_DELAY_TICKS

_ALL: NDArray[np.int64] = np.arange(MAX_DELAY_TICKS + 1)
"""Every delay: ranges are views of it, since a network may have 100,000 of them."""
_ALL.flags.writeable = False


def delay_ticks(law: Law, timestep_ms: float) -> tuple[int, int]:
    """Return the least and the greatest number of ticks that `law` (in ms) can draw, rounded half up."""
    return _rounded(*law.bounds, timestep_ms)


def _rounded(low: float, high: float, timestep_ms: float) -> tuple[int, int]:
    return int(np.floor(low / timestep_ms + 0.5)), int(np.floor(high / timestep_ms + 0.5))


def delay_range(projection: Projection, timestep_ms: float, reach_um: float = 0.0) -> tuple[int, int]:
    """Return the least and the greatest delay, axonal and dendritic parts together, in ticks.

    Parameters
    ----------
    reach_um : float
        The greatest distance of a pair.
    """

    def part(value: Value | None) -> tuple[int, int]:
        return delay_ticks(law_of(0.0 if value is None else value, reach_um=reach_um), timestep_ms)

    listed = getattr(projection.connectivity, "delays_ms", None)
    dendritic = part(projection.delay_ms)
    if listed is not None:
        dendritic = _rounded(min(listed, default=0.0), max(listed, default=0.0), timestep_ms)
    axonal = part(projection.axonal_delay_ms)
    return max(dendritic[0] + axonal[0], 1), max(dendritic[1] + axonal[1], 1)


def possible_delays(projection: Projection, timestep_ms: float, reach_um: float = 0.0) -> NDArray[np.int64]:
    """Return all delays, in ticks, that the description of `projection` allows, ascending.

    Those of a list in the description are only those that are listed, and none are possible of an empty list.
    """
    listed = getattr(projection.connectivity, "delays_ms", None)
    if (
        listed is not None
        and projection.axonal_delay_ms is None
        and not hasattr(projection.connectivity, "sha256")
    ):
        ticks = np.floor(np.asarray(listed, np.float64) / timestep_ms + 0.5).astype(np.int64)
        return np.unique(np.maximum(ticks, 1))
    low, high = delay_range(projection, timestep_ms, reach_um)
    return _ALL[low : high + 1]
