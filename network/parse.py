"""From JSON, or a dict, to a checked description; every refusal is a `NetworkError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from network.description import Network
from network.duplicates import repeated_key
from network.errors import NetworkError, show
from network.translate import translate

Model = TypeVar("Model", bound=BaseModel)


def parse_network(data: Mapping[str, Any] | str | bytes) -> Network:
    """Return the network that `data` describes.

    Parameters
    ----------
    data : mapping, str or bytes
        The description: a dict as ``model_dump`` gives it, or JSON.

    Raises
    ------
    NetworkError
        It is no JSON, or breaks a rule of the language.
    """
    if isinstance(data, str | bytes):
        data = _from_json(data)
    return parse(Network, data)


def parse(model: type[Model], data: object, *, path: str = "") -> Model:
    """Return a part of a network, checked as far as it can be alone.

    Parameters
    ----------
    model : type
        The part's class.
    data : object
        The description of the part: a dict, or an instance.
    path : str
        Where the part stands in the network; errors begin with it.

    Raises
    ------
    NetworkError
        It breaks a rule of the language.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise translate(error, model, path=path) from None


def _from_json(data: str | bytes) -> Any:
    text = data.encode() if isinstance(data, str) else data
    try:
        parsed = pydantic_core.from_json(text)
        repeated = repeated_key(text, parsed)
    except ValueError as error:
        message = f"must be JSON, got text that is not: {error}; check it with a JSON tool"
        raise NetworkError([("network", message)]) from None
    if repeated is not None:
        rule = f"must name each field of an object once, got {show(repeated)} twice"
        raise NetworkError([("network", f"{rule}; remove one")])
    return parsed
