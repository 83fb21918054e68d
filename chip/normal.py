"""Normal numbers from 32 random bits each, by a table of cubics: the same bits on every CPU, and cheap.

The quantile function is cut at each halving of the tail's probability, and each octave into 16 intervals; in
each of them a cubic meets the quantile at four points. So a draw costs a count of leading zeros, a look into
16 KiB and three multiplications (4 ns; the quantile itself takes 37), and strays less than 2e-8 from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip import arithmetic
from chip.jit import kernel, leading_zeros

_OCTAVES = 32
_PARTS = 16

_ONE, _SIGN, _MASK = np.uint32(1), np.uint32(31), np.uint32((1 << 27) - 1)
_PART, _LOW = np.uint32(27), np.uint32(15)


def _plain(function: Any) -> Any:
    """Return a kernel as a plain function: the table must not wait for a compiler."""
    return getattr(function, "py_func", function)


def _tail_quantile(p: float) -> float:
    """Return -z with P(Z < z) = p, 0 < p <= 1/2, as `chip.arithmetic.normal_quantile` does."""
    q = 0.5 - p
    if q <= 0.425:
        return float(q * _plain(arithmetic._central)(0.180625 - q * q))
    r = float(np.sqrt(-_plain(arithmetic.log)(p)))
    return float(_plain(arithmetic._middle)(r - 1.6) if r <= 5.0 else _plain(arithmetic._far)(r - 5.0))


def _cubic(f: list[float]) -> tuple[float, float, float, float]:
    """Return the coefficients of the cubic through f at 0, 1/3, 2/3 and 1."""
    a, b, c, d = f
    return (
        a,
        0.5 * (-11 * a + 18 * b - 9 * c + 2 * d),
        4.5 * (2 * a - 5 * b + 4 * c - d),
        4.5 * (-a + 3 * b - 3 * c + d),
    )


def _table() -> NDArray[np.float64]:
    rows = []
    for octave in range(_OCTAVES):
        top = 2.0 ** (-1 - octave)  # the octave holds tail probabilities from top / 2 to top
        for part in range(_PARTS):
            places = (part + k / 3.0 for k in range(4))
            rows.append(_cubic([_tail_quantile(0.5 * top * (1.0 + place / _PARTS)) for place in places]))
    return np.array(rows)


TABLE = _table()
"""(512, 4) float64: the cubics, from the middle of the distribution outwards."""


@kernel
def normal(bits, table):
    """Turn 32 random bits (uint32) into a standard normal number.

    Parameters
    ----------
    bits : uint32
        The top bit is the sign, the others the place in the tail.
    table : (512, 4) float64
        `TABLE`, passed because a global would be copied into every kernel.
    """
    odd = np.uint32((bits << _ONE) | _ONE)  # the tail's probability in units of 2**-33
    zeros = leading_zeros(odd)
    shifted = np.uint32(odd << zeros)
    row = np.int64(zeros) * 16 + np.int64((shifted >> _PART) & _LOW)
    x = np.float64(np.uint32(shifted & _MASK)) * (1.0 / 134217728.0)
    z = table[row, 0] + x * (table[row, 1] + x * (table[row, 2] + x * table[row, 3]))
    return -z if (bits >> _SIGN) != 0 else z
