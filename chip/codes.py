"""Codes: the weights that a synapse's memory can hold, where they are not all multiples of a step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.jit import kernel


class Codes(NamedTuple):
    """A table of weights; empty where a synapse may have any multiple of its projection's step.

    Attributes
    ----------
    values : (m,) float64 array
        Weights in the receptor's unit, ascending.
    integers : (m,) int64 array
        What stands for each, in units of the projection's step.
    """

    values: NDArray[np.float64]
    integers: NDArray[np.int64]


NO_CODES = Codes(np.zeros(0), np.zeros(0, np.int64))


@kernel
def nearest(values, weight):
    """Return the place of the value that is nearest to `weight`, of two the lesser."""
    place = np.searchsorted(values, weight)
    if place == values.size:
        return place - 1
    if place > 0 and weight - values[place - 1] <= values[place] - weight:
        return place - 1
    return place
