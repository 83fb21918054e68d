import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.binomial import binomial
from chip.connectivity import Ends, rows_of
from chip.random import unit
from network import FixedTotalNumber
from tests.chip.goodness import DEVIATE, chi_square, moments, pooled
from tests.chip.oracle import draws
from tests.chip.strategies import cuts, fixed

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
    """Golden: they decide which synapses a fixed total number makes."""
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


def in_degrees(n: int, n_targets: int, first: int, size: int, seed: int = 5) -> list[int]:
    return rows_of(FixedTotalNumber(n=n), Ends(seed, 3, 10, n_targets, first, size)).in_degree.tolist()


@fixed
@given(st.data(), st.integers(1, 300), st.integers(0, 10**7), st.integers(0, 2**63 - 1))
def test_slices_share_a_fixed_total_number(data: st.DataObject, n_targets: int, n: int, seed: int) -> None:
    whole = in_degrees(n, n_targets, 0, n_targets, seed)
    assert sum(whole) == n
    assert min(whole) >= 0
    parts = [in_degrees(n, n_targets, low, high - low, seed) for low, high in data.draw(cuts(n_targets))]
    assert [share for part in parts for share in part] == whole


def test_a_fixed_total_number_falls_on_all_targets_alike() -> None:
    for n_targets in (64, 100, 1000):
        shares = in_degrees(40_000, n_targets, 0, n_targets)
        assert abs(chi_square(shares, 40_000 / n_targets)) < DEVIATE


def test_a_slice_in_a_huge_population_is_found_at_once() -> None:
    shares = in_degrees(2**40, 2**31, 2**30, 4)
    assert sum(shares) == pytest.approx(4 * 512, abs=DEVIATE * math.sqrt(4 * 512))


def test_projections_and_seeds_share_differently() -> None:
    one = in_degrees(1000, 50, 0, 50, seed=1)
    other = rows_of(FixedTotalNumber(n=1000), Ends(1, 4, 10, 50, 0, 50)).in_degree.tolist()
    assert one != in_degrees(1000, 50, 0, 50, seed=2)
    assert one != other
