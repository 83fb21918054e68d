"""Sampled states and weights as NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class States:
    """The samples of a recording of states.

    Attributes
    ----------
    tick : (n_samples,) int64 array
        A sample is taken at the end of its tick.
    neuron : (n_neurons,) int64 array
        Global numbers.
    values : mapping from str to (n_samples, n_neurons) float64 array
        By state variable.
    """

    tick: NDArray[np.int64]
    neuron: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]

    def __repr__(self) -> str:
        names = ", ".join(self.values)
        return f"States({names}: {len(self.tick)} samples of {len(self.neuron)} neurons)"

    @classmethod
    def joined(cls, parts: Sequence[States]) -> States:
        """Return the samples of all parts, one after the other."""
        values = {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}
        return replace(parts[0], tick=np.concatenate([part.tick for part in parts]), values=values)


@dataclass(frozen=True, eq=False)
class Weights:
    """The samples of a recording of weights.

    Attributes
    ----------
    tick : (n_samples,) int64 array
        A sample is taken at the end of its tick.
    source, target : (n_synapses,) uint32 arrays
        Global numbers.
    delay_ticks : (n_synapses,) int64 array
    weight : (n_samples, n_synapses) float64 array
        In the described unit.
    """

    tick: NDArray[np.int64]
    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    delay_ticks: NDArray[np.int64]
    weight: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Weights({len(self.tick)} samples of {len(self.source)} synapses)"

    @classmethod
    def joined(cls, parts: Sequence[Weights]) -> Weights:
        """Return the samples of all parts, one after the other."""
        weight = np.concatenate([part.weight for part in parts])
        return replace(parts[0], tick=np.concatenate([part.tick for part in parts]), weight=weight)


Samples = TypeVar("Samples", States, Weights)
