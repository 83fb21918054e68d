"""Spikes on disk sorted by time, then neuron: runs of bounded length, then a merge by ranges of the order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cluster.arrays.files import CHUNK
from network.arrays import ArraysError
from network.errors import show

Times = NDArray[np.float64]
Neurons = NDArray[np.uint32]
Spikes = tuple[Times, Neurons]

_SAMPLES_A_RUN = 256
"""Entries of each sorted run that the merge's ranges are chosen from."""


def first_disorder(times: Times, neurons: Neurons) -> int | None:
    """Return the first spike that is not after the one before it, by time, then neuron; None in order."""
    for begin in range(1, times.size, CHUNK):
        part = slice(begin - 1, begin + CHUNK)
        t, i = times[part], neurons[part]
        after = (t[1:] > t[:-1]) | ((t[1:] == t[:-1]) & (i[1:] > i[:-1]))
        if not after.all():
            return begin + int(np.argmin(after))
    return None


def require_distinct(times: Times, neurons: Neurons) -> None:
    """Refuse sorted spikes of which two are the same.

    Raises
    ------
    ArraysError
        A neuron spikes twice at one time.
    """
    k = first_disorder(times, neurons)
    if k is not None:
        rule = f"must differ among the spikes of a neuron, got {show(float(times[k]))} twice"
        raise ArraysError([("times_ms", f"{rule} for neuron {int(neurons[k])}; remove the repeat")])


def sort_runs(times: Times, neurons: Neurons, run: int = CHUNK) -> list[Spikes]:
    """Sort each `run` spikes in place; return the runs."""
    runs = []
    for begin in range(0, times.size, run):
        part = times[begin : begin + run], neurons[begin : begin + run]
        order = np.lexsort((part[1], part[0]))
        part[0][:], part[1][:] = part[0][order], part[1][order]
        runs.append(part)
    return runs


def merged(runs: list[Spikes], size: int = CHUNK) -> Iterator[Spikes]:
    """Give all spikes of sorted runs in order, in parts of about `size`."""
    begins = [0] * len(runs)
    for splitter in [*_splitters(runs, size), None]:
        ends = [run[0].size if splitter is None else _place(run, *splitter) for run in runs]
        parts = [(t[b:e], i[b:e]) for (t, i), b, e in zip(runs, begins, ends, strict=True)]
        times, neurons = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((neurons, times))
        yield times[order], neurons[order]
        begins = ends


def _splitters(runs: list[Spikes], size: int) -> Iterator[tuple[float, int]]:
    """Give spikes that cut the order into ranges of about `size`."""
    step = max(1, max(run[0].size for run in runs) // _SAMPLES_A_RUN)
    samples = [(t[step - 1 :: step], i[step - 1 :: step]) for t, i in runs]
    times, neurons = (np.concatenate(column) for column in zip(*samples, strict=True))
    order = np.lexsort((neurons, times))
    every = max(1, size // step)
    for k in order[every - 1 : -1 : every]:
        yield float(times[k]), int(neurons[k])


def _place(run: Spikes, time: float, neuron: int) -> int:
    """Return how many spikes of a sorted run are at or before a spike."""
    low, high = int(np.searchsorted(run[0], time, "left")), int(np.searchsorted(run[0], time, "right"))
    return low + int(np.searchsorted(run[1][low:high], np.uint32(neuron), "right"))
