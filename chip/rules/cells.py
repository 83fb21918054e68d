"""Cells: neurons sorted into equal boxes of space, so that a rule of distance looks only nearby.

A pure function of the positions, with comparisons and divisions only, so that every CPU makes the same cells.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.jit import kernel

_MAX_DIMENSIONS = 3

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Cells(NamedTuple):
    """Neurons in cells, which are numbered with the last dimension fastest.

    Attributes
    ----------
    low, extent : (n_dimensions,) float64 arrays
        Where the cells begin, and how far they reach, in um.
    shape : (3,) int64 array
        Cells in each dimension, 1 in those that there are not.
    begin : (n_cells + 1,) int64 array
        Where each cell's neurons begin in `order`.
    order, place : (n,) int64 arrays
        Neurons cell by cell, ascending within each; and where each neuron stands there.
    box : (n_cells, 2, n_dimensions) float64 array
        Least and greatest coordinates of each cell's neurons.
    """

    low: Floats
    extent: Floats
    shape: Integers
    begin: Integers
    order: Integers
    place: Integers
    box: Floats

    @classmethod
    def of(cls, places_um: Floats, period_um: Floats, n_cells: float) -> Cells:
        """Sort neurons into about `n_cells` cells, or half as many.

        Parameters
        ----------
        places_um : (n, n_dimensions) float64 array
        period_um : (n_dimensions,) float64 array
            What coordinates are taken modulo; infinite for a boundary.
        """
        n, n_dimensions = places_um.shape
        around = np.isfinite(period_um)
        period = np.where(around, period_um, 1.0)
        wrapped = places_um - around * np.floor(places_um / period) * period
        least = wrapped.min(axis=0, initial=np.inf) if n else np.zeros(n_dimensions)
        low = np.where(around, 0.0, least)
        most = wrapped.max(axis=0, initial=-np.inf) if n else np.zeros(n_dimensions)
        extent = np.where(around, period_um, most - low)
        shape = np.ones(_MAX_DIMENSIONS, np.int64)
        while shape.prod() * 2 <= n_cells:
            shape[int(np.argmax(extent / shape[:n_dimensions]))] *= 2
        cell = np.zeros(n, np.int64)
        for k in range(n_dimensions):
            cell = cell * shape[k] + cell_index(wrapped[:, k] - low[k], extent[k], int(shape[k]))
        for k in range(n_dimensions, _MAX_DIMENSIONS):
            cell = cell * shape[k]
        order = np.argsort(cell, kind="stable").astype(np.int64)
        place = np.empty(n, np.int64)
        place[order] = np.arange(n)
        begin = np.searchsorted(cell[order], np.arange(shape.prod() + 1)).astype(np.int64)
        return cls(low, extent, shape, begin, order, place, _boxes(wrapped[order], begin))


def cell_index(offset: Floats, extent: float, n: int) -> Integers:
    """Return the cells, of `n` equal ones in `extent`, that hold what is `offset` from their beginning."""
    if extent <= 0.0:
        return np.zeros(offset.size, np.int64)
    return np.clip(np.floor(offset / extent * n).astype(np.int64), 0, n - 1)


@kernel
def _boxes(places, begin):
    out = np.zeros((begin.size - 1, 2, places.shape[1]))
    for cell in range(begin.size - 1):
        for k in range(places.shape[1]):
            if begin[cell + 1] > begin[cell]:
                out[cell, 0, k] = places[begin[cell] : begin[cell + 1], k].min()
                out[cell, 1, k] = places[begin[cell] : begin[cell + 1], k].max()
    return out


@kernel
def near(cells, place, period_um, reach, first, count):
    """Write the range of cells, in each dimension, that may be within `reach` of a place.

    Parameters
    ----------
    first, count : (3,) int64
        Written: the first cell, which may be below 0 where space is periodic, and how many.
    """
    first[:], count[:] = 0, 1
    for k in range(period_um.size):
        n, extent = cells.shape[k], cells.extent[k]
        count[k] = n
        if extent <= 0.0 or reach >= extent:
            continue
        x = place[k] - cells.low[k]
        if period_um[k] < np.inf:
            x = x - np.floor(x / extent) * extent
        low = np.int64(np.floor((x - reach) / extent * n))
        high = np.int64(np.floor((x + reach) / extent * n))
        if period_um[k] == np.inf:
            low, high = max(low, 0), min(high, n - 1)
        if high - low + 1 < n:
            first[k], count[k] = low, max(high - low + 1, 0)


def reach_of(chance_at_peak: float, scale: float, *, gaussian: bool, least: float) -> float:
    """Return a distance beyond which a kernel of that scale and peak is below `least`, with room to spare."""
    if chance_at_peak <= least:
        return 0.0
    decades = math.log(chance_at_peak / least)
    return 1.01 * scale * (math.sqrt(2.0 * decades) if gaussian else decades)
