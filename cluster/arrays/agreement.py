"""Whether a network's uploads are there, are what it says of them, and keep to its time grid."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cluster.arrays.files import CHUNK
from cluster.arrays.store import ArrayStore
from cluster.arrays.stored import SpikeColumns, StoredArrays
from cluster.errors import ArraysLost
from network import Network, NetworkError, Uploaded, UploadedSpikesSource
from network.arrays import ArrayKind
from network.errors import Problem, show
from network.grid import MAX_DELAY_TICKS, MAX_TICKS, off_grid, on_grid

Reference = tuple[str, ArrayKind, Uploaded | UploadedSpikesSource]


def references(network: Network) -> Iterator[Reference]:
    """Give the places of a network that name arrays: path, kind, and what the network says of them."""
    for k, projection in enumerate(network.projections):
        if isinstance(projection.connectivity, Uploaded):
            yield f"projections[{k}].connectivity", "synapses", projection.connectivity
    for k, source in enumerate(network.sources):
        if isinstance(source, UploadedSpikesSource):
            yield f"sources[{k}]", "spikes", source


def array_problems(
    network: Network, store: ArrayStore, *, held: Collection[str] | None = None
) -> Iterator[Problem]:
    """Yield what is wrong with the arrays that a network names, by what is known of them: no entry is read.

    Parameters
    ----------
    held : collection of str or None
        The SHA-256 of all that the network may name; None for whatever is in the store.
    """
    for path, kind, said in references(network):
        try:
            if held is not None and said.sha256 not in held:
                raise ArraysLost(said.sha256)
            found = store.find(said.sha256)
        except ArraysLost:
            yield f"{path}.sha256", f"must name uploaded {kind}, got {said.sha256!r}; upload them first"
            continue
        if found.kind != kind:
            rule = f"must name {kind}, got {found.kind} with {said.sha256!r}"
            yield f"{path}.sha256", f"{rule}; name those that you uploaded as {kind}"
        else:
            yield from _differences(path, found, said)


def require_arrays(
    network: Network, store: ArrayStore, *, held: Collection[str] | None = None, verify: bool = False
) -> None:
    """Refuse a network whose arrays are not there, are not what it says, or are off its time grid.

    Parameters
    ----------
    held : collection of str or None
        The SHA-256 of all that the network may name; None for whatever is in the store.
    verify : bool
        Read every entry, and see that it is what was stored.

    Raises
    ------
    NetworkError
        With a path, the rule, the value and what to do.
    ArraysLost
        What is stored is damaged.
    """
    problems = list(array_problems(network, store, held=held))
    if problems:
        raise NetworkError(problems)
    if verify:
        for sha256 in {said.sha256 for _, _, said in references(network)}:
            store.verify(sha256)
    problems = [
        problem for reference in references(network) for problem in _off_grid(store, reference, network)
    ]
    if problems:
        raise NetworkError(problems)


def _differences(path: str, found: StoredArrays, said: Any) -> Iterator[Problem]:
    described = found.connectivity.model_dump() if found.kind == "synapses" else found.source
    for name in ("n", *found.facts, "weights", "delays_ms"):
        if name in type(said).model_fields and getattr(said, name) != described[name]:
            rule = (
                f"must be what the upload answered, {show(described[name])}, got {show(getattr(said, name))}"
            )
            yield f"{path}.{name}", f"{rule}; put its answer in as it is"
            return


def _off_grid(store: ArrayStore, reference: Reference, network: Network) -> Iterator[Problem]:
    path, kind, said = reference
    if kind == "spikes":
        spikes = store.spikes(said.sha256)
        problem = _first_off_grid(f"{path}.times_ms", spikes.times_ms, network.timestep_ms, MAX_TICKS)
        problem = problem or _first_repeat(f"{path}.times_ms", spikes, network.timestep_ms)
    else:
        delays = store.synapses(said.sha256).delays_ms
        where = f"{path}.delays_ms"
        problem = (
            None if delays is None else _first_off_grid(where, delays, network.timestep_ms, MAX_DELAY_TICKS)
        )
    if problem is not None:
        yield problem


def _first_off_grid(path: str, ms: NDArray[np.float64], timestep_ms: float, max_ticks: int) -> Problem | None:
    for begin in range(0, ms.size, CHUNK):
        good = on_grid(ms[begin : begin + CHUNK], timestep_ms, max_ticks=max_ticks)
        if not good.all():
            k = begin + int(np.argmin(good))
            return f"{path}[{k}]", str(off_grid(float(ms[k]), timestep_ms, max_ticks=max_ticks))
    return None


def _first_repeat(path: str, spikes: SpikeColumns, timestep_ms: float) -> Problem | None:
    """Return the first spike of a neuron in a tick that has one of it already.

    Spikes of one tick may differ by rounding, and then need not be in order of their neurons: each part ends
    with a tick.
    """
    begin, n = 0, spikes.times_ms.size
    while begin < n:
        end = min(begin + CHUNK, n)
        if end < n:  # up to the last spike of that tick
            end = int(np.searchsorted(spikes.times_ms, spikes.times_ms[end - 1] + 0.5 * timestep_ms))
        ticks = np.rint(spikes.times_ms[begin:end] / timestep_ms).astype(np.uint64)
        keys = ticks << np.uint64(32) | spikes.neurons[begin:end]
        order = np.argsort(keys, kind="stable")
        repeats = order[1:][keys[order[1:]] == keys[order[:-1]]]
        if repeats.size:
            k = begin + int(repeats.min())
            neuron, ms = int(spikes.neurons[k]), float(spikes.times_ms[k])
            rule = f"must be in a tick of its own among the spikes of neuron {neuron}, got {show(ms)}"
            return f"{path}[{k}]", f"{rule} a second time; remove it or shorten timestep_ms"
        begin = end
    return None
