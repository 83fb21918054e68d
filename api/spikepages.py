"""Reading a run's spikes in parts: windows of bounded size, and pages that a caller asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster.runfile import RunReader

WINDOW_SPIKES = 2**18
"""Spikes that are read from disk at a time, on average: 2 MiB."""

Spikes = tuple[NDArray[np.uint32], NDArray[np.uint32]]


@dataclass(frozen=True)
class Selection:
    """Which spikes are asked for.

    Attributes
    ----------
    from_tick, to_tick : int
        Ticks in [from_tick, to_tick).
    skip : int
        Spikes of `from_tick` that the caller has already.
    neurons : range or None
        Global numbers to keep; None keeps all.
    """

    from_tick: int
    to_tick: int
    skip: int = 0
    neurons: range | None = None

    def keep(self, tick: NDArray[np.uint32], neuron: NDArray[np.uint32]) -> Spikes:
        """Return those of the (n,) uint32 spikes that are of the neurons asked for."""
        if self.neurons is None:
            return tick, neuron
        kept = (neuron >= self.neurons.start) & (neuron < self.neurons.stop)
        return tick[kept], neuron[kept]


@dataclass(frozen=True)
class SpikePage:
    """Spikes, and where to go on.

    Attributes
    ----------
    tick, neuron : (n,) uint32 arrays
        Sorted by tick, then neuron.
    following : (int, int) or None
        The `from_tick` and `skip` of the next page; None when this is the last.
    """

    tick: NDArray[np.uint32]
    neuron: NDArray[np.uint32]
    following: tuple[int, int] | None


def windows(reader: RunReader, from_tick: int, to_tick: int) -> Iterator[range]:
    """Cut ticks into windows that hold about `WINDOW_SPIKES`, judged by the run's mean rate."""
    size = max(1, WINDOW_SPIKES * max(reader.last_tick, 1) // max(reader.n_spikes, 1))
    for begin in range(from_tick, to_tick, size):
        yield range(begin, min(begin + size, to_tick))


def read_page(reader: RunReader, selection: Selection, limit: int) -> SpikePage:
    """Return at most `limit` of the selected spikes, from complete ticks only."""
    ticks, neurons, have, skip = [], [], 0, selection.skip
    for window in windows(reader, selection.from_tick, min(selection.to_tick, reader.last_tick)):
        tick, neuron = selection.keep(*reader.read(window.start, window.stop))
        ticks.append(tick[skip:])
        neurons.append(neuron[skip:])
        have, skip = have + max(len(tick) - skip, 0), max(skip - len(tick), 0)
        if have > limit:
            break
    empty = np.zeros(0, np.uint32)
    return _cut(np.concatenate([empty, *ticks]), np.concatenate([empty, *neurons]), selection, limit)


def _cut(tick: NDArray[np.uint32], neuron: NDArray[np.uint32], selection: Selection, limit: int) -> SpikePage:
    if len(tick) <= limit:
        return SpikePage(tick, neuron, None)
    split = int(tick[limit])
    given = limit - int(np.searchsorted(tick, split))
    if split == selection.from_tick:
        given += selection.skip
    return SpikePage(tick[:limit], neuron[:limit], (split, given))
