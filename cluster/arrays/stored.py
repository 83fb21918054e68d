"""What is known of stored arrays: their columns, their facts, and the digest that is their name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from network import Uploaded
from network.arrays import ARRAY_KINDS, ArrayColumn, ArrayKind

FORMAT = 1


class SynapseColumns(NamedTuple):
    """A list of synapses on disk: synapse k goes from ``sources[k]`` to ``targets[k]``.

    Attributes
    ----------
    sources, targets : (n,) uint32 arrays
    weights : (n,) float64 array or None
        In the receptor's unit.
    delays_ms : (n,) float64 array or None
    """

    sources: NDArray[np.uint32]
    targets: NDArray[np.uint32]
    weights: NDArray[np.float64] | None
    delays_ms: NDArray[np.float64] | None


class SpikeColumns(NamedTuple):
    """Spikes on disk, sorted by time, then neuron; no neuron spikes twice at one time.

    Attributes
    ----------
    times_ms : (n,) float64 array, ms
    neurons : (n,) uint32 array
    """

    times_ms: NDArray[np.float64]
    neurons: NDArray[np.uint32]


@dataclass(frozen=True)
class StoredArrays:
    """Arrays of the store.

    Attributes
    ----------
    kind : str
    n : int
        Entries of each column.
    columns : mapping
        The SHA-256 of each column's entries, by name.
    facts : mapping
        What a network says of them, by the names of `Uploaded` or `UploadedSpikesSource`.
    """

    kind: ArrayKind
    n: int
    columns: Mapping[str, str]
    facts: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The name of these arrays: the SHA-256 of the text that lists their columns, in hexadecimal.

        It has a line ``spikerack arrays <kind> <n>``, then ``<column> <dtype> <SHA-256 of its entries>`` for
        each column in the order of the kind, so that it does not depend on the container they came in.
        """
        lines = [f"spikerack arrays {self.kind} {self.n}"]
        lines += [f"{c.name} {c.dtype} {self.columns[c.name]}" for c in self.columns_in_order]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def columns_in_order(self) -> list[ArrayColumn]:
        """The columns that these arrays have."""
        return [column for column in ARRAY_KINDS[self.kind] if column.name in self.columns]

    @property
    def n_bytes(self) -> int:
        """Bytes of all entries."""
        return sum(self.n * np.dtype(column.dtype).itemsize for column in self.columns_in_order)

    @property
    def connectivity(self) -> Uploaded:
        """What a projection takes, of synapses."""
        assert self.kind == "synapses", self.kind
        return Uploaded(sha256=self.sha256, **self.facts)

    @property
    def source(self) -> dict[str, Any]:
        """What a source of a network takes beside its name and size, of spikes."""
        assert self.kind == "spikes", self.kind
        return {"kind": "uploaded_spikes", "sha256": self.sha256, **self.facts}

    def to_json(self) -> bytes:
        """Return all of it as JSON."""
        known = {"kind": self.kind, "n": self.n, "columns": dict(self.columns), "facts": dict(self.facts)}
        return json.dumps({"format": FORMAT, **known}, allow_nan=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> StoredArrays:
        """Return what `to_json` has written.

        Raises
        ------
        ValueError, KeyError, TypeError
            It has not.
        """
        known = json.loads(text)
        if known["format"] != FORMAT:
            raise ValueError(f"format must be {FORMAT}, got {known['format']!r}")
        return cls(known["kind"], known["n"], known["columns"], known["facts"])
