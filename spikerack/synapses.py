"""Synapses as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SynapseGroup:
    """Projections of one source, target and receptor: memories do not tell them apart."""

    receptor: str
    projections: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses of a deployment as they stood in the chips' memories.

    Sorted by source, target, delay, receptor and weight.

    Attributes
    ----------
    source, target : (n_synapses,) uint32 arrays
        Global neuron numbers.
    delay_ticks : (n_synapses,) uint16 array
        Axonal and dendritic part together.
    weight : (n_synapses,) float64 array
        In the described unit, as the chip adds it.
    group : (n_synapses,) int64 array
        Place among `groups`.
    groups : tuple of SynapseGroup
    """

    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    delay_ticks: NDArray[np.uint16]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    groups: tuple[SynapseGroup, ...]

    def __len__(self) -> int:
        return len(self.source)

    def __repr__(self) -> str:
        names = ", ".join(name for group in self.groups for name in group.projections) or "no projection"
        return f"Synapses({len(self)} synapses of {names})"

    @property
    def receptor(self) -> NDArray[np.str_]:
        """Names of the receptors. Shape (n_synapses,)."""
        return np.array([group.receptor for group in self.groups], np.str_)[self.group]


def joined(parts: list[Synapses]) -> Synapses:
    """Return the synapses of all parts of one answer, one after the other."""
    names = "source", "target", "delay_ticks", "weight", "group"
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Synapses(**columns, groups=parts[0].groups)


def query_of(
    projection: str | None,
    *,
    source: str | None,
    target: str | None,
    sources: range | None,
    targets: range | None,
) -> dict[str, str | None]:
    """Return which synapses are wanted as the service is asked for them.

    Raises
    ------
    ValueError
        The step of a range is negative.
    """
    return {
        "projection": projection,
        "source": source,
        "target": target,
        "sources": _range_text("sources", sources),
        "targets": _range_text("targets", targets),
    }


def _range_text(name: str, neurons: range | None) -> str | None:
    if neurons is None:
        return None
    if neurons.step < 1:
        raise ValueError(f"{name}: must be a range of a step of 1 or more, got {neurons}; turn it round")
    return f"{neurons.start}:{max(neurons.start, neurons.stop)}:{neurons.step}"
