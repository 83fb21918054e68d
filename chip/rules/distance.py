"""Each pair of neurons joined with a probability that is a function of its distance.

For each target and block of sources the greatest probability that any of the block's places allows is known
from a box around them; candidates are drawn with that one and kept with the ratio of their own to it. So far
blocks cost a look at their box.
"""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.positions import box_distances, distance
from chip.random import draw, unit
from chip.rules.choosing import choose
from chip.rules.generator import BATCH, Batch, Ends, Generator, block_of
from chip.rules.splitting import successes
from chip.values import PEAK, distance_value, law_of
from network import DistanceDependent

_COUNT, _KEEP = np.uint64(1 << 40), np.uint64(1 << 41)
_NEVER = 2.0**-60
"""Less than 53 random bits can tell from 0, over a whole block."""


class Spatial(Generator):
    """Pairs joined by distance."""

    def __init__(self, rule: DistanceDependent, ends: Ends) -> None:
        super().__init__(rule, ends)
        assert ends.source_um is not None
        assert ends.target_um is not None
        assert ends.period_um is not None
        self.hole = ends.recurrent and not rule.allow_autapses
        self.block = block_of(ends.n_sources)
        self.law = law_of(rule.p)
        self.radius = np.inf if rule.radius_um is None else rule.radius_um
        starts = range(0, ends.n_sources, self.block)
        blocks = [ends.source_um[start : start + self.block] for start in starts]
        self.boxes = np.array([(part.min(axis=0), part.max(axis=0)) for part in blocks])
        self.most = max(BATCH, self.block)
        self.n_expected = _estimate(self, 1 << 16)

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        ends = self.ends
        box = self.boxes[low // self.block]
        return _emit(
            self.key,
            self.law,
            self.radius,
            box,
            ends.source_um,
            ends.target_um,
            ends.period_um,
            low,
            high,
            self.block,
            ends.first,
            self.hole,
            cursor,
            batch,
        )


def _estimate(generator: Spatial, n_pairs: int) -> float:
    """Return the expected synapses onto the slice, from `n_pairs` pairs that are spread evenly."""
    ends = generator.ends
    total = ends.n_sources * ends.n
    if not total:
        return 0.0
    pairs = np.unique(np.linspace(0, total - 1, min(n_pairs, total)).astype(np.int64))
    chances = np.empty(pairs.size)
    _chances(generator.law, generator.radius, ends.source_um, ends.target_um, ends.period_um, pairs, chances)
    return float(chances.mean() * total)


@kernel
def chance(law, radius, d):
    """Return the probability of a pair at distance `d`."""
    return min(max(distance_value(law, d), 0.0), 1.0) if d <= radius else 0.0


@kernel
def _chances(law, radius, source_um, target_um, period_um, pairs, out):
    for i in range(pairs.size):
        target, source = divmod(pairs[i], source_um.shape[0])
        out[i] = chance(law, radius, distance(source_um[source], target_um[target], period_um))


@kernel
def _greatest(law, radius, nearest, farthest):
    """Return the greatest probability at any distance from `nearest` to `farthest`."""
    if nearest > radius:
        return 0.0
    farthest = min(farthest, radius)
    most = max(distance_value(law, nearest), distance_value(law, farthest))
    term = law.terms[0]
    if np.int64(term[0]) == PEAK and nearest <= term[3] <= farthest:
        most = max(most, term[1])
    return min(max(most * (1.0 + 1e-9), 0.0), 1.0)


@kernel
def _emit(
    key, law, radius, box, source_um, target_um, period_um, low, high, block, first, hole, cursor, batch
):
    marks, chosen = np.zeros((high - low) // 64 + 1, np.uint64), np.empty(high - low, np.int64)
    n, size = 0, batch.source.size
    while cursor < target_um.shape[0] and n + high - low <= size:
        nearest, farthest = box_distances(box, target_um[cursor], period_um)
        most = _greatest(law, radius, nearest, farthest)
        if most > _NEVER:
            own = first + cursor if hole else -1
            row = draw(draw(key, np.uint64(first + cursor)), np.uint64(low // block))
            free = high - low - (1 if low <= own < high else 0)
            count = successes(free, most, draw(row, _COUNT))
            choose(row, count, low, high, own, True, marks, chosen)
            for i in range(count):
                d = distance(source_um[chosen[i]], target_um[cursor], period_um)
                if unit(draw(row, _KEEP + np.uint64(i))) * most < chance(law, radius, d):
                    batch.source[n] = chosen[i]
                    batch.target[n] = cursor
                    batch.bits[n] = draw(~row, np.uint64(i))
                    n += 1
        cursor += 1
    return n, cursor
