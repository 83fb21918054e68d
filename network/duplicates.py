"""Repeated keys: JSON lets an object name a key twice, and parsers keep the last one without a word."""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"\s*+(:?)')
"""A string, and the colon that makes a key of it."""


def repeated_key(text: bytes, parsed: Any) -> str | None:
    """Return a key that an object of a JSON text names twice, or None if all are named once.

    Parameters
    ----------
    text : bytes
        JSON, in UTF-8.
    parsed : object
        What a parser made of it.
    """
    # Keys are what a colon follows, and a parser that drops none keeps as many. Counting the colons, else
    # those behind a string, takes 10 to 350 ms in 15 MB, up to half of parsing it; reading all of it again,
    # to find the key, takes up to five times the parsing.
    n_keys = _n_keys(parsed)
    if n_keys == text.count(b":") or n_keys == sum(map(bool, _STRING.findall(text))):
        return None
    try:
        json.loads(text.decode(), object_pairs_hook=_unique, parse_int=float)
    except _Repeated as repeated:
        return repeated.key
    return None


class _Repeated(Exception):
    """A key stands twice in an object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(key)
            seen.add(key)
    return made


def _n_keys(parsed: Any) -> int:
    """Return the keys of all objects; lists that begin with a number count as lists of numbers."""
    n, left = 0, [parsed] if isinstance(parsed, dict | list) else []
    while left:
        value = left.pop()
        if isinstance(value, dict):
            n += len(value)
            left += [inner for inner in value.values() if isinstance(inner, dict | list)]
        elif value and isinstance(value[0], dict | list):
            left += [inner for inner in value if isinstance(inner, dict | list)]
    return n
