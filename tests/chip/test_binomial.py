"""Binomial and hypergeometric numbers by inversion, against exact chances."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.binomial import binomial, binomial_distribution, hypergeometric
from chip.random import unit
from tests.chip import expansion
from tests.chip.goodness import DEVIATE, chi_square, moments, pooled
from tests.chip.oracle import draws
from tests.chip.strategies import fixed

LARGEST = 1.0 - 2.0**-53
SMALLEST = 2.0**-54


def exact_masses(n: int, p: float) -> np.ndarray:
    """Return the n + 1 chances in rational arithmetic, rounded once."""
    chance = Fraction(p)
    return np.array([float(math.comb(n, k) * chance**k * (1 - chance) ** (n - k)) for k in range(n + 1)])


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (1, 0.9), (2, 0.5), (7, 0.3), (16, 0.5), (40, 0.01), (60, 0.99), (100, 49 / 99)]
)
def test_each_number_has_an_interval_of_uniforms_as_long_as_its_chance(n: int, p: float) -> None:
    # On an even grid of uniforms, an interval of length m holds grid * m points, give or take one.
    grid = 4000
    counts = np.bincount([binomial(n, p, (i + 0.5) / grid) for i in range(grid)], minlength=n + 1)
    assert np.abs(counts - grid * exact_masses(n, p)).max() <= 1.0 + 1e-6


@pytest.mark.parametrize(("n", "p"), [(1000, 0.5), (100_000, 0.25), (1_000_000, 0.5)])
def test_chances_are_exact_for_many_trials(n: int, p: float) -> None:
    grid = 4000
    drawn = np.array([binomial(n, p, (i + 0.5) / grid) for i in range(grid)])
    values = np.arange(drawn.min(), drawn.max() + 1)
    log_n = math.lgamma(n + 1)
    exponents = [
        log_n - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in values.tolist()
    ]
    expected = grid * np.exp(exponents)
    counts = np.bincount(drawn - drawn.min(), minlength=values.size)
    assert np.abs(counts - expected).max() <= 1.0 + 1e-6
    assert expected.sum() > 0.999 * grid


@pytest.mark.parametrize(("n", "p"), [(7, 0.3), (16, 0.5), (17, 0.4), (40, 0.05), (250, 49 / 99)])
def test_the_chance_of_the_mode_is_right_to_1e_13(n: int, p: float) -> None:
    """The least uniforms name the mode: how far they reach is its chance, found by halving."""
    mode, low, high = binomial(n, p, SMALLEST), 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if binomial(n, p, middle) == mode else (low, middle)
    assert low == pytest.approx(exact_masses(n, p).max(), rel=1e-13)


def test_counts_follow_the_exact_chances() -> None:
    n, p, n_draws = 50, 0.37, 20_000
    drawn = [binomial(n, p, unit(bits)) for bits in draws(17, np.arange(n_draws))]
    counts, expected = pooled(np.bincount(drawn, minlength=n + 1), n_draws * exact_masses(n, p))
    assert abs(chi_square(counts, expected)) < DEVIATE


@pytest.mark.parametrize(("n", "p"), [(10**9, 0.5), (10**9, 1e-6), (2**40, 0.5), (2**40, 2.0**-20)])
def test_mean_and_variance_of_huge_numbers(n: int, p: float) -> None:
    n_draws = 40 if n > 10**10 and p == 0.5 else 1000
    drawn = np.array([binomial(n, p, unit(bits)) for bits in draws(23, np.arange(n_draws))], float)
    deviates = moments(drawn, n * p, math.sqrt(n * p * (1.0 - p)))
    assert max(map(abs, deviates)) < DEVIATE


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 1000, 10**6])
@pytest.mark.parametrize("p", [1e-12, 0.1, 0.5, 0.999, 1.0 - 1e-12])
def test_extreme_uniforms_name_possible_numbers(n: int, p: float) -> None:
    for u in (SMALLEST, 0.5, LARGEST):
        assert 0 <= binomial(n, p, u) <= n


def test_no_trials_no_successes() -> None:
    assert binomial(0, 0.5, 0.3) == 0


def test_numbers_never_change() -> None:
    """Golden: they decide which synapses a network has."""
    cases = [(10, 0.5), (1000, 0.25), (10**6, 0.5), (10**9, 1e-3)]
    assert [binomial(n, p, u) for n, p in cases for u in (0.1, 0.7)] == [
        5,
        7,
        252,
        236,
        500063,
        499482,
        1000126,
        1001036,
    ]


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (44, 0.1), (127, 0.999), (128, 1e-9), (256, 0.02)])
def test_the_distribution_function_is_the_sum_of_the_chances(n: int, p: float) -> None:
    law = binomial_distribution(n, p)
    assert law.size == n + 1
    assert law[-1] == 1.0
    assert np.all(np.diff(law) >= -1e-14)
    assert np.abs(law - np.cumsum(exact_masses(n, p))).max() < 1e-13


def exact_hypergeometric(count: int, left: int, right: int) -> np.ndarray:
    """Return the chances of 0 ... count in rational arithmetic, rounded once."""
    ways = [math.comb(left, k) * math.comb(right, count - k) for k in range(count + 1)]
    return np.array([float(Fraction(way, math.comb(left + right, count))) for way in ways])


SPLITS = [(1, 1, 1), (3, 5, 2), (30, 40, 41), (7, 7, 7), (50, 128, 44), (120, 64, 64), (9, 2000, 3)]


@pytest.mark.parametrize(("count", "left", "right"), SPLITS)
def test_each_share_has_an_interval_of_uniforms_as_long_as_its_chance(
    count: int, left: int, right: int
) -> None:
    grid = 4000
    drawn = [hypergeometric(count, left, right, (i + 0.5) / grid) for i in range(grid)]
    counts = np.bincount(drawn, minlength=count + 1)
    assert np.abs(counts - grid * exact_hypergeometric(count, left, right)).max() <= 1.0 + 1e-6


@pytest.mark.parametrize(("count", "left", "right"), [(20, 30, 25), (900, 1000, 3000), (5000, 9000, 9001)])
def test_shares_follow_the_exact_chances(count: int, left: int, right: int) -> None:
    n_draws = 20_000
    drawn = [hypergeometric(count, left, right, unit(bits)) for bits in draws(19, np.arange(n_draws))]
    exact = np.array([expansion.hypergeometric_chance(count, left, right, k) for k in range(count + 1)])
    counts, expected = pooled(np.bincount(drawn, minlength=count + 1), n_draws * exact)
    assert abs(chi_square(counts, expected)) < DEVIATE


@pytest.mark.parametrize("total", [10**10, 2**44])
def test_mean_and_variance_of_huge_shares(total: int) -> None:
    count, left, n_draws = total // 10**6, total // 4, 1000
    drawn = [hypergeometric(count, left, total - left, unit(bits)) for bits in draws(29, np.arange(n_draws))]
    sd = math.sqrt(count * 0.25 * 0.75 * (total - count) / (total - 1))
    assert max(map(abs, moments(drawn, count / 4, sd))) < DEVIATE


@fixed
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0.0, 1.0), st.integers(0, 2**64 - 1))
def test_shares_are_possible(left: int, right: int, share: float, bits: int) -> None:
    count = int(share * (left + right))
    for u in (SMALLEST, unit(np.uint64(bits)), LARGEST):
        taken = hypergeometric(count, left, right, u)
        assert 0 <= taken <= left
        assert 0 <= count - taken <= right


@fixed
@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.0, 1.0), st.integers(0, 2**64 - 1))
def test_plain_python_names_the_same_numbers(left: int, right: int, share: float, bits: int) -> None:
    count, u = int(share * (left + right)), unit(np.uint64(bits))
    assert hypergeometric(count, left, right, u) == expansion.hypergeometric(count, left, right, u)
    p = min(max(share, 1e-9), 1.0 - 1e-9)
    assert binomial(left, p, u) == expansion.binomial(left, p, u)


def test_shares_never_change() -> None:
    """Golden: they decide which synapses a network has."""
    cases = [(10, 20, 20), (1000, 10**4, 10**5), (10**6, 10**9, 10**9)]
    assert [hypergeometric(*case, u) for case in cases for u in (0.1, 0.7)] == [
        5,
        4,
        90,
        82,
        500063,
        499482,
    ]
