"""Differences of two coordinates: what they can be, and the share of pairs of neurons that has each."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Coordinate(NamedTuple):
    """How a coordinate is spread over the neurons of a population: evenly, else normally."""

    even: bool
    mean: float
    sd: float


def lattice(n: int, extent: float, *, period: float, reach: float, most: int) -> tuple[Floats, Floats] | None:
    """Return the differences within two equal rows of `n` cells and the share of each.

    Returns
    -------
    offsets, shares : (n_offsets,) float64 arrays
        Up to `reach`, the short way round a period that is finite; None if they are more than `most`.
    """
    n_near = min(n, math.floor(min(reach, extent) * n / extent) + 1)
    if n_near > most:
        return None
    steps = np.arange(n_near)
    if math.isfinite(period):
        steps = steps[steps <= n // 2]
        counts = np.where((steps == 0) | (2 * steps == n), 1, 2) * n
    else:
        counts = np.where(steps == 0, 1, 2) * (n - steps)
    return np.asarray(steps * (extent / n), np.float64), np.asarray(counts / (n * n), np.float64)


class Difference:
    """The difference of two coordinates, folded to its magnitude, the short way round a period.

    Parameters
    ----------
    one, other : Coordinate
    period : float
        Infinite where there is none.
    """

    def __init__(self, one: Coordinate, other: Coordinate, period: float) -> None:
        self.period, self.shift = period, one.mean - other.mean
        if math.isfinite(period):
            self.shift -= period * round(self.shift / period)
        self.even, self.sd = one.even and other.even, math.hypot(one.sd, other.sd)
        self.widths = sorted(coordinate.sd * math.sqrt(12.0) for coordinate in (one, other))
        self.far = sum(self.widths) / 2 if self.even else 9.0 * self.sd

    def nodes(self, reach: float, marks: list[float], n: int) -> tuple[Floats, Floats]:
        """Return the nodes and weights of an integral over all magnitudes up to `reach`."""
        if self.far <= 1e-9 * abs(self.shift) or self.far == 0.0:
            return np.array([abs(self.shift)]), np.ones(1)
        most = min(reach, self.period / 2, abs(self.shift) + self.far)
        cuts = np.unique([0.0, most, *(m for m in (*marks, *self._kinks()) if 0.0 < m < most)])
        x, w = np.polynomial.legendre.leggauss(n)
        half = 0.5 * np.diff(cuts)
        places = (cuts[:-1, None] + half[:, None] * (1.0 + x)).ravel()
        return places, (half[:, None] * w).ravel() * self._density(places)

    def _kinks(self) -> list[float]:
        """Return where the density has kinks."""
        inner, outer = (self.widths[1] - self.widths[0]) / 2, self.far
        ends = [
            self.shift + side * edge
            for side in (-1, 1)
            for edge in ((inner, outer) if self.even else (self.sd,))
        ]
        if not math.isfinite(self.period):
            return [abs(end) for end in ends]
        wrapped = [abs(end) % self.period for end in ends]
        return [min(end, self.period - end) for end in wrapped]

    def _density(self, magnitude: Floats) -> Floats:
        turns = range(-2, 3) if math.isfinite(self.period) else (0,)
        starts = [(turn * self.period if turn else 0.0) - self.shift for turn in turns]
        parts = [self._at(side * magnitude + start) for side in (-1, 1) for start in starts]
        return np.asarray(np.sum(parts, axis=0), np.float64)

    def _at(self, x: Floats) -> Floats:
        """Return the density of a difference `x` from the mean one."""
        if not self.even:
            return np.exp(-0.5 * (x / self.sd) ** 2) / (self.sd * math.sqrt(2.0 * math.pi))
        narrow, wide = self.widths
        if narrow <= 1e-9 * wide:
            return np.where(np.abs(x) <= wide / 2, 1.0 / wide, 0.0)
        return np.clip(np.minimum(self.far - np.abs(x), narrow), 0.0, None) / (narrow * wide)
