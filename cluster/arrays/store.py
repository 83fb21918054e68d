"""The store of uploaded arrays: a folder for each, named by what it holds.

*Theory of operation.* ``<folder>/<sha256>/`` holds one ``.npy`` a column and ``facts.json``, and never
changes: chips map the columns that they need, on every host that sees the folder. What is written is a draft,
a hidden folder beside them that is locked while somebody writes it; it is made durable, then renamed, so that
a name that is there is whole. What a crash leaves behind is a draft that nobody locks: `ArrayStore.sweep`
removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import ValidationError

from cluster.arrays.draft import FACTS, PREFIX, Draft, column_file
from cluster.arrays.files import digest_of_column, map_column, sync_folder
from cluster.arrays.stored import SpikeColumns, StoredArrays, SynapseColumns
from cluster.errors import ArraysLost
from network import UploadedSpikesSource
from network.arrays import ArrayKind, column_of

FOLDER = "arrays"

_NAME = re.compile(r"[0-9a-f]{64}")


class ArrayStore:
    """Arrays by the SHA-256 of what they hold. Making one of these touches no file.

    Parameters
    ----------
    folder : Path, str or None
        Made with the first draft. None for no store: nothing is found in it.
    """

    def __init__(self, folder: Path | str | None) -> None:
        self.folder = None if folder is None else Path(folder)

    def __repr__(self) -> str:
        return f"ArrayStore({'none' if self.folder is None else self.folder})"

    def draft(self, kind: ArrayKind) -> Draft:
        """Begin new arrays."""
        return Draft(self._made(), kind)

    def publish(self, draft: Draft, sealed: StoredArrays) -> None:
        """Move a sealed draft to its place. Where the same is there already, that stays.

        Raises
        ------
        ArraysLost
            What is there is damaged: `drop_damaged` it first.
        """
        try:
            draft.folder.rename(self._place(sealed.sha256))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            self.find(sealed.sha256)
        sync_folder(self._made())

    def drop_damaged(self, sha256: str) -> None:
        """Read every entry of arrays, if they are there, and remove them if they are not what was stored."""
        if self._place(sha256).exists():
            try:
                self.verify(sha256)
            except ArraysLost:
                self.delete(sha256)

    def find(self, sha256: str) -> StoredArrays:
        """Return what is known of arrays, after a look at the length of each file.

        Raises
        ------
        ArraysLost
            They are not there, or their files are not what was stored.
        """
        found = self._facts(sha256)
        for column in found.columns_in_order:
            self._column(sha256, found, column.name)
        return found

    def verify(self, sha256: str) -> StoredArrays:
        """Return what is known of arrays, after reading every entry.

        Raises
        ------
        ArraysLost
            They are not there, or an entry is not what was stored.
        """
        found = self._facts(sha256)
        for column in found.columns_in_order:
            if digest_of_column(self._column(sha256, found, column.name)) != found.columns[column.name]:
                raise _damaged(sha256, f"column {column.name} has another SHA-256")
        return found

    def synapses(self, sha256: str) -> SynapseColumns:
        """Return the columns of a list of synapses, mapped from disk and read-only.

        Raises
        ------
        ArraysLost
            They are not there, not whole, or arrays of another kind.
        """
        found = self._of_kind(sha256, "synapses")
        given = {name: self._column(sha256, found, name) for name in found.columns}
        return SynapseColumns(
            given["sources"], given["targets"], given.get("weights"), given.get("delays_ms")
        )

    def spikes(self, sha256: str) -> SpikeColumns:
        """Return the columns of spikes, mapped from disk and read-only.

        Raises
        ------
        ArraysLost
            They are not there, not whole, or arrays of another kind.
        """
        found = self._of_kind(sha256, "spikes")
        return SpikeColumns(*(self._column(sha256, found, name) for name in ("times_ms", "neurons")))

    def delete(self, sha256: str) -> None:
        """Remove arrays; those that are gone are no error. Who has mapped them keeps them."""
        place = self._place(sha256)
        if place.exists():
            grave = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._made()))
            with suppress(FileNotFoundError):  # Somebody else was quicker.
                place.rename(grave / place.name)
            shutil.rmtree(grave, ignore_errors=True)

    def sweep(self) -> int:
        """Remove the drafts that a crash has left; return how many there were."""
        if self.folder is None or not self.folder.exists():
            return 0
        return sum(_remove_unless_locked(path) for path in self.folder.glob(f"{PREFIX}*"))

    def _made(self) -> Path:
        if self.folder is None:
            raise ValueError("arrays: a folder must be given to store any, got None; give one")
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def _place(self, sha256: str) -> Path:
        if self.folder is None:
            raise ArraysLost(f"arrays {sha256}: a folder of arrays must be given, got none; give arrays=")
        if not _NAME.fullmatch(sha256):
            raise ArraysLost(f"arrays {sha256!r}: the name must be 64 hexadecimal digits; upload them")
        return self.folder / sha256

    def _facts(self, sha256: str) -> StoredArrays:
        """Return what is known of arrays; the name vouches for kind, length and columns."""
        place = self._place(sha256)
        try:
            found = StoredArrays.from_json((place / FACTS).read_bytes())
            if found.sha256 != sha256:
                raise ValueError("its columns have another SHA-256")
            _ = found.connectivity if found.kind == "synapses" else _parsed_source(found)
        except FileNotFoundError:
            raise ArraysLost(f"arrays {sha256}: must be in the store, and are not; upload them") from None
        except (ValueError, KeyError, TypeError, AttributeError, OSError, ValidationError) as error:
            raise _damaged(sha256, f"{FACTS} is not what was written ({type(error).__name__})") from error
        return found

    def _of_kind(self, sha256: str, kind: ArrayKind) -> StoredArrays:
        found = self._facts(sha256)
        if found.kind != kind:
            raise ArraysLost(f"arrays {sha256}: must be {kind}, got {found.kind}; name others")
        return found

    def _column(self, sha256: str, found: StoredArrays, name: str) -> NDArray[Any]:
        path = column_file(self._place(sha256), name)
        try:
            return map_column(path, column_of(found.kind, name).dtype, found.n)
        except (ValueError, OSError) as error:
            raise _damaged(sha256, str(error)) from error


def arrays_of(data: Path) -> str:
    """Return the folder of the store below the service's data folder, as every process finds it."""
    return str((data / FOLDER).resolve())


def _parsed_source(found: StoredArrays) -> UploadedSpikesSource:
    return UploadedSpikesSource(name="stored", size=0, **found.source)


def _damaged(sha256: str, what: str) -> ArraysLost:
    return ArraysLost(f"arrays {sha256}: must be as they were stored, and {what}; upload them again")


def _remove_unless_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        shutil.rmtree(path, ignore_errors=True)
        return True
    finally:
        os.close(handle)
