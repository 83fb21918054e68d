"""Arrays on their way into the store: checked and written part by part, then named and moved into place."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from cluster.arrays.facts import Facts
from cluster.arrays.files import CHUNK, ColumnWriter, map_column, sync_folder
from cluster.arrays.spike_order import first_disorder, merged, require_distinct, sort_runs
from cluster.arrays.stored import StoredArrays
from network.arrays import ArrayKind, column_of, require_columns, require_lengths, stored_form

PREFIX = ".draft-"
FACTS = "facts.json"


def column_file(folder: Path, name: str) -> Path:
    """Return where a column is."""
    return folder / f"{name}.npy"


class Draft:
    """A context: what is not sealed and published when it ends is gone.

    The folder's lock tells a draft at work from one that a crash has left behind.

    Parameters
    ----------
    store : Path
        The store's folder; it exists.
    kind : str

    Attributes
    ----------
    folder : Path
        The draft's own.
    """

    def __init__(self, store: Path, kind: ArrayKind) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=store))
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._writers: dict[str, ColumnWriter] = {}
        self._facts = Facts(kind)

    def __repr__(self) -> str:
        lengths = ", ".join(f"{name} {writer.n}" for name, writer in self._writers.items())
        return f"Draft({self.kind}: {lengths or 'empty'})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def extend(self, name: str, values: NDArray[Any]) -> None:
        """Add the next entries of a column; an array of none still makes the column.

        Raises
        ------
        ArraysError
            The kind has no such column, or an entry breaks its rules.
        """
        column = column_of(self.kind, name)
        if name not in self._writers:
            stored_form(column, values[:0])
            self._writers[name] = ColumnWriter(column_file(self.folder, name), column.dtype)
        writer = self._writers[name]
        for begin in range(0, values.size, CHUNK):
            part = stored_form(column, values[begin : begin + CHUNK], first=writer.n)
            writer.append(part)
            self._facts.add(name, part)

    def seal(self) -> StoredArrays:
        """Complete the files; return what they hold.

        Raises
        ------
        ArraysError
            A column is missing, they are not equally long, or two spikes are the same.
        """
        lengths = {name: writer.n for name, writer in self._writers.items()}
        require_columns(self.kind, lengths)
        require_lengths(self.kind, lengths)
        digests = {name: writer.finish() for name, writer in self._writers.items()}
        n = next(iter(lengths.values()))
        if self.kind == "spikes":
            digests = self._in_order(n) or digests
        sealed = StoredArrays(self.kind, n, digests, self._facts.of(n, set(digests)))
        with (self.folder / FACTS).open("xb") as file:
            file.write(sealed.to_json())
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)
        return sealed

    def _in_order(self, n: int) -> dict[str, str] | None:
        """Sort spikes; return the digests of the sorted columns, None where they were in order."""
        times, neurons = (self._mapped(name, n) for name in ("times_ms", "neurons"))
        if first_disorder(times, neurons) is None:
            return None
        times, neurons = (self._mapped(name, n, writable=True) for name in ("times_ms", "neurons"))
        writers = {name: ColumnWriter(self.folder / f"{name}.sorted", w.dtype) for name, w in self._named()}
        for sorted_times, sorted_neurons in merged(sort_runs(times, neurons)):
            writers["times_ms"].append(sorted_times)
            writers["neurons"].append(sorted_neurons)
        digests = {name: writer.finish() for name, writer in writers.items()}
        for name in writers:
            (self.folder / f"{name}.sorted").replace(column_file(self.folder, name))
        require_distinct(self._mapped("times_ms", n), self._mapped("neurons", n))
        return digests

    def _named(self) -> list[tuple[str, ColumnWriter]]:
        return [(name, self._writers[name]) for name in ("times_ms", "neurons")]

    def _mapped(self, name: str, n: int, *, writable: bool = False) -> NDArray[Any]:
        path = column_file(self.folder, name)
        return map_column(path, self._writers[name].dtype, n, writable=writable)
