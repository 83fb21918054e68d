"""Choosing candidates within a block: with replacement, or each at most once."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import below, draw

_ONE, _SIX, _LOW = np.uint64(1), np.uint64(6), np.uint64(63)


@kernel
def _around(choice, hole):
    """Return the choice-th candidate, counted past the hole."""
    return choice + (1 if 0 <= hole <= choice else 0)


@kernel
def choose_any(key, begin, count, low, high, hole, out):
    """Write `count` candidates of [low, high), drawn with replacement: those from the `begin`-th on.

    Parameters
    ----------
    hole : int
        What is no candidate; -1 for none.
    out : (>= count,) int64
        Written.
    """
    place = hole - low if low <= hole < high else -1
    n = high - low - (1 if place >= 0 else 0)
    for i in range(count):
        out[i] = low + _around(below(draw(key, np.uint64(begin + i)), n), place)


@kernel
def choose_distinct(key, count, low, high, hole, marks, out):
    """Write `count` candidates of [low, high), each at most once.

    Parameters
    ----------
    count : int
        At most the number of candidates.
    hole : int
        What is no candidate; -1 for none.
    marks : (>= (high - low) / 64 + 1,) uint64
        Zeros; zeros again on return.
    out : (>= count,) int64
        Written.
    """
    place = hole - low if low <= hole < high else -1
    n = high - low - (1 if place >= 0 else 0)
    few = min(count, n - count)  # where most are chosen, the others are
    done, attempt = 0, 0
    while done < few:
        choice = below(draw(key, np.uint64(attempt)), n)
        attempt += 1
        word, bit = choice >> 6, _ONE << (np.uint64(choice) & _LOW)
        if marks[word] & bit == 0:
            marks[word] |= bit
            out[done] = choice
            done += 1
    if few < count:
        done = 0
        for choice in range(n):
            if marks[choice >> 6] & (_ONE << (np.uint64(choice) & _LOW)) == 0:
                out[done] = choice
                done += 1
        marks[: (n >> 6) + 1] = 0
    else:
        for i in range(few):
            marks[out[i] >> 6] = 0
    for i in range(count):
        out[i] = low + _around(out[i], place)
