"""The one place where records are looked up: every query here is filtered by owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from api.errors import NotFound
from api.storage import Row, Storage

Table = Literal["networks", "arrays", "deployments", "runs"]

_SINGULAR = {"networks": "network", "arrays": "arrays", "deployments": "deployment", "runs": "run"}


class Records:
    """What owners have stored.

    Another owner's record is answered like one that never was. The methods named ``..._of_all`` are for the
    service itself (admission, the watch) and are never reached with a caller's ids.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.transaction = storage.transaction

    def add(self, table: Table, owner: str, row: Mapping[str, Any]) -> Row:
        """Store a new record and return it."""
        full = {**row, "owner": owner}
        marks = ", ".join("?" * len(full))
        self._storage.execute(
            f"INSERT INTO {table} ({', '.join(full)}) VALUES ({marks})", list(full.values())
        )
        return self.one(table, owner, str(row["id"]))

    def one(self, table: Table, owner: str, record_id: str) -> Row:
        """Return a record.

        Raises
        ------
        NotFound
            There is none of this id, or it is another owner's.
        """
        rows = self._storage.query(f"SELECT * FROM {table} WHERE owner = ? AND id = ?", (owner, record_id))
        if not rows:
            name = _SINGULAR[table]
            raise NotFound(
                f"{name}: must be the id of one of your {table}, got {record_id!r}; list them at /v1/{table}"
            )
        return rows[0]

    def page(
        self,
        table: Table,
        owner: str,
        *,
        limit: int,
        before: int | None = None,
        where: Mapping[str, str] | None = None,
    ) -> list[Row]:
        """Return up to `limit` records, newest first; those older than row `before`, if given.

        Each row has its place in the order as ``rowid``.
        """
        tests: list[str] = ["owner = ?"]
        values: list[str | int] = [owner, *(where or {}).values()]
        tests += [f"{column} = ?" for column in where or {}]
        if before is not None:
            tests, values = [*tests, "rowid < ?"], [*values, before]
        sql = f"SELECT rowid, * FROM {table} WHERE {' AND '.join(tests)} ORDER BY rowid DESC LIMIT ?"
        return self._storage.query(sql, (*values, limit))

    def change(self, table: Table, owner: str, record_id: str, **columns: Any) -> Row:
        """Set columns of a record and return it."""
        self.one(table, owner, record_id)
        names = ", ".join(f"{column} = ?" for column in columns)
        sql = f"UPDATE {table} SET {names} WHERE owner = ? AND id = ?"
        self._storage.execute(sql, (*columns.values(), owner, record_id))
        return self.one(table, owner, record_id)

    def remove(self, table: Table, owner: str, record_id: str) -> None:
        """Delete a record."""
        self.one(table, owner, record_id)
        self._storage.execute(f"DELETE FROM {table} WHERE owner = ? AND id = ?", (owner, record_id))

    def count(self, table: Table, owner: str) -> int:
        """Return how many records an owner has."""
        return int(
            self._storage.query(f"SELECT count(*) AS n FROM {table} WHERE owner = ?", (owner,))[0]["n"]
        )

    def live(self, table: Literal["deployments", "runs"], owner: str) -> list[Row]:
        """Return an owner's records that have not ended."""
        return self._storage.query(f"SELECT * FROM {table} WHERE owner = ? AND ended IS NULL", (owner,))

    def live_of_all(self, table: Literal["deployments", "runs"]) -> list[Row]:
        """Return the records of all owners that have not ended."""
        return self._storage.query(f"SELECT * FROM {table} WHERE ended IS NULL")

    def ids(self, table: Table, owner: str) -> frozenset[str]:
        """Return the ids of all that an owner has."""
        rows = self._storage.query(f"SELECT id FROM {table} WHERE owner = ?", (owner,))
        return frozenset(row["id"] for row in rows)

    def array_bytes(self, owner: str) -> int:
        """Return the bytes of all arrays that an owner has."""
        sql = "SELECT coalesce(sum(n_bytes), 0) AS n FROM arrays WHERE owner = ?"
        return int(self._storage.query(sql, (owner,))[0]["n"])

    def bind_arrays(self, network_id: str, array_ids: Iterable[str]) -> None:
        """Take note of the arrays that a network names; they stay as long as it does."""
        for array_id in array_ids:
            self._storage.execute("INSERT INTO network_arrays VALUES (?, ?)", (network_id, array_id))

    def networks_of_arrays(self, owner: str, array_id: str) -> list[str]:
        """Return the ids of an owner's networks that name arrays."""
        sql = (
            "SELECT networks.id FROM networks JOIN network_arrays ON network_id = networks.id"
            " WHERE owner = ? AND array_id = ? ORDER BY networks.rowid"
        )
        return [row["id"] for row in self._storage.query(sql, (owner, array_id))]

    def array_owners_of_all(self, array_id: str) -> int:
        """Return how many owners have arrays."""
        sql = "SELECT count(*) AS n FROM arrays WHERE id = ?"
        return int(self._storage.query(sql, (array_id,))[0]["n"])

    def blob_users_of_all(self, sha256: str) -> int:
        """Return how many networks, of whomever, are described by one blob."""
        return int(
            self._storage.query("SELECT count(*) AS n FROM networks WHERE sha256 = ?", (sha256,))[0]["n"]
        )
