"""One column in one file: a ``.npy`` with a header of fixed length, written as its entries come."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 128
CHUNK = 2**20
"""Entries that are in memory at once."""


def _header(dtype: str, n: int) -> bytes:
    buffer = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": (n,)}
    np.lib.format.write_array_header_1_0(buffer, described)
    header = buffer.getvalue()
    assert len(header) == HEADER_BYTES, "NumPy leaves room for any length of one dimension"
    return header


class ColumnWriter:
    """Writes a column and its SHA-256, part by part.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    dtype : str
        Of the entries, little-endian.

    Attributes
    ----------
    n : int
        Entries that were written.
    """

    def __init__(self, path: Path, dtype: str) -> None:
        self.dtype, self.n = dtype, 0
        self._digest = hashlib.sha256()
        self._file = path.open("xb")
        self._file.write(bytes(HEADER_BYTES))

    def append(self, values: NDArray[Any]) -> None:
        """Write the next entries, (n,) of the column's dtype."""
        assert values.dtype == np.dtype(self.dtype), "entries come in the form that is stored"
        raw = np.ascontiguousarray(values).view(np.uint8)
        self._digest.update(raw.data)
        self._file.write(raw.data)
        self.n += values.size

    def finish(self) -> str:
        """Complete the file so that it survives a crash; return the SHA-256 of the entries in hexadecimal."""
        self._file.seek(0)
        self._file.write(_header(self.dtype, self.n))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file, whole or not. Again does no harm."""
        self._file.close()


def map_column(path: Path, dtype: str, n: int, *, writable: bool = False) -> NDArray[Any]:
    """Return a column that is on disk, (n,) of `dtype`; only what is looked at comes into memory.

    Raises
    ------
    ValueError
        The file is not such a column.
    OSError
        It cannot be read.
    """
    have, want = path.stat().st_size, HEADER_BYTES + n * np.dtype(dtype).itemsize
    if have != want:
        raise ValueError(f"{path.name} must have {want} bytes, has {have}")
    with path.open("rb") as file:
        if file.read(HEADER_BYTES) != _header(dtype, n):
            raise ValueError(f"{path.name} must begin with the header of {n} entries of {dtype}")
    mapped = np.load(path, mmap_mode="r+" if writable else "r", allow_pickle=False)
    return np.asarray(mapped)


def digest_of_column(values: NDArray[Any]) -> str:
    """Return the SHA-256 of a column's entries in hexadecimal."""
    digest = hashlib.sha256()
    for begin in range(0, values.size, CHUNK):
        digest.update(values[begin : begin + CHUNK].view(np.uint8).data)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in `folder` survive a crash."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
