"""Delivery alone: the engine's own walk over listed segments that lie anywhere in memory, and in the cache.

What a chip's delivery can at best take on a machine: nothing else is done, and nobody else needs the caches.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from chip.delivery import walk
from chip.spec import BANK_NEURONS

LENGTH = 51
"""Words of a segment: those of `million` within a chip, of one delay."""
LISTED = 4096
CACHED_WORDS = 2**14
"""Words that stay in a core's second-level cache, beside the slots."""


class Segments:
    """Words of synapses onto one bank, as much for each thread, larger than any cache.

    Parameters
    ----------
    mib : int
        Of each thread's words.
    threads : int
    """

    def __init__(self, mib: int, threads: int) -> None:
        n = mib * 2**18
        self.words = [_words(n, seed) for seed in range(threads)]
        self.slots = [np.zeros(BANK_NEURONS, np.int32) for _ in range(threads)]
        listed = np.zeros((1, 4), np.uint32)
        walk(self.words[0], listed, self.slots[0], 0)  # compiles

    def nanoseconds_an_event(self, threads: int, seed: int, *, cached: bool, repeats: int = 8) -> float:
        """Return what an event takes one core, when `threads` of them walk over random segments.

        Parameters
        ----------
        threads : int
        seed : int
            Of the choice of segments.
        cached : bool
            Whether the segments lie in few words, which stay in the cache.
        repeats : int
            Lists that each thread walks over.
        """
        reach = CACHED_WORDS if cached else self.words[0].size
        lists = [_lists(reach, repeats, (seed, thread)) for thread in range(threads)]
        if cached:
            self._walk_all(0, lists[0])
        start = threading.Barrier(threads)

        def one(thread: int) -> float:
            start.wait()
            begin = time.perf_counter()
            self._walk_all(thread, lists[thread])
            return time.perf_counter() - begin

        with ThreadPoolExecutor(threads) as pool:
            seconds = list(pool.map(one, range(threads)))
        return 1e9 * sum(seconds) / (threads * repeats * LISTED * LENGTH)

    def _walk_all(self, thread: int, lists: list[NDArray[np.uint32]]) -> None:
        for listed in lists:
            walk(self.words[thread], listed, self.slots[thread], LISTED)


def _words(n: int, seed: int) -> NDArray[np.uint32]:
    """Return words of weight 1 onto random neurons; a short piece is repeated, which no cache can tell."""
    piece = np.random.default_rng(seed).integers(0, BANK_NEURONS, 2**22, dtype=np.uint32) + (1 << 16)
    return np.resize(piece, n)


def _lists(reach: int, repeats: int, seed: tuple[int, int]) -> list[NDArray[np.uint32]]:
    """Return lists of random segments within the first `reach` words."""
    lists, random = [], np.random.default_rng(seed)
    for _ in range(repeats):
        listed = np.zeros((LISTED, 4), np.uint32)
        listed[:, 0] = random.integers(0, reach - LENGTH, LISTED)
        listed[:, 1] = listed[:, 0] + LENGTH
        lists.append(listed)
    return lists
