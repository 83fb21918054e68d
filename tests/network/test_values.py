from __future__ import annotations

import math

import pytest
from pydantic import BaseModel

from network import (
    Array,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    NetworkError,
    Normal,
    Product,
    Sum,
    Uniform,
    Value,
    bounds_of,
    highest,
    lowest,
    needs_distance,
    parse,
)
from network.values import partial_bounds

LINEAR = DistanceLinear(at_zero=1, slope_per_um=-0.5)


def test_bounds_of_what_can_be_drawn() -> None:
    assert (lowest(3.0), highest(3.0)) == (3.0, 3.0)
    uniform = Uniform(low=1, high=2)
    assert (lowest(uniform), highest(uniform)) == (1.0, 2.0)
    bounded = Normal(mean=0, sd=1, low=-2, high=3)
    assert (lowest(bounded), highest(bounded)) == (-2.0, 3.0)


def test_an_unbounded_normal_reaches_nine_sd_down_and_up() -> None:
    normal = Normal(mean=1, sd=2)
    assert (lowest(normal), highest(normal)) == (-17.0, 19.0)


def test_a_normal_without_spread_is_its_mean() -> None:
    normal = Normal(mean=1, sd=0)
    assert (lowest(normal), highest(normal)) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (2, 2, 2),
        (Array(values=()), 0, 0),
        (Array(values=(3, -1, 2)), -1, 3),
        (Lognormal(log_mean=1, log_sd=0), math.e, math.e),
        (Lognormal(log_mean=0, log_sd=1, low=0.5, high=3), 0.5, 3),
        (Lognormal(log_mean=0, log_sd=0.1, bounds="clip", low=5), 5, 5),
        (Exponential(mean=2), 0, 74),
        (Exponential(mean=2, low=1, high=3), 1, 3),
        (Gamma(shape=1, scale=2, low=1, high=3), 1, 3),
        (LINEAR, -4, 1),
        (DistanceLinear(at_zero=1, slope_per_um=0), 1, 1),
        (DistanceExponential(scale=-2, length_um=10), -2, -2 / math.e),
        (DistanceGaussian(scale=2, sd_um=10), 2 * math.exp(-0.5), 2),
        (DistanceGaussian(scale=2, sd_um=10, mean_um=10), 2 * math.exp(-0.5), 2),
        (DistanceGaussian(scale=2, sd_um=10, mean_um=20), 2 * math.exp(-2), 2 * math.exp(-0.5)),
        (Sum(of=(3, Uniform(low=-1, high=2), LINEAR)), -2, 6),
        (Sum(of=(3, LINEAR), low=0, high=2), 0, 2),
        (Product(of=(-2, Uniform(low=-1, high=2))), -4, 2),
        (Product(of=(LINEAR, LINEAR)), -4, 16),
        (Product(of=(LINEAR, 0)), 0, 0),
        (Product(of=(LINEAR, LINEAR), high=3), -4, 3),
    ],
)
def test_bounds_within_ten_um(value: Value, low: float, high: float) -> None:
    assert bounds_of(value, 10.0) == pytest.approx((low, high), rel=1e-12)


def test_bounds_of_the_terms_so_far_are_without_what_the_result_is_clipped_to() -> None:
    terms = (1e200, Uniform(low=-1, high=2), 1e200, 0)
    product = Product(of=terms, low=3, high=4)
    assert partial_bounds(product) == [(1e200, 1e200), (-1e200, 2e200), (-math.inf, math.inf), (0.0, 0.0)]
    assert partial_bounds(Sum(of=(1, LINEAR), low=7), 10.0) == [(1.0, 1.0), (-3.0, 2.0)]


def test_bounds_at_any_distance() -> None:
    assert bounds_of(LINEAR) == (-math.inf, 1.0)
    assert bounds_of(Product(of=(LINEAR, 0))) == (0.0, 0.0)
    assert bounds_of(DistanceExponential(scale=3, length_um=1)) == (0.0, 3.0)
    assert bounds_of(DistanceGaussian(scale=-3, sd_um=1, mean_um=7)) == (-3.0, 0.0)


@pytest.mark.parametrize("shape", [0.01, 0.5, 1.0, 3.0, 1e6])
def test_nearly_nothing_of_a_gamma_lies_beyond_its_reach(shape: float) -> None:
    gamma = Gamma(shape=shape, scale=1.5)
    assert bounds_of(gamma)[0] == 0.0
    beyond = Gamma(shape=shape, scale=1.5, low=bounds_of(gamma)[1], bounds="clip")
    assert beyond.mass < 1e-12


@pytest.mark.parametrize(
    ("value", "needs"),
    [(1.0, False), (LINEAR, True), (Sum(of=(1, LINEAR)), True), (Sum(of=(1, 2)), False), (None, False)],
)
def test_what_needs_distance(value: Value, needs: bool) -> None:
    assert needs_distance(value) == needs


@pytest.mark.parametrize(
    ("low", "high", "mass"),
    [
        (None, None, 1.0),
        (0.0, None, 0.5),
        (None, 0.0, 0.5),
        (-1.0, 1.0, 0.6826894921370859),
        (3.0, None, 0.0013498980316301035),
    ],
)
def test_mass_between_the_bounds(low: float | None, high: float | None, mass: float) -> None:
    """Numbers of the standard normal from tables; the last is the complement of Phi(3)."""
    assert Normal(mean=0, sd=1, low=low, high=high).mass == pytest.approx(mass, rel=1e-12)


def test_mass_without_spread_is_all_or_nothing() -> None:
    assert Normal(mean=1, sd=0, low=1, high=2).mass == 1.0
    assert Normal(mean=1, sd=0, low=2, bounds="clip").mass == 0.0


def test_mass_far_beyond_the_bounds_is_zero_not_an_overflow() -> None:
    assert Normal(mean=0, sd=1e-300, low=1e300, bounds="clip").mass == 0.0


@pytest.mark.parametrize(
    ("value", "mass"),
    [
        (Exponential(mean=2, low=2), 1 / math.e),
        (Exponential(mean=2, high=2), 1 - 1 / math.e),
        (Exponential(mean=5e-324, high=1e308, bounds="clip"), 1.0),
        (Lognormal(log_mean=0, log_sd=1, low=1), 0.5),
        (Lognormal(log_mean=0, log_sd=1, low=-1), 1.0),
        (Lognormal(log_mean=3, log_sd=0, high=1, bounds="clip"), 0.0),
        (Gamma(shape=1, scale=2, low=2), 1 / math.e),
        (Gamma(shape=2, scale=1, high=1), 1 - 2 / math.e),
        (Gamma(shape=0.5, scale=2, high=1), math.erf(math.sqrt(0.5))),
        (Gamma(shape=0.5, scale=2, low=9), math.erfc(math.sqrt(4.5))),
        (Gamma(shape=2, scale=5e-324, high=1e308, bounds="clip"), 1.0),
    ],
)
def test_mass_of_others(value: Exponential | Lognormal | Gamma, mass: float) -> None:
    """Closed forms: exponential, Erlang, chi-square of one degree of freedom."""
    assert value.mass == pytest.approx(mass, rel=1e-12)


def test_clip_needs_no_mass() -> None:
    assert Normal(mean=0, sd=1, low=50, high=60, bounds="clip").high == 60.0


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        (Uniform, {"low": 2, "high": 1}, "at.low must be <= high, 1, got 2; swap them"),
        (
            Uniform,
            {"low": -1.5e308, "high": 1.5e308},
            "at.high must be a finite way from low, got 1.5e+308; lower it",
        ),
        (
            Normal,
            {"mean": 0, "sd": -1},
            "at.sd must be >= 0, got -1; give the standard deviation",
        ),
        (
            Normal,
            {"mean": 0, "sd": 1, "low": 1, "high": 1},
            "at.low must be < high, 1, got 1; lower low or raise high",
        ),
        (Normal, {"mean": 0, "sd": 1e308}, "at.sd must leave draws finite, got 1e+308; lower it"),
        (
            Normal,
            {"mean": 0, "sd": 1, "low": 4},
            "at.bounds must leave at least 0.001 of the normal to redraw from, got 3.17e-05; "
            "move low or high towards the mean, or clip",
        ),
        (
            Normal,
            {"mean": 0, "sd": 0, "low": 4},
            "at.bounds must leave at least 0.001 of the normal to redraw from, got 0; "
            "move low or high towards the mean, or clip",
        ),
        (
            Normal,
            {"mean": 0, "sd": 1, "bounds": "wrap"},
            "at.bounds must be 'redraw' or 'clip', got 'wrap'; "
            "give what happens to a draw beyond a bound: redraw or clip",
        ),
        (
            Lognormal,
            {"log_mean": 500, "log_sd": 20},
            "at.log_sd must keep |log_mean| + 9 log_sd at most 600, got 20; lower it",
        ),
        (Exponential, {"mean": 0}, "at.mean must be > 0, got 0; give the mean"),
        (Exponential, {"mean": 1e308}, "at.mean must leave draws finite, got 1e+308; lower it"),
        (
            Exponential,
            {"mean": 1, "low": 7},
            "at.bounds must leave at least 0.001 of the exponential to redraw from, got 0.000912; "
            "move low or high towards the mean, or clip",
        ),
        (
            Gamma,
            {"shape": 0.001, "scale": 1},
            "at.shape must be >= 0.01, got 0.001; give the shape, 0.01 to 1e6",
        ),
        (Gamma, {"shape": 1, "scale": 1e308}, "at.scale must leave draws finite, got 1e+308; lower it"),
        (
            DistanceExponential,
            {"scale": 1e308, "length_um": 1},
            "at.scale must be <= 1e+30, got 1e+308; give the value at distance 0",
        ),
        (
            DistanceGaussian,
            {"scale": -2e30, "sd_um": 1},
            "at.scale must be >= -1e+30, got -2e+30; give the value at the peak",
        ),
        (
            DistanceLinear,
            {"at_zero": 1e308, "slope_per_um": 0},
            "at.at_zero must be <= 1e+30, got 1e+308; give the value at distance 0",
        ),
        (
            DistanceExponential,
            {"scale": 1, "length_um": 0},
            "at.length_um must be >= 1e-06, got 0; give the distance of a decay to 1/e in um",
        ),
        (
            DistanceGaussian,
            {"scale": 1, "sd_um": 1, "mean_um": -1},
            "at.mean_um must be >= 0, got -1; give the distance of the peak in um",
        ),
        (
            Sum,
            {"of": [1, 2], "low": 3, "high": 2},
            "at.low must be <= high, 2, got 3; lower low or raise high",
        ),
        (Product, {"of": []}, "at.of must not be empty, got []; give the terms, one to four"),
        (
            Product,
            {"of": [True]},
            "at.of[0] must be a number, got true; give the terms, one to four",
        ),
        (Array, {"values": [1, "2"]}, "at.values[1] must be a number, got '2'; give the values"),
    ],
)
def test_refusals(model: type[BaseModel], fields: dict[str, object], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse(model, fields, path="at")
    assert str(caught.value) == message
