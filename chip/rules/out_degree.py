"""Rules that fix how many synapses each source sends."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import draw
from chip.rules.choosing import choose_any, choose_distinct
from chip.rules.generator import BATCH, Batch, Ends, Generator, block_of
from chip.rules.splitting import split_blocks
from network import FixedOutDegree


class OutDegree(Generator):
    """Sources with a fixed out-degree, which splits over fixed blocks of targets."""

    def __init__(self, rule: FixedOutDegree, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.hole = ends.recurrent and not rule.allow_autapses
        self.target_block = block_of(ends.n_targets)
        self.most = max(BATCH, 0 if rule.allow_multapses else min(rule.n, self.target_block))
        self.n_expected = rule.n * ends.n_sources * (ends.n / max(ends.n_targets, 1))

    def end(self, low: int, high: int) -> int:
        """End after the last source."""
        return (high - low) << 32

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
            low,
            high,
            cursor,
            batch,
        )


@kernel
def _emit(key, degree, n_targets, block, first, n, hole, distinct, low, high, cursor, batch):
    """Go on from a source and the number of its synapses that are done: ``(source - low) << 32 | done``."""
    first_block, end_block = first // block, (first + n + block - 1) // block
    counts, stack = np.empty(max(end_block - first_block, 1), np.int64), np.empty((128, 3), np.int64)
    size = batch.source.size
    marks, chosen, written = np.zeros(block // 64 + 1, np.uint64), np.empty(size, np.int64), 0
    source, done = low + (cursor >> 32), cursor & 0xFFFFFFFF
    while source < high:
        source_key, before = draw(key, np.uint64(source)), 0
        own = source if hole else -1
        split_blocks(
            source_key, degree, n_targets, block, own, distinct, first_block, end_block, counts, stack
        )
        for b in range(first_block, end_block):
            begin = max(done - before, 0)
            before += counts[b - first_block]
            left = before - done
            if left <= 0:
                continue
            count = min(left, size - written)
            if count < left and (distinct or count == 0):
                return written, (source - low) << 32 | done
            row, end = draw(source_key, np.uint64(b)), min((b + 1) * block, n_targets)
            if distinct:
                choose_distinct(row, count, b * block, end, own, marks, chosen)
            else:
                choose_any(row, begin, count, b * block, end, own, chosen)
            for i in range(count):
                if first <= chosen[i] < first + n:
                    batch.source[written] = source
                    batch.target[written] = chosen[i] - first
                    batch.bits[written] = draw(~row, np.uint64(begin + i))
                    written += 1
            done += count
            if count < left:
                return written, (source - low) << 32 | done
        source, done = source + 1, 0
    return written, (source - low) << 32
