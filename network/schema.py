"""What all parts of a description share: frozen models, and scalars that accept no look-alikes.

``"12"`` is not a number and ``true`` is not 1; NaN and infinities are refused everywhere. Each field's
description is a noun phrase: OpenAPI shows it, and an error about the field ends with *give <description>*.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from network.errors import NetworkError

MAX_ENTRIES = 100_000
"""Entries in a list of populations, sources, projections, recordings or inputs."""

MAX_NAMES = 1_000
"""Entries in a table of parameters or initial values."""

PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
SHA256 = r"^[0-9a-f]{64}$"


def _require_tag(schema: dict[str, Any]) -> None:
    """Mark ``kind`` or ``rule`` as required: the default is for Python, JSON always names its variant."""
    tags = [name for name in ("kind", "rule") if "const" in schema.get("properties", {}).get(name, {})]
    if tags:
        schema["required"] = tags + [name for name in schema.get("required", []) if name not in tags]


class Description(BaseModel):
    """Frozen base of all parts of a description; unknown fields are refused.

    What a part computes once and keeps (`functools.cached_property`, with a name that begins with an
    underscore) is no part of its value: comparisons, JSON, copies and pickles are without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_require_tag)

    def __copy__(self) -> Self:
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        state, fields = super().__getstate__(), type(self).model_fields
        kept = {name: value for name, value in state["__dict__"].items() if name in fields}
        return state | {"__dict__": kept}


def at_most(limit: int) -> BeforeValidator:
    """Return a validator that refuses a longer list or table before it looks at any entry."""

    def check(value: object) -> object:
        if isinstance(value, Sized) and not isinstance(value, str | bytes) and len(value) > limit:
            rule = f"must have at most {limit} entries, got {len(value)}"
            raise NetworkError([("", f"{rule}; merge or remove some")])
        return value

    return BeforeValidator(check)


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=128, pattern=PRINTABLE)]
Sha256 = Annotated[str, Field(strict=True, pattern=SHA256)]
LongName = Annotated[str, Field(strict=True, min_length=1, max_length=258, pattern=PRINTABLE)]

# One error is enough for lists that may hold millions: the first wrong entry ends the check.
Indices = Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], Field(fail_fast=True)]
Numbers = Annotated[tuple[Number, ...], Field(fail_fast=True)]
