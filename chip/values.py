"""Drawing values: a described value becomes a `Law`, plain numbers that kernels can sample.

Theory of operation
-------------------
A law has one to four terms, added or multiplied. `fill` evaluates a law for many neurons or synapses at once,
term by term, so that the loop over them holds no choice of distribution. What is drawn for one of them
follows from its own 64 random bits and from nothing else; each term hashes them on with a salt of its own.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arithmetic import exp, log
from chip.jit import kernel
from chip.normal import TABLE, normal
from chip.random import GOLDEN, draw, mix64, unit, unit32
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

_KIND, _A, _B, _LOW, _HIGH, _BOUNDS, _N_COLUMNS = range(7)

REACH_SD = 6.34
"""No draw is further from its mean: the normal quantile at 1 - 2**-33 is 6.33796."""

_REACH_EXPONENTIAL = 23.0
"""No exponential draw is more means: -log(2**-33) is 22.87."""

_LAST_DIGITS = 1e-9
"""Share in which the C library's exp and ours differ at the most, and far more."""

_DIGITS = Context(prec=40)

_MOST_DRAWS = 100_000
"""Draws after which one that still lies beyond its bounds is clipped; 1,000 are the most on average."""

_ONE = np.uint64(1)


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
                (CONSTANT, _exp(value.log_mean), 0.0)
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
            reach = REACH_SD * value.log_sd
            constant = _exp(value.log_mean)
            ends = (
                _widened(_exp(value.log_mean - reach), -_LAST_DIGITS, constant),
                _widened(_exp(value.log_mean + reach), _LAST_DIGITS, constant),
            )
            ends = (constant, constant) if reach == 0.0 else ends
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


def _exp(x: float) -> float:
    """Return e**x rounded to the nearest, as no C library promises."""
    return float(_DIGITS.exp(Decimal(x)))


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


@kernel
def _next(bits):
    return mix64(bits + GOLDEN)


@kernel
def _gamma(shape, bits, table):
    """Draw from a gamma distribution of scale 1 (Marsaglia and Tsang 2000, ACM TOMS 26:363)."""
    boost = 1.0
    if shape < 1.0:
        boost = exp(log(unit(bits)) / shape)
        bits = _next(bits)
        shape = shape + 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while True:
        z = normal(np.uint32(bits), table)
        bits = _next(bits)
        v = (1.0 + c * z) * (1.0 + c * z) * (1.0 + c * z)
        if v > 0.0 and log(unit(bits)) < 0.5 * z * z + d - d * v + d * log(v):
            return boost * d * v
        bits = _next(bits)


@kernel
def _once(kind, a, b, bits, table):
    """Draw once from a distribution without bounds."""
    if kind == NORMAL:
        return a + b * normal(np.uint32(bits), table)
    if kind == LOGNORMAL:
        return exp(a + b * normal(np.uint32(bits), table))
    if kind == EXPONENTIAL:
        return -a * log(unit32(bits))
    return b * _gamma(a, bits, table)


@kernel
def _bounded(kind, a, b, low, high, bounds, bits, table):
    """Draw from a distribution; what lies beyond its bounds is redrawn or clipped."""
    value = _once(kind, a, b, bits, table)
    n_draws = _MOST_DRAWS if bounds == CLIP else 1
    while (value < low or value > high) and n_draws < _MOST_DRAWS:
        bits = _next(bits)
        value = _once(kind, a, b, bits, table)
        n_draws += 1
    return min(max(value, low), high)


@kernel
def _of_distance(kind, a, b, peak, distance):
    """Evaluate a function of distance."""
    if kind == LINEAR:
        return a + b * distance
    if kind == DECAY:
        return a * exp(-distance * b)
    x = (distance - peak) * b
    return a * exp(-0.5 * x * x)


@kernel
def distance_value(law, distance):
    """Evaluate a law of one term that is a function of distance."""
    term = law.terms[0]
    return _of_distance(np.int64(term[0]), term[1], term[2], term[3], distance)


@kernel
def _fill_normal(term, salt, bits, table, out, n):
    mean, sd, low, high = term[1], term[2], term[3], term[4]
    if np.int64(term[5]) == REDRAW:
        for i in range(n):
            h = mix64(bits[i] + salt)
            value = mean + sd * normal(np.uint32(h), table)
            n_draws = 1
            while (value < low or value > high) and n_draws < _MOST_DRAWS:
                h = _next(h)
                value = mean + sd * normal(np.uint32(h), table)
                n_draws += 1
            out[i] = min(max(value, low), high)
    else:
        for i in range(n):
            value = mean + sd * normal(np.uint32(mix64(bits[i] + salt)), table)
            out[i] = min(max(value, low), high)


@kernel
def _fill_term(law, k, salt, bits, distance, index, table, out, n):
    """Write the k-th term of `law` for `n` things."""
    term = law.terms[k]
    kind = np.int64(term[0])
    if kind == CONSTANT:
        out[:n] = min(max(term[1], term[3]), term[4])
    elif kind == NORMAL:
        _fill_normal(term, salt, bits, table, out, n)
    elif kind == UNIFORM:
        for i in range(n):
            out[i] = term[1] + (term[2] - term[1]) * unit32(mix64(bits[i] + salt))
    elif kind == ARRAY:
        for i in range(n):
            out[i] = law.values[index[i]]
    elif kind >= LINEAR:
        for i in range(n):
            out[i] = _of_distance(kind, term[1], term[2], term[3], distance[i])
    else:
        for i in range(n):
            h = mix64(bits[i] + salt)
            out[i] = _bounded(kind, term[1], term[2], term[3], term[4], np.int64(term[5]), h, table)


@kernel
def fill(law, salt, bits, distance, index, table, spare, out, n):
    """Evaluate a law for `n` neurons or synapses.

    Parameters
    ----------
    law : Law
    salt : uint64
        Tells quantities apart that are drawn for the same thing; a multiple of 8.
    bits : (>= n,) uint64
        The random bits of each.
    distance : (>= n,) float64
        Read by functions of distance only.
    index : (>= n,) int64
        Where each stands in the values of an array; read by arrays only.
    table : float64 array
        `chip.normal.TABLE`.
    spare : (>= n,) float64
        Overwritten.
    out : (>= n,) float64
        Written.
    """
    _fill_term(law, 0, (salt + _ONE) * GOLDEN, bits, distance, index, table, out, n)
    for k in range(1, law.terms.shape[0]):
        _fill_term(law, k, (salt + np.uint64(k) + _ONE) * GOLDEN, bits, distance, index, table, spare, n)
        if law.combine == ADD:
            for i in range(n):
                out[i] = out[i] + spare[i]
        else:
            for i in range(n):
                out[i] = out[i] * spare[i]
    if law.low > -np.inf or law.high < np.inf:
        for i in range(n):
            out[i] = min(max(out[i], law.low), law.high)


@kernel
def _bits_of(key, first, out):
    for i in range(out.size):
        out[i] = draw(key, np.uint64(first + i))


def draw_values(
    value: Value, key: np.uint64, first: int, n: int, *, distance: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Draw one value for each of the neurons `first` ... `first + n - 1` of a population.

    Parameters
    ----------
    distance : (n,) float64 array, um
        Of each neuron from the centre of its population; needed for functions of distance.

    Returns
    -------
    (n,) float64 array, or (1,) when all are equal by description (a scalar stays a scalar in memory).
    """
    law = law_of(value, reach_um=math.inf if distance is None else 0.0)
    if not law.varies and not law.needs_distance:
        return np.array([law.least])
    bits, out = np.empty(n, np.uint64), np.empty(n)
    _bits_of(key, first, bits)
    index = np.arange(first, first + n)
    far = np.zeros(n) if distance is None else distance
    fill(law, np.uint64(0), bits, far, index, TABLE, np.empty(n), out, n)
    return out
