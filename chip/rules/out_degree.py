"""Rules that fix how many synapses each source sends."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import draw
from chip.rules.choosing import choose
from chip.rules.generator import BATCH, Batch, Ends, Generator, block_of
from chip.rules.splitting import split_blocks
from network import FixedOutDegree


class OutDegree(Generator):
    """Sources with a fixed out-degree, which splits over fixed blocks of targets."""

    def __init__(self, rule: FixedOutDegree, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.hole = ends.recurrent and not rule.allow_autapses
        self.target_block = block_of(ends.n_targets)
        self.most = max(BATCH, rule.n)
        self.n_expected = rule.n * ends.n_sources * (ends.n / max(ends.n_targets, 1))

    def begin(self, low: int, high: int) -> int:
        """Begin with the first source."""
        return low

    def end(self, low: int, high: int) -> int:
        """End with the last source."""
        return high

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        ends, rule = self.ends, self.rule
        return _emit(
            self.key,
            rule.n,
            ends.n_targets,
            self.target_block,
            ends.first,
            ends.n,
            self.hole,
            not rule.allow_multapses,
            high,
            cursor,
            batch,
        )


@kernel
def _emit(key, degree, n_targets, block, first, n, hole, distinct, high, cursor, batch):
    first_block, end_block = first // block, (first + n + block - 1) // block
    counts, stack = np.empty(max(end_block - first_block, 1), np.int64), np.empty((128, 3), np.int64)
    marks, chosen = np.zeros(block // 64 + 1, np.uint64), np.empty(degree, np.int64)
    done, size = 0, batch.source.size
    while cursor < high and done + degree <= size:
        source_key = draw(key, np.uint64(cursor))
        own = cursor if hole else -1
        split_blocks(
            source_key, degree, n_targets, block, own, distinct, first_block, end_block, counts, stack
        )
        for b in range(first_block, end_block):
            count = counts[b - first_block]
            if count == 0:
                continue
            row = draw(source_key, np.uint64(b))
            choose(row, count, b * block, min((b + 1) * block, n_targets), own, distinct, marks, chosen)
            for i in range(count):
                if first <= chosen[i] < first + n:
                    batch.source[done] = cursor
                    batch.target[done] = chosen[i] - first
                    batch.bits[done] = draw(~row, np.uint64(i))
                    done += 1
        cursor += 1
    return done, cursor
