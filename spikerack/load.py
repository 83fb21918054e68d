"""From what a user types, the name of an example or a file, to a network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from network import Network, parse_network
from spikerack.examples import EXAMPLES


class UnknownModelError(ValueError):
    """There is neither an example nor a file of that name."""


def load_network(
    model: str,
    *,
    scale: float | None = None,
    seed: int | None = None,
    options: Mapping[str, str] | None = None,
) -> Network:
    """Return a bundled example, or the network of a JSON file.

    Parameters
    ----------
    model : str
        An example's name, or a path.
    scale : float or None
        Size of the example; None for its full size.
    seed : int or None
        Replaces the network's seed.
    options : mapping from str to str
        Further options of the example, e.g. ``drive`` of the microcircuit.

    Raises
    ------
    UnknownModelError
        There is neither, or an option does not belong to it.
    NetworkError
        The file does not describe a network.
    """
    if model in EXAMPLES:
        return _example(model, scale=scale, seed=seed, options=options or {})
    path = Path(model)
    if not path.is_file():
        known = ", ".join(EXAMPLES)
        raise UnknownModelError(
            f"model: must be one of {known}, or a network's JSON file, got {model!r}; check the name"
        )
    if scale is not None or options:
        raise UnknownModelError(
            f"--scale and --set: are for the examples, got the file {model!r}; leave them out"
        )
    network = parse_network(path.read_bytes())
    return network if seed is None else network.model_copy(update={"seed": seed})


def parse_options(settings: Sequence[str]) -> dict[str, str]:
    """Return ``name=value`` settings as a mapping.

    Raises
    ------
    UnknownModelError
        A setting has no ``=``.
    """
    pairs = [setting.partition("=") for setting in settings]
    for setting, (_, equals, _) in zip(settings, pairs, strict=True):
        if not equals:
            raise UnknownModelError(f"--set: must be NAME=VALUE, got {setting!r}; e.g. --set drive=poisson")
    return {name: value for name, _, value in pairs}


def _example(model: str, *, scale: float | None, seed: int | None, options: Mapping[str, str]) -> Network:
    build = EXAMPLES[model]
    own = [name for name in inspect.signature(build).parameters if name not in {"scale", "seed"}]
    for name in options:
        if name not in own:
            known = ", ".join(own) or "no options"
            raise UnknownModelError(f"--set: {model} has {known}, got {name!r}; check the name")
    chosen: dict[str, Any] = {name: _number(value) for name, value in options.items()}
    chosen |= {} if scale is None else {"scale": scale}
    chosen |= {} if seed is None else {"seed": seed}
    return build(**chosen)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
