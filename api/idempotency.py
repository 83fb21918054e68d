"""``Idempotency-Key``: a POST that is sent again gets the answer of the first one, and nothing happens twice.

References
----------
draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.errors import IdempotencyInProgress, IdempotencyMismatch
from api.gateway import Gateway
from api.security import key_of_token, token_of
from api.storage import Storage
from api.validation import VISIBLE
from cluster.runfile import now

LIFE = timedelta(hours=24)
REPLAYED = "Idempotent-Replayed"
_KEPT_HEADERS = ("content-type", "location", "etag", "retry-after")


class Answers:
    """The answers that were given to requests with an Idempotency-Key, for a day."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def forget_unfinished(self) -> None:
        """Let go of requests that an earlier gateway did not live to answer."""
        self._storage.execute("DELETE FROM answers WHERE status IS NULL")

    def begin(self, owner: str, key: str, request_sha256: bytes) -> Response | None:
        """Return the answer to a request that was seen before; otherwise remember that it has begun.

        Raises
        ------
        IdempotencyMismatch
            The key was used for another request.
        IdempotencyInProgress
            The first request is not answered yet.
        """
        oldest = (datetime.now(UTC) - LIFE).isoformat(timespec="milliseconds")
        with self._storage.transaction():
            self._storage.execute("DELETE FROM answers WHERE created < ?", (oldest,))
            sql = "SELECT * FROM answers WHERE owner = ? AND idempotency_key = ?"
            rows = self._storage.query(sql, (owner, key))
            if rows:
                return _again(rows[0], request_sha256)
            sql = "INSERT INTO answers (owner, idempotency_key, request_sha256, created) VALUES (?, ?, ?, ?)"
            self._storage.execute(sql, (owner, key, request_sha256, now()))
        return None

    def finish(self, owner: str, key: str, response: Response) -> None:
        """Keep the answer."""
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        self._storage.execute(
            "UPDATE answers SET status = ?, headers = ?, body = ? WHERE owner = ? AND idempotency_key = ?",
            (response.status_code, json.dumps(headers), bytes(response.body), owner, key),
        )

    def drop(self, owner: str, key: str) -> None:
        """Forget a request that was refused: it may be sent again."""
        sql = "DELETE FROM answers WHERE owner = ? AND idempotency_key = ? AND status IS NULL"
        self._storage.execute(sql, (owner, key))


def _again(row: dict[str, Any], request_sha256: bytes) -> Response:
    key = row["idempotency_key"]
    if row["request_sha256"] != request_sha256:
        raise IdempotencyMismatch(
            f"Idempotency-Key: must come with the request it was first sent with, got {key!r} with another; "
            "use a new key for a new request"
        )
    if row["status"] is None:
        raise IdempotencyInProgress(
            f"Idempotency-Key: the first request with {key!r} is not answered yet; ask again", retry_after=1
        )
    headers = json.loads(row["headers"]) | {REPLAYED: "true"}
    return Response(row["body"], row["status"], headers)


class IdempotentRoute(APIRoute):
    """A route whose POST honours ``Idempotency-Key``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, wrapped."""
        handler = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get("Idempotency-Key")
            if key is None or request.method != "POST":
                return await handler(request)
            return await _once(request, key, handler)

        return once


async def _once(
    request: Request, key: str, handler: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    gateway: Gateway = request.app.state.gateway
    answers = Answers(gateway.storage)
    owner = (await run_in_threadpool(key_of_token, gateway, token_of(request.headers))).owner
    seen = await run_in_threadpool(answers.begin, owner, key, await _fingerprint(request))
    if seen is not None:
        return seen
    try:
        response = await handler(request)
    except BaseException:
        answers.drop(owner, key)  # Not in another thread: a request that is cancelled could not wait for it.
        raise
    await run_in_threadpool(answers.finish, owner, key, response)
    return response


async def _fingerprint(request: Request) -> bytes:
    scope = request.scope
    digest = hashlib.sha256(f"{scope['method']} {scope['path']}?{scope['query_string']!r}\n".encode())
    digest.update(await request.body())
    return digest.digest()


def _documented(
    _key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=128,
            pattern=VISIBLE,
            description="Any text. The same key with the same request gets the same answer for a day.",
        ),
    ] = None,
) -> None:
    """Describe the header to FastAPI."""


IDEMPOTENT = [Depends(_documented)]
"""Dependencies of a POST on an `IdempotentRoute`: they check the header and describe it."""
