"""Weights as integers: one least significant bit (LSB) a target population and receptor, a power of two.

A synapse holds an int16; its contribution to a slot is ``int16 << shift`` least significant bits. The shift
is the projection's, the LSB is shared by all that add into the slot, and both follow from the description
alone: bounds and means, never drawn values, so that every chip comes to the same numbers by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 32_767
"""Largest magnitude of a synapse's integer."""

_SPARE_BITS = 4
"""A projection may give up this many of its 15 bits to share the LSB of a stronger one, and no more."""


@dataclass(frozen=True)
class WeightRange:
    """What the description says of one projection's (or Poisson input's) weights.

    Attributes
    ----------
    largest : float
        Analytic bound of the magnitude.
    granule : int or None
        All described weights are multiples of 2**granule; None when weights are drawn.
    fan_in : float
        Expected number of these synapses onto one neuron, for the slot's headroom.
    """

    largest: float
    granule: int | None
    fan_in: float


@dataclass(frozen=True)
class Quantisation:
    """How one projection's weights become integers.

    Attributes
    ----------
    lsb_exponent : int
        The slot's LSB is 2**lsb_exponent, in the weight's unit.
    shift : int
        One step of this projection is 2**shift LSBs.
    relative_error : float
        Bound of the rounding error over the largest weight.
    exact : bool
        Whether all described weights are represented exactly.
    """

    lsb_exponent: int
    shift: int
    relative_error: float
    exact: bool

    @property
    def step(self) -> float:
        """The projection's step in the weight's unit."""
        return math.ldexp(1.0, self.lsb_exponent + self.shift)


def _finest(weights: WeightRange) -> int:
    """Return the least exponent whose int16 holds the largest weight."""
    if weights.largest == 0.0:
        return -1000
    exponent = math.frexp(weights.largest / LARGEST)[1]
    return exponent - 1 if math.ldexp(LARGEST, exponent - 1) >= weights.largest else exponent


def _coarsest(weights: WeightRange) -> int:
    """Return the largest exponent that this projection accepts without losing what it need not lose."""
    finest = _finest(weights)
    spare = finest + _SPARE_BITS
    return spare if weights.granule is None or weights.granule < finest else weights.granule


def granule_of(weights: NDArray[np.float64]) -> int | None:
    """Return the largest g such that all `weights`, (n,) float64, are multiples of 2**g; None for zeros."""
    weights = np.abs(weights[weights != 0.0])
    if weights.size == 0:
        return None
    mantissa, exponent = np.frexp(weights)
    odd = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2((odd & -odd).astype(np.float64)).astype(np.int64)
    return int(np.min(exponent - 53 + trailing))


def quantise(ranges: Sequence[WeightRange]) -> tuple[Quantisation, ...]:
    """Choose the LSB of one slot and each projection's shift.

    Where the strongest projection's step suits all, it is the LSB and every shift is 0 (so that the
    synapses of different projections may share a segment); else the LSB is the finest that any of them
    needs, and the others shift. The LSB is raised until the expected sum of all magnitudes, eight times
    over, fits an int32.

    Parameters
    ----------
    ranges : sequence of WeightRange
        All that adds into this slot.

    Returns
    -------
    tuple of Quantisation, one for each range
    """
    live = [r for r in ranges if r.largest > 0.0]
    if not live:
        return tuple(Quantisation(0, 0, 0.0, True) for _ in ranges)
    finest, coarsest = max(map(_finest, live)), min(map(_coarsest, live))
    lsb = min(finest, coarsest)
    total = sum(r.fan_in * r.largest for r in live)
    while math.ldexp(2.0**28, lsb) < total:
        lsb += 1
    return tuple(_one(r, lsb) for r in ranges)


def _one(weights: WeightRange, lsb: int) -> Quantisation:
    if weights.largest == 0.0:
        return Quantisation(lsb, 0, 0.0, True)
    shift = max(_finest(weights) - lsb, 0)
    step = math.ldexp(1.0, lsb + shift)
    exact = weights.granule is not None and weights.granule >= lsb + shift
    return Quantisation(lsb, shift, 0.0 if exact else 0.5 * step / weights.largest, exact)
