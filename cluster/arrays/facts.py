"""What a network's description says of its arrays, found while they are written."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from chip.weights import granule_of
from network.arrays import ARRAY_KINDS, ArrayKind

_PREFIX = {"sources": "source_stop", "targets": "target_stop", "neurons": "neuron_stop"}


class Facts:
    """Keeps the ends of each column, and the granule of the weights.

    Parameters
    ----------
    kind : str
    """

    def __init__(self, kind: ArrayKind) -> None:
        self.kind = kind
        self._ends: dict[str, tuple[float, float]] = {}
        self._granule: int | None = None

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Take note of a part of a column, in the form that is stored."""
        if not values.size:
            return
        low, high = values.min().item(), values.max().item()
        before = self._ends.get(name, (low, high))
        self._ends[name] = min(low, before[0]), max(high, before[1])
        if name == "weights":
            found = granule_of(values)
            known = [g for g in (self._granule, found) if g is not None]
            self._granule = min(known, default=None)

    def of(self, n: int, columns: set[str]) -> dict[str, Any]:
        """Return the facts of `n` entries, by the names of `Uploaded` or `UploadedSpikesSource`.

        The bounds of a column without entries are 0 and 0.
        """
        facts: dict[str, Any] = {"n": n}
        for column in ARRAY_KINDS[self.kind]:
            low, high = self._ends.get(column.name, (0.0, 0.0))
            if column.of_neurons:
                facts[_PREFIX[column.name]] = int(high) + 1 if n else 0
            elif column.optional and column.name in columns:
                facts[column.name] = [low, high]
        if "weights" in columns:
            facts["weight_granule"] = self._granule
        return facts
