"""Positions and distances, by plain formulas."""

from itertools import product
from math import floor, hypot, inf, prod

from network import FreePositions, GridPositions
from tests.chip.expansion.hashes import POSITION, draw, key_of
from tests.chip.expansion.laws import drawn

Place = tuple[float, ...]
Span = tuple[float, float]


def positions(space: GridPositions | FreePositions, seed: int, member: int, size: int) -> list[Place]:
    """The position of each neuron of the network's member of that number, in um."""
    if isinstance(space, GridPositions):
        axes = [
            [centre - extent / 2 + (cell + 0.5) * extent / n for cell in range(n)]
            for centre, extent, n in zip(space.centre, space.extent_um, space.shape, strict=True)
        ]
        return list(product(*axes))
    keys = [key_of(seed, POSITION, member, k) for k in range(space.n_dimensions)]
    return [
        tuple(
            drawn(coordinate, 0, draw(key, neuron), 0.0, neuron)
            for key, coordinate in zip(keys, space.coordinates_um, strict=True)
        )
        for neuron in range(size)
    ]


def periods(space: GridPositions | FreePositions) -> Place:
    """What distances are taken modulo in each dimension."""
    return space.extent_um if space.periodic else (inf,) * space.n_dimensions


def _offset(a: float, b: float, period: float) -> float:
    d = abs(a - b)
    return d if period == inf else min(d % period, period - d % period)


def apart(a: Place, b: Place, period: Place) -> float:
    """The distance between two places, the short way round."""
    return hypot(*(_offset(x, y, p) for x, y, p in zip(a, b, period, strict=True)))


def _around(x: float, period: float, low: float, high: float) -> list[float]:
    """The images of `x` in [low, high]."""
    if period == inf:
        return [x] if low <= x <= high else []
    first = x - (x - low) // period * period
    return [first] if first <= high else []


def box_spans(box: list[Span], place: Place, period: Place) -> Span:
    """The least and the greatest distance from a place to a box, made wider by a millionth of a millionth."""
    short, long = [], []
    for (low, high), x, p in zip(box, place, period, strict=True):
        corners = _offset(low, x, p), _offset(high, x, p)
        short.append(0.0 if _around(x, p, low, high) else min(corners))
        across = p < inf and _around(x + p / 2, p, low, high)
        long.append(p / 2 if across else max(corners))
    return hypot(*short) * (1.0 - 1e-12), hypot(*long) * (1.0 + 1e-12)


def wrapped(place: Place, period: Place) -> Place:
    """A place with each coordinate taken modulo its period."""
    return tuple(x if p == inf else x - floor(x / p) * p for x, p in zip(place, period, strict=True))


def cells_of(places: list[Place], period: Place, n_cells: float) -> dict[int, list[int]]:
    """Neurons by the number of their cell: the longest side is halved while there are few enough cells."""
    if not places:
        return {}
    inside = [wrapped(place, period) for place in places]
    axes = list(zip(*inside, strict=True))
    low = [0.0 if p < inf else min(axis) for axis, p in zip(axes, period, strict=True)]
    extent = [p if p < inf else max(axis) - min(axis) for axis, p in zip(axes, period, strict=True)]
    shape = [1] * len(axes)
    while prod(shape) * 2 <= n_cells:
        sides = [e / n for e, n in zip(extent, shape, strict=True)]
        shape[sides.index(max(sides))] *= 2
    cells: dict[int, list[int]] = {}
    for neuron, place in enumerate(inside):
        cell = 0
        for x, least, e, n in zip(place, low, extent, shape, strict=True):
            cell = cell * n + (min(floor((x - least) / e * n), n - 1) if e > 0 else 0)
        cells.setdefault(cell, []).append(neuron)
    return cells
