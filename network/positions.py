"""Positions: where the neurons of a population stand, in um, in one to three dimensions.

A periodic space is a torus of the extent: distances are taken the short way round. Two populations that a
function of distance joins have the same number of dimensions, the same extent and the same boundary.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError
from network.schema import Description, Number, Whole
from network.values import LEAST_UM, Value, bounds_of

MAX_DIMENSIONS = 3

MAX_UM = 1e12
"""The greatest length and coordinate: a million kilometres, whose square is still a number."""

Lengths = Annotated[
    tuple[Annotated[Number, Field(ge=LEAST_UM, le=MAX_UM)], ...],
    Field(min_length=1, max_length=MAX_DIMENSIONS),
]
Coordinates = Annotated[
    tuple[Annotated[Number, Field(ge=-MAX_UM, le=MAX_UM)], ...],
    Field(min_length=1, max_length=MAX_DIMENSIONS),
]


class Space(Description):
    """Base of positions: the space they lie in."""

    extent_um: Lengths = Field(description="the extent of the space in each dimension in um")
    centre_um: Coordinates | None = Field(
        default=None, description="the centre of the space in um, or null for the origin"
    )
    periodic: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="whether the space is a torus: true or false"
    )

    @property
    def n_dimensions(self) -> int:
        """The number of dimensions."""
        return len(self.extent_um)

    @property
    def centre(self) -> tuple[float, ...]:
        """The centre in um."""
        return self.centre_um or (0.0,) * self.n_dimensions

    def _centre_problem(self) -> tuple[str, str] | None:
        if self.centre_um is None or len(self.centre_um) == self.n_dimensions:
            return None
        rule = f"must have as many entries as extent_um, {self.n_dimensions}, got {len(self.centre_um)}"
        return "centre_um", f"{rule}; give one for each dimension"


class GridPositions(Space):
    """Neurons in the middle of equal cells that fill the extent; the last dimension counts fastest."""

    kind: Literal["grid"] = Field(default="grid", description="the word grid")
    shape: Annotated[
        tuple[Annotated[Whole, Field(ge=0, le=2**31)], ...], Field(min_length=1, max_length=MAX_DIMENSIONS)
    ] = Field(description="the cells in each dimension")

    @model_validator(mode="after")
    def _dimensions_agree(self) -> Self:
        problem = self._centre_problem()
        if len(self.shape) != self.n_dimensions:
            rule = f"must have as many entries as extent_um, {self.n_dimensions}, got {len(self.shape)}"
            problem = "shape", f"{rule}; give one for each dimension"
        if problem:
            raise NetworkError([problem])
        return self

    @property
    def n_cells(self) -> int:
        """The number of cells: the size that the population must have."""
        return math.prod(self.shape)


class FreePositions(Space):
    """Neurons at given or drawn coordinates."""

    kind: Literal["free"] = Field(default="free", description="the word free")
    coordinates_um: Annotated[tuple[Value, ...], Field(min_length=1, max_length=MAX_DIMENSIONS)] = Field(
        description="the coordinate of each neuron in each dimension in um, from the origin"
    )

    @model_validator(mode="after")
    def _dimensions_agree(self) -> Self:
        problem = self._centre_problem()
        if len(self.coordinates_um) != self.n_dimensions:
            rule = (
                f"must have as many entries as extent_um, {self.n_dimensions}, got {len(self.coordinates_um)}"
            )
            problem = "coordinates_um", f"{rule}; give one for each dimension"
        if problem:
            raise NetworkError([problem])
        return self

    @cached_property
    def _bounds(self) -> tuple[tuple[float, float], ...]:
        """The least and the greatest coordinate in each dimension."""
        return tuple(map(bounds_of, self.coordinates_um))


Positions: TypeAlias = Annotated[GridPositions | FreePositions, Field(discriminator="kind")]
"""Positions on a grid, or given."""


def _ends(space: Space, k: int) -> tuple[float, float]:
    """Return the least and the greatest coordinate that a neuron can have in dimension `k`."""
    if isinstance(space, FreePositions):
        return space._bounds[k]
    return space.centre[k] - space.extent_um[k] / 2, space.centre[k] + space.extent_um[k] / 2


def reach_um(one: Space, other: Space) -> float:
    """Return a bound of the distance between neurons of two spaces of as many dimensions."""
    total = 0.0
    for k in range(one.n_dimensions):
        (low, high), (lowest, highest) = _ends(one, k), _ends(other, k)
        far = one.extent_um[k] / 2 if one.periodic else max(high - lowest, highest - low)
        total += far * far
    return math.sqrt(total)


def reach_from_centre_um(space: Space) -> float:
    """Return a bound of the distance of a neuron from the centre of its space."""
    far = [max(abs(end - space.centre[k]) for end in _ends(space, k)) for k in range(space.n_dimensions)]
    return math.sqrt(sum(d * d for d in far))
