"""The outermost layer: a Request-Id on every answer, a problem for every error, a count of everything."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import MEDIA_TYPE, problem_of_status

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = logging.getLogger("api")


class Envelope:
    """Wraps the application.

    Layers further in answer some errors in plain text (the body limit) or not at all (faults). Here both
    become problem documents, so that no error leaves in another form.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; websockets only get their id."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, _Answer(scope, receive, send, request_id))

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        begin = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            return
        except Exception:
            _log.exception("request %s failed", answer.request_id)
            await answer.replace(500)
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, answer.status).inc()
        self._metrics.seconds.labels(route).observe(time.perf_counter() - begin)


class _Answer:
    """Sends one answer, or another one in its place."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.status = 0
        self._scope, self._receive, self._send = scope, receive, send
        self._replaced = False

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            content_type = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] >= 400 and content_type != MEDIA_TYPE:
                await self.replace(message["status"])
                return
            self.status = message["status"]
            self._label(message)
        await self._send(message)

    async def replace(self, status: int) -> None:
        """Answer with the problem of `status`, unless an answer has begun; then cut it off."""
        if self.status:
            raise ConnectionAbortedError(f"request {self.request_id}: failed in the middle of its answer")
        self._replaced, self.status = True, status
        response = problem_of_status(status).response(Request(self._scope))
        await response(self._scope, self._receive, self._send_labelled)

    async def _send_labelled(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._label(message)
        await self._send(message)

    def _label(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        headers["Request-Id"] = self.request_id
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Cache-Control", "private, no-cache")
