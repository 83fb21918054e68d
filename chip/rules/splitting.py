"""Splitting counts: how many of a target's synapses fall to each block, by a binary tree of keyed draws.

With replacement the two sides of a branch share a count binomially, without it hypergeometrically. A chip
walks only the branches that lead to what it needs.
"""

from __future__ import annotations

import numpy as np

from chip.binomial import binomial, hypergeometric
from chip.jit import count_ones, kernel
from chip.random import draw, unit

_FEW = 4096
"""Up to this many trials are tossed one by one, 64 at a time; more are drawn by inversion."""

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ZERO, _ONE, _TOP, _WORD = np.uint64(0), np.uint64(1), np.uint64(63), 64


@kernel
def successes(n, p, key):
    """Return how many of `n` trials of chance `p` (0 to 1) succeed.

    Each trial compares the bits of a number of its own with those of `p`, from the top, until they differ; 64
    trials do so at once, so that a fair toss costs one hash for 64 (Bernoulli bits after Knuth and Yao 1976).
    """
    if n > _FEW:
        return _many(n, p, key)
    chance = np.uint64(min(p * 18446744073709551616.0, 18446744073709549568.0))
    if p >= 1.0:
        return n
    total, counter = 0, _ZERO
    for done in range(0, n, _WORD):
        undecided = _ALL if n - done >= _WORD else (_ONE << np.uint64(n - done)) - _ONE
        won, rest = _ZERO, chance
        while undecided != _ZERO and rest != _ZERO:
            toss = draw(key, counter)
            counter += _ONE
            if rest >> _TOP != _ZERO:
                won |= undecided & ~toss
                undecided &= toss
            else:
                undecided &= ~toss
            rest <<= _ONE
        total += count_ones(won)
    return total


@kernel
def _many(n, p, key):
    if p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    return binomial(n, p, unit(draw(key, _ZERO)))


@kernel
def branch_key(key, low, high):
    """Return the key of the branch over [low, high) of a tree."""
    return draw(draw(key, np.uint64(low)), np.uint64(high))


@kernel
def share(count, left, right, distinct, key):
    """Return how many of `count` fall to the left of `left` and `right` candidates."""
    if distinct:
        return hypergeometric(count, left, right, unit(draw(key, _ZERO)))
    return successes(count, left / (left + right), key)


@kernel
def split(key, total, n, each, distinct, first, out):
    """Write the shares, of `total` over `n` targets of `each` candidates, of the targets from `first` on."""
    stack = np.empty((128, 3), np.int64)
    stack[0] = (0, n, total)
    depth = 1
    while depth > 0:
        depth -= 1
        low, high, count = stack[depth]
        if count == 0 or high <= first or low >= first + out.size:
            continue
        if high - low == 1:
            out[low - first] = count
            continue
        middle = (low + high) // 2
        left = share(
            count, (middle - low) * each, (high - middle) * each, distinct, branch_key(key, low, high)
        )
        stack[depth] = (low, middle, left)
        stack[depth + 1] = (middle, high, count - left)
        depth += 2


@kernel
def candidates(low, high, hole):
    """Return how many of [low, high) are candidates, all but `hole`; -1 for no hole."""
    return high - low - (1 if low <= hole < high else 0)


@kernel
def split_blocks(key, total, n, block, hole, distinct, first_block, end_block, out, stack):
    """Write the shares, of `total` over [0, n), of the blocks ``first_block ... end_block - 1`` of `block`.

    Parameters
    ----------
    hole : int
        What is no candidate, -1 for none.
    out : (>= end_block - first_block,) int64
        Written; 0 where nothing falls.
    stack : (128, 3) int64
        Overwritten.
    """
    out[: end_block - first_block] = 0
    stack[0] = (0, (n + block - 1) // block, total)
    depth = 1
    while depth > 0:
        depth -= 1
        low, high, count = stack[depth]
        if count == 0 or high <= first_block or low >= end_block:
            continue
        if high - low == 1:
            out[low - first_block] = count
            continue
        middle = (low + high) // 2
        left = candidates(low * block, middle * block, hole)
        right = candidates(middle * block, min(high * block, n), hole)
        taken = share(count, left, right, distinct, branch_key(key, low, high))
        stack[depth] = (low, middle, taken)
        stack[depth + 1] = (middle, high, count - taken)
        depth += 2
