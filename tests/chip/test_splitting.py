"""Splitting counts over places, and choosing within them."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.rules.choosing import choose_any, choose_distinct
from chip.rules.splitting import split, split_blocks, successes
from tests.chip import expansion
from tests.chip.goodness import DEVIATE, chi_square, moments, pooled
from tests.chip.oracle import draws
from tests.chip.strategies import cuts, fixed

KEYS = draws(31, np.arange(20_000))


def exact_masses(n: int, p: float) -> list[float]:
    log_p, log_q = math.log(p), math.log1p(-p)
    return [
        math.exp(
            math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q
        )
        for k in range(n + 1)
    ]


@pytest.mark.parametrize(
    ("n", "p"),
    [
        (1, 0.5),
        (7, 0.3),
        (63, 0.01),
        (64, 0.5),
        (65, 0.999),
        (300, 1 / 3),
        (4096, 0.5),
        (4097, 0.4),
        (9000, 0.002),
    ],
)
def test_successes_follow_the_exact_chances(n: int, p: float) -> None:
    counts = np.bincount([successes(n, p, key) for key in KEYS], minlength=n + 1)
    counts, expected = pooled(counts, KEYS.size * np.array(exact_masses(n, p)))
    assert abs(chi_square(counts, expected)) < DEVIATE


@pytest.mark.parametrize("n", [0, 1, 64, 4096, 4097, 10**6])
def test_chances_of_0_and_1_are_certain(n: int) -> None:
    for key in KEYS[:20]:
        assert (successes(n, 0.0, key), successes(n, 1.0, key)) == (0, n)
        assert successes(n, 5e-324, key) == 0
        assert successes(n, 1.0 - 2.0**-53, key) == n


@fixed
@given(st.integers(0, 400), st.floats(0.0, 1.0), st.integers(0, 2**64 - 1))
def test_plain_python_tosses_alike(n: int, p: float, key: int) -> None:
    assert successes(n, p, np.uint64(key)) == expansion.successes(n, p, key)


def shares(key: int, total: int, n: int, each: int, distinct: bool, low: int, high: int) -> list[int]:
    out = np.zeros(high - low, np.int64)
    split(np.uint64(key), total, n, each, distinct, low, out)
    return out.tolist()


@fixed
@given(st.data(), st.integers(1, 300), st.booleans(), st.integers(0, 2**64 - 1))
def test_slices_share_a_total(data: st.DataObject, n: int, distinct: bool, key: int) -> None:
    each = data.draw(st.integers(1, 1000))
    total = data.draw(st.integers(0, n * each))
    whole = shares(key, total, n, each, distinct, 0, n)
    assert sum(whole) == total
    assert min(whole) >= 0
    assert not distinct or max(whole) <= each
    parts = [shares(key, total, n, each, distinct, low, high) for low, high in data.draw(cuts(n))]
    assert [share for part in parts for share in part] == whole
    if total < 5000:
        plain = expansion.split(key, total, 0, n, lambda low, high: (high - low) * each, distinct)
        assert whole == [plain.get(k, 0) for k in range(n)]


@fixed
@given(st.data(), st.integers(1, 3000), st.booleans(), st.integers(0, 2**64 - 1))
def test_blocks_share_a_total_without_a_hole(data: st.DataObject, n: int, distinct: bool, key: int) -> None:
    block, hole = 2 ** data.draw(st.integers(0, 9)), data.draw(st.integers(-1, n - 1))
    n_blocks, n_free = -(-n // block), n - (hole >= 0)
    total = data.draw(st.integers(0, n_free if distinct else 5000 * (n_free > 0)))
    stack = np.empty((128, 3), np.int64)

    def of(low: int, high: int) -> list[int]:
        out = np.full(high - low, -1)
        split_blocks(np.uint64(key), total, n, block, hole, distinct, low, high, out, stack)
        return out.tolist()

    whole = of(0, n_blocks)
    sizes = [min((b + 1) * block, n) - b * block - (hole // block == b) for b in range(n_blocks)]
    assert sum(whole) == total
    assert all(
        share >= 0 and (share <= size or not distinct) for share, size in zip(whole, sizes, strict=True)
    )
    assert all(share == 0 for share, size in zip(whole, sizes, strict=True) if size == 0)
    assert [share for low, high in data.draw(cuts(n_blocks)) for share in of(low, high)] == whole


def test_a_total_falls_on_all_targets_alike() -> None:
    for n in (64, 100, 1000):
        assert abs(chi_square(shares(5, 40_000, n, 7, False, 0, n), 40_000 / n)) < DEVIATE


def test_shares_of_distinct_pairs_vary_less() -> None:
    """Multivariate hypergeometric: the variance of a share has the factor (N - K) / (N - 1)."""
    n, each, total = 2000, 60, 90_000
    got = shares(6, total, n, each, True, 0, n)
    p = 1.0 / n
    sd = math.sqrt(total * p * (1 - p) * (n * each - total) / (n * each - 1))
    assert max(map(abs, moments(got, total / n, sd))) < DEVIATE


def test_a_slice_in_a_huge_population_is_found_at_once() -> None:
    got = shares(5, 2**40, 2**31, 10, False, 2**30, 2**30 + 4)
    assert sum(got) == pytest.approx(4 * 512, abs=DEVIATE * math.sqrt(4 * 512))


def chosen(key: np.uint64, count: int, low: int, high: int, hole: int, distinct: bool) -> list[int]:
    marks, out = np.zeros((high - low) // 64 + 1, np.uint64), np.empty(max(count, 1), np.int64)
    if distinct:
        choose_distinct(key, count, low, high, hole, marks, out)
    else:
        half = count // 2  # drawn in two goes
        choose_any(key, 0, half, low, high, hole, out)
        choose_any(key, half, count - half, low, high, hole, out[half:])
    assert not marks.any()
    return out[:count].tolist()


@fixed
@given(st.data(), st.integers(0, 1000), st.integers(1, 300), st.booleans(), st.integers(0, 2**64 - 1))
def test_what_is_chosen_is_a_candidate(
    data: st.DataObject, low: int, n: int, distinct: bool, key: int
) -> None:
    hole = data.draw(st.integers(low - 2, low + n + 1))
    candidates = [k for k in range(low, low + n) if k != hole]
    count = data.draw(st.integers(0, len(candidates) if distinct else 500 * bool(candidates)))
    got = chosen(np.uint64(key), count, low, low + n, hole, distinct)
    assert set(got) <= set(candidates)
    assert len(set(got)) == count or not distinct


@pytest.mark.parametrize(("count", "hole"), [(2, -1), (3, 4), (4, 9), (5, 6)])
def test_all_subsets_are_alike(count: int, hole: int) -> None:
    """Of six candidates, or five without the hole; few are drawn, of many the others."""
    candidates = [k for k in range(3, 9) if k != hole]
    tally = Counter(frozenset(chosen(key, count, 3, 9, hole, True)) for key in KEYS)
    observed = [tally[frozenset(subset)] for subset in combinations(candidates, count)]
    assert sum(observed) == KEYS.size
    if len(observed) > 1:
        assert abs(chi_square(observed, KEYS.size / len(observed))) < DEVIATE


def test_repeated_choices_are_independent_and_alike() -> None:
    pairs = Counter(tuple(chosen(key, 2, 10, 17, 12, False)) for key in KEYS)
    observed = [pairs[a, b] for a in range(10, 17) for b in range(10, 17) if 12 not in (a, b)]
    assert sum(observed) == KEYS.size
    assert abs(chi_square(observed, KEYS.size / 36)) < DEVIATE
