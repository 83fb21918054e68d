"""Values seen with what they describe: lengths of arrays, distances, bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from network.errors import Problem, show
from network.positions import Space, reach_from_centre_um
from network.values import Array, Value, bounds_of, needs_distance


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


def bounds_problems(path: str, value: Value, reach_um: float) -> Iterator[Problem]:
    """Yield the problem of a value that can leave the numbers."""
    low, high = bounds_of(value, reach_um)
    if not (math.isfinite(low) and math.isfinite(high)):
        yield path, f"must stay finite, got values from {show(low)} to {show(high)}; give low and high"
