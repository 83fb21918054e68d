"""Values seen with what they describe: lengths of arrays, distances, bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from network.errors import Problem, show
from network.positions import Space, reach_from_centre_um
from network.values import (
    MOST_SO_FAR,
    Array,
    Combined,
    Sum,
    Value,
    needs_distance,
    partial_bounds,
)


def neuron_value_problems(path: str, value: Value, size: int, space: Space | None) -> Iterator[Problem]:
    """Yield problems of a value that each neuron of a population has.

    Parameters
    ----------
    path : str
        Where the value stands.
    value : Value
    size : int
        The population's neurons.
    space : Space or None
        The population's positions.
    """
    if isinstance(value, Array):
        yield from length_problems(path, value, size, "neuron")
    elif needs_distance(value) and space is None:
        rule = "must be no function of distance in a population without positions"
        yield path, f"{rule}, got {show(value.kind)}; give the population positions"  # type: ignore[union-attr]
    else:
        yield from bounds_problems(path, value, 0.0 if space is None else reach_from_centre_um(space))


def length_problems(path: str, value: Array, n: int, each: str) -> Iterator[Problem]:
    """Yield the problem of an array that has not `n` values, one for `each`."""
    if len(value.values) != n:
        rule = f"must have {n} entries, one for each {each}"
        yield f"{path}.values", f"{rule}, got {len(value.values)}; give as many"


def bounds_problems(path: str, value: Value, reach_um: float = math.inf) -> Iterator[Problem]:
    """Yield the problem of the first term after which a sum or product can leave the numbers.

    What it is clipped to does not help: an infinity times 0 is no number. All other values are finite.
    """
    if not isinstance(value, Combined):
        return
    noun = "sum" if isinstance(value, Sum) else "product"
    for k, (low, high) in enumerate(partial_bounds(value, reach_um)):
        if not (abs(low) <= MOST_SO_FAR and abs(high) <= MOST_SO_FAR):
            rule = f"must keep the {noun} of the terms so far within {MOST_SO_FAR:g} of 0"
            yield f"{path}.of[{k}]", f"{rule}, got values from {show(low)} to {show(high)}; lower it"
            return
