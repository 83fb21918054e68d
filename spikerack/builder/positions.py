"""Positions of neurons, in um."""

from __future__ import annotations

from collections.abc import Sequence

from network import FreePositions, GridPositions
from spikerack.builder.parts import ValueLike, as_value, part


def grid_positions(
    shape: Sequence[int],
    extent_um: Sequence[float],
    *,
    centre_um: Sequence[float] | None = None,
    periodic: bool = False,
) -> GridPositions:
    """Place neurons in the middle of `shape` equal cells that fill the extent, last dimension fastest."""
    return part(
        GridPositions,
        "grid_positions",
        shape=shape,
        extent_um=extent_um,
        centre_um=centre_um,
        periodic=periodic,
    )


def free_positions(
    *coordinates_um: ValueLike,
    extent_um: Sequence[float],
    centre_um: Sequence[float] | None = None,
    periodic: bool = False,
) -> FreePositions:
    """Place neurons at given or drawn coordinates.

    Parameters
    ----------
    *coordinates_um : value or (n,) array_like
        One for each dimension: ``free_positions(uniform(-50, 50), 0, extent_um=...)``, or ``*xy.T``.
    extent_um : sequence of float
        The extent of the space in each dimension.
    centre_um : sequence of float, optional
        The centre of the space; the origin if omitted.
    periodic : bool
        Whether the space is a torus.
    """
    return part(
        FreePositions,
        "free_positions",
        coordinates_um=[as_value(coordinate) for coordinate in coordinates_um],
        extent_um=extent_um,
        centre_um=centre_um,
        periodic=periodic,
    )
