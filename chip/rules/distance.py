"""Each pair of neurons joined with a probability that is a function of its distance.

Sources are sorted into cells of space. For each target and cell the greatest probability that any of the
cell's places allows is known from a box around them; candidates are drawn with that one, keyed by (target,
cell), and kept with the ratio of their own to it. Cells beyond the reach of the kernel are not looked at.

The pairs of a slice are drawn at once, 8 bytes each, and then sorted by source.
"""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.laws import PEAK, Law, law_of
from chip.positions import box_distances, distance
from chip.random import draw, unit
from chip.rules.cells import Cells, near, reach_of
from chip.rules.choosing import choose_distinct
from chip.rules.generator import Batch, Ends, Generator
from chip.rules.splitting import successes
from chip.values import distance_value
from network import DistanceDependent, DistanceExponential, DistanceGaussian

_MEMBERS, _CANDIDATES = 16.0, 2.0
"""A cell has at least so many neurons, or so many of them are candidates where the kernel is greatest."""

_COUNT, _KEEP = np.uint64(1 << 40), np.uint64(1 << 41)
_NEVER = 2.0**-60
"""Less than 53 random bits can tell from 0, over a whole cell."""


class Spatial(Generator):
    """Pairs joined by distance."""

    def __init__(self, rule: DistanceDependent, ends: Ends) -> None:
        super().__init__(rule, ends)
        assert ends.source_um is not None
        assert ends.target_um is not None
        assert ends.period_um is not None
        law = law_of(rule.p)
        radius = np.inf if rule.radius_um is None else rule.radius_um
        peak = greatest(law, radius, 0.0, np.inf)
        n_cells = min(ends.n_sources / _MEMBERS, ends.n_sources * peak / _CANDIDATES)
        cells = Cells.of(ends.source_um, ends.period_um, n_cells)
        pairs = _draw_pairs(
            self.key,
            law,
            radius,
            _reach(rule, peak, radius),
            cells,
            ends.source_um,
            ends.target_um,
            ends.period_um,
            ends.first,
            ends.recurrent and not rule.allow_autapses,
        )
        self.begins, self.targets = _by_source(pairs, ends.n_sources)
        self.n_expected = float(self.targets.size)

    @staticmethod
    def held_bytes(n_sources: int, n_targets: int, n_synapses: float) -> float:
        """Return the bytes of all pairs, and of their targets by source."""
        return 12 * n_synapses

    def begin(self, low: int, high: int) -> int:
        """Begin with the first synapse of the first source."""
        return int(self.begins[low])

    def end(self, low: int, high: int) -> int:
        """End with the last synapse of the last source."""
        return int(self.begins[high])

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        return _emit(self.key, self.begins, self.targets, self.ends.first, high, cursor, batch)


def _reach(rule: DistanceDependent, peak: float, radius: float) -> float:
    """Return a distance beyond which no pair is ever joined."""
    reach = np.inf
    if isinstance(rule.p, DistanceExponential):
        reach = reach_of(max(peak, rule.p.scale), rule.p.length_um, gaussian=False, least=_NEVER)
    elif isinstance(rule.p, DistanceGaussian):
        top = max(peak, rule.p.scale)
        reach = rule.p.mean_um * 1.01 + reach_of(top, rule.p.sd_um, gaussian=True, least=_NEVER)
    return float(min(reach, radius * 1.01))


@kernel
def chance(law, radius, d):
    """Return the probability of a pair at distance `d`."""
    return min(max(distance_value(law, d), 0.0), 1.0) if d <= radius else 0.0


def greatest(law: Law, radius: float, nearest: float, farthest: float) -> float:
    """Return the greatest probability at any distance from `nearest` to `farthest`."""
    return float(_greatest(law, radius, nearest, farthest))


@kernel
def _greatest(law, radius, nearest, farthest):
    if nearest > radius:
        return 0.0
    farthest = min(farthest, radius)
    most = max(distance_value(law, nearest), distance_value(law, min(farthest, 1e300)))
    term = law.terms[0]
    if np.int64(term[0]) == PEAK and nearest <= term[3] <= farthest:
        most = max(most, term[1])
    return min(max(most * (1.0 + 1e-9), 0.0), 1.0)


@kernel
def _draw_pairs(key, law, radius, reach, cells, source_um, target_um, period_um, first, hole):
    """Draw all pairs of the slice's targets, target by target: (n, 2) uint32, source and target."""
    out, n = np.empty((4096, 2), np.uint32), 0
    largest = 0
    for cell in range(cells.begin.size - 1):
        largest = max(largest, cells.begin[cell + 1] - cells.begin[cell])
    marks, chosen = np.zeros(largest // 64 + 1, np.uint64), np.empty(largest, np.int64)
    low, count = np.empty(3, np.int64), np.empty(3, np.int64)
    for target in range(target_um.shape[0]):
        near(cells, target_um[target], period_um, reach, low, count)
        own = cells.place[first + target] if hole else -1
        target_key = draw(key, np.uint64(first + target))
        for step in range(count[0] * count[1] * count[2]):
            cell = _cell(cells.shape, low, count, step)
            begin, end = cells.begin[cell], cells.begin[cell + 1]
            if end == begin:
                continue
            nearest, farthest = box_distances(cells.box[cell], target_um[target], period_um)
            most = _greatest(law, radius, nearest, farthest)
            if most <= _NEVER:
                continue
            row = draw(target_key, np.uint64(cell))
            free = end - begin - (1 if begin <= own < end else 0)
            n_candidates = successes(free, most, draw(row, _COUNT))
            choose_distinct(row, n_candidates, begin, end, own, marks, chosen)
            if n + n_candidates > out.shape[0]:
                grown = np.empty((2 * out.shape[0] + n_candidates, 2), np.uint32)
                grown[:n] = out[:n]
                out = grown
            for i in range(n_candidates):
                source = cells.order[chosen[i]]
                d = distance(source_um[source], target_um[target], period_um)
                if unit(draw(row, _KEEP + np.uint64(i))) * most < chance(law, radius, d):
                    out[n, 0], out[n, 1] = source, target
                    n += 1
    return out[:n]


@kernel
def _cell(shape, low, count, step):
    """Return the number of the step-th cell of a range, around where the range leaves the space."""
    z = (low[2] + step % count[2]) % shape[2]
    y = (low[1] + step // count[2] % count[1]) % shape[1]
    x = (low[0] + step // (count[2] * count[1])) % shape[0]
    return (x * shape[1] + y) * shape[2] + z


@kernel
def _by_source(pairs, n_sources):
    """Return where each source's targets begin, and the targets sorted by source."""
    begins = np.zeros(n_sources + 1, np.int64)
    for k in range(pairs.shape[0]):
        begins[pairs[k, 0] + 1] += 1
    for source in range(n_sources):
        begins[source + 1] += begins[source]
    place, targets = begins[:-1].copy(), np.empty(pairs.shape[0], np.uint32)
    for k in range(pairs.shape[0]):
        targets[place[pairs[k, 0]]] = pairs[k, 1]
        place[pairs[k, 0]] += 1
    return begins, targets


@kernel
def _emit(key, begins, targets, first, high, cursor, batch):
    n, source = 0, np.searchsorted(begins, cursor, "right") - 1
    while cursor < begins[high] and n < batch.source.size:
        while begins[source + 1] <= cursor:
            source += 1
        target = np.int64(targets[cursor])
        batch.source[n] = source
        batch.target[n] = target
        batch.bits[n] = draw(draw(key, np.uint64(first + target)), np.uint64(source))
        n += 1
        cursor += 1
    return n, cursor
