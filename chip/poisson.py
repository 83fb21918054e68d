"""Poisson numbers from one uniform draw each, by inversion, with our own exp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chip.arithmetic import exp
from chip.jit import kernel

NEVER = np.uint32(0xFFFFFFFF)
"""A threshold that no draw is above."""

_TOP = np.uint32(24)


def room_for(mean: float) -> int:
    """Return how many thresholds a law of this mean needs; equally a bound of its draws."""
    return int(mean + 8.0 * np.sqrt(mean) + 24.0)


@kernel
def poisson(mean, u):
    """Return the Poisson number of `mean` < 700 that the uniform `u` names."""
    return count_events(mean, exp(-mean), u)


@kernel
def count_events(mean, silence, u):
    """Do what `poisson` does, with `silence` = exp(-mean) known."""
    mass = silence
    total, count = mass, 0
    while u > total and count < mean + 8.0 * np.sqrt(mean) + 24.0:
        count += 1
        mass = mass * mean / count
        total = total + mass
    return count


@kernel
def fill_silences(means, factor, out):
    """Write the chance of no event, exp(-mean * factor), for each of `means`."""
    for j in range(means.size):
        out[j] = exp(-(means[j] * factor))


@kernel
def tabulate(mean, thresholds, guide):
    """Write a Poisson law's thresholds and their guide.

    Parameters
    ----------
    mean : float
        Events a tick, 0 <= mean < 700.
    thresholds : (room,) uint32
        T, written as far as `NEVER`: a draw of 32 bits b means #{k: b > T[k]} events. Chances are exact
        to 2**-32. `room` is ``room_for(mean)`` or more.
    guide : (256,) int32
        Written: the least count for each value of the top 8 bits.
    """
    n = min(np.int64(mean + 8.0 * np.sqrt(mean) + 24.0), thresholds.size)
    mass = exp(-mean)
    total = mass
    for k in range(n):
        thresholds[k] = np.uint32(min(np.ceil(total * 4294967296.0) - 1.0, 4294967295.0))
        mass = mass * mean / (k + 1)
        total = total + mass
    thresholds[n - 1] = NEVER
    count = 0
    for top in range(256):
        while thresholds[count] < np.uint32(top) << _TOP:
            count += 1
        guide[top] = count


def poisson_table(mean: float) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return a Poisson law's thresholds and guide, as `tabulate` writes them."""
    thresholds, guide = np.empty(room_for(mean) if mean > 0.0 else 1, np.uint32), np.empty(256, np.int32)
    tabulate(mean, thresholds, guide)
    return thresholds, guide
