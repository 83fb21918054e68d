"""The OpenAPI document: what FastAPI derives, every problem a route can answer, the schema of networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from api import errors
from api.models import FitRequest
from api.problems import KINDS, MEDIA_TYPE, STATUS_KINDS, Kind
from cluster.errors import ArraysLost, CapacityError, DeploymentLost, RunConflict
from network import Network, NetworkError
from network.arrays import ArraysError

_REF = "#/components/schemas/{model}"

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Members beside these belong to the type.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Stable; act on this, not on the text.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Where: rule, got value; what to do."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "The header Request-Id of this answer."},
        "errors": {
            "type": "array",
            "description": "For invalid requests and networks: each place that is wrong.",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "resource": {"type": "string", "description": "For limits and quotas: what there is too much of."},
        "estimate": {"type": "number", "description": "For limits and quotas: how much it would be."},
        "limit": {"type": "number", "description": "For limits and quotas: how much may be."},
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Actions that the state allows.",
        },
    },
}

DESCRIPTION = """\
Deploy a spiking network onto an emulated rack of neuromorphic chips, run it, and stream its spikes.

Every error is a problem document (`application/problem+json`). Long work answers 202 with a `Location` to
poll. A POST with an `Idempotency-Key` may be sent again. The spikes of a run are streamed by the websocket
`/v1/runs/{run_id}/stream` (subprotocol `spikes.v1.msgpack`).
"""

_ALWAYS: tuple[type[BaseException] | int, ...] = (
    400,
    errors.Unauthorized,
    errors.Forbidden,
    413,
    errors.InvalidRequest,
)
Responses = dict[int | str, dict[str, Any]]


def problems(*more: type[BaseException] | int) -> Responses:
    """Return the description of the problems of a route with a key: `more`, and those that each can answer.

    What is given are error classes of the table in `api.problems`, or statuses.
    """
    return public_problems(*_ALWAYS, *more)


def public_problems(*some: type[BaseException] | int) -> Responses:
    """Return the description of the problems of a route that asks for no key."""
    kinds = [STATUS_KINDS[item] if isinstance(item, int) else KINDS[item] for item in some]
    return {
        status: _described(kind for kind in kinds if kind.status == status) for status in _statuses(kinds)
    }


STORED = (errors.NotFound,)
POSTED = (errors.IdempotencyInProgress, errors.IdempotencyMismatch)
JSON_POSTED = (*POSTED, errors.UnsupportedMediaType)
DESCRIBED = (NetworkError, errors.OverLimit, ArraysLost)
UPLOADED = (
    errors.UnsupportedMediaType,
    ArraysError,
    errors.OverLimit,
    errors.QuotaExceeded,
    errors.NoCapacity,
    ArraysLost,
)
DEPLOYED = (*STORED, *JSON_POSTED, *DESCRIBED, CapacityError, errors.QuotaExceeded, errors.NoCapacity)
CONTROLLED = (*STORED, *POSTED, errors.RefusedTransition, RunConflict, DeploymentLost, errors.Unavailable)


def _statuses(kinds: Iterable[Kind]) -> list[int]:
    return sorted({kind.status for kind in kinds})


def _described(kinds: Iterable[Kind]) -> dict[str, Any]:
    listed = list(dict.fromkeys(kinds))
    schema = {"$ref": _REF.format(model="Problem")}
    text = "; ".join(f"{kind.title} (`{kind.type}`)" for kind in listed)
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}


def operation_id(route: APIRoute) -> str:
    """Return the operation's id: the name of its function, as in ``create_network``."""
    return route.name


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, raw = models_json_schema([(model, "validation") for model in (Network, FitRequest)], ref_template=_REF)
    schemas |= raw["$defs"] | {"Problem": PROBLEM_SCHEMA}
    app.openapi_schema = document
    return document
