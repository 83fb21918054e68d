"""``/v1/schemas``: the language as JSON Schema. No key is asked for: editors and validators have none."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.conditional import NOT_MODIFIED, etag, not_modified
from api.openapi import public_problems
from network import json_schema

router = APIRouter(prefix="/v1/schemas", tags=["schemas"])


class SchemaResponse(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


@cache
def _network_schema() -> tuple[bytes, str]:
    """Return the schema of networks as JSON, and its ETag."""
    body = bytes(SchemaResponse(json_schema()).body)
    return body, etag(body)


@router.get("/network", response_class=SchemaResponse, responses={**NOT_MODIFIED, **public_problems()})
def get_network_schema(request: Request) -> Response:
    """Return the JSON Schema (draft 2020-12) of a network's description."""
    body, tag = _network_schema()
    same = not_modified(request, tag)
    return same or Response(body, media_type=SchemaResponse.media_type, headers={"ETag": tag})
