"""What this machine's memory gives: bytes a second to one core and to all, and the time of a random look."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

compiled = numba.njit(nogil=True, error_model="numpy")
LINE = 8
"""int64 words of a cache line."""


@compiled
def read(a, b, c):
    """Add up `a`."""
    total = np.int64(0)
    for i in range(a.size):
        total += a[i]
    return total


@compiled
def copy(a, b, c):
    """Write `a` to `b`."""
    for i in range(a.size):
        b[i] = a[i]
    return np.int64(0)


@compiled
def triad(a, b, c):
    """Write the sum of `a` and three times `b` to `c`."""
    for i in range(a.size):
        c[i] = a[i] + 3 * b[i]
    return np.int64(0)


KERNELS: dict[str, tuple[Callable[..., Any], int]] = {
    "read": (read, 1),
    "copy": (copy, 2),
    "triad": (triad, 3),
}
"""By name: the kernel, and how many arrays it moves; a line that is written is not counted as read before."""


class Memory:
    """Three arrays, larger than any cache.

    Parameters
    ----------
    mib : int
        Of each array.
    """

    def __init__(self, mib: int) -> None:
        n = mib * 2**20 // 8
        self.arrays = tuple(np.ones(n, np.int64) for _ in range(3))
        for kernel, _ in KERNELS.values():
            kernel(*(array[:LINE] for array in self.arrays))

    def gigabytes_a_second(self, name: str, threads: int) -> float:
        """Return what a kernel moves with a number of threads, each on its own part of the arrays."""
        kernel, n_arrays = KERNELS[name]
        cuts = np.linspace(0, self.arrays[0].size, threads + 1).astype(np.int64)
        parts = [[array[low:high] for array in self.arrays] for low, high in pairwise(cuts)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(time.sleep, [0.0] * threads))  # starts the threads
            begin = time.perf_counter()
            list(pool.map(lambda part: kernel(*part), parts))
            seconds = time.perf_counter() - begin
        return n_arrays * self.arrays[0].nbytes * 1e-9 / seconds


@compiled
def one_cycle(order, lines):
    """Link the first word of each line to that of the next of a random order, the last to the first."""
    for k in range(order.size):
        following = order[k + 1] if k + 1 < order.size else order[0]
        lines[order[k] * LINE] = following * LINE


@compiled
def follow(lines, hops):
    """Follow the links; return where they lead."""
    at = np.int64(0)
    for _ in range(hops):
        at = lines[at]
    return at


def chain(mib: int) -> NDArray[np.int64]:
    """Return lines of which each names the next, at random, all in one cycle."""
    n = mib * 2**20 // (8 * LINE)
    lines = np.zeros(n * LINE, np.int64)
    one_cycle(np.random.default_rng(1).permutation(n), lines)
    follow(lines, 1)
    return lines


def nanoseconds_a_look(lines: NDArray[np.int64], hops: int = 1_000_000) -> float:
    """Return how long it takes to fetch a line that nobody could foresee."""
    begin = time.perf_counter()
    follow(lines, hops)
    return 1e9 * (time.perf_counter() - begin) / hops
