"""Drawing values: a described distribution becomes a `Law`, plain numbers that a kernel can sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arithmetic import normal_quantile
from chip.jit import kernel
from chip.random import GOLDEN, draw, mix64, unit32
from network import Normal, Uniform, Value

CONSTANT, UNIFORM, NORMAL_REDRAW, NORMAL_CLIP = range(4)

REACH_SD = 6.34
"""No draw is further from its mean: the normal quantile at 1 - 2**-33 is 6.33796."""


class Law(NamedTuple):
    """A distribution as numbers: constant a; uniform on [a, b]; normal (a, sd b) within [low, high]."""

    kind: int
    a: float
    b: float
    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value a draw can have."""
        if self.kind == CONSTANT:
            return self.a, self.a
        if self.kind == UNIFORM:
            return self.a, self.b
        reach = REACH_SD * self.b
        # Clipped at both ends: the whole normal may lie beyond one bound, and then all draws are that bound.
        least, greatest = (min(max(end, self.low), self.high) for end in (self.a - reach, self.a + reach))
        return least, greatest

    @property
    def varies(self) -> bool:
        """Whether two draws can differ."""
        low, high = self.bounds
        return low < high


def law_of(value: Value) -> Law:
    """Turn a described value into numbers."""
    if isinstance(value, Uniform):
        return Law(UNIFORM, float(value.low), float(value.high), -np.inf, np.inf)
    if isinstance(value, Normal):
        kind = NORMAL_REDRAW if value.bounds == "redraw" else NORMAL_CLIP
        low = -np.inf if value.low is None else float(value.low)
        high = np.inf if value.high is None else float(value.high)
        return Law(kind, float(value.mean), float(value.sd), low, high)
    return Law(CONSTANT, float(value), 0.0, -np.inf, np.inf)


@kernel
def sample(law, bits):
    """Draw from `law`, a float64, with the low 32 of the 64 random `bits`; a redraw hashes all of them on."""
    if law.kind == CONSTANT:
        return law.a
    if law.kind == UNIFORM:
        return law.a + (law.b - law.a) * unit32(bits)
    value = law.a + law.b * normal_quantile(unit32(bits))
    if law.kind == NORMAL_CLIP:
        return min(max(value, law.low), law.high)
    while value < law.low or value > law.high:
        bits = mix64(bits + GOLDEN)
        value = law.a + law.b * normal_quantile(unit32(bits))
    return value


@kernel
def _fill(law, key, first, out):
    for i in range(out.size):
        out[i] = sample(law, draw(key, np.uint64(first + i)))


def draw_values(value: Value, key: np.uint64, first: int, n: int) -> NDArray[np.float64]:
    """Draw one value for each of the neurons `first` ... `first + n - 1` of a population.

    Returns
    -------
    (n,) float64 array, or (1,) when all are equal by description (a scalar stays a scalar in memory).
    """
    law = law_of(value)
    if not law.varies:
        return np.array([law.bounds[0]])
    out = np.empty(n)
    _fill(law, key, first, out)
    return out
