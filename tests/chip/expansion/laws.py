"""Values: what is drawn for one neuron or synapse from its 64 random bits."""

from math import exp, inf, log, prod, sqrt
from statistics import NormalDist
from typing import Any

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
from tests.chip.expansion.hashes import draw, unit, unit32

STANDARD = NormalDist()

WEIGHT, DELAY, AXONAL = 0, 8, 16
"""Counters of the first draw for each quantity of a synapse."""


def drawn(value: Value, salt: int, bits: int, distance: float, entry: int) -> float:
    """The value for one neuron or synapse; `entry` is its place in an array."""
    if isinstance(value, Sum | Product):
        terms = [_term(term, draw(bits, salt + k), distance, entry) for k, term in enumerate(value.of)]
        total = sum(terms[1:], terms[0]) if isinstance(value, Sum) else prod(terms[1:], start=terms[0])
        return _clipped(total, value)
    return _term(value, draw(bits, salt), distance, entry)


def _clipped(x: float, value: Any) -> float:
    low, high = _bounds(value)
    return min(max(x, low), high)


def _bounds(value: Any) -> tuple[float, float]:
    return -inf if value.low is None else value.low, inf if value.high is None else value.high


def _term(value: Value, bits: int, distance: float, entry: int) -> float:
    match value:
        case Uniform():
            return value.low + (value.high - value.low) * unit32(bits)
        case Array():
            return value.values[entry]
        case DistanceLinear():
            return value.at_zero + value.slope_per_um * distance
        case DistanceExponential():
            return value.scale * exp(-distance / value.length_um)
        case DistanceGaussian():
            return value.scale * exp(-((distance - value.mean_um) ** 2) / (2.0 * value.sd_um**2))
        case Normal() | Lognormal() | Exponential() | Gamma():
            return _bounded(value, bits)
        case _:
            return float(value)


def _bounded(value: Normal | Lognormal | Exponential | Gamma, bits: int) -> float:
    low, high = _bounds(value)
    x = _once(value, bits)
    if value.bounds == "clip":
        return min(max(x, low), high)
    while not low <= x <= high:
        bits = draw(bits, 0)
        x = _once(value, bits)
    return x


def _once(value: Normal | Lognormal | Exponential | Gamma, bits: int) -> float:
    match value:
        case Normal():
            return value.mean + value.sd * standard_normal(bits)
        case Lognormal():
            return exp(value.log_mean + value.log_sd * standard_normal(bits))
        case Exponential():
            return -value.mean * log(unit32(bits))
        case Gamma():
            return value.scale * _gamma(value.shape, bits)


def standard_normal(bits: int) -> float:
    """The low 32 bits: the top one is the sign, the others the place in the tail."""
    tail = (2 * (bits & 0x7FFFFFFF) + 1) / 2.0**33
    z = STANDARD.inv_cdf(tail)
    return z if bits >> 31 & 1 else -z


def _gamma(shape: float, bits: int) -> float:
    """Marsaglia and Tsang 2000, ACM TOMS 26:363; shapes below 1 by the power of a uniform."""
    if shape < 1.0:
        root = unit(bits) ** (1.0 / shape)
        return root * _gamma(shape + 1.0, draw(bits, 0))
    d = shape - 1.0 / 3.0
    while True:
        z = standard_normal(bits)
        v = (1.0 + z / sqrt(9.0 * d)) ** 3
        bits = draw(bits, 0)
        if v > 0.0 and log(unit(bits)) < 0.5 * z * z + d - d * v + d * log(v):
            return d * v
        bits = draw(bits, 0)
