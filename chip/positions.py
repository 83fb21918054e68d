"""Positions of neurons and distances between them, in um, with or without a boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.jit import kernel
from chip.random import Purpose, stream_key
from chip.values import draw_values
from network.positions import FreePositions, GridPositions, Space

Array = NDArray[np.float64]


def positions_of(space: GridPositions | FreePositions, seed: int, member: int, first: int, n: int) -> Array:
    """Return the positions of the neurons ``first ... first + n - 1`` of a population.

    Parameters
    ----------
    member : int
        The population's place among the network's members; part of the random keys.

    Returns
    -------
    (n, n_dimensions) float64 array, um
    """
    if isinstance(space, GridPositions):
        cells = np.unravel_index(np.arange(first, first + n), space.shape)
        return np.stack([_cells(space, k, cells[k]) for k in range(space.n_dimensions)], axis=1)
    out = np.empty((n, space.n_dimensions))
    for k, coordinate in enumerate(space.coordinates_um):
        out[:, k] = draw_values(coordinate, stream_key(seed, Purpose.POSITION, member, k), first, n)
    return out


def _cells(space: GridPositions, k: int, cell: Any) -> Array:
    """Return the middles of cells in dimension `k`."""
    n, extent = space.shape[k], space.extent_um[k]
    return np.asarray(space.centre[k] + ((2 * cell + 1 - n) * extent) / (2 * n), np.float64)


def period_of(space: Space) -> Array:
    """Return what distances are taken modulo in each dimension: the extent, or infinity at a boundary."""
    extent = np.array(space.extent_um, np.float64)
    return extent if space.periodic else np.full_like(extent, np.inf)


def from_centre(space: GridPositions | FreePositions, seed: int, member: int, first: int, n: int) -> Array:
    """Return the distance of each neuron from the centre of its population's space: (n,) float64, um."""
    out = np.empty(n)
    places = positions_of(space, seed, member, first, n)
    _distances(places, np.array(space.centre, np.float64), period_of(space), out)
    return out


@kernel
def _offset(a, b, period):
    """Return the distance between two coordinates, the short way round."""
    d = abs(a - b)
    if period < np.inf:
        d = d - np.floor(d / period) * period
        d = min(d, period - d)
    return d


@kernel
def distance(a, b, period_um):
    """Return the distance between two places, (n_dimensions,) each."""
    total = 0.0
    for k in range(period_um.size):
        d = _offset(a[k], b[k], period_um[k])
        total += d * d
    return np.sqrt(total)


@kernel
def _distances(places, place, period_um, out):
    for i in range(out.size):
        out[i] = distance(places[i], place, period_um)


@kernel
def fill_distances(source_um, target_um, period_um, source, target, out, n):
    """Write the distance of each of `n` pairs of neurons."""
    for i in range(n):
        out[i] = distance(source_um[source[i]], target_um[target[i]], period_um)


@kernel
def box_distances(box, place, period_um):
    """Return bounds of the distances from a place to a box of corners (2, n_dimensions): least, greatest."""
    least, greatest = 0.0, 0.0
    for k in range(period_um.size):
        low, high, x, period = box[0, k], box[1, k], place[k], period_um[k]
        near, far = _offset(low, x, period), _offset(high, x, period)
        short, long = min(near, far), max(near, far)
        if period < np.inf:
            # Going up from the box's low corner, is the place met before its high one? And the one across?
            if _ahead(low, x, period) <= high - low:
                short = 0.0
            if _ahead(low, x + 0.5 * period, period) <= high - low:
                long = 0.5 * period
        elif low <= x <= high:
            short = 0.0
        least += short * short
        greatest += long * long
    return np.sqrt(least) * (1.0 - 1e-12), np.sqrt(greatest) * (1.0 + 1e-12)


@kernel
def _ahead(low, x, period):
    """Return how far `x` is ahead of `low` on a circle."""
    d = x - low
    return d - np.floor(d / period) * period
