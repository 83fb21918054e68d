"""Counts: binomial and hypergeometric numbers by exact chances, tosses bit by bit, splitting trees."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import exp, lgamma, log, log1p

from tests.chip.expansion.hashes import draw, unit

FEW = 4096
"""Up to this many trials are tossed one by one."""


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def binomial_chance(n: int, p: float, k: int) -> float:
    """P(k of n trials of chance 0 < p < 1 succeed)."""
    return exp(_log_comb(n, k) + k * log(p) + (n - k) * log1p(-p))


def hypergeometric_chance(count: int, left: int, right: int, k: int) -> float:
    """P(k of `count` drawn without replacement are of the `left`)."""
    return exp(_log_comb(left, k) + _log_comb(right, count - k) - _log_comb(left + right, count))


def _outward(mode: int, least: int, most: int) -> Iterator[int]:
    """The mode, then its neighbours above and below in turn."""
    yield mode
    for step in range(1, most - least + 1):
        yield from (k for k in (mode + step, mode - step) if least <= k <= most)


def _named(u: float, values: Iterator[int], chance: Callable[[int], float]) -> int:
    """The value whose interval of uniforms holds `u`, the intervals being laid one after the other."""
    first = value = next(values)
    total = chance(value)
    while total < u:
        following = next(values, None)
        if following is None:
            return first
        value, total = following, total + chance(following)
    return value


def binomial(n: int, p: float, u: float) -> int:
    """The binomial number that the uniform `u` names."""
    if n == 0:
        return 0
    mode = min(int((n + 1) * p), n)
    return _named(u, _outward(mode, 0, n), lambda k: binomial_chance(n, p, k))


def hypergeometric(count: int, left: int, right: int, u: float) -> int:
    """The hypergeometric number that the uniform `u` names."""
    least, most = max(0, count - right), min(count, left)
    if least == most:
        return least
    mode = min(max((count + 1) * (left + 1) // (left + right + 2), least), most)
    return _named(u, _outward(mode, least, most), lambda k: hypergeometric_chance(count, left, right, k))


def binomial_by_threshold(n: int, p: float, u: float) -> int:
    """The binomial number whose distribution function first reaches `u`, counted from 0."""
    if p in (0.0, 1.0) or n == 0:
        return int(p) * n
    total = 0.0
    for k in range(n):
        total += binomial_chance(n, p, k)
        if total >= u:
            return k
    return n


def successes(n: int, p: float, key: int) -> int:
    """How many of `n` trials of chance `p` succeed; each compares bits of its own with those of `p`."""
    if p == 1.0:
        return n
    if n > FEW:
        return binomial(n, p, unit(draw(key, 0))) if p > 0.0 else 0
    won, counter = 0, 0
    for first in range(0, n, 64):
        undecided = set(range(min(64, n - first)))
        rest = int(Fraction(p) * 2**64)
        while undecided and rest:
            toss, of_chance = draw(key, counter), rest >> 63
            counter, rest = counter + 1, rest << 1 & (1 << 64) - 1
            for trial in list(undecided):
                if toss >> trial & 1 != of_chance:
                    undecided.remove(trial)
                    won += of_chance
    return won


def _taken(count: int, left: int, right: int, distinct: bool, key: int) -> int:
    if distinct:
        return hypergeometric(count, left, right, unit(draw(key, 0)))
    return successes(count, left / (left + right), key)


def split(
    key: int,
    total: int,
    low: int,
    high: int,
    candidates: Callable[[int, int], int],
    distinct: bool,
) -> dict[int, int]:
    """The shares of `total`, of each of the places low ... high - 1 that has one.

    `candidates` tells how many candidates a range of places has.
    """
    if total == 0 or low == high:
        return {}
    if high - low == 1:
        return {low: total}
    middle = (low + high) // 2
    of_branch = draw(draw(key, low), high)
    left = _taken(total, candidates(low, middle), candidates(middle, high), distinct, of_branch)
    return split(key, left, low, middle, candidates, distinct) | split(
        key, total - left, middle, high, candidates, distinct
    )
