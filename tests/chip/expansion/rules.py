"""Rules: which pairs there are, and each one's random bits. One generator a rule, target by target."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

from network import (
    AllToAll,
    Convolution,
    DistanceDependent,
    DistanceLinear,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    Pooling,
    SmallWorld,
)
from tests.chip.expansion.counts import binomial_by_threshold, split, successes
from tests.chip.expansion.hashes import IN_DEGREE, SYNAPSE, below, draw, key_of, other, unit
from tests.chip.expansion.laws import drawn
from tests.chip.expansion.places import Place, apart, box_spans, cells_of, wrapped


class Pairs(NamedTuple):
    """What a rule is asked about: a projection's key, its populations, and where they stand.

    `place` is the source's or target's position by number; `period` what distances are taken modulo.
    """

    seed: int
    number: int
    n_sources: int
    n_targets: int
    recurrent: bool
    source_um: list[Place] | None = None
    target_um: list[Place] | None = None
    period: Place = ()

    @property
    def key(self) -> int:
        """The projection's key."""
        return key_of(self.seed, SYNAPSE, self.number)

    def distance(self, source: int, target: int) -> float:
        """The distance of a pair."""
        assert self.source_um is not None
        assert self.target_um is not None
        return apart(self.source_um[source], self.target_um[target], self.period)


class Pair(NamedTuple):
    """A synapse before its values are drawn; `entry` is its place in lists."""

    source: int
    target: int
    bits: int
    entry: int = 0


def pairs_of(rule: Any, pairs: Pairs) -> Iterator[Pair]:
    """Yield all synapses of a rule, or of the arrays of an upload."""
    return _RULES.get(type(rule), _listed)(rule, pairs)


def block_size(n: int) -> int:
    """The least power of two that holds a 128th of a population, 128 or all of it if that is less."""
    return next(2**k for k in range(64) if 2**k >= min(max(n / 128, 128), n))


def _choose(key: int, count: int, candidates: list[int], distinct: bool) -> list[int]:
    """`count` of the candidates in order of their draws; of most of them, those that are not left out."""
    n = len(candidates)
    if not distinct:
        return [candidates[below(draw(key, i), n)] for i in range(count)]
    chosen: dict[int, None] = {}
    attempt = 0
    while len(chosen) < min(count, n - count):
        chosen[below(draw(key, attempt), n)] = None
        attempt += 1
    if count > n - count:
        return [c for k, c in enumerate(candidates) if k not in chosen]
    return [candidates[k] for k in chosen]


class _Blocks:
    """A population in fixed blocks, without one neuron."""

    def __init__(self, n: int, hole: int | None) -> None:
        self.n, self.hole, self.size = n, hole, block_size(n)
        self.n_blocks = -(-n // self.size)

    def members(self, block: int) -> list[int]:
        """The candidates of a block."""
        numbers = range(block * self.size, min((block + 1) * self.size, self.n))
        return [k for k in numbers if k != self.hole]

    def n_candidates(self, low: int, high: int) -> int:
        """How many candidates consecutive blocks have."""
        numbers = range(low * self.size, min(high * self.size, self.n))
        return len(numbers) - (self.hole in numbers if self.hole is not None else 0)

    def shares(self, key: int, total: int, distinct: bool) -> dict[int, int]:
        """How many of `total` fall to each block."""
        return split(key, total, 0, self.n_blocks, self.n_candidates, distinct)


def _hole(rule: Any, pairs: Pairs, neuron: int) -> int | None:
    return neuron if pairs.recurrent and not rule.allow_autapses else None


def _one_to_one(rule: OneToOne, pairs: Pairs) -> Iterator[Pair]:
    for k in range(pairs.n_targets):
        yield Pair(k, k, draw(pairs.key, k), k)


def _all_to_all(rule: AllToAll, pairs: Pairs) -> Iterator[Pair]:
    for target in range(pairs.n_targets):
        for source in range(pairs.n_sources):
            if source != _hole(rule, pairs, target):
                bits = draw(draw(pairs.key, target), source)
                yield Pair(source, target, bits, target * pairs.n_sources + source)


def _drawn_onto(rule: Any, pairs: Pairs, target: int, in_degree: int) -> Iterator[Pair]:
    of_target, distinct = draw(pairs.key, target), not rule.allow_multapses
    blocks = _Blocks(pairs.n_sources, _hole(rule, pairs, target))
    for block, count in blocks.shares(of_target, in_degree, distinct).items():
        key = draw(of_target, block)
        for i, source in enumerate(_choose(key, count, blocks.members(block), distinct)):
            yield Pair(source, target, draw(other(key), i))


def _fixed_in_degree(rule: FixedInDegree, pairs: Pairs) -> Iterator[Pair]:
    for target in range(pairs.n_targets):
        yield from _drawn_onto(rule, pairs, target, rule.n)


def _fixed_total_number(rule: FixedTotalNumber, pairs: Pairs) -> Iterator[Pair]:
    each = pairs.n_sources - (_hole(rule, pairs, 0) is not None)

    def candidates(low: int, high: int) -> int:
        return (high - low) * each

    key = key_of(pairs.seed, IN_DEGREE, pairs.number)
    shares = split(key, rule.n, 0, pairs.n_targets, candidates, not rule.allow_multapses)
    for target, in_degree in shares.items():
        yield from _drawn_onto(rule, pairs, target, in_degree)


def _fixed_out_degree(rule: FixedOutDegree, pairs: Pairs) -> Iterator[Pair]:
    distinct = not rule.allow_multapses
    for source in range(pairs.n_sources):
        of_source = draw(pairs.key, source)
        blocks = _Blocks(pairs.n_targets, _hole(rule, pairs, source))
        for block, count in blocks.shares(of_source, rule.n, distinct).items():
            key = draw(of_source, block)
            for i, target in enumerate(_choose(key, count, blocks.members(block), distinct)):
                yield Pair(source, target, draw(other(key), i))


def _by_target_and_block(rule: Any, pairs: Pairs) -> Iterator[tuple[int, int, list[int]]]:
    """Yield target, key and candidates of each block of sources."""
    for target in range(pairs.n_targets):
        blocks = _Blocks(pairs.n_sources, _hole(rule, pairs, target))
        for block in range(blocks.n_blocks):
            yield target, draw(draw(pairs.key, target), block), blocks.members(block)


def _fixed_probability(rule: FixedProbability, pairs: Pairs) -> Iterator[Pair]:
    for target, key, candidates in _by_target_and_block(rule, pairs):
        count = binomial_by_threshold(len(candidates), rule.p, unit(draw(key, 1 << 40)))
        for i, source in enumerate(_choose(key, count, candidates, distinct=True)):
            yield Pair(source, target, draw(other(key), i))


def _distance_dependent(rule: DistanceDependent, pairs: Pairs) -> Iterator[Pair]:
    source_um, target_um = pairs.source_um, pairs.target_um
    assert source_um is not None
    assert target_um is not None
    radius = inf if rule.radius_um is None else rule.radius_um

    def chance(d: float) -> float:
        return min(max(drawn(rule.p, 0, 0, d, 0), 0.0), 1.0) if d <= radius else 0.0

    far = 1e300 if isinstance(rule.p, DistanceLinear) else 1e9
    peak = min(_greatest(chance, rule, (0.0, far), radius) * (1.0 + 1e-9), 1.0)
    cells = cells_of(source_um, pairs.period, min(len(source_um) / 16.0, len(source_um) * peak / 2.0))
    for target, place in enumerate(target_um):
        for cell, members in cells.items():
            corners = zip(*(wrapped(source_um[m], pairs.period) for m in members), strict=True)
            spans = box_spans([(min(c), max(c)) for c in corners], place, pairs.period)
            most = min(_greatest(chance, rule, spans, radius) * (1.0 + 1e-9), 1.0)
            if most <= 2.0**-60:
                continue
            candidates = [m for m in members if m != _hole(rule, pairs, target)]
            key = draw(draw(pairs.key, target), cell)
            count = successes(len(candidates), most, draw(key, 1 << 40))
            for i, source in enumerate(_choose(key, count, candidates, distinct=True)):
                if unit(draw(key, (1 << 41) + i)) * most < chance(pairs.distance(source, target)):
                    yield Pair(source, target, draw(draw(pairs.key, target), source))


def _greatest(
    chance: Callable[[float], float], rule: DistanceDependent, spans: tuple[float, float], radius: float
) -> float:
    """The greatest chance at any distance within the spans: at an end, or at the peak."""
    nearest, farthest = spans[0], min(spans[1], radius)
    peak = getattr(rule.p, "mean_um", nearest)
    places = [nearest, farthest, peak] if nearest <= peak <= farthest else [nearest, farthest]
    return max(map(chance, places)) if nearest <= radius else 0.0


def _small_world(rule: SmallWorld, pairs: Pairs) -> Iterator[Pair]:
    n, half = pairs.n_sources, rule.k // 2
    for target in range(pairs.n_targets):
        key = draw(pairs.key, target)
        for i, step in enumerate([*range(-half, 0), *range(1, half + 1)]):
            source = (target + step) % n
            if unit(draw(key, 2 * i)) < rule.p_rewire:
                others = [k for k in range(n) if k != target]
                source = others[below(draw(key, 2 * i + 1), n - 1)]
            yield Pair(source, target, draw(other(key), i))


def _window(rule: Convolution | Pooling, pairs: Pairs) -> Iterator[Pair]:
    """Image coordinates; places (c, i, j) of the kernel are counted through the target's channel."""
    channels, height, width = rule.source_shape
    n_out, n_rows, n_columns = rule.target_shape
    if isinstance(rule, Convolution):
        inputs, rows, columns = rule.kernel_shape[1:]
        dilation, groups = rule.dilation, rule.groups
    else:
        (rows, columns), inputs, dilation, groups = rule.window, 1, (1, 1), channels
    for target in range(pairs.n_targets):
        out, y, x = target // (n_rows * n_columns), target // n_columns % n_rows, target % n_columns
        group = out // (n_out // groups)
        for place in range(inputs * rows * columns):
            c, i, j = place // (rows * columns), place // columns % rows, place % columns
            at_y = y * rule.stride[0] - rule.padding[0] + i * dilation[0]
            at_x = x * rule.stride[1] - rule.padding[1] + j * dilation[1]
            if 0 <= at_y < height and 0 <= at_x < width:
                source = ((group * inputs + c) * height + at_y) * width + at_x
                entry = out * inputs * rows * columns + place
                yield Pair(source, target, draw(draw(pairs.key, target), entry), entry)


def _listed(rule: Any, pairs: Pairs) -> Iterator[Pair]:
    for k, (source, target) in enumerate(zip(rule.sources, rule.targets, strict=True)):
        yield Pair(int(source), int(target), draw(pairs.key, k), k)


_RULES: dict[type, Callable[[Any, Pairs], Iterator[Pair]]] = {
    OneToOne: _one_to_one,
    AllToAll: _all_to_all,
    FixedInDegree: _fixed_in_degree,
    FixedTotalNumber: _fixed_total_number,
    FixedOutDegree: _fixed_out_degree,
    FixedProbability: _fixed_probability,
    DistanceDependent: _distance_dependent,
    SmallWorld: _small_world,
    Convolution: _window,
    Pooling: _window,
}
