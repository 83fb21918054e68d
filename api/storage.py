"""The gateway's database: one SQLite file, one writer."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.schema import MIGRATIONS

BUSY_MS = 5_000

Row = dict[str, Any]


def make_private(folder: Path) -> None:
    """Make the data folder, or take one that exists, and let nobody but its owner into it.

    It holds the networks, the results and the digests of the keys. The folders above it stay as they are.

    Raises
    ------
    RuntimeError
        It exists and belongs to another user.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        folder.chmod(0o700)
    except PermissionError:
        owner = folder.stat().st_uid
        raise RuntimeError(
            f"data folder {folder}: must belong to user {os.geteuid()}, who runs the gateway, got {owner}; "
            "change its owner or set SPIKERACK_DATA"
        ) from None


class Storage:
    """Opens the database, brings its schema up to date, and serialises what is done with it.

    One connection under one lock: statements take microseconds, so more connections would gain nothing. A
    lock on the folder keeps a second gateway away from it; the kernel lets go of it when the process dies,
    however it dies.

    Parameters
    ----------
    folder : Path
        The data folder; made when it does not exist. In any case it is closed to all but its owner.

    Raises
    ------
    RuntimeError
        Another gateway uses the folder, a newer version has used it, or it belongs to another user.
    """

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._guard = _claim(folder / "gateway.lock")
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / "gateway.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            f"busy_timeout = {BUSY_MS}",
            "foreign_keys = ON",
            "synchronous = FULL",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is done inside, or nothing of it when it raises. Nests; the outermost one commits."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that changes rows; return how many it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def close(self) -> None:
        """Close the database and let go of the folder."""
        with self._lock:
            self._connection.close()
        os.close(self._guard)

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise RuntimeError(
                f"data folder: schema version must be at most {len(MIGRATIONS)}, got {version}; "
                "start the newer version that wrote it"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;")


def _claim(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RuntimeError(
            f"data folder {path.parent}: one gateway may use it, another does; stop it or set SPIKERACK_DATA"
        ) from None
    return handle
