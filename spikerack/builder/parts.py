"""From what users write, with NumPy where they like, to parts of a description that are checked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from numpy.typing import ArrayLike

from network import Value, parse
from network.schema import Description

Part = TypeVar("Part", bound=Description)

ValueLike: TypeAlias = Value | ArrayLike
"""What a value may be given as: a number, a value of `spikerack.builder.values`, or an array of numbers."""


def part(model: type[Part], path: str, /, **fields: Any) -> Part:
    """Return a part of a description.

    Parameters
    ----------
    model : type
        The part's class.
    path : str
        Where it stands, or what it is; errors begin with it.
    **fields
        Its fields, in any form that `plain` takes.

    Raises
    ------
    NetworkError
        It breaks a rule of the language.
    """
    return parse(model, {name: plain(value) for name, value in fields.items()}, path=path)


def plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays, and other iterables, as what JSON knows."""
    if type(value) in (int, float, str, bool, type(None)) or isinstance(value, Description | bytes):
        return value
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return value


def as_value(value: Any) -> Any:
    """Return a value as the language has it: arrays and lists become an `Array`, row after row."""
    given = plain(value)
    return {"kind": "array", "values": flat(given)} if isinstance(given, list) else given


def flat(values: list[Any]) -> list[Any]:
    """Return the entries of nested lists, in order."""
    if not any(isinstance(value, list) for value in values):
        return values
    return [entry for value in values for entry in (flat(value) if isinstance(value, list) else [value])]
