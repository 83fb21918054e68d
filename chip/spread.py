"""Spread: between which bounds a described weight is laid out, where its distribution has none of its own.

A lognormal, exponential or gamma weight, or a sum or product, can be far from its mean, but hardly ever is.
The integers of a projection are laid out for draws up to 6 standard deviations from the mean, or for all that
can be drawn where that is less; what lies beyond is cut to the outermost integer and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from chip.laws import law_of
from network.mass import gamma_below, normal_below
from network.values import (
    Combined,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Truncated,
    Uniform,
    Value,
    needs_distance,
)

MOST_SD = 6.0
"""Standard deviations from the mean up to which weights are laid out."""

_DIGITS = 24
"""Binary digits of a bound that was computed: no C library's last digit shows in it."""


class Moments(NamedTuple):
    """Mean and standard deviation; infinite where they leave the numbers."""

    mean: float
    sd: float


def span_of(value: Value, *, reach_um: float = 0.0) -> tuple[float, float]:
    """Return between which bounds a value is laid out.

    Parameters
    ----------
    value : Value
    reach_um : float
        The greatest distance that a function of distance meets.
    """
    least, greatest = law_of(value, reach_um=reach_um).bounds
    if not isinstance(value, Combined | Lognormal | Exponential | Gamma):
        return least, greatest
    low, high = _within(value, reach_um)
    if not (math.isfinite(low) and math.isfinite(high)):
        return least, greatest
    low, high = (
        min(max(end, least), greatest) for end in (_rounded(low, math.floor), _rounded(high, math.ceil))
    )
    return low, high


def _within(value: Value, reach_um: float) -> tuple[float, float]:
    """Return the values that are `MOST_SD` standard deviations below and above the mean."""
    far = [term for term in getattr(value, "of", ()) if needs_distance(term)]
    mean, sd = moments_of(value)
    ends = mean - MOST_SD * sd, mean + MOST_SD * sd
    spans = [law_of(term, reach_um=reach_um).bounds for term in far]
    for span in spans:
        if isinstance(value, Sum):
            ends = ends[0] + span[0], ends[1] + span[1]
        else:
            products = [a * b for a in ends for b in span]
            ends = min(products), max(products)
    return ends


def moments_of(value: Value) -> Moments:
    """Return mean and standard deviation of a value; of a sum or product, without its functions of distance.

    The bounds of a sum or product are left out; those of a distribution are not.
    """
    match value:
        case Uniform():
            return Moments(0.5 * value.low + 0.5 * value.high, (value.high - value.low) / math.sqrt(12.0))
        case Normal() | Lognormal() | Exponential() | Gamma():
            try:
                return _of_distribution(value)
            except (OverflowError, ZeroDivisionError):
                return Moments(math.inf, math.inf)
        case Sum():
            parts = [moments_of(term) for term in value.of if not needs_distance(term)]
            return Moments(sum(part.mean for part in parts), math.hypot(*(part.sd for part in parts)))
        case Product():
            mean, ratio = 1.0, 1.0
            for part in (moments_of(term) for term in value.of if not needs_distance(term)):
                mean, ratio = mean * part.mean, ratio * (part.mean * part.mean + part.sd * part.sd)
            return Moments(mean, math.sqrt(max(ratio - mean * mean, 0.0)))
        case int() | float():
            return Moments(float(value), 0.0)
        case _:
            raise TypeError(f"{type(value).__name__} has no moments of its own")


def _of_distribution(value: Normal | Lognormal | Exponential | Gamma) -> Moments:
    law = law_of(value)
    if not law.varies:
        return Moments(law.least, 0.0)
    if value.low is not None or value.high is not None:
        return _bounded(value)
    match value:
        case Normal():
            return Moments(value.mean, value.sd)
        case Lognormal():
            variance = value.log_sd * value.log_sd
            mean = math.exp(value.log_mean + 0.5 * variance)
            return Moments(mean, mean * math.sqrt(math.expm1(variance)))
        case Exponential():
            return Moments(value.mean, value.mean)
        case Gamma():
            return Moments(value.shape * value.scale, math.sqrt(value.shape) * value.scale)
        case _:
            raise NotImplementedError(type(value).__name__)


def _bounded(value: Truncated) -> Moments:
    """Return the moments of a distribution whose bounds redraw or clip."""
    low, high = _low(value), _high(value)
    if isinstance(value, Normal):  # in standard deviations from the mean, so that a large mean hides nothing
        low, high = ((end - value.mean) / value.sd for end in (low, high))
    mass, first, second = _partial(value, low, high)
    if value.bounds == "clip":
        below, above = _outside(value, low, high)
        first += sum(end * share for end, share in ((low, below), (high, above)) if share > 0.0)
        second += sum(end * end * share for end, share in ((low, below), (high, above)) if share > 0.0)
        mass = 1.0
    mean = first / mass
    sd = math.sqrt(max(second / mass - mean * mean, 0.0))
    return (
        Moments(value.mean + value.sd * mean, value.sd * sd)
        if isinstance(value, Normal)
        else Moments(mean, sd)
    )


def _low(value: Truncated) -> float:
    return -math.inf if value.low is None else value.low


def _high(value: Truncated) -> float:
    return math.inf if value.high is None else value.high


def _outside(value: Truncated, low: float, high: float) -> tuple[float, float]:
    """Return the chances of a draw below `low` and above `high`."""
    return _share(value, -math.inf, low, 0), _share(value, high, math.inf, 0)


def _partial(value: Truncated, low: float, high: float) -> tuple[float, float, float]:
    """Return the integrals of the density, of x and of x**2 from `low` to `high`."""
    if isinstance(value, Normal):
        z = _share(value, low, high, 0)
        edges = [_density(end) for end in (low, high)]
        slopes = [end * density if density else 0.0 for end, density in zip((low, high), edges, strict=True)]
        return z, edges[0] - edges[1], z + slopes[0] - slopes[1]
    return _share(value, low, high, 0), _share(value, low, high, 1), _share(value, low, high, 2)


def _density(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) if abs(z) < 38.0 else 0.0


def _share(value: Truncated, low: float, high: float, power: int) -> float:
    """Return the integral of x**power times the density from `low` to `high`.

    A lognormal or gamma density times x**power is one of the same kind, times a number.
    """
    match value:
        case Normal():
            ends = [_normal(end) for end in (low, high)]
            return ends[1] - ends[0]
        case Lognormal():
            mean, sd = value.log_mean + power * value.log_sd**2, value.log_sd
            logs = [
                math.log(end) if 0.0 < end < math.inf else math.copysign(math.inf, end) for end in (low, high)
            ]
            ends = [_normal((log - mean) / sd) for log in logs]
            return math.exp(power * value.log_mean + 0.5 * (power * value.log_sd) ** 2) * (ends[1] - ends[0])
        case Exponential() | Gamma():
            shape, scale = (1.0, value.mean) if isinstance(value, Exponential) else (value.shape, value.scale)
            ends = [gamma_below(end / scale, shape + power) if end < math.inf else 1.0 for end in (low, high)]
            factor = math.prod((shape + k) * scale for k in range(power))
            return factor * (ends[1] - ends[0])
        case _:
            raise NotImplementedError(type(value).__name__)


def _normal(z: float) -> float:
    return normal_below(min(max(z, -1e3), 1e3), 0.0, 1.0, strictly=False)


def _rounded(x: float, towards: Callable[[float], int]) -> float:
    """Round to `_DIGITS` binary digits."""
    mantissa, exponent = math.frexp(x)
    return math.ldexp(towards(math.ldexp(mantissa, _DIGITS)), exponent - _DIGITS)
