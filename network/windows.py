"""How many places of the windows of a convolution or pooling lie within the image, along one axis.

A window's place i of the position y is at ``y * stride - padding + i * dilation``; it counts where that is
from 0 to below the size. All of it is arithmetic of whole numbers: no window is too large to be counted.
"""

from __future__ import annotations

from typing import NamedTuple


class Axis(NamedTuple):
    """The rows, or the columns, of an image and of the windows over it."""

    size: int
    stride: int
    padding: int
    dilation: int
    places: int

    @property
    def n_positions(self) -> int:
        """How many positions the window has; may be below 1."""
        return (self.size + 2 * self.padding - self.reach) // self.stride + 1

    @property
    def reach(self) -> int:
        """From the window's first place to its last, both included."""
        return self.dilation * (self.places - 1) + 1

    @property
    def most_inside(self) -> int:
        """A bound of the places of one window that lie within the image."""
        return min(self.places, -(-self.size // self.dilation))

    @property
    def n_inside(self) -> int:
        """How many places of all windows lie within the image."""
        if self.n_positions < 1:
            return 0
        ends = self.size + self.padding, self.padding
        before = [_n_before(end, self.n_positions, self.stride, self.dilation, self.places) for end in ends]
        return before[0] - before[1]


def _n_before(end: int, n: int, stride: int, dilation: int, places: int) -> int:
    """Return how many of the places ``y * stride + i * dilation``, y < n and i < places, are below `end`.

    Place i is below it in the first ``ceil((end - i * dilation) / stride)`` windows: in all `n` up to some
    place, in none from another on.
    """
    none = _clip(-(-end // dilation), places)
    every = _clip(-(-(end - (n - 1) * stride) // dilation), none)
    # Between them, from the last one down, so that all terms of the sum are positive.
    last = end - (none - 1) * dilation
    return n * every + floor_sum(none - every, dilation, last + stride - 1, stride)


def _clip(n: int, most: int) -> int:
    return min(max(n, 0), most)


def floor_sum(n: int, step: int, start: int, divisor: int) -> int:
    """Return the sum of ``(start + k * step) // divisor`` over k < n, by Euclid's way."""
    total = 0  # Nothing that is given is negative.
    while n > 0:
        total += n * (n - 1) // 2 * (step // divisor) + n * (start // divisor)
        step, start = step % divisor, start % divisor
        reached = start + n * step
        n, start, step, divisor = reached // divisor, reached % divisor, divisor, step
    return total
