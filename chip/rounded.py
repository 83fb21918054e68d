"""Functions rounded to the nearest float64, as no C library promises: slow, for what is computed once."""

from __future__ import annotations

from decimal import Context, Decimal

_DIGITS = Context(prec=40)


def exp(x: float) -> float:
    """Return e**x."""
    return float(_DIGITS.exp(Decimal(x)))
