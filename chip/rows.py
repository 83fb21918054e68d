"""What the synapse memory is told to hold: blocks of axons, and the rows that stand on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.codes import NO_CODES, Codes
from chip.laws import Law, law_of, read_only
from chip.rules import Ends
from network import Array, Convolution, Projection, Value

QUEUE_BITS = 8
"""Bits of a delay beside a word of a queued row; the terminal has the others."""


@dataclass(frozen=True)
class RowSpec:
    """The synapses of one projection onto one slice of the chip.

    Attributes
    ----------
    projection : Projection
        As described.
    ends : Ends
        Which targets.
    block : int
        The block of the chip's axons that its sources are.
    terminal : int
        Which of the block's terminals.
    slice_number : int
        Which of the chip's slices receives.
    receptor : int
    step : float
        The projection's weight step.
    shift : int
        log2 of the step in LSBs.
    timestep_ms : float
    codes : Codes
        The weights that a synapse can have, where not all multiples of the step.
    columns : object or None
        The arrays of an uploaded list: sources, targets, weights, delays_ms.
    """

    projection: Projection
    ends: Ends
    block: int
    terminal: int
    slice_number: int
    receptor: int
    step: float
    shift: int
    timestep_ms: float
    codes: Codes = NO_CODES
    columns: object | None = None

    @property
    def rule(self) -> object:
        """What the generator takes: the rule, or the arrays of an upload."""
        return self.projection.connectivity if self.columns is None else self.columns

    def law(self, value: Value | None, listed: str) -> Law:
        """Return the law of a value, or of the list of that name."""
        column = getattr(self.rule, listed, None)
        if isinstance(self.rule, Convolution) and listed == "weights":
            column = self.rule.kernel
        if column is not None:
            return listed_law(np.asarray(column, np.float64))
        return law_of(0.0 if value is None else value)


def listed_law(values: NDArray[np.float64]) -> Law:
    """Return the law that looks values up."""
    law = law_of(Array(values=()))
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    return law._replace(values=read_only(values), least=low, greatest=high)


class BlockSpec(NamedTuple):
    """What the memory needs to know of a block of axons.

    Attributes
    ----------
    n : int
        Axons.
    delays : (n_delays,) int64 array
        Ticks, ascending; of queued axons what can stand beside a word (`beside`).
    segments : bool
        Whether the layout is in segments; else a number stands beside each word.
    """

    n: int
    delays: NDArray[np.int64]
    segments: bool


def beside(terminal: int, delay: int) -> int:
    """Return what stands beside the word of a synapse: the delay in ticks, and the terminal of its block."""
    return terminal << QUEUE_BITS | delay
