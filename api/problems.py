"""How every error is answered: one table from error class to HTTP status and websocket close code.

*Theory of operation.* Code raises; nothing but this module turns an error into an answer. `problem_of` looks
an error's class up in `KINDS` along its bases, so a subclass needs no line of its own. The answer is a
problem document (RFC 9457); its `type` is stable, its `title` belongs to the type, its `detail` to the
occurrence. What is not in the table is a fault of ours: it is logged with the request's id, and the caller
learns the id and nothing else.

References
----------
RFC 9457, Problem Details for HTTP APIs. RFC 6455, section 7.4.2: close codes 4000-4999 are the application's
own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from api import errors
from api.validation import told
from cluster.errors import ArraysLost, CapacityError, ClusterError, DeploymentLost, RefusedQuery, RunConflict
from network import NetworkError
from network.arrays import ArraysError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One line of the table.

    Attributes
    ----------
    slug : str
        Last part of the problem's `type`.
    title : str
        The same for every occurrence.
    status : int
        HTTP status.
    close_code : int
        Websocket close code, for errors that end a stream.
    """

    slug: str
    title: str
    status: int
    close_code: int

    @property
    def type(self) -> str:
        """The problem's type, a URI reference."""
        return f"/problems/{self.slug}"


def _kind(slug: str, title: str, status: int, close_code: int | None = None) -> Kind:
    return Kind(slug, title, status, 4000 + status if close_code is None else close_code)


INTERNAL = _kind("internal-error", "The service failed", 500)
MALFORMED = _kind("malformed-request", "The request cannot be read", 400)

KINDS: dict[type[BaseException], Kind] = {
    errors.MalformedRequest: MALFORMED,
    errors.UnsupportedSubprotocol: _kind(
        "unsupported-subprotocol", "The stream's protocol is not spoken here", 400
    ),
    errors.Unauthorized: _kind("unauthorized", "A valid API key is needed", 401),
    errors.Forbidden: _kind("forbidden", "The key or the origin does not allow this", 403),
    errors.NotFound: _kind("not-found", "There is no such thing", 404),
    errors.NotAcceptable: _kind("not-acceptable", "No accepted format is on offer", 406),
    errors.SlowViewer: _kind("slow-viewer", "The viewer did not read", 408),
    errors.RefusedTransition: _kind("refused-transition", "The state does not allow the action", 409),
    errors.NetworkInUse: _kind("network-in-use", "The network is deployed", 409),
    errors.ArraysInUse: _kind("arrays-in-use", "A stored network names the arrays", 409),
    ArraysLost: _kind("arrays-lost", "Uploaded arrays are not whole any more", 409),
    errors.IdempotencyInProgress: _kind(
        "idempotency-in-progress", "The first request is not answered yet", 409
    ),
    RefusedQuery: _kind("invalid-request", "The request is not valid", 422),
    RunConflict: _kind("run-conflict", "The deployment or run does not allow the action", 409),
    DeploymentLost: _kind("deployment-lost", "What ran the deployment is gone", 409),
    errors.UnsupportedMediaType: _kind("unsupported-media-type", "The body is of another type", 415),
    errors.InvalidRequest: _kind("invalid-request", "The request is not valid", 422),
    RequestValidationError: _kind("invalid-request", "The request is not valid", 422),
    ArraysError: _kind("invalid-arrays", "The arrays are not valid", 422),
    NetworkError: _kind("invalid-network", "The network is not valid", 422),
    CapacityError: _kind("does-not-fit", "The network does not fit the system", 422),
    errors.OverLimit: _kind("over-limit", "The estimate is above the service's limit", 422),
    errors.IdempotencyMismatch: _kind(
        "idempotency-key-reused", "The Idempotency-Key came with another body", 422
    ),
    errors.QuotaExceeded: _kind("quota-exceeded", "One owner may not hold more", 429),
    errors.NoCapacity: _kind("no-capacity", "There is no room now", 503),
    errors.Unavailable: _kind("unavailable", "A part of the service does not answer", 503),
    ClusterError: _kind("unavailable", "A part of the service does not answer", 503),
    errors.UnexpectedMessage: _kind("unexpected-message", "A stream takes no messages", 400, close_code=1003),
}

STATUS_KINDS = {
    400: MALFORMED,
    404: KINDS[errors.NotFound],
    405: _kind("method-not-allowed", "The resource does not know this method", 405),
    413: _kind("payload-too-large", "The body is too large", 413),
    500: INTERNAL,
}

_STATUS_DETAILS = {
    400: "the body cannot be read: malformed, or nested too deeply; send JSON of less than 200 levels",
    404: "nothing is served at this path; see /openapi.json",
    405: "the resource does not know this method; see the header Allow",
    413: "the body is larger than this resource takes; send a smaller one",
    500: "the fault is on our side; report the request_id to the operator",
}

_LARGE = "the body is larger than this resource takes"
_TOO_LARGE = {
    "/v1/networks": f"{_LARGE}; describe connectivity by rules, or upload lists to /v1/arrays",
    "/v1/fits": f"{_LARGE}; describe connectivity by rules, or upload lists to /v1/arrays",
    "/v1/arrays": f"{_LARGE}; split the list over several projections or sources",
}


@dataclass(frozen=True)
class Problem:
    """An error as it is told to a client."""

    kind: Kind
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self, connection: HTTPConnection) -> dict[str, Any]:
        """Return the problem document of this occurrence."""
        return {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self._detail_at(connection.scope["path"]),
            "instance": connection.scope["path"],
            "request_id": connection.scope.get("state", {}).get("request_id"),
            **self.extra,
        }

    def _detail_at(self, path: str) -> str:
        """Return the detail, with better advice where networks and arrays are posted."""
        return _TOO_LARGE.get(path, self.detail) if self.kind.status == 413 else self.detail

    def response(self, connection: HTTPConnection) -> JSONResponse:
        """Return the answer to a request."""
        return JSONResponse(
            self.to_dict(connection), self.kind.status, headers=dict(self.headers), media_type=MEDIA_TYPE
        )


def problem_of(error: BaseException) -> Problem:
    """Return how an error is told to a client; an unknown one as an internal error that says nothing."""
    if isinstance(error, HTTPException):
        return problem_of_status(error.status_code, headers=error.headers)
    kind = next((KINDS[base] for base in type(error).__mro__ if base in KINDS), None)
    if kind is None:
        return problem_of_status(500)
    if isinstance(error, RequestValidationError):
        return _problem_of_validation(error, kind)
    if isinstance(error, NetworkError):
        listed = [{"path": path, "message": message} for path, message in error.errors]
        return Problem(kind, str(error), {"errors": listed})
    if isinstance(error, RefusedQuery):
        return Problem(kind, str(error), {"errors": [{"path": error.path, "message": error.message}]})
    if isinstance(error, CapacityError):
        return Problem(kind, str(error), {"problems": list(error.problems)})
    extra = dict(getattr(error, "extra", {}))
    return Problem(kind, str(error), extra, _headers(kind, extra))


def problem_of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem of an error that frameworks raise by its status alone."""
    kind = STATUS_KINDS.get(status)
    if kind is None:
        phrase = HTTPStatus(status).phrase
        kind = _kind(re.sub(r"\W+", "-", phrase.lower()), phrase, status)
    return Problem(kind, _STATUS_DETAILS.get(status, kind.title), headers=dict(headers or {}))


def _problem_of_validation(error: RequestValidationError, kind: Kind) -> Problem:
    if any(item["type"] == "json_invalid" for item in error.errors()):
        position = error.errors()[0]["loc"][-1]
        reason = error.errors()[0].get("ctx", {}).get("error", "not JSON")
        rule = f"body: must be JSON, got an error at character {position}: {reason}"
        return Problem(MALFORMED, f"{rule}; check it with a JSON tool")
    listed = told(error.errors())
    detail = "\n".join(f"{item['path']}: {item['message']}" for item in listed)
    return Problem(kind, detail, {"errors": listed})


def _headers(kind: Kind, extra: Mapping[str, Any]) -> dict[str, str]:
    headers = {"Retry-After": str(extra["retry_after"])} if "retry_after" in extra else {}
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers
