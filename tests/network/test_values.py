from __future__ import annotations

import pytest

from network import NetworkError, Normal, Uniform, highest, lowest, parse


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
    ],
)
def test_refusals(model: type[Uniform | Normal], fields: dict[str, object], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse(model, fields, path="at")
    assert str(caught.value) == message
