"""Goodness of fit without scipy: how surprising a sample is, as a standard normal deviate.

Seeds are fixed, so a test passes always or never. The limits say how odd a correct generator's numbers
would have to be to fail: one sample in a million, for each test.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNIFICANCE = 1e-6

DEVIATE = NormalDist().inv_cdf(1.0 - SIGNIFICANCE / 2.0)
"""Two-sided limit of a standard normal deviate: 4.89."""

KS_LIMIT = float(np.sqrt(-np.log(SIGNIFICANCE / 2.0) / 2.0))
"""Limit of sqrt(n) D, from Kolmogorov's distribution: 2.69."""


def chi_square(observed: ArrayLike, expected: ArrayLike) -> float:
    """Return chi-square as a standard normal deviate; very low is as suspect as very high.

    One degree of freedom is taken for the total. Cells should expect 5 or more.

    References
    ----------
    Wilson and Hilferty 1931, PNAS 17:684: the cube root of chi-square / df is nearly normal.
    """
    observed, expected = np.asarray(observed, float).ravel(), np.asarray(expected, float)
    expected = np.broadcast_to(expected, observed.shape)
    assert expected.min() >= 5.0
    freedom = observed.size - 1
    statistic = float((((observed - expected) ** 2) / expected).sum())
    spread = 2.0 / (9.0 * freedom)
    return float(((statistic / freedom) ** (1.0 / 3.0) - (1.0 - spread)) / np.sqrt(spread))


def pooled(observed: ArrayLike, expected: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cells with those that expect less than 10 made one, the last.

    Where even all of these expect less than 10, they join the cell that expects the least of the others.
    """
    observed, expected = np.asarray(observed, float), np.asarray(expected, float)
    rare = expected < 10.0
    if not rare.any():
        return observed, expected
    if expected[rare].sum() < 10.0:
        rare[np.argmin(np.where(rare, np.inf, expected))] = True
    return np.append(observed[~rare], observed[rare].sum()), np.append(expected[~rare], expected[rare].sum())


def kolmogorov_smirnov(sample: NDArray[np.float64], cdf: Callable[[float], float]) -> float:
    """Return sqrt(n) times the greatest distance between a sample and a continuous law."""
    ordered = np.sort(sample)
    exact = np.array([cdf(value) for value in ordered.tolist()])
    steps = np.arange(sample.size + 1) / sample.size
    distance = max(np.max(steps[1:] - exact), np.max(exact - steps[:-1]))
    return float(np.sqrt(sample.size) * distance)


def moments(sample: ArrayLike, mean: float, sd: float) -> tuple[float, float]:
    """Return the deviates of a sample's mean and variance from those of a nearly normal law."""
    sample = np.asarray(sample, float)
    n = sample.size
    of_mean = (sample.mean() - mean) / (sd / np.sqrt(n))
    of_variance = (((sample - mean) ** 2).mean() / sd**2 - 1.0) / np.sqrt(2.0 / n)
    return float(of_mean), float(of_variance)
