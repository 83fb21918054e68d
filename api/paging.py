"""Cursors: where a list or a download goes on. Opaque to clients, plain numbers to us."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping

from api.errors import InvalidRequest
from api.models import PageQuery
from api.records import Records, Table
from api.storage import Row


def encode_cursor(*numbers: int) -> str:
    """Return non-negative `numbers` as a cursor."""
    return base64.urlsafe_b64encode(struct.pack(f"<{len(numbers)}q", *numbers)).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> tuple[int, ...]:
    """Return the `count` numbers of a cursor.

    Raises
    ------
    InvalidRequest
        It is not one that `encode_cursor` made.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        numbers = struct.unpack(f"<{count}q", raw)
    except (binascii.Error, struct.error, ValueError):
        numbers = (-1,)
    if min(numbers) < 0 or encode_cursor(*numbers) != cursor:
        message = f"must be the `next` of an answer, got {cursor!r}; start without a cursor"
        raise InvalidRequest(f"cursor: {message}", errors=[{"path": "cursor", "message": message}])
    return numbers


def listing(
    records: Records, table: Table, owner: str, query: PageQuery, where: Mapping[str, str] | None = None
) -> tuple[list[Row], str | None]:
    """Return one part of an owner's list and the cursor of the next part, None at the end.

    Raises
    ------
    InvalidRequest
        The cursor is not one of ours.
    """
    before = decode_cursor(query.cursor, 1)[0] if query.cursor else None
    rows = records.page(table, owner, limit=query.limit + 1, before=before, where=where)
    shown = rows[: query.limit]
    return shown, encode_cursor(shown[-1]["rowid"]) if len(rows) > query.limit else None
