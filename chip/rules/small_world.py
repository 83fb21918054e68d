"""A ring of neighbours, some of them rewired."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import below, draw, unit
from chip.rules.generator import Batch, Ends, Generator, power_of_two
from network import SmallWorld


class Ring(Generator):
    """Each target's nearest neighbours, or a random source in the place of one."""

    def __init__(self, rule: SmallWorld, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.chunk = power_of_two((1 << 20) / max(rule.k, 1))
        self.n_expected = float(rule.k * ends.n)

    def end(self, low: int, high: int) -> int:
        """End after the last synapse."""
        return self.rule.k * self.ends.n

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        ends, rule = self.ends, self.rule
        return _emit(
            self.key, rule.k, rule.p_rewire, ends.n_sources, low, high, ends.first, ends.n, cursor, batch
        )


@kernel
def _emit(key, k, p_rewire, n_sources, low, high, first, n_targets, cursor, batch):
    """Go on from a synapse, counted through all targets."""
    n, half = 0, k // 2
    while cursor < n_targets * k and n < batch.source.size:
        place, i = cursor // k, cursor % k
        target = first + place
        row = draw(key, np.uint64(target))
        source = (target + i - half + (1 if i >= half else 0)) % n_sources
        if unit(draw(row, np.uint64(2 * i))) < p_rewire:
            other = below(draw(row, np.uint64(2 * i + 1)), n_sources - 1)
            source = other + (1 if other >= target else 0)
        if low <= source < high:
            batch.source[n] = source
            batch.target[n] = place
            batch.bits[n] = draw(~row, np.uint64(i))
            n += 1
        cursor += 1
    return n, cursor
