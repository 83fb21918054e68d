"""Means and standard deviations against numerical integrals and closed forms, and the spans laid out for."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import exp

import numpy as np
import pytest
from numpy.typing import NDArray

from chip.spread import MOST_SD, moments_of, span_of
from network.values import (
    Array,
    DistanceExponential,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Truncated,
    Uniform,
    Value,
)

Floats = NDArray[np.float64]
Density = Callable[[Floats], Floats]


def density_of(value: Truncated) -> tuple[Density, float, float]:
    """The density without bounds, and between which values nothing of it that counts is left out."""
    match value:
        case Normal():
            mean, sd = value.mean, value.sd
            return (
                lambda x: np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi)),
                mean - 9 * sd,
                mean + 9 * sd,
            )
        case Lognormal():
            m, s = value.log_mean, value.log_sd
            return (
                lambda x: np.exp(-0.5 * ((np.log(x) - m) / s) ** 2) / (x * s * math.sqrt(2 * math.pi)),
                math.exp(m - 9 * s),
                math.exp(m + 9 * s),
            )
        case Exponential():
            return lambda x: np.exp(-x / value.mean) / value.mean, 0.0, 40 * value.mean
        case Gamma():
            k, scale = value.shape, value.scale
            return (
                lambda x: np.exp((k - 1) * np.log(x / scale) - x / scale - math.lgamma(k)) / scale,
                1e-12 * scale,
                (k + 60 * (1 + math.sqrt(k))) * scale,
            )
    raise TypeError(value)


def integrated(value: Truncated) -> tuple[float, float]:
    """Mean and standard deviation of a bounded distribution, by the trapezoidal rule in 2**20 steps."""
    density, low, high = density_of(value)
    x = (
        np.exp(np.linspace(math.log(low), math.log(high), 2**20))
        if low > 0
        else np.linspace(low, high, 2**20)
    )
    if value.bounds == "redraw":
        low, high = (
            max(low, value.low or -math.inf),
            min(high, math.inf if value.high is None else value.high),
        )
        x = np.linspace(low, high, 2**20)
    p = density(x)
    y = x if value.bounds == "redraw" else np.clip(x, value.low, value.high)
    mass = np.trapezoid(p, x)
    mean = np.trapezoid(p * y, x) / mass
    return float(mean), math.sqrt(np.trapezoid(p * (y - mean) ** 2, x) / mass)


BOUNDED = [
    Normal(mean=3, sd=2, low=4),
    Normal(mean=3, sd=2, low=0, high=5, bounds="clip"),
    Normal(mean=1e6, sd=1e-2, low=1e6),
    Lognormal(log_mean=0.3, log_sd=0.8, low=1, high=6),
    Lognormal(log_mean=0.3, log_sd=0.8, low=-1, high=3, bounds="clip"),
    Exponential(mean=2, low=5),
    Exponential(mean=2, high=3, bounds="clip"),
    Gamma(shape=2.5, scale=2, low=3, high=9),
    Gamma(shape=2.5, scale=2, low=3, bounds="clip"),
]


@pytest.mark.parametrize("value", BOUNDED, ids=repr)
def test_moments_of_bounded_distributions_are_those_of_the_integral(value: Truncated) -> None:
    found, (mean, sd) = moments_of(value), integrated(value)  # type: ignore[arg-type]
    assert found.mean == pytest.approx(mean, rel=1e-4)
    assert found.sd == pytest.approx(sd, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "mean", "sd"),
    [
        (2.5, 2.5, 0.0),
        (Uniform(low=-1, high=3), 1.0, 4 / math.sqrt(12)),
        (Normal(mean=-2, sd=0.5), -2.0, 0.5),
        (Normal(mean=-50, sd=1, low=0, bounds="clip"), 0.0, 0.0),
        (
            Lognormal(log_mean=1, log_sd=0.5),
            math.exp(1.125),
            math.exp(1.125) * math.sqrt(math.exp(0.25) - 1),
        ),
        (Exponential(mean=3), 3.0, 3.0),
        (Gamma(shape=4, scale=0.5), 2.0, 1.0),
        (Sum(of=(1.0, Exponential(mean=3), Normal(mean=2, sd=4))), 6.0, 5.0),
        (Product(of=(-2.0, Exponential(mean=3), Normal(mean=2, sd=1))), -12.0, math.sqrt(4 * 18 * 5 - 144)),
        (Sum(of=(2.0, DistanceLinear(at_zero=1, slope_per_um=1))), 2.0, 0.0),
        (Lognormal(log_mean=0, log_sd=60), math.inf, math.inf),
    ],
)
def test_moments_in_closed_form(value: Value, mean: float, sd: float) -> None:
    assert moments_of(value) == (pytest.approx(mean), pytest.approx(sd))


def test_a_list_has_no_moments_of_its_own() -> None:
    with pytest.raises(TypeError) as caught:
        moments_of(Array(values=(1.0, 2.0)))
    assert str(caught.value) == "Array has no moments of its own"


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (-3.0, -3.0, -3.0),
        (Uniform(low=-1, high=3), -1.0, 3.0),
        (Array(values=(4.0, -2.0, 1.0)), -2.0, 4.0),
        (Exponential(mean=2), 0.0, 2 + 6 * 2),
        (Exponential(mean=2, high=9), 0.0, 9.0),
        (Gamma(shape=4, scale=0.5), 0.0, 8.0),
        (Sum(of=(1.0, Exponential(mean=2))), 1.0, 15.0),
        (Sum(of=(1.0, Exponential(mean=2)), high=4), 1.0, 4.0),
        (Product(of=(-1.0, Exponential(mean=2))), -14.0, 0.0),
        (Sum(of=(Exponential(mean=2), DistanceLinear(at_zero=1, slope_per_um=0.5))), 1.0, 20.0),
        (Product(of=(3.0, DistanceExponential(scale=2, length_um=1))), 6.0 * exp(-10.0), 6.0),
        (DistanceLinear(at_zero=1, slope_per_um=-0.5), -4.0, 1.0),
    ],
)
def test_a_span_ends_where_draws_do_or_six_standard_deviations_away(
    value: Value, low: float, high: float
) -> None:
    assert span_of(value, reach_um=10.0) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("log_sd", [0.01, 0.5, 1.0, 2.0])
def test_a_span_does_not_show_the_last_digits_of_an_exponential(log_sd: float) -> None:
    value = Lognormal(log_mean=0.123, log_sd=log_sd)
    mean, sd = moments_of(value)
    high = span_of(value)[1]
    assert (math.frexp(high)[0] * 2**24).is_integer()
    assert 0.0 <= high / (mean + MOST_SD * sd) - 1.0 < 2**-22


def test_what_leaves_the_numbers_has_no_finite_span() -> None:
    huge = Lognormal(log_mean=300, log_sd=20)
    assert span_of(Product(of=(huge,) * 4))[1] == math.inf
