"""A file of spikes, read by place and by tick: little-endian uint32 pairs (tick, neuron), sorted."""

from __future__ import annotations

import os
from bisect import bisect_left
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

_PART = 2**14
"""Spikes that are read at a time: they are in the cache when they are put into columns."""
_PAIR_BYTES = 8


class SpikeFile:
    """An open file of spikes. What is appended meanwhile changes no place.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def place(self, tick: int, begin: int, end: int) -> int:
        """Return the place of the first spike at [begin, end) that is of `tick` or later, else `end`."""
        return begin + bisect_left(range(begin, end), tick, key=self._tick_at)

    def read(self, begin: int, end: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the spikes at the places [begin, end).

        Returns
        -------
        tick, neuron : (n,) uint32 arrays

        Raises
        ------
        EOFError
            The file ends before.
        """
        n = max(end - begin, 0)
        tick, neuron = np.empty(n, np.uint32), np.empty(n, np.uint32)
        part = np.empty((_PART, 2), "<u4")
        self._file.seek(begin * _PAIR_BYTES)
        for first in range(0, n, _PART):
            some = part[: n - first]
            if self._file.readinto(some.data) != some.nbytes:
                raise EOFError(f"{self._path}: must hold {end} spikes, ends before; the file was cut")
            tick[first : first + _PART], neuron[first : first + _PART] = some[:, 0], some[:, 1]
        return tick, neuron

    def _tick_at(self, place: int) -> int:
        return int.from_bytes(os.pread(self._file.fileno(), 4, place * _PAIR_BYTES), "little")
