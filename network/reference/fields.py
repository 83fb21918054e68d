"""What a field may be, in words, from its annotation."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

WORDS: Mapping[Any, str] = {float: "number", int: "whole number", str: "text", bool: "true or false"}

_COMPARISONS = ((annotated_types.Ge, "ge", ">="), (annotated_types.Gt, "gt", ">"),
                (annotated_types.Le, "le", "<="), (annotated_types.Lt, "lt", "<"))  # fmt: skip


def type_of(field: FieldInfo, unions: Mapping[frozenset[Any], str]) -> str:
    """Return what a field may be.

    Parameters
    ----------
    field : FieldInfo
        The field.
    unions : mapping
        What the union of some classes is called.
    """
    return _words(field.annotation, field.metadata, unions)


def default_of(field: FieldInfo) -> str:
    """Return a field's default, or the word required."""
    if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
        return "required"  # A tag: only Python may leave it out.
    if field.default_factory is dict:
        return "`{}`"
    if field.default_factory is not None:
        return "`source->target`"
    if field.is_required():
        return "required"
    names = {None: "null", True: "true", False: "false", (): "[]"}
    default = field.default
    if isinstance(default, str):
        return f'`"{default}"`'
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    return f"`{names[default] if default is None or isinstance(default, bool) else f'{default:g}'}`"


def _words(kind: Any, metadata: Iterable[Any], unions: Mapping[frozenset[Any], str]) -> str:
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return _words(inner, [*more, *metadata], unions)
    if get_origin(kind) in (Union, types.UnionType):
        return _union(kind, unions)
    limits = list(_limits(metadata))
    if get_origin(kind) is tuple:
        return _list(kind, limits, unions)
    if get_origin(kind) is dict:
        return f"object of {_words(get_args(kind)[1], (), unions)} by name"
    if get_origin(kind) is Literal:
        return " or ".join(f'`"{word}"`' for word in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return link(kind)
    if kind is str:
        return _text(dict(limits))
    return f"{WORDS[kind]} {', '.join(f'{sign} {_number(limit)}' for sign, limit in limits)}".strip()


def _text(lengths: Mapping[str, Any]) -> str:
    if not lengths:
        return WORDS[str]
    return f"{WORDS[str]} of {lengths['min']} to {lengths['max']} characters"


def link(model: type[BaseModel]) -> str:
    """Return a link to a class's own heading."""
    return f"[{model.__name__}](#{model.__name__.lower()})"


def _union(kind: Any, unions: Mapping[frozenset[Any], str]) -> str:
    members = [member for member in get_args(kind) if member is not types.NoneType]
    null = " or null" if len(members) < len(get_args(kind)) else ""
    if len(members) == 1:
        return _words(members[0], (), unions) + null
    return unions[frozenset(map(_bare, members))] + null


def _bare(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def bare_members(alias: Any) -> frozenset[Any]:
    """Return the classes of a union, without what annotates them."""
    return frozenset(map(_bare, get_args(_bare(alias))))


def _list(kind: Any, limits: list[tuple[str, Any]], unions: Mapping[frozenset[Any], str]) -> str:
    members = get_args(kind)
    lengths = {name: value for name, value in limits if name in ("min", "max")}
    if members[-1] is not Ellipsis:
        size = f"{len(members)} "
    elif lengths:
        size = f"{lengths.get('min', 0)} to {_number(lengths['max'])} "
    else:
        size = ""
    of = list(dict.fromkeys(_words(member, (), unions) for member in members if member is not Ellipsis))
    each = of[0].replace("number", "numbers", 1) if of[0].startswith(("number", "whole")) else of[0]
    return f"list of {size}{each}"


def _limits(metadata: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    """Yield the limits among an annotation's metadata: comparisons, and lengths as ``min`` and ``max``."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _limits(item.metadata)
        for kind, attribute, sign in _COMPARISONS:
            if isinstance(item, kind):
                yield sign, getattr(item, attribute)
        if isinstance(item, annotated_types.MultipleOf):
            yield "multiple of", item.multiple_of
        if isinstance(item, annotated_types.MinLen):
            yield "min", item.min_length
        if isinstance(item, annotated_types.MaxLen):
            yield "max", item.max_length


def _number(value: Any) -> str:
    if isinstance(value, int) and value >= 2**20 and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    return f"{value:g}" if isinstance(value, float) else str(value)
