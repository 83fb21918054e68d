"""How an upload comes in: spooled to a file as it arrives, then read, checked and stored.

A body is spooled to a file that has no name, part by part, so that neither a slow client nor a large body
holds memory, and nothing is left of one that breaks off.
"""

from __future__ import annotations

import email.message
import errno
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.containers import Room, read_npz, read_packed
from api.errors import MalformedRequest, NoCapacity, UnsupportedMediaType
from api.gateway import Gateway
from api.limits import RETRY_AFTER_S, admit_bytes, admit_one_more
from api.storage import Row
from cluster.arrays import Draft, StoredArrays
from cluster.runfile import now
from network.arrays import ArrayKind

Read = Callable[[BinaryIO, Draft, Room], None]

CONTAINERS: dict[str, Read] = {
    "application/x-npz": read_npz,
    "application/zip": read_npz,
    "application/msgpack": read_packed,
}

_SPOOL_BYTES = 2**20


async def take_in(gateway: Gateway, owner: str, kind: ArrayKind, request: Request) -> tuple[Row, bool]:
    """Store the arrays of a request's body.

    Returns
    -------
    row : dict
        The owner's record of them.
    is_new : bool
        Whether the owner did not have them before.

    Raises
    ------
    UnsupportedMediaType, MalformedRequest, ArraysError
        The body is of another type, cannot be read, or breaks a rule of its kind.
    OverLimit, QuotaExceeded, NoCapacity
        There is no room for it.
    """
    read = _container(request)
    announced = _content_length(request)
    room = Room(gateway.settings.limits, gateway.settings.data)
    with (
        gateway.uploads.hold(owner),
        _told_when_full(),
        tempfile.TemporaryFile(dir=gateway.settings.data) as body,
    ):
        room.require_disk(announced or 0)
        n_bytes = await _spool(request, body, room)
        if announced is not None and announced != n_bytes:
            rule = f"Content-Length: must be the body's length, {n_bytes}, got {announced}"
            raise MalformedRequest(f"{rule}; send the whole body")
        return await run_in_threadpool(_store, gateway, owner, kind, body, read, room)


@contextmanager
def _told_when_full() -> Iterator[None]:
    """Turn what the system says of a full disk into what the service says of one."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        rule = "upload: the disk must have room for it, and is full"
        raise NoCapacity(f"{rule}; delete arrays or runs", retry_after=RETRY_AFTER_S) from error


def _container(request: Request) -> Read:
    given = request.headers.get("content-type", "")
    message = email.message.Message()
    message["content-type"] = given
    if not given or message.get_content_type() not in CONTAINERS:
        rule = f"Content-Type: must be one of {', '.join(CONTAINERS)}, got {given!r}"
        raise UnsupportedMediaType(f"{rule}; send an npz file or a stream of msgpack maps")
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise UnsupportedMediaType(
            f"Content-Encoding: must be identity, got {coding!r}; deflate inside an npz"
        )
    return CONTAINERS[message.get_content_type()]


def _content_length(request: Request) -> int | None:
    given = request.headers.get("content-length", "")
    return int(given) if re.fullmatch("[0-9]{1,20}", given) else None


async def _spool(request: Request, body: BinaryIO, room: Room) -> int:
    """Write a body to a file; return its bytes."""
    waiting, n_bytes = bytearray(), 0

    def write() -> None:
        room.require_disk()
        body.write(waiting)
        waiting.clear()

    async for part in request.stream():
        waiting += part
        n_bytes += len(part)
        if len(waiting) >= _SPOOL_BYTES:
            await run_in_threadpool(write)
    await run_in_threadpool(write)
    return n_bytes


def _store(
    gateway: Gateway, owner: str, kind: ArrayKind, body: BinaryIO, read: Read, room: Room
) -> tuple[Row, bool]:
    with gateway.arrays.draft(kind) as draft:
        read(body, draft, room)
        sealed = draft.seal()
        gateway.arrays.drop_damaged(sealed.sha256)
        with gateway.records.transaction():
            is_new = sealed.sha256 not in gateway.records.ids("arrays", owner)
            if is_new:
                _admit(gateway, owner, sealed)
            gateway.arrays.publish(draft, sealed)
            if is_new:
                gateway.records.add("arrays", owner, _row(sealed))
            return gateway.records.one("arrays", owner, sealed.sha256), is_new


def _admit(gateway: Gateway, owner: str, sealed: StoredArrays) -> None:
    limits, records = gateway.settings.limits, gateway.records
    admit_one_more("stored arrays", records.count("arrays", owner), limits.arrays, instead="delete some")
    admit_bytes(records.array_bytes(owner), sealed.n_bytes, limits)


def _row(sealed: StoredArrays) -> Row:
    described = sealed.connectivity.model_dump() if sealed.kind == "synapses" else sealed.source
    return {
        "id": sealed.sha256,
        "kind": sealed.kind,
        "n": sealed.n,
        "n_bytes": sealed.n_bytes,
        "columns": json.dumps(list(sealed.columns)),
        "described": json.dumps(described),
        "created": now(),
    }
