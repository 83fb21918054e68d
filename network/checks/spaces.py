"""Positions of one population, and the common space of the two ends of a projection."""

from __future__ import annotations

from collections.abc import Iterator

from network.checks.values import bounds_problems, length_problems
from network.connectivity import DistanceDependent
from network.errors import Problem, names, show
from network.positions import MAX_UM, FreePositions, GridPositions, Positions, Space
from network.projection import Projection
from network.values import Array, Value, bounds_of, needs_distance


def position_problems(path: str, positions: Positions | None, size: int) -> Iterator[Problem]:
    """Yield the problems of the positions of a population of `size` neurons."""
    match positions:
        case GridPositions() if positions.n_cells != size:
            rule = f"must have {size} cells, one for each neuron, got {_product(positions.shape)}"
            yield f"{path}.shape", f"{rule}; change it or the population's size"
        case FreePositions():
            for k, coordinate in enumerate(positions.coordinates_um):
                yield from _coordinate_problems(f"{path}.coordinates_um[{k}]", coordinate, size)


def _coordinate_problems(path: str, coordinate: Value, size: int) -> Iterator[Problem]:
    if needs_distance(coordinate):
        rule = f"must be no function of distance, got {show(coordinate.kind)}"  # type: ignore[union-attr]
        yield path, f"{rule}; give a number, a distribution or an array"
        return
    if isinstance(coordinate, Array):
        yield from length_problems(path, coordinate, size, "neuron")
    yield from bounds_problems(path, coordinate)
    low, high = bounds_of(coordinate)
    if not -MAX_UM <= low <= high <= MAX_UM:
        rule = f"must stay between -{MAX_UM:g} and {MAX_UM:g}, got values from {show(low)} to {show(high)}"
        yield path, f"{rule}; check the unit"


def space_problems(
    path: str, projection: Projection, source: Space | None, target: Space | None
) -> Iterator[Problem]:
    """Yield the problem of a projection whose synapses depend on distance, but whose ends share no space."""
    where = next(_places_of_distance(path, projection), None)
    if where is None:
        return
    if source is None or target is None:
        ends = {projection.source: source, projection.target: target}
        without = names(name for name, space in ends.items() if space is None)
        rule = f"must have positions at both ends to depend on distance, got none for {without}"
        yield where, f"{rule}; give them"
        return
    shapes = [f"{_product(space.extent_um)} um" for space in (source, target)]
    bounds = ["periodic" if space.periodic else "not periodic" for space in (source, target)]
    for what, (one, other) in (("extent_um", shapes), ("boundary", bounds)):
        if one != other:
            rule = f"must join positions of the same {what} to depend on distance"
            yield where, f"{rule}, got {one} and {other}; change one of them"
            return
    yield from _radius_problems(path, projection, source)


def _places_of_distance(path: str, projection: Projection) -> Iterator[str]:
    if isinstance(projection.connectivity, DistanceDependent):
        yield f"{path}.connectivity"
    for name in ("weight", "delay_ms", "axonal_delay_ms"):
        if needs_distance(getattr(projection, name)):
            yield f"{path}.{name}"


def _radius_problems(path: str, projection: Projection, space: Space) -> Iterator[Problem]:
    """Yield the problem of a radius beyond which the short way round a torus is another one."""
    radius = getattr(projection.connectivity, "radius_um", None)
    half = min(space.extent_um) / 2
    if space.periodic and radius is not None and radius > half:
        rule = f"must be at most {show(half)}, half of the least periodic extent_um, got {show(radius)}"
        yield f"{path}.connectivity.radius_um", f"{rule}; lower it, or give null for any distance"


def _product(lengths: tuple[float, ...]) -> str:
    return " x ".join(map(show, lengths))
