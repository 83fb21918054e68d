"""The language as JSON Schema: for editors, converters and validators that are not Python.

It says what each part shows alone: fields, types, limits, variants. What only shows when parts are seen
together, and what lies on the time grid, is checked by `network.parse_network`.
"""

from __future__ import annotations

from typing import Any

from network.description import Network

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a network; the caller may change it."""
    return {"$schema": DIALECT, **Network.model_json_schema()}
