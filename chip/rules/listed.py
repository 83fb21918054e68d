"""Rules that list every synapse: in the description, or in arrays that were uploaded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.jit import kernel
from chip.laws import read_only
from chip.random import draw
from chip.rules.generator import Batch, Ends, Generator


class Listed(Generator):
    """Synapses k from ``sources[k]`` to ``targets[k]``, found by source through an index.

    Parameters
    ----------
    rule : Explicit, or columns of an upload
        Has `sources` and `targets`.
    """

    def __init__(self, rule: Any, ends: Ends) -> None:
        super().__init__(rule, ends)
        self.sources = _column(rule.sources)
        self.targets = _column(rule.targets)
        self.begins, self.order = _by_source(self.sources, self.targets, ends.n_sources, ends.first, ends.n)
        self.n_expected = float(self.order.size)

    def begin(self, low: int, high: int) -> int:
        """Begin with the first synapse of the first source."""
        return int(self.begins[low])

    def end(self, low: int, high: int) -> int:
        """End with the last synapse of the last source."""
        return int(self.begins[high])

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        end, first = self.end(low, high), self.ends.first
        return _emit(self.key, self.sources, self.targets, self.order, first, end, cursor, batch)


def _column(values: Any) -> NDArray[np.uint32]:
    return read_only(np.asarray(values, np.uint32))


@kernel
def _by_source(sources, targets, n_sources, first, n):
    """Return where each source's synapses onto the slice begin in the order, and the order."""
    begins = np.zeros(n_sources + 1, np.int64)
    for k in range(sources.size):
        if first <= targets[k] < first + n:
            begins[sources[k] + 1] += 1
    for source in range(n_sources):
        begins[source + 1] += begins[source]
    place = begins[:-1].copy()
    order = np.empty(begins[n_sources], np.int64)
    for k in range(sources.size):
        if first <= targets[k] < first + n:
            order[place[sources[k]]] = k
            place[sources[k]] += 1
    return begins, order


@kernel
def _emit(key, sources, targets, order, first, end, cursor, batch):
    n = min(end - cursor, batch.source.size)
    for i in range(n):
        k = order[cursor + i]
        batch.source[i] = sources[k]
        batch.target[i] = targets[k] - first
        batch.bits[i] = draw(key, np.uint64(k))
        batch.entry[i] = k
    return n, cursor + n
