"""Each pair of neurons joined with one probability."""

from __future__ import annotations

import numpy as np

from chip.binomial import binomial_distribution
from chip.jit import kernel
from chip.random import draw, unit
from chip.rules.choosing import choose_distinct
from chip.rules.generator import BATCH, Batch, Ends, Generator, block_of
from network import FixedProbability

_COUNT = np.uint64(1 << 40)
"""Counter of the draw that tells a block's number; those of its members are below."""


class Bernoulli(Generator):
    """Pairs joined with probability p: for each target and block of sources a binomial number, then which."""

    def __init__(self, rule: FixedProbability, ends: Ends) -> None:
        super().__init__(rule, ends)
        n = ends.n_sources
        self.hole = ends.recurrent and not rule.allow_autapses
        self.block = block_of(n)
        last = n - (n - 1) // self.block * self.block if n else 0
        # Blocks hold four numbers of candidates: whole and last, with and without a hole.
        self.laws = np.stack(
            [
                _distribution(max(size, 0), rule.p, self.block)
                for size in (self.block, self.block - 1, last, last - 1)
            ]
        )
        self.most = max(BATCH, self.block)
        self.n_expected = rule.p * n * ends.n

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        laws = self.laws[:2] if high - low == self.block else self.laws[2:]
        ends = self.ends
        return _emit(self.key, laws, low, high, self.block, ends.first, ends.n, self.hole, cursor, batch)


def _distribution(size: int, p: float, block: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the distribution function of the joined of `size` candidates, padded with ones."""
    out = np.ones(block + 1)
    if p >= 1.0:
        out[:size] = 0.0
    elif p > 0.0 and size:
        out[: size + 1] = binomial_distribution(size, p)
    return out


@kernel
def _emit(key, laws, low, high, block, first, n_targets, hole, cursor, batch):
    marks, chosen = np.zeros((high - low) // 64 + 1, np.uint64), np.empty(high - low, np.int64)
    n, size = 0, batch.source.size
    while cursor < n_targets and n + high - low <= size:
        own = first + cursor if hole else -1
        row = draw(draw(key, np.uint64(first + cursor)), np.uint64(low // block))
        law = laws[1 if low <= own < high else 0]
        count = np.searchsorted(law, unit(draw(row, _COUNT)))
        choose_distinct(row, count, low, high, own, marks, chosen)
        for i in range(count):
            batch.source[n + i] = chosen[i]
            batch.target[n + i] = cursor
            batch.bits[n + i] = draw(~row, np.uint64(i))
        n += count
        cursor += 1
    return n, cursor
