"""Weights as integers: one least significant bit (LSB) a target population and receptor, a power of two.

A synapse holds an int16; its contribution to a slot is ``int16 << shift`` least significant bits. The shift
is the projection's, the LSB is shared by all that add into the slot, and both follow from the description
alone: bounds and means, never drawn values, so that every chip comes to the same numbers by itself.

A synapse of fewer than 16 bits, or of a codebook, can only have the weights of a table (`chip.codes`): the
one nearest to the weight described. They are rounded to steps like any other weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from chip.codes import Codes

LARGEST = 32_767
"""Largest magnitude of a synapse's integer."""

WEIGHT_BITS = 16
"""Bits of a synapse's weight where the description says nothing."""

_SPARE_BITS = 4
"""A projection may give up this many of its 15 bits to share the LSB of a stronger one, and no more."""

_SPREAD = 7.0
"""Times the mean up to which the synapses onto one neuron are counted on where nothing bounds them."""

_STRAYS = 24.0
"""Draws onto one neuron that may lie beyond the span that weights are laid out for, all at once."""

SLOT_CAPACITY = 2**31 - 1
"""What a slot holds, in LSBs."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeightRange:
    """What the description says of one projection's (or Poisson input's) weights.

    Attributes
    ----------
    largest : float
        Bound of the magnitude that a synapse must hold.
    granule : int or None
        All weights that a synapse can have are multiples of 2**granule; None when weights are drawn.
    fan_in : float
        Expected number of these synapses onto one neuron, for the slot's headroom.
    described : (n,) float64 array or None
        All weights of the description where they are listed (a constant is a list of one), else the two
        bounds between which they are drawn; None for any up to `largest`.
    listed : bool
        Whether `described` is a list.
    codes : (m,) float64 array or None
        The weights that a synapse can have, ascending; None for all multiples of the step.
    most : float or None
        The most of these synapses (or events of a tick) that one neuron can have; None where only the mean is
        known.
    total : float or None
        The greatest sum of their magnitudes over one neuron, where all are listed.
    strays : bool
        Whether draws can lie beyond `largest`; they are cut to the outermost integer.
    """

    largest: float
    granule: int | None
    fan_in: float
    described: Floats | None = field(default=None, compare=False)
    listed: bool = False
    codes: Floats | None = field(default=None, compare=False)
    most: float | None = field(default=None, compare=False)
    total: float | None = field(default=None, compare=False)
    strays: bool = field(default=False, compare=False)

    @classmethod
    def of_list(cls, weights: Floats, fan_in: float) -> WeightRange:
        """Return the range of listed weights."""
        return cls(_largest(weights), granule_of(weights), fan_in, weights, True)

    @classmethod
    def of_span(cls, low: float, high: float, fan_in: float) -> WeightRange:
        """Return the range of weights that are drawn between two bounds."""
        return cls(max(abs(low), abs(high)), None, fan_in, np.array([low, high]))

    def coded(self, values: Floats, *, reached: tuple[float, float] | None = None) -> WeightRange:
        """Return the range of what becomes of these weights when a synapse can only have some `values`.

        Of the values, (m,) float64 ascending, those stay that are nearest to some weight of the description:
        steps are not spent on others.

        Parameters
        ----------
        reached : (float, float)
            The least and the greatest weight that can be drawn, where they lie beyond the described span.
        """
        assert self.described is not None, "only described weights have codes"
        met = self.described if self.listed or reached is None else np.array(reached)
        if not met.size:
            return self
        places = nearest_places(values, met)
        places = np.unique(places) if self.listed else np.arange(places.min(), places.max() + 1)
        codes = values[places]
        granule, largest = granule_of(codes), _largest(codes)
        return replace(self, largest=largest, granule=granule, codes=codes, total=None, strays=False)

    def load(self, lsb_exponent: int) -> float:
        """Return what these synapses can add to one neuron's slot at once, in LSBs of 2**lsb_exponent."""
        shift = _shift(self, lsb_exponent)
        scale = math.ldexp(1.0, -lsb_exponent - shift)
        if self.most is None:
            return math.ldexp(_SPREAD * self.fan_in * self.largest * scale, shift)
        top = float(np.rint(self.largest * scale))
        steps = self.most * top
        if self.total is not None:
            steps = min(steps, self.total * scale + 0.5 * self.most)
        if self.strays:
            steps += min(self.most, _STRAYS) * max(LARGEST - top, 0.0)
        return math.ldexp(steps, shift)

    def vanishes(self, lsb_exponent: int) -> bool:
        """Return whether even the largest weight is less than half an LSB of 2**lsb_exponent."""
        return self.largest > 0.0 and round(math.ldexp(self.largest, -lsb_exponent)) == 0


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
        Bound of the error over the largest weight of the description (where that is 0, over the largest
        code); of listed weights it is met. What lies beyond the span that weights are laid out for is left
        out.
    exact : bool
        Whether all described weights are represented exactly.
    codes : Codes or None
        The weights that a synapse can have, and what stands for them; None for all multiples of the step.
    """

    lsb_exponent: int
    shift: int
    relative_error: float
    exact: bool
    codes: Codes | None = field(default=None, compare=False)

    @property
    def step(self) -> float:
        """The projection's step in the weight's unit."""
        return math.ldexp(1.0, self.lsb_exponent + self.shift)


def bit_values(low: float, high: float, bits: int) -> Floats:
    """Return the weights that a synapse of fewer than 16 bits can have: (m,) float64, ascending.

    They are multiples of s / n, where s is the largest magnitude from `low` to `high`, and n is 2**bits - 1
    for weights of one sign, else 2**(bits - 1) - 1 to either side; both signs need two bits.
    """
    largest = max(abs(low), abs(high))
    if largest == 0.0:
        return np.zeros(1)
    n = 2**bits - 1 if low >= 0.0 or high <= 0.0 else 2 ** (bits - 1) - 1
    sizes = np.append(np.arange(n) * largest / n, largest)  # n * s / n may miss s by its last bit
    if low >= 0.0:
        return sizes
    down = 0.0 - sizes[::-1]
    return down if high <= 0.0 else np.concatenate([down[:-1], sizes])


def nearest_places(values: Floats, weights: Floats) -> NDArray[np.int64]:
    """Return which of the ascending `values` is nearest to each weight, of two the lesser."""
    if values.size < 2:
        return np.zeros(weights.size, np.int64)
    upper = np.clip(np.searchsorted(values, weights), 1, values.size - 1)
    return np.where(weights - values[upper - 1] <= values[upper] - weights, upper - 1, upper)


def _largest(weights: Floats) -> float:
    return float(np.max(np.abs(weights), initial=0.0))


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
    over, fits an int32; and further, until the greatest sum that can come does.

    Parameters
    ----------
    ranges : sequence of WeightRange
        All that adds into this slot.

    Returns
    -------
    tuple of Quantisation, one for each range
    """
    lsb = slot_exponent(ranges)
    return tuple(_one(r, lsb) for r in ranges)


def slot_exponent(ranges: Sequence[WeightRange]) -> int:
    """Return log2 of the LSB of a slot, as `quantise` chooses it."""
    lsb = _preferred_exponent(ranges)
    while sum(r.load(lsb) for r in ranges) > SLOT_CAPACITY:
        lsb += 1
    return lsb


def vanishing(ranges: Sequence[WeightRange]) -> list[int]:
    """Return which of the ranges that add into a slot lose all their weights to the sum of all."""
    lsb = slot_exponent(ranges)
    return [k for k, r in enumerate(ranges) if r.vanishes(lsb)]


def _preferred_exponent(ranges: Sequence[WeightRange]) -> int:
    live = [r for r in ranges if r.largest > 0.0]
    if not live:
        return 0
    finest, coarsest = max(map(_finest, live)), min(map(_coarsest, live))
    lsb = min(finest, coarsest)
    total = sum(r.fan_in * r.largest for r in live)
    while math.ldexp(2.0**28, lsb) < total:
        lsb += 1
    return lsb


def _shift(weights: WeightRange, lsb: int) -> int:
    return max(_finest(weights) - lsb, 0) if weights.largest else 0


def _one(weights: WeightRange, lsb: int) -> Quantisation:
    shift = _shift(weights, lsb)
    step = math.ldexp(1.0, lsb + shift)
    codes = (
        None
        if weights.codes is None
        else Codes(weights.codes, np.rint(weights.codes / step).astype(np.int64))
    )
    error, largest = _worst(weights, step, codes)
    exact = error == 0.0
    return Quantisation(lsb, shift, 0.0 if exact else error / largest, exact, codes)


def _worst(weights: WeightRange, step: float, codes: Codes | None) -> tuple[float, float]:
    """Return a bound of the error and the largest weight, both in the weights' unit."""
    described = weights.described
    if described is None or (codes is None and not weights.listed):
        exact = weights.largest == 0.0 or (
            weights.granule is not None and math.ldexp(1.0, weights.granule) >= step
        )
        return 0.0 if exact else 0.5 * step, weights.largest
    if codes is None:
        return _largest(np.rint(described / step) * step - described), weights.largest
    if weights.listed:
        held = (codes.integers * step)[nearest_places(codes.values, described)]
        return _largest(held - described), _largest(described) or _largest(codes.values)
    return _worst_between(codes, step, *described), _largest(described) or _largest(codes.values)


def _worst_between(codes: Codes, step: float, low: float, high: float) -> float:
    """Return the largest error of weights from `low` to `high`: it is at an end, or between two codes."""
    held, ends = codes.integers * step, np.array([low, high])
    middles = codes.values[:-1] + 0.5 * np.diff(codes.values)
    inner = (middles > low) & (middles < high)
    at_ends = held[nearest_places(codes.values, ends)] - ends
    return max(_largest(at_ends), *(_largest((side - middles)[inner]) for side in (held[:-1], held[1:])))
