import math

import numpy as np
import pytest

from chip.poisson import poisson, poisson_table
from chip.random import unit32
from tests.chip.goodness import DEVIATE, chi_square, pooled
from tests.chip.oracle import draws, poisson_counts, poisson_masses

MEANS = [1e-9, 0.01, 0.8, 1.28, 5.0, 30.5, 120.0, 500.0, 699.0]


@pytest.mark.parametrize("mean", MEANS)
def test_thresholds_are_the_exact_distribution_to_2_to_the_minus_32(mean: float) -> None:
    thresholds = poisson_table(mean)[0]
    exact = np.cumsum(poisson_masses(mean, thresholds.size))
    # Draws of at most k events: 0 ... T[k].
    assert np.abs((thresholds + 1.0) / 2.0**32 - exact).max() <= 2.0**-32 + 1e-12
    assert thresholds.dtype == np.uint32
    assert thresholds[-1] == 2**32 - 1
    assert thresholds.size <= mean + 8.0 * math.sqrt(mean) + 24.0


@pytest.mark.parametrize("mean", MEANS)
def test_mean_and_variance_of_the_thresholds(mean: float) -> None:
    more = (2.0**32 - 1.0 - poisson_table(mean)[0]) / 2.0**32  # chances of more than k events
    k = np.arange(more.size)
    first, second = more.sum(), (more * (2 * k + 1)).sum()
    assert first == pytest.approx(mean, abs=more.size * 2.0**-32)
    assert second - first**2 == pytest.approx(mean, abs=4.0 * more.size**2 * 2.0**-32)


@pytest.mark.parametrize("mean", MEANS)
def test_a_guide_is_the_least_count_of_its_256th(mean: float) -> None:
    thresholds, guide = poisson_table(mean)
    first_bits = np.arange(256, dtype=np.int64) << 24
    assert guide.tolist() == (first_bits[:, None] > thresholds[None, :].astype(np.int64)).sum(axis=1).tolist()


def test_no_rate_no_events() -> None:
    thresholds, guide = poisson_table(0.0)
    assert thresholds.tolist() == [2**32 - 1]
    assert guide.tolist() == [0] * 256
    assert [poisson(0.0, u) for u in (2.0**-33, 0.5, 1.0 - 2.0**-33)] == [0, 0, 0]


@pytest.mark.parametrize("mean", MEANS)
def test_means_of_each_neuron_give_the_counts_of_the_table(mean: float) -> None:
    thresholds = poisson_table(mean)[0].astype(np.int64)
    borders = np.unique(np.concatenate([thresholds - 2, thresholds + 2, [0, 2**32 - 1]]))
    bits = draws(9, np.arange(500)) >> np.uint64(32)
    bits = np.concatenate([bits, borders[(borders >= 0) & (borders < 2**32)].astype(np.uint64)])
    expected = (bits.astype(np.int64)[:, None] > thresholds[None, :]).sum(axis=1)
    # Two draws off a border, rounding of the sum decides nothing.
    sure = ~np.isin(bits.astype(np.int64), np.concatenate([thresholds, thresholds + 1]))
    counts = np.array([poisson(mean, unit32(word)) for word in bits])
    assert np.array_equal(counts[sure], expected[sure])
    assert sure.sum() > 400


def test_counts_are_poisson() -> None:
    mean, n = 3.7, 20_000
    bits = draws(31, np.arange(n))
    counts = np.array([poisson(mean, unit32(word)) for word in bits >> np.uint64(32)])
    assert np.array_equal(counts, poisson_counts(bits, mean))
    observed, expected = pooled(np.bincount(counts, minlength=40), n * poisson_masses(mean, 40))
    assert abs(chi_square(observed, expected)) < DEVIATE


def test_thresholds_never_change() -> None:
    """Golden: they decide every Poisson input of one rate."""
    assert poisson_table(1.28)[0][:6].tolist() == [
        1194161112,
        2722687336,
        3700944119,
        4118333680,
        4251898340,
        4286090893,
    ]
