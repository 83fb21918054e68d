"""Rules that draw nothing: every pair, or every neuron with its own number."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import draw
from chip.rules.generator import Batch, Ends, Generator
from network import AllToAll, OneToOne


class Same(Generator):
    """Source i meets target i."""

    def __init__(self, rule: OneToOne, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.n_expected = float(ends.n)

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        return _emit_same(self.key, low, high, self.ends.first, self.ends.n, cursor, batch)


class Every(Generator):
    """Each source meets each target."""

    def __init__(self, rule: AllToAll, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.hole = ends.recurrent and not rule.allow_autapses
        self.n_expected = float(ends.n * (ends.n_sources - self.hole))

    def end(self, low: int, high: int) -> int:
        """End with the last pair: the cursor counts pairs."""
        return self.ends.n * (high - low)

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        ends = self.ends
        return _emit_every(self.key, low, high, ends.n_sources, ends.first, ends.n, self.hole, cursor, batch)


@kernel
def _emit_same(key, low, high, first, n_targets, cursor, batch):
    cursor = max(cursor, low - first)
    n, end = 0, min(n_targets, high - first)
    while cursor < end and n < batch.source.size:
        batch.source[n] = first + cursor
        batch.target[n] = cursor
        batch.bits[n] = draw(key, np.uint64(first + cursor))
        batch.entry[n] = first + cursor
        n += 1
        cursor += 1
    return n, cursor if cursor < end else n_targets


@kernel
def _emit_every(key, low, high, n_sources, first, n_targets, hole, cursor, batch):
    n, width = 0, high - low
    while cursor < n_targets * width and n < batch.source.size:
        place = cursor // width
        target = first + place
        row = draw(key, np.uint64(target))
        begin = low + cursor - place * width
        end = min(high, begin + batch.source.size - n)
        for source in range(begin, end):
            if hole and source == target:
                continue
            batch.source[n] = source
            batch.target[n] = place
            batch.bits[n] = draw(row, np.uint64(source))
            batch.entry[n] = target * n_sources + source
            n += 1
        cursor += end - begin
    return n, cursor
