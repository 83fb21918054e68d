"""Values: each law against its exact distribution, its bounds, and plain Python."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from chip.random import Purpose, stream_key
from chip.values import draw_values
from network import (
    Array,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Uniform,
    Value,
)
from tests.chip.cases import VALUES
from tests.chip.expansion import drawn
from tests.chip.goodness import DEVIATE, KS_LIMIT, chi_square, kolmogorov_smirnov
from tests.chip.oracle import draws

N = 20_000
KEY = stream_key(11, Purpose.PARAMETER, 0, 0)
Z = NormalDist()

Cdf = Callable[[float], float]


def gamma_cdf(shape: float, scale: float) -> Cdf:
    """Abramowitz and Stegun 6.5.29: the series of the lower incomplete gamma function."""

    def cdf(x: float) -> float:
        x /= scale
        term = total = 1.0 / shape
        k = 0
        while term > 1e-12 * total:
            k += 1
            term *= x / (shape + k)
            total += term
        return total * math.exp(shape * math.log(x) - x - math.lgamma(shape))

    return cdf


def exponential_cdf(mean: float) -> Cdf:
    return lambda x: -math.expm1(-x / mean)


def lognormal_cdf(log_mean: float, log_sd: float) -> Cdf:
    return lambda x: NormalDist(log_mean, log_sd).cdf(math.log(x)) if x > 0.0 else 0.0


FREE: dict[str, tuple[Any, Cdf]] = {
    "normal": (Normal(mean=-58.0, sd=5.0), NormalDist(-58.0, 5.0).cdf),
    "lognormal": (Lognormal(log_mean=1.0, log_sd=0.7), lognormal_cdf(1.0, 0.7)),
    "exponential": (Exponential(mean=3.0), exponential_cdf(3.0)),
    "gamma 0.05": (Gamma(shape=0.05, scale=2.0), gamma_cdf(0.05, 2.0)),
    "gamma 0.5": (Gamma(shape=0.5, scale=2.0), gamma_cdf(0.5, 2.0)),
    "gamma 1": (Gamma(shape=1.0, scale=2.0), exponential_cdf(2.0)),
    "gamma 7.5": (Gamma(shape=7.5, scale=0.4), gamma_cdf(7.5, 0.4)),
    "gamma 100": (Gamma(shape=100.0, scale=0.1), gamma_cdf(100.0, 0.1)),
}


def quantile(cdf: Cdf, p: float, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if cdf(middle) < p else (low, middle)
    return low


def between(cdf: Cdf, low: float, high: float) -> Cdf:
    """Return the distribution of what is redrawn, or of what is clipped strictly inside the bounds."""
    return lambda x: (cdf(x) - cdf(low)) / (cdf(high) - cdf(low))


@pytest.mark.parametrize(("value", "cdf"), FREE.values(), ids=FREE)
def test_a_law_without_bounds(value: Any, cdf: Cdf) -> None:
    values = draw_values(value, KEY, 0, N)
    values[values == 0.0] = 1e-300  # the least draws of a gamma of shape 0.05
    assert kolmogorov_smirnov(values, cdf) < KS_LIMIT


BOUNDED = {
    f"{name}, {share}": (*FREE[name], share)
    for name in ("normal", "lognormal", "exponential", "gamma 0.5", "gamma 7.5")
    for share in ((0.02, 0.98), (0.5, 0.99), (0.4, 0.5))
}


@pytest.mark.parametrize(("value", "cdf", "share"), BOUNDED.values(), ids=BOUNDED)
@pytest.mark.parametrize("bounds", ["redraw", "clip"])
def test_a_law_with_bounds(value: Any, cdf: Cdf, share: tuple[float, float], bounds: str) -> None:
    least = -100.0 if isinstance(value, Normal) else 1e-9
    low, high = (quantile(cdf, p, least, 100.0) for p in share)
    values = draw_values(value.model_copy(update={"low": low, "high": high, "bounds": bounds}), KEY, 0, N)
    assert low <= values.min() <= values.max() <= high
    if bounds == "clip":
        at_ends = [np.sum(values == low), np.sum(values == high)]
        inside = N - sum(at_ends)
        expected = np.array([share[0], share[1] - share[0], 1.0 - share[1]]) * N
        assert abs(chi_square([at_ends[0], inside, at_ends[1]], expected)) < DEVIATE
        values = values[(values > low) & (values < high)]
    assert kolmogorov_smirnov(values, between(cdf, low, high)) < KS_LIMIT


@pytest.mark.parametrize(("low", "high"), [(87.0, None), (None, 90.0)])
def test_one_bound_is_enough(low: float | None, high: float | None) -> None:
    values = draw_values(Normal(mean=87.81, sd=8.781, low=low, high=high), KEY, 0, N)
    law = between(NormalDist(87.81, 8.781).cdf, low or -1e3, high or 1e3)
    assert kolmogorov_smirnov(values, law) < KS_LIMIT


def test_a_uniform_follows_its_law() -> None:
    values = draw_values(Uniform(low=-3.0, high=5.0), KEY, 0, N)
    assert kolmogorov_smirnov(values, lambda x: (x + 3.0) / 8.0) < KS_LIMIT
    assert -3.0 < values.min() < -2.99
    assert 4.99 < values.max() < 5.0


MOMENTS = {
    "uniform": (Uniform(low=-1.0, high=3.0), 1.0, 4.0 / 3.0, 1.8),
    "normal": (Normal(mean=2.0, sd=3.0), 2.0, 9.0, 3.0),
    "lognormal": (
        Lognormal(log_mean=0.2, log_sd=0.3),
        math.exp(0.2 + 0.045),
        math.expm1(0.09) * math.exp(0.4 + 0.09),
        math.exp(0.36) + 2.0 * math.exp(0.27) + 3.0 * math.exp(0.18) - 3.0,
    ),
    "exponential": (Exponential(mean=4.0), 4.0, 16.0, 9.0),
    "gamma below 1": (Gamma(shape=0.5, scale=2.0), 1.0, 2.0, 15.0),
    "gamma": (Gamma(shape=6.0, scale=0.5), 3.0, 1.5, 4.0),
    "sum": (
        Sum(of=(Normal(mean=2.0, sd=3.0), Exponential(mean=4.0), 5.0)), 11.0, 25.0, 3.0 + 6.0 * 256 / 625,
    ),
    "product": (
        Product(of=(Uniform(low=-1.0, high=1.0), Normal(mean=0.0, sd=3.0), 2.0)), 0.0, 12.0, 1.8 * 3.0,
    ),
}  # fmt: skip
"""Mean, variance and kurtosis."""


@pytest.mark.parametrize(("value", "mean", "variance", "kurtosis"), MOMENTS.values(), ids=MOMENTS)
def test_means_and_variances(value: Value, mean: float, variance: float, kurtosis: float) -> None:
    values = draw_values(value, KEY, 0, N)
    assert abs(values.mean() - mean) < DEVIATE * math.sqrt(variance / N)
    squares = (values - mean) ** 2
    assert abs(squares.mean() - variance) < DEVIATE * variance * math.sqrt((kurtosis - 1.0) / N)


def test_terms_of_a_sum_are_drawn_apart() -> None:
    """Two uniforms make a triangle; two equal ones would make a uniform."""

    def triangle(x: float) -> float:
        return 0.5 * x * x if x < 1.0 else 1.0 - 0.5 * (2.0 - x) ** 2

    unit = Uniform(low=0.0, high=1.0)
    assert kolmogorov_smirnov(draw_values(Sum(of=(unit, unit)), KEY, 0, N), triangle) < KS_LIMIT


def test_products_of_lognormals_are_lognormal() -> None:
    value = Product(of=(Lognormal(log_mean=1.0, log_sd=0.3), Lognormal(log_mean=-0.5, log_sd=0.4), 2.0))
    law = lognormal_cdf(0.5 + math.log(2.0), 0.5)
    assert kolmogorov_smirnov(draw_values(value, KEY, 0, N), law) < KS_LIMIT


def test_results_of_sums_are_clipped() -> None:
    value = Sum(of=(Normal(mean=0.0, sd=1.0), Normal(mean=0.0, sd=1.0)), low=-1.0, high=2.0)
    values = draw_values(value, KEY, 0, N)
    law = NormalDist(0.0, math.sqrt(2.0))
    at_ends = np.sum(values == -1.0), np.sum(values == 2.0)
    expected = N * np.array([law.cdf(-1.0), law.cdf(2.0) - law.cdf(-1.0), 1.0 - law.cdf(2.0)])
    assert abs(chi_square([at_ends[0], N - sum(at_ends), at_ends[1]], expected)) < DEVIATE
    assert (values.min(), values.max()) == (-1.0, 2.0)


def test_functions_of_distance_are_as_they_say() -> None:
    distance = np.array([0.0, 1.0, 7.5, 40.0, 1e5])
    for value, exact in (
        (DistanceLinear(at_zero=3.0, slope_per_um=-0.5), 3.0 - 0.5 * distance),
        (DistanceExponential(scale=-2.0, length_um=8.0), -2.0 * np.exp(-distance / 8.0)),
        (
            DistanceGaussian(scale=5.0, sd_um=4.0, mean_um=7.0),
            5.0 * np.exp(-0.5 * ((distance - 7.0) / 4.0) ** 2),
        ),
    ):
        values = draw_values(value, KEY, 0, 5, distance=distance)
        assert np.allclose(values, exact, rtol=1e-13, atol=1e-300)


def test_arrays_are_looked_up_by_neuron() -> None:
    value = Array(values=(3.0, 1.0, 4.0, 1.5, 9.0))
    assert draw_values(value, KEY, 1, 3).tolist() == [1.0, 4.0, 1.5]
    assert draw_values(Array(values=()), KEY, 0, 0).size <= 1


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_plain_python_draws_the_same(value: Value) -> None:
    distance = np.linspace(0.0, 60.0, 200)
    values = np.broadcast_to(draw_values(value, KEY, 7, 200, distance=distance), 200)
    expected = [
        drawn(value, 0, int(bits), d, i)
        for i, (bits, d) in enumerate(zip(draws(KEY, np.arange(7, 207)), distance.tolist(), strict=True))
    ]
    assert values.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-7)


GOLD = {
    "number": 3.25,
    "uniform": 3.508906849194318,
    "normal": 1.1272149899154296,
    "normal redraw": 3.883281974449635,
    "normal clip": 3.0,
    "lognormal": 0.522508512173968,
    "lognormal redraw": 1.0996367595522845,
    "exponential": 3.3156661760173365,
    "exponential redraw": 3.3156661760173365,
    "exponential clip": 3.3156661760173365,
    "gamma": 1.9965782237612406,
    "gamma below 1": 0.12714671045012532,
    "gamma redraw": 4.700480168620969,
    "linear": 19.1,
    "exponential of distance": -23.95548656278131,
    "gaussian of distance": 23.899937045827496,
    "sum": 7.938518344186042,
    "product": 1.3123694835617312,
}


@pytest.mark.parametrize("name", VALUES)
def test_draws_never_change(name: str) -> None:
    """Golden: a change here changes every network with drawn values."""
    assert draw_values(VALUES[name], KEY, 5, 1, distance=np.array([9.0])).tolist() == [GOLD[name]]
