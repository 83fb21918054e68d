"""Codes: the nearest weight of a table."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chip.codes import NO_CODES, nearest
from tests.chip.strategies import fixed

weights = st.floats(-100.0, 100.0).map(lambda x: round(x, 3))


@fixed
@given(st.sets(weights, min_size=1, max_size=20), weights)
def test_the_nearest_of_all_is_taken(values: set[float], weight: float) -> None:
    ascending = sorted(values)
    place = nearest(np.array(ascending), weight)
    distances = [abs(value - weight) for value in ascending]
    assert distances[place] <= min(distances) + 1e-12
    assert nearest(np.array(ascending), ascending[place]) == place


def test_of_two_equally_near_the_lesser_is_taken() -> None:
    values = np.array([-2.0, 0.0, 1.0, 4.0])
    assert [nearest(values, weight) for weight in (-1.0, 0.5, 2.5, -9.0, 9.0)] == [0, 1, 2, 0, 3]


def test_no_codes_are_empty() -> None:
    assert NO_CODES.values.size == NO_CODES.integers.size == 0
