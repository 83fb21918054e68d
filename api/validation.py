"""Refused parameters and bodies in the grammar of all errors: *where: rule, got value; what to do*.

The rules are those of the language (`network.translate`); here is only what a request has beside a network:
parameters, headers, patterns of its own, and what to do about each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from network.errors import show
from network.translate import PATTERNS, rule_of

RANGE = r"^[0-9]{1,10}:[0-9]{1,10}(:[0-9]{1,10})?$"
OWNER = r"^own_[0-9a-f]{12}$"
VISIBLE = r"^[\x21-\x7e]+$"

_PATTERNS = PATTERNS | {
    RANGE: "start:stop or start:stop:step in whole numbers",
    OWNER: "own_ and 12 hexadecimal digits in lower case",
    VISIBLE: "visible ASCII without spaces",
}

_ADVICE = {
    "missing": "add it",
    "extra_forbidden": "rename or remove it",
    "greater_than": "raise it",
    "greater_than_equal": "raise it",
    "less_than": "lower it",
    "less_than_equal": "lower it",
    "string_too_long": "shorten it",
    "too_long": "shorten it",
    "string_pattern_mismatch": "write it so",
    "datetime_type": "write it as 2030-01-31T12:00:00Z",
    "datetime_parsing": "write it as 2030-01-31T12:00:00Z",
    "datetime_from_date_parsing": "write it as 2030-01-31T12:00:00Z",
    "timezone_aware": "write it as 2030-01-31T12:00:00Z",
}
_BOUNDS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
_PLACES = {
    "query": "parameter of this resource",
    "header": "header of this resource",
    "body": "field of this body",
}


def told(details: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what was found in a request as places and messages.

    Parameters
    ----------
    details : iterable of mapping
        What pydantic found, at locations that begin with ``query``, ``header`` or ``body``.
    """
    return [
        {"path": path_of(item["loc"][1:]) or str(item["loc"][0]), "message": message_of(item)}
        for item in details
    ]


def message_of(detail: Mapping[str, Any], otherwise: str = "change it, see /openapi.json") -> str:
    """Return *rule, got value; what to do* for one thing that pydantic found; `otherwise` if all helps."""
    kind, place = detail["type"], _PLACES.get(str(next(iter(detail["loc"]), "")), "setting")
    if kind == "value_error":
        return str(detail["ctx"]["error"])  # One of ours, in this grammar.
    if kind == "missing":
        rule, got = "must be given", "nothing"
    elif kind == "extra_forbidden":
        rule, got = f"must be a {place}", show(detail["loc"][-1])
    else:
        rule, got = rule_of(detail, _PATTERNS), show(detail["input"])
    if kind in _BOUNDS:
        got = got.strip("'")  # A parameter's number is text.
    return f"{rule}, got {got}; {_ADVICE.get(kind, otherwise)}"


def path_of(location: tuple[int | str, ...]) -> str:
    """Return a place in a body in the notation of the network language, as in ``populations[2].size``."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.removeprefix(".")
