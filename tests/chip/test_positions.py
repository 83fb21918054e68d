"""Positions and distances, with and without a boundary."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.positions import box_distances, distance, fill_distances, from_centre, period_of, positions_of
from network import Array, FreePositions, GridPositions, Normal, Uniform
from tests.chip.cases import GRID, LOOSE, RING
from tests.chip.expansion import apart, positions
from tests.chip.expansion.places import box_spans, periods
from tests.chip.goodness import KS_LIMIT, kolmogorov_smirnov
from tests.chip.strategies import fixed

SPACES: dict[str, Any] = {
    "grid": GRID,
    "line": GridPositions(extent_um=(7.0,), shape=(140,), centre_um=(100.0,)),
    "cube": GridPositions(extent_um=(5.0, 4.0, 3.0), shape=(4, 5, 7), centre_um=(1.0, -2.0, 9.0)),
    "torus": RING,
    "drawn": LOOSE,
    "mixed": FreePositions(
        extent_um=(9.0, 9.0, 9.0),
        coordinates_um=(Array(values=tuple(range(140))), 4.0, Uniform(low=0, high=1)),
    ),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_plain_python_puts_neurons_in_the_same_places(space: Any) -> None:
    places = positions_of(space, 7, 3, 0, 140)
    assert np.allclose(places, positions(space, 7, 3, 140), rtol=1e-6, atol=1e-6)
    assert np.array_equal(positions_of(space, 7, 3, 20, 50), places[20:70])
    assert positions_of(space, 7, 3, 140, 0).shape == (0, space.n_dimensions)
    assert np.array_equal(period_of(space), periods(space))


def test_a_grid_fills_its_extent_with_the_last_dimension_fastest() -> None:
    space = GridPositions(extent_um=(6.0, 4.0), shape=(3, 2), centre_um=(10.0, 0.0))
    places = positions_of(space, 1, 0, 0, 6).tolist()
    assert places == [[8, -1], [8, 1], [10, -1], [10, 1], [12, -1], [12, 1]]


def test_dimensions_seeds_and_populations_are_drawn_apart() -> None:
    normal = Normal(mean=0.0, sd=1.0)
    space = FreePositions(extent_um=(9.0, 9.0), coordinates_um=(normal, normal))
    places = positions_of(space, 1, 0, 0, 20_000)
    columns = [
        places[:, 0],
        places[:, 1],
        *(positions_of(space, *key, 0, 20_000)[:, 0] for key in ((2, 0), (1, 1))),
    ]
    for column in columns:
        assert kolmogorov_smirnov(column, NormalDist().cdf) < KS_LIMIT
    assert np.abs(np.corrcoef(columns) - np.eye(4)).max() < 5.0 / math.sqrt(20_000)


coordinates = st.floats(-100.0, 100.0)


@fixed
@given(st.data(), st.integers(1, 3), st.booleans())
def test_distances_are_those_of_plain_python(data: st.DataObject, n: int, periodic: bool) -> None:
    a, b = (data.draw(st.lists(coordinates, min_size=n, max_size=n)) for _ in range(2))
    period = data.draw(st.lists(st.floats(1.0, 80.0), min_size=n, max_size=n)) if periodic else [math.inf] * n
    one, other, around = np.array(a), np.array(b), np.array(period)
    d = distance(one, other, around)
    assert d == pytest.approx(apart(tuple(a), tuple(b), tuple(period)), abs=1e-9)
    assert d == pytest.approx(distance(other, one, around), abs=1e-9)
    if periodic:
        assert d <= math.hypot(*period) / 2 * (1 + 1e-12)
        shifted = one + around * np.array(data.draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n)))
        assert distance(shifted, other, around) == pytest.approx(d, abs=1e-9)
    else:
        assert d == pytest.approx(math.dist(a, b), abs=1e-9)


@fixed
@given(st.data(), st.integers(1, 3), st.booleans())
def test_no_place_of_a_box_is_nearer_or_farther_than_its_bounds(
    data: st.DataObject, n: int, periodic: bool
) -> None:
    corners = np.sort([data.draw(st.lists(coordinates, min_size=n, max_size=n)) for _ in range(2)], axis=0)
    place = np.array(data.draw(st.lists(coordinates, min_size=n, max_size=n)))
    period = np.full(n, data.draw(st.floats(5.0, 300.0)) if periodic else np.inf)
    least, greatest = box_distances(corners, place, period)
    inside = corners[0] + np.random.default_rng(1).random((300, n)) * (corners[1] - corners[0])
    found = [distance(x, place, period) for x in (*inside, *corners)]
    assert least <= min(found) <= max(found) <= greatest
    spans = box_spans([*zip(*corners.tolist(), strict=True)], tuple(place.tolist()), tuple(period.tolist()))
    assert (least, greatest) == pytest.approx(spans, abs=1e-9)


def test_bounds_of_a_box_are_met_on_a_line() -> None:
    """On a circle of 10: a box from 1 to 3, seen from beside, from within and from across it."""
    box, period = np.array([[1.0], [3.0]]), np.array([10.0])
    for x, bounds in (
        (0.0, (1, 3)),
        (9.0, (2, 4)),
        (2.5, (0, 1.5)),
        (12.0, (0, 1)),
        (7.0, (4, 5)),
        (8.5, (2.5, 4.5)),
    ):
        assert box_distances(box, np.array([x]), period) == pytest.approx(bounds, abs=1e-9)


def test_distances_of_pairs_and_from_the_centre() -> None:
    places = positions_of(GRID, 7, 0, 0, 140)
    source, target = np.arange(140, dtype=np.uint32), np.arange(140, dtype=np.uint32)[::-1].copy()
    out = np.full(140, -1.0)
    fill_distances(places, places, period_of(GRID), source, target, out, 130)
    expected = [math.dist(places[k], places[139 - k]) for k in range(130)]
    assert out.tolist() == pytest.approx([*expected, *[-1.0] * 10])
    centred = from_centre(GRID, 7, 0, 10, 30)
    assert centred.tolist() == pytest.approx([math.hypot(*place) for place in places[10:40]])
