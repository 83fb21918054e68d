"""Drawing values: sampling a law (`chip.laws`) for many neurons or synapses at once.

Theory of operation
-------------------
A law has one to four terms, added or multiplied. `fill` evaluates a law for many neurons or synapses at once,
term by term, so that the loop over them holds no choice of distribution. What is drawn for one of them
follows from its own 64 random bits and from nothing else; each term hashes them on with a salt of its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from chip.arithmetic import exp, log
from chip.jit import kernel
from chip.laws import (
    ADD,
    ARRAY,
    CLIP,
    CONSTANT,
    DECAY,
    EXPONENTIAL,
    LINEAR,
    LOGNORMAL,
    NORMAL,
    REDRAW,
    UNIFORM,
    law_of,
)
from chip.normal import TABLE, normal
from chip.random import GOLDEN, draw, mix64, unit, unit32
from network import Value

_MOST_DRAWS = 100_000
"""Draws after which one that still lies beyond its bounds is clipped; 1,000 are the most on average."""

_ONE = np.uint64(1)


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
