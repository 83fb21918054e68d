"""How much an upload may take: of what one upload may hold, and of the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from api.errors import MalformedRequest
from api.limits import admit_disk, admit_upload
from api.settings import Limits
from network.arrays import ArrayColumn


class Room:
    """Counts what the columns of one upload will take, before they are written.

    Parameters
    ----------
    limits : Limits
    folder : Path
        On the disk that they will be written to.
    """

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits, self._folder = limits, folder
        self._n_bytes = 0

    def require_disk(self, n_bytes: int = 0) -> None:
        """Refuse to write `n_bytes` where the disk would be nearly full.

        Raises
        ------
        NoCapacity
            It would be.
        """
        free = shutil.disk_usage(self._folder).free
        admit_disk(free - n_bytes, self._limits, what="upload", instead="delete arrays or runs")

    def take(self, column: ArrayColumn, n: int) -> None:
        """Count a column of `n` entries.

        Raises
        ------
        OverLimit
            It is more than one upload may hold.
        NoCapacity
            The disk has no room for it.
        """
        self._n_bytes += n * np.dtype(column.dtype).itemsize
        admit_upload(n, self._n_bytes, self._limits)
        self.require_disk(self._n_bytes)


def malformed(where: str, rule: str, got: str, advice: str) -> MalformedRequest:
    """Return the error of a body that cannot be read."""
    return MalformedRequest(f"{where}: {rule}, got {got}; {advice}")
