"""Spikes as NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of a run, sorted by tick, then neuron.

    Attributes
    ----------
    tick : (n_spikes,) uint32 array
        A spike of tick *t* happened at biological time (t + 1) timesteps.
    neuron : (n_spikes,) uint32 array
        Global neuron numbers.
    timestep_ms : float
        Duration of a tick.
    populations : mapping from str to (int, int)
        First global neuron number and size of each population and source.
    """

    tick: NDArray[np.uint32]
    neuron: NDArray[np.uint32]
    timestep_ms: float
    populations: Mapping[str, tuple[int, int]]

    def __len__(self) -> int:
        return len(self.tick)

    def __repr__(self) -> str:
        return f"Spikes({len(self)} spikes, {len(self.populations)} populations)"

    @property
    def times_ms(self) -> NDArray[np.float64]:
        """Biological times. Shape (n_spikes,), float64, ms."""
        return (self.tick.astype(np.float64) + 1.0) * self.timestep_ms

    def of(self, population: str) -> Spikes:
        """Return one population's spikes; neurons keep their global numbers.

        Raises
        ------
        KeyError
            There is no such population.
        """
        first, size = self._place(population)
        mine = (self.neuron >= first) & (self.neuron < first + size)
        return Spikes(self.tick[mine], self.neuron[mine], self.timestep_ms, {population: (first, size)})

    def rates_hz(self, duration_ms: float) -> dict[str, float]:
        """Return each population's mean rate over `duration_ms`, in spikes a second and neuron."""
        edges = np.array([[first, first + size] for first, size in self.populations.values()]).reshape(-1, 2)
        counts = np.diff(np.searchsorted(np.sort(self.neuron), edges), axis=1)[:, 0]
        sizes = [size for _, size in self.populations.values()]
        rates = [
            count / size / (duration_ms / 1000) if size else 0.0
            for count, size in zip(counts, sizes, strict=True)
        ]
        return {name: float(rate) for name, rate in zip(self.populations, rates, strict=True)}

    def _place(self, population: str) -> tuple[int, int]:
        if population not in self.populations:
            known = ", ".join(self.populations)
            raise KeyError(f"spikes: no population {population!r}; there are {known}")
        return self.populations[population]


def joined(parts: list[Spikes]) -> Spikes:
    """Return the spikes of all parts, one after the other; all are of the same run."""
    first = parts[0]
    tick = np.concatenate([part.tick for part in parts])
    neuron = np.concatenate([part.neuron for part in parts])
    return Spikes(tick, neuron, first.timestep_ms, first.populations)
