"""exp, log, sine and the normal quantile from + - x / sqrt alone, so that every CPU gives the same bits.

The C library's versions differ between CPUs (with and without fused multiply-add, 314 of 400,000 arguments of
exp differed in the last bit), and a spike train must not.
"""

from __future__ import annotations

import numpy as np

from chip.jit import kernel

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700
_RADIANS = 6.283185307179586477 / 18446744073709551616.0
_EIGHTH, _QUARTER_BITS, _ODD, _HALF_TURN = np.uint64(1 << 61), np.uint64(62), np.uint64(1), np.uint64(2)


@kernel
def exp(x):
    """Return e**x for -700 < x < 700, float64; relative error below 1e-15, 0 below the range."""
    if x < -700.0:
        return 0.0
    n = np.floor(x * _INV_LN2 + 0.5)
    r = (x - n * _LN2_HI) - n * _LN2_LO
    term = 1.0
    total = 1.0
    for k in range(1, 15):
        term = term * r / k
        total = total + term
    return total * _power_of_two(np.int64(n))


@kernel
def _power_of_two(n):
    result = 1.0
    base = 2.0 if n >= 0 else 0.5
    n = abs(n)
    while n > 0:
        if n & 1:
            result = result * base
        base = base * base
        n >>= 1
    return result


@kernel
def log(x):
    """Return the natural logarithm of a positive normal float64; relative error below 4e-16."""
    e = 0
    while x >= 4294967296.0:
        x = x * (1.0 / 4294967296.0)
        e += 32
    while x < 1.0 / 4294967296.0:
        x = x * 4294967296.0
        e -= 32
    while x > 1.4142135623730951:
        x = x * 0.5
        e += 1
    while x < 0.7071067811865476:
        x = x * 2.0
        e -= 1
    s = (x - 1.0) / (x + 1.0)
    z = s * s
    series = 0.0
    for k in range(10, -1, -1):
        series = series * z + 1.0 / (2 * k + 1)
    return e * _LN2_HI + (2.0 * s * series + e * _LN2_LO)


@kernel
def sine(turns):
    """Return sin(2 pi turns / 2**64) of the uint64 `turns`; absolute error below 2e-16.

    The angle is reduced to an eighth of a turn about the nearest quarter in integers, without any error.
    """
    quarter = (turns + _EIGHTH) >> _QUARTER_BITS
    x = np.float64(np.int64(turns - (quarter << _QUARTER_BITS))) * _RADIANS
    z = x * x
    series = 1.0
    if quarter & _ODD != 0:
        for k in range(16, 0, -2):
            series = 1.0 - z / (k * (k - 1)) * series
    else:
        for k in range(17, 1, -2):
            series = 1.0 - z / (k * (k - 1)) * series
        series = x * series
    return series if quarter < _HALF_TURN else -series


@kernel
def normal_quantile(p):
    """Return z with P(Z < z) = p for a standard normal Z, 0 < p < 1; relative error about 1e-16.

    References
    ----------
    Wichura 1988, Applied Statistics 37:477, algorithm AS 241, PPND16.
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _central(r)
    r = p if q < 0.0 else 1.0 - p
    r = np.sqrt(-log(r))
    z = _middle(r - 1.6) if r <= 5.0 else _far(r - 5.0)
    return -z if q < 0.0 else z


@kernel
def _central(r):
    a = ((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
            + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
         + 1.3314166789178437745e2) * r + 3.3871328727963666080e0  # fmt: skip
    b = ((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
            + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
         + 4.2313330701600911252e1) * r + 1.0  # fmt: skip
    return a / b


@kernel
def _middle(r):
    a = ((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
            + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
         + 4.63033784615654529590e0) * r + 1.42343711074968357734e0  # fmt: skip
    b = ((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
            + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
         + 2.05319162663775882187e0) * r + 1.0  # fmt: skip
    return a / b


@kernel
def _far(r):
    a = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
            + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
         + 5.46378491116411436990e0) * r + 6.65790464350110377720e0  # fmt: skip
    b = ((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
            + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
         + 5.99832206555887937690e-1) * r + 1.0  # fmt: skip
    return a / b
