"""Binomial and hypergeometric numbers from one uniform draw each, by inversion, with our own exp and log."""

from __future__ import annotations

import numpy as np

from chip.arithmetic import exp, log
from chip.jit import kernel

_HALF_LOG_2PI = 0.91893853320467274178


@kernel
def _stirling_error(n):
    """Return log(n!) - [log(2 pi n)/2 + n log n - n], for n >= 1 (Loader 2000, eq. 3)."""
    if n < 16:
        log_factorial = 0.0
        for k in range(2, n + 1):
            log_factorial += log(np.float64(k))
        x = np.float64(n)
        return log_factorial - (_HALF_LOG_2PI + 0.5 * log(x) + x * log(x) - x)
    x = np.float64(n)
    z = 1.0 / (x * x)
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680) * z) * z) * z) / x


@kernel
def _deviance(x, mean):
    """Return x log(x / mean) + mean - x without cancellation (Loader 2000, bd0)."""
    if abs(x - mean) < 0.1 * (x + mean):
        v = (x - mean) / (x + mean)
        total = (x - mean) * v
        term = 2.0 * x * v
        for k in range(1, 100):
            term = term * v * v
            new = total + term / (2 * k + 1)
            if new == total:
                break
            total = new
        return total
    return x * log(x / mean) + mean - x


@kernel
def _binomial_mass(k, n, p):
    if k == 0:
        return exp(n * log(1.0 - p))
    if k == n:
        return exp(n * log(p))
    x, m = np.float64(k), np.float64(n)
    exponent = _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)
    exponent -= _deviance(x, m * p) + _deviance(m - x, m * (1.0 - p))
    return exp(exponent) * np.sqrt(m / (6.283185307179586 * x * (m - x)))


@kernel
def binomial(n, p, u):
    """Return the binomial number (n trials of chance p, 0 < p < 1) that the uniform u in (0, 1) names.

    Walks outward from the mode, so that it takes about as many steps as the standard deviation.

    References
    ----------
    Loader 2000, "Fast and accurate computation of binomial probabilities", for the mass at the mode.
    """
    if n <= 0:
        return 0
    mode = min(np.int64((n + 1) * p), n)
    mass = _binomial_mass(mode, n, p)
    u = u - mass
    if u <= 0.0:
        return mode
    odds = p / (1.0 - p)
    low, high = mode, mode
    mass_low, mass_high = mass, mass
    while low > 0 or high < n:
        if high < n:
            mass_high = mass_high * odds * (n - high) / (high + 1)
            high += 1
            u = u - mass_high
            if u <= 0.0:
                return high
        if low > 0:
            mass_low = mass_low * low / (odds * (n - low + 1))
            low -= 1
            u = u - mass_low
            if u <= 0.0:
                return low
        if mass_low < 1e-30 and mass_high < 1e-30:
            break
    return mode


@kernel
def _log_choose(n, k):
    """Return the logarithm of the binomial coefficient, 0 <= k <= n."""
    if k == 0 or k == n:
        return 0.0
    x, y, z = np.float64(n), np.float64(k), np.float64(n - k)
    error = _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)
    # n log n - k log k - (n - k) log (n - k), without cancellation
    bulk = -(y * log(y / x) + z * log(z / x))
    return error + bulk + 0.5 * (log(x) - log(y) - log(z)) - _HALF_LOG_2PI


@kernel
def hypergeometric(count, left, right, u):
    """Return how many of `count` drawn without replacement are of the `left`, as the uniform u names it.

    Walks outward from the mode, as `binomial` does.

    Parameters
    ----------
    count : int
        0 to ``left + right``.
    left, right : int
    u : float
        In (0, 1).
    """
    least, most = max(0, count - right), min(count, left)
    if least == most:
        return least
    mode = np.int64(np.floor((count + 1.0) * (left + 1.0) / (left + right + 2.0)))
    mode = min(max(mode, least), most)
    mass = exp(_log_choose(left, mode) + _log_choose(right, count - mode) - _log_choose(left + right, count))
    u = u - mass
    if u <= 0.0:
        return mode
    low, high = mode, mode
    mass_low, mass_high = mass, mass
    while low > least or high < most:
        if high < most:
            mass_high *= (left - high) / (high + 1.0) * ((count - high) / (right - count + high + 1.0))
            high += 1
            u = u - mass_high
            if u <= 0.0:
                return high
        if low > least:
            mass_low *= low / (left - low + 1.0) * ((right - count + low) / (count - low + 1.0))
            low -= 1
            u = u - mass_low
            if u <= 0.0:
                return low
        if mass_low < 1e-30 and mass_high < 1e-30:
            break
    return mode


@kernel
def binomial_distribution(n, p):
    """Return the distribution function of a binomial law, 0 < p < 1: (n + 1,) float64, ending with 1."""
    out = np.zeros(n + 1)
    mode = min(np.int64((n + 1) * p), n)
    out[mode] = _binomial_mass(mode, n, p)
    odds = p / (1.0 - p)
    for k in range(mode, n):
        out[k + 1] = out[k] * odds * (n - k) / (k + 1.0)
    for k in range(mode, 0, -1):
        out[k - 1] = out[k] * k / (odds * (n - k + 1.0))
    for k in range(n):
        out[k + 1] = out[k] + out[k + 1]
    out[n] = 1.0
    return out
