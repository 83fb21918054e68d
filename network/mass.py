"""Distribution functions: how much of a distribution its bounds leave. For checks only, never for draws."""

from __future__ import annotations

import math


def normal_below(bound: float, mean: float, sd: float, strictly: bool) -> float:
    """Return the chance of a normal draw below `bound`; of a constant (`sd` 0), at it unless `strictly`."""
    if sd == 0.0:
        return float(mean < bound if strictly else mean <= bound)
    return 0.5 * math.erfc(max(-1e3, min(1e3, (mean - bound) / sd)) / math.sqrt(2.0))


def gamma_below(x: float, shape: float) -> float:
    """Return the regularised lower incomplete gamma function P(shape, x).

    References
    ----------
    Abramowitz and Stegun 6.5.29 (series, x < shape + 1) and 6.5.31 (continued fraction, by Lentz's method).
    """
    if x <= 0.0:
        return 0.0
    if math.isinf(x):
        return 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1.0:
        return min(front * _series(x, shape), 1.0)
    return max(1.0 - front * _fraction(x, shape), 0.0)


def _series(x: float, shape: float) -> float:
    term = total = 1.0 / shape
    n = shape
    while term > total * 1e-12:
        n += 1.0
        term *= x / n
        total += term
    return total


def _fraction(x: float, shape: float) -> float:
    b = x + 1.0 - shape
    c, d = 1e300, 1.0 / b
    result = d
    for i in range(1, 10_000):
        a = -i * (i - shape)
        b += 2.0
        d = 1.0 / (a * d + b or 1e-300)
        c = b + a / c or 1e-300
        result *= d * c
        if abs(d * c - 1.0) < 1e-12:
            break
    return result
