"""Bodies: JSON and nothing else; those that hold networks are not parsed before the key is checked."""

from __future__ import annotations

import email.message
from typing import Annotated, Any, TypeVar

import pydantic_core
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api.errors import MalformedRequest, UnsupportedMediaType
from network.duplicates import repeated_key
from network.errors import show

Model = TypeVar("Model", bound=BaseModel)


def require_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON.

    Raises
    ------
    UnsupportedMediaType
        The header Content-Type is missing or says something else.
    """
    given = request.headers.get("content-type", "")
    message = email.message.Message()
    message["content-type"] = given
    if not given or message.get_content_type() != "application/json":
        raise UnsupportedMediaType(f"Content-Type: must be application/json, got {given!r}; send JSON")


async def _read(request: Request) -> bytes:
    require_json(request)
    return await request.body()


RawJson = Annotated[bytes, Depends(_read)]
"""The bytes of a JSON body, not parsed yet."""

JSON_ONLY = [Depends(require_json)]
"""Dependencies of a route whose body FastAPI parses."""


def load_json(raw: bytes) -> Any:
    """Return what a JSON body holds.

    Raises
    ------
    MalformedRequest
        It is not JSON, nested 200 levels deep or more, or an object in it names a field twice.
    """
    try:
        parsed = pydantic_core.from_json(raw)
        repeated = repeated_key(raw, parsed)
    except ValueError as error:
        raise MalformedRequest(
            f"body: must be JSON, got an error: {error}; check it with a JSON tool"
        ) from None
    if repeated is not None:
        rule = f"must name each field of an object once, got {show(repeated)} twice"
        raise MalformedRequest(f"body: {rule}; remove one")
    return parsed


def validated(model: type[Model], data: Any) -> Model:
    """Return `data` as a body of class `model`.

    Raises
    ------
    RequestValidationError
        It is none.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        listed = error.errors(include_url=False)
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in listed]) from None


def raw_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that is read as `RawJson`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    }
