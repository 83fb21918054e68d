"""Arrays as they are sent: a stream of msgpack maps, checked as a whole before the first byte leaves.

The first map says what comes; each one behind it has as many entries of every column. Nothing is copied but
the part that is being sent, so that arrays may be larger than memory (`numpy.memmap`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
from numpy.typing import ArrayLike, NDArray

from network.arrays import ArrayKind, as_array, column_of, require_columns, require_lengths, stored_form
from spikerack.progress import OnProgress, silent

PART = 2**17
"""Entries of a column in one map: 1 MiB of float64."""


@dataclass(frozen=True)
class Upload:
    """Columns of one kind, of equal length.

    Attributes
    ----------
    kind : str
    columns : mapping from str to (n,) array
    """

    kind: ArrayKind
    columns: Mapping[str, NDArray[Any]]

    @property
    def n(self) -> int:
        """The entries of each column."""
        return next(iter(self.columns.values())).size

    def __str__(self) -> str:
        return f"{self.n:,} {self.kind}"

    def parts(self, on_progress: OnProgress = silent) -> Iterator[bytes]:
        """Give the stream, map by map, and tell how much of it is taken."""
        dtypes = {name: column_of(self.kind, name).dtype for name in self.columns}
        yield msgpack.packb({"kind": self.kind, "n": self.n, "columns": dtypes})
        for begin in range(0, self.n, PART):
            end = min(begin + PART, self.n)
            chunk = {name: self._part(name, begin, end).tobytes() for name in self.columns}
            yield msgpack.packb(chunk)
            on_progress(end / self.n, f"{end:,} of {self}")

    def _part(self, name: str, begin: int, end: int) -> NDArray[Any]:
        return stored_form(column_of(self.kind, name), self.columns[name][begin:end], first=begin)


def upload_of(kind: ArrayKind, columns: Mapping[str, ArrayLike | None]) -> Upload:
    """Return columns as an upload; those that are None are left out.

    Raises
    ------
    ArraysError
        One is missing or of another length, or an entry breaks a rule.
    """
    given = {name: as_array(column_of(kind, name), v) for name, v in columns.items() if v is not None}
    require_columns(kind, given)
    upload = Upload(kind, given)
    for name, values in given.items():
        for begin in range(0, max(values.size, 1), PART):
            upload._part(name, begin, begin + PART)
    require_lengths(kind, {name: values.size for name, values in given.items()})
    return upload
