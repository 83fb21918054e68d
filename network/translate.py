"""From pydantic's errors to the language's own: *where: rule, got value; what to do*."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from network.errors import NetworkError, Problem, join_path, join_step, names, show
from network.schema import PRINTABLE, SHA256


class Place(NamedTuple):
    """Where an error is: its path, the annotation there, the field's description."""

    path: str
    kind: Any
    about: str


def translate(error: ValidationError, model: type[BaseModel], *, path: str = "") -> NetworkError:
    """Return pydantic's error about a `model` in the language's grammar.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    model : type
        The model that it validated.
    path : str
        Where the model stands in the network; "" for the network itself.
    """
    problems: list[Problem] = []
    n_more = 0
    for detail in error.errors(include_url=False):
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, NetworkError):
            where = locate(detail["loc"], model, path=path).path
            problems += [(join_path(where, rest), message) for rest, message in cause.errors]
            n_more += cause.n_more
        else:
            problems += _problems(detail, model, path)
    return NetworkError([(where or "network", message) for where, message in problems], n_more)


def locate(loc: Sequence[str | int], model: type[BaseModel], *, path: str = "") -> Place:
    """Follow pydantic's location through the models' annotations, which tell variants' tags from fields."""
    kind: Any = model
    about = "the description as an object"
    for step in loc:
        if _is_model(kind):
            path = join_step(path, step)
            field = kind.model_fields.get(str(step))
            kind, about = (field.annotation, field.description or about) if field else (None, about)
        elif get_origin(kind) in (Union, types.UnionType):
            kind = next((member for member in get_args(kind) if _tag(member) == step), None)
        elif get_origin(kind) in (tuple, dict):
            path = join_step(path, step)
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
        kind = _bare(kind)
    return Place(path, kind, about)


def _bare(kind: Any) -> Any:
    """Return an annotation without ``Annotated`` and ``| None``."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType) and types.NoneType in get_args(kind):
            kind = next(member for member in get_args(kind) if member is not types.NoneType)
        else:
            return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tag(member: Any) -> str:
    """Return the tag that tells a variant apart: the default of its ``kind`` or ``rule``."""
    member = _bare(member)
    fields = member.model_fields if _is_model(member) else {}
    return next((str(fields[name].default) for name in ("rule", "kind") if name in fields), "number")


def _problems(detail: ErrorDetails, model: type[BaseModel], path: str) -> Iterator[Problem]:
    kind, loc = detail["type"], detail["loc"]
    place = locate(loc, model, path=path)
    if kind == "default_factory_not_called" or (kind == "too_short" and detail["input"]):
        return  # The field that the default needs, or an entry of the list, is refused, and reported.
    if kind == "missing":
        yield place.path, f"must be given, got nothing; give {place.about}"
    elif kind == "extra_forbidden":
        owner = locate(loc[:-1], model, path=path)
        fields = names(owner.kind.model_fields)
        yield owner.path, f"must have only the fields {fields}, got {show(loc[-1])}; rename or remove it"
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        yield _unknown_variant(detail["input"], place)
    else:
        yield place.path, f"{rule_of(detail)}, got {show(detail['input'])}; give {place.about}"


def _unknown_variant(value: dict[str, Any], place: Place) -> Problem:
    """Name the variants of a union, none of which `value` is."""
    members = [_bare(member) for member in get_args(place.kind)]
    tag = "rule" if any("rule" in member.model_fields for member in members if _is_model(member)) else "kind"
    known = names(_tag(member) for member in members if _is_model(member))
    got = show(value[tag]) if tag in value else "nothing"
    return join_step(place.path, tag), f"must be one of {known}, got {got}; give {place.about}"


def _limit(sign: str, key: str) -> Callable[[dict[str, Any]], str]:
    return lambda ctx: f"must be {sign} {show(ctx[key])}"


def _be(what: str) -> Callable[[dict[str, Any]], str]:
    return lambda _: f"must be {what}"


PATTERNS = {PRINTABLE: "printable text", SHA256: "64 hexadecimal digits in lower case"}
"""What a text of each pattern is."""

RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": _limit(">", "gt"),
    "greater_than_equal": _limit(">=", "ge"),
    "less_than": _limit("<", "lt"),
    "less_than_equal": _limit("<=", "le"),
    "finite_number": _be("finite"),
    "float_type": _be("a number"),
    "float_parsing": _be("a number"),
    "int_type": _be("a whole number"),
    "int_parsing": _be("a whole number"),
    "int_parsing_size": _be("a whole number of fewer digits"),
    "int_from_float": _be("a whole number"),
    "string_type": _be("text"),
    "string_unicode": _be("valid Unicode text"),
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda ctx: f"must have at most {ctx['max_length']} characters",
    "bool_type": _be("true or false"),
    "bool_parsing": _be("true or false"),
    "datetime_type": _be("a date and time"),
    "datetime_parsing": _be("a date and time"),
    "datetime_from_date_parsing": _be("a date and time"),
    "timezone_aware": lambda _: "must say its time zone",
    "multiple_of": lambda ctx: f"must be a multiple of {ctx['multiple_of']}",
    "too_short": lambda _: "must not be empty",
    "too_long": lambda ctx: f"must have at most {ctx['max_length']} entries",
    "literal_error": lambda ctx: f"must be {ctx['expected']}",
    "tuple_type": _be("a list"),
    "list_type": _be("a list"),
    "dict_type": _be("an object"),
    "model_type": _be("an object"),
    "model_attributes_type": _be("an object"),
}
"""The rule that each of pydantic's error types stands for, as a function of its context."""


def rule_of(detail: ErrorDetails | Mapping[str, Any], patterns: Mapping[str, str] = PATTERNS) -> str:
    """Return the rule that was broken, as in ``must be >= 0``.

    Parameters
    ----------
    detail : mapping
        What pydantic found.
    patterns : mapping from str to str
        What a text of each pattern is.
    """
    kind, ctx = detail["type"], detail.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return f"must be {patterns[ctx['pattern']]}"
    return RULES[kind](ctx) if kind in RULES else f"must be valid ({detail['msg']})"
