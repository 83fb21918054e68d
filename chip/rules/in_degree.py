"""Rules that fix how many synapses each target receives, by itself or as its share of a total."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import Purpose, draw, stream_key
from chip.rules.choosing import choose_any, choose_distinct
from chip.rules.generator import BATCH, Batch, Ends, Generator, block_of
from chip.rules.splitting import split, split_blocks
from network import FixedInDegree, FixedTotalNumber


class InDegree(Generator):
    """Targets with given in-degrees, which split over fixed blocks of sources."""

    def __init__(self, rule: FixedInDegree | FixedTotalNumber, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.hole = ends.recurrent and not rule.allow_autapses
        self.block = block_of(ends.n_sources)
        in_degree = self._in_degree(rule)
        self.counts = np.empty((_n_blocks(ends.n_sources), ends.n), np.uint32)
        _split_all(
            self.key, in_degree, ends.first, ends.n_sources, self.block, self.hole, self.distinct, self.counts
        )
        self.most = max(BATCH, int(self.counts.max(initial=0)) if self.distinct else 0)
        self.n_expected = float(in_degree.sum())

    @staticmethod
    def held_bytes(n_sources: int, n_targets: int, n_synapses: float) -> float:
        """Return the bytes of `counts`."""
        return 4 * _n_blocks(n_sources) * n_targets

    @property
    def distinct(self) -> bool:
        """Whether a pair is drawn at most once."""
        return not self.rule.allow_multapses

    def _in_degree(
        self, rule: FixedInDegree | FixedTotalNumber
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if isinstance(rule, FixedInDegree):
            return np.full(self.ends.n, rule.n, np.int64)
        out = np.zeros(self.ends.n, np.int64)
        key = stream_key(self.ends.seed, Purpose.IN_DEGREE, self.ends.projection)
        each = self.ends.n_sources - self.hole
        split(key, rule.n, self.ends.n_targets, each, self.distinct, self.ends.first, out)
        return out

    def end(self, low: int, high: int) -> int:
        """End after the last target."""
        return self.ends.n << 32

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        block = low // self.block
        return _emit(
            self.key,
            self.counts[block],
            np.uint64(block),
            low,
            high,
            self.ends.first,
            self.hole,
            self.distinct,
            cursor,
            batch,
        )


def _n_blocks(n_sources: int) -> int:
    return -(-n_sources // block_of(n_sources))


@kernel
def _split_all(key, in_degree, first, n_sources, block, hole, distinct, counts):
    """Split each target's in-degree over the blocks of sources: counts (n_blocks, n_targets)."""
    n_blocks = counts.shape[0]
    shares, stack = np.empty(n_blocks, np.int64), np.empty((128, 3), np.int64)
    for target in range(in_degree.size):
        row = draw(key, np.uint64(first + target))
        own = first + target if hole else -1
        split_blocks(row, in_degree[target], n_sources, block, own, distinct, 0, n_blocks, shares, stack)
        for b in range(n_blocks):
            counts[b, target] = shares[b]


@kernel
def _emit(key, counts, block, low, high, first, hole, distinct, cursor, batch):
    """Go on from a target and the number of its synapses that are done: ``target << 32 | done``."""
    marks, chosen = np.zeros((high - low) // 64 + 1, np.uint64), np.empty(batch.source.size, np.int64)
    n, size = 0, batch.source.size
    target, done = cursor >> 32, cursor & 0xFFFFFFFF
    while target < counts.size:
        left = np.int64(counts[target]) - done
        count = min(left, size - n)
        if count < left and (distinct or count == 0):
            break
        if count > 0:
            own = first + target if hole else -1
            row = draw(draw(key, np.uint64(first + target)), block)
            if distinct:
                choose_distinct(row, count, low, high, own, marks, chosen)
            else:
                choose_any(row, done, count, low, high, own, chosen)
            for i in range(count):
                batch.source[n + i] = chosen[i]
                batch.target[n + i] = target
                batch.bits[n + i] = draw(~row, np.uint64(done + i))
            n += count
        if count < left:
            done += count
        else:
            target, done = target + 1, 0
    return n, target << 32 | done
