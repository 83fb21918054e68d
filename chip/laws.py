"""Laws: described values as plain numbers that kernels can sample (`chip.values`), and what they can draw.

Bounds hold for what kernels draw: they are computed with correctly rounded functions, and made wider by a
billionth where a kernel's exp may differ in its last digit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.rounded import exp
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
    bounds_of,
)

CONSTANT, UNIFORM, NORMAL, LOGNORMAL, EXPONENTIAL, GAMMA, ARRAY, LINEAR, DECAY, PEAK = range(10)
"""Kinds of terms; the last three are functions of distance."""

FREE, REDRAW, CLIP = range(3)
"""What happens beyond a term's bounds."""

ADD, MULTIPLY = range(2)

_KIND = 0
"""Column of `Law.terms`."""

REACH_SD = 6.34
"""No draw is further from its mean: the normal quantile at 1 - 2**-33 is 6.33796."""

_REACH_EXPONENTIAL = 23.0
"""No exponential draw is more means: -log(2**-33) is 22.87."""

_LAST_DIGITS = 1e-9
"""Share in which the C library's exp and ours differ at the most, and far more."""


class Law(NamedTuple):
    """A value as numbers.

    Attributes
    ----------
    terms : (n_terms, 6) float64 array
        Kind, two numbers, low, high, what happens beyond them.
    combine : int
        Whether terms are added or multiplied.
    low, high : float
        What the result is clipped to.
    values : (n,) float64 array
        Of an array; else empty.
    least, greatest : float
        Bounds of all draws.
    """

    terms: NDArray[np.float64]
    combine: int
    low: float
    high: float
    values: NDArray[np.float64]
    least: float
    greatest: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value a draw can have."""
        return self.least, self.greatest

    @property
    def varies(self) -> bool:
        """Whether two draws can differ."""
        return self.least < self.greatest

    @property
    def needs_distance(self) -> bool:
        """Whether a term is a function of distance."""
        return bool(np.any(self.terms[:, _KIND] >= LINEAR))


def law_of(value: Value, *, reach_um: float = 0.0) -> Law:
    """Turn a described value into numbers.

    Parameters
    ----------
    value : Value
    reach_um : float
        The greatest distance that a function of distance meets.
    """
    if isinstance(value, Sum | Product):
        terms = np.array([_term(term) for term in value.of])
        ends = [_bounds(term, reach_um) for term in value.of]
        least, greatest = _summed(ends) if isinstance(value, Sum) else _multiplied(ends)
        low = -math.inf if value.low is None else float(value.low)
        high = math.inf if value.high is None else float(value.high)
        combine = ADD if isinstance(value, Sum) else MULTIPLY
        least, greatest = (min(max(end, low), high) for end in (least, greatest))
        return Law(terms, combine, low, high, read_only(np.zeros(0)), least, greatest)
    listed = np.asarray(value.values, np.float64) if isinstance(value, Array) else np.zeros(0)
    least, greatest = _bounds(value, reach_um)
    return Law(np.array([_term(value)]), ADD, -math.inf, math.inf, read_only(listed), least, greatest)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written, as columns on disk are: kernels are compiled for one of them."""
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _term(value: Value) -> tuple[float, ...]:
    low, high, bounds = -math.inf, math.inf, float(FREE)
    if isinstance(value, Normal | Lognormal | Exponential | Gamma):
        low = low if value.low is None else float(value.low)
        high = high if value.high is None else float(value.high)
        bounded = math.isfinite(low) or math.isfinite(high)
        bounds = float(FREE if not bounded else REDRAW if value.bounds == "redraw" else CLIP)
    if isinstance(value, DistanceGaussian):
        low = float(value.mean_um)  # the place of the peak: functions of distance have no bounds
    kind, a, b = _numbers(value)
    return float(kind), a, b, low, high, bounds


def _numbers(value: Value) -> tuple[int, float, float]:
    match value:
        case Uniform():
            return UNIFORM, value.low, value.high
        case Normal():
            return NORMAL, value.mean, value.sd
        case Lognormal():
            constant = value.log_sd == 0.0
            return (
                (CONSTANT, exp(value.log_mean), 0.0)
                if constant
                else (LOGNORMAL, value.log_mean, value.log_sd)
            )
        case Exponential():
            return EXPONENTIAL, value.mean, 0.0
        case Gamma():
            return GAMMA, value.shape, value.scale
        case Array():
            return ARRAY, 0.0, 0.0
        case DistanceLinear():
            return LINEAR, value.at_zero, value.slope_per_um
        case DistanceExponential():
            return DECAY, value.scale, 1.0 / value.length_um
        case DistanceGaussian():
            return PEAK, value.scale, 1.0 / value.sd_um
        case float() | int():
            return CONSTANT, float(value), 0.0
        case _:
            raise TypeError(type(value).__name__)


def _bounds(value: Value, reach_um: float) -> tuple[float, float]:
    """Return the least and the greatest draw of one term."""
    match value:
        case Uniform():
            return float(value.low), float(value.high)
        case Normal():
            ends = value.mean - REACH_SD * value.sd, value.mean + REACH_SD * value.sd
        case Lognormal():
            ends = _lognormal_ends(value)
        case Exponential():
            ends = 0.0, _REACH_EXPONENTIAL * value.mean
        case Gamma():
            ends = 0.0, _gamma_reach(value.shape) * value.scale
        case Array():
            return min(value.values, default=0.0), max(value.values, default=0.0)
        case DistanceLinear():
            far = value.at_zero + value.slope_per_um * reach_um * (1.0 + _LAST_DIGITS)
            return min(value.at_zero, far), max(value.at_zero, far)
        case DistanceExponential() | DistanceGaussian():
            least, greatest = bounds_of(value, reach_um)
            return _widened(least, -_LAST_DIGITS, value.scale), _widened(greatest, _LAST_DIGITS, value.scale)
        case float() | int():
            return float(value), float(value)
        case _:
            raise TypeError(type(value).__name__)
    # Clipped at both ends: the whole distribution may lie beyond one bound, and then all draws are that
    # bound.
    low = -math.inf if value.low is None else float(value.low)
    high = math.inf if value.high is None else float(value.high)
    least, greatest = (min(max(end, low), high) for end in ends)
    return least, greatest


def _lognormal_ends(value: Lognormal) -> tuple[float, float]:
    if value.log_sd == 0.0:
        return exp(value.log_mean), exp(value.log_mean)
    reach = REACH_SD * value.log_sd
    return (
        exp(value.log_mean - reach) * (1.0 - _LAST_DIGITS),
        exp(value.log_mean + reach) * (1.0 + _LAST_DIGITS),
    )


def _widened(bound: float, share: float, exact: float) -> float:
    return bound if bound == exact else bound + share * abs(bound)


def _gamma_reach(shape: float) -> float:
    """Return a bound of what Marsaglia and Tsang's method draws: d (1 + c z)**3 at the largest z."""
    d = max(shape, 1.0 if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    return float(d * (1.0 + REACH_SD / math.sqrt(9.0 * d)) ** 3)


def _summed(ends: list[tuple[float, float]]) -> tuple[float, float]:
    low = high = 0.0
    for end in ends:  # one after the other as kernels add: `sum` compensates from Python 3.12 on
        low, high = low + end[0], high + end[1]
    return low, high


def _multiplied(ends: list[tuple[float, float]]) -> tuple[float, float]:
    low = high = 1.0
    for end in ends:
        products = [0.0 if a == 0.0 or b == 0.0 else a * b for a in (low, high) for b in end]
        low, high = min(products), max(products)
    return low, high
