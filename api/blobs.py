"""Immutable files named by the SHA-256 of what they hold."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


class BlobStore:
    """A folder of blobs, each written once.

    Parameters
    ----------
    folder : Path
        Made when it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Store `content` so that it survives a crash; return its SHA-256 in hexadecimal digits."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            _write(path, content)
            _sync_folder(self.folder)
        return digest

    def get(self, digest: str) -> bytes:
        """Return what is stored under `digest`.

        Raises
        ------
        OSError
            The file is gone or is not what its name says.
        """
        content = self._path(digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise OSError(
                f"blob {digest}: content must have the SHA-256 of its name, and has not; restore the file"
            )
        return content

    def delete(self, digest: str) -> None:
        """Remove a blob; one that is gone is no error."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def _write(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
