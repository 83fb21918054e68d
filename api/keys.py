"""API keys: ``srk_<id>_<secret>``. Only the SHA-256 of the secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from api.errors import NotFound, RefusedTransition, Unauthorized
from api.storage import Row, Storage
from cluster.runfile import now

Scope = Literal["read", "run", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
SECRET_BYTES = 32

_NO_SECRET = hashlib.sha256(b"").digest()


@dataclass(frozen=True)
class Key:
    """Who calls, and what they may do. Everything stored belongs to an owner; keys of one owner share it."""

    id: str
    owner: str
    name: str
    scopes: frozenset[Scope]
    created: str
    expires: str | None = None


ANYBODY = Key(
    "anybody", "anybody", "authentication is off", frozenset(SCOPES), "1970-01-01T00:00:00.000+00:00"
)


class KeyRing:
    """Issues, checks and revokes keys."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def issue(
        self, name: str, *, scopes: Iterable[Scope], owner: str | None = None, expires: datetime | None = None
    ) -> tuple[Key, str]:
        """Make a key.

        Parameters
        ----------
        name : str
            For people; need not be unique.
        scopes : iterable of str
            What it may do.
        owner : str or None
            Whose records it opens; None makes a new owner.
        expires : datetime or None
            With a time zone. None is never.

        Returns
        -------
        key : Key
        token : str
            What the caller sends. It cannot be shown again.
        """
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
        granted = frozenset(scopes)
        until = expires.astimezone(UTC).isoformat(timespec="milliseconds") if expires else None
        key = Key(key_id, owner or f"own_{key_id}", name, granted, now(), until)
        self._storage.execute(
            "INSERT INTO keys (id, owner, name, secret_sha256, scopes, created, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key.id, key.owner, name, _hash(secret), json.dumps(sorted(granted)), key.created, until),
        )
        return key, f"srk_{key_id}_{secret}"

    def check(self, token: str) -> Key:
        """Return the key that a token belongs to. Takes as long for a wrong id as for a wrong secret.

        Raises
        ------
        Unauthorized
            Not a key of this service, or expired.
        """
        prefix, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        rows = self._storage.query("SELECT * FROM keys WHERE id = ?", (key_id,))
        stored = rows[0]["secret_sha256"] if rows else _NO_SECRET
        matches = hmac.compare_digest(_hash(secret), stored)
        if prefix != "srk" or not rows or not matches:
            raise Unauthorized("API key: must be one of this service, and is not; check SPIKERACK_API_KEY")
        key = _key(rows[0])
        if key.expires is not None and key.expires <= now():
            raise Unauthorized(
                f"API key {key.id}: must not have expired, and did at {key.expires}; ask for a new one"
            )
        return key

    def all(self) -> list[Key]:
        """Return all keys, newest first."""
        return [_key(row) for row in self._storage.query("SELECT * FROM keys ORDER BY rowid DESC")]

    def revoke(self, key_id: str) -> None:
        """Delete a key. What its owner has stored stays.

        Raises
        ------
        NotFound
            There is none of this id.
        RefusedTransition
            It is the last one with the scope admin.
        """
        with self._storage.transaction():
            keys = {key.id: key for key in self.all()}
            if key_id not in keys:
                raise NotFound(f"key: must be the id of a key, got {key_id!r}; list them at /v1/keys")
            if not any("admin" in key.scopes for other, key in keys.items() if other != key_id):
                raise RefusedTransition(
                    f"key {key_id}: the last key with the scope admin cannot be revoked; make another first"
                )
            self._storage.execute("DELETE FROM keys WHERE id = ?", (key_id,))

    def issue_first(self) -> str | None:
        """Make the first key, with all scopes; return its token, or None when there are keys already."""
        with self._storage.transaction():
            if self.all():
                return None
            return self.issue("first", scopes=SCOPES)[1]


def write_key_file(path: Path, token: str) -> None:
    """Write a token to a file that only its owner can read; replaces the file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(token + "\n")
    temporary.replace(path)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(row: Row) -> Key:
    scopes = frozenset(scope for scope in SCOPES if scope in json.loads(row["scopes"]))
    return Key(row["id"], row["owner"], row["name"], scopes, row["created"], row["expires"])
