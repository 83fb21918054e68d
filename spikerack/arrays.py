"""Lists of synapses and of spikes too long for a description, kept in a folder: for runs without the service.

With the service, `Client.upload` and `Client.upload_spikes` do the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from cluster.arrays import ArrayStore, StoredArrays
from network import Uploaded
from network.arrays import ArrayKind, as_array, column_of


def save(
    folder: Path | str,
    *,
    sources: ArrayLike,
    targets: ArrayLike,
    weights: ArrayLike | None = None,
    delays_ms: ArrayLike | None = None,
) -> Uploaded:
    """Keep a list of synapses; return what a projection takes as its connectivity.

    Parameters
    ----------
    folder : Path or str
        Made when it does not exist. The run is told of it: ``run_local(..., arrays=folder)``.
    sources, targets : (n,) arrays of integers
        Synapse k goes from neuron ``sources[k]`` to neuron ``targets[k]``.
    weights : (n,) array of float32 or float64, or None
        In the receptor's unit; None if the projection gives the weight.
    delays_ms : (n,) array of float32 or float64, or None
        Multiples of the network's timestep; None if the projection gives the delay.

    Raises
    ------
    ArraysError
        An entry breaks a rule, which the error names; nothing is kept.
    """
    columns = {"sources": sources, "targets": targets, "weights": weights, "delays_ms": delays_ms}
    return _save(folder, "synapses", columns).connectivity


def save_spikes(folder: Path | str, *, times_ms: ArrayLike, neurons: ArrayLike) -> dict[str, Any]:
    """Keep spikes; return what an `UploadedSpikesSource` takes beside its name and size.

    Parameters
    ----------
    folder : Path or str
        As of `save`.
    times_ms : (n,) array of float32 or float64, ms
        Multiples of the network's timestep, in any order.
    neurons : (n,) array of integers
        The neuron of each spike, counted from 0.

    Raises
    ------
    ArraysError
        An entry breaks a rule, which the error names; nothing is kept.
    """
    return _save(folder, "spikes", {"times_ms": times_ms, "neurons": neurons}).source


def _save(folder: Path | str, kind: ArrayKind, columns: dict[str, ArrayLike | None]) -> StoredArrays:
    store = ArrayStore(folder)
    store.sweep()
    with store.draft(kind) as draft:
        for name, values in columns.items():
            if values is not None:
                draft.extend(name, as_array(column_of(kind, name), values))
        sealed = draft.seal()
        store.drop_damaged(sealed.sha256)
        store.publish(draft, sealed)
    return sealed
