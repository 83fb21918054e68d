import pickle

import pytest

from router import CountError, NoRouteError, RouteError, RouterError, TableError, TreeError


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (TreeError, ValueError),
        (RouteError, ValueError),
        (TableError, ValueError),
        (CountError, ValueError),
        (NoRouteError, LookupError),
    ],
)
def test_an_error_pickles_with_its_values_and_is_a_standard_one(
    error: type[RouterError], standard: type[Exception]
) -> None:
    first = error("tree", "at most 4 chips", 5, "lower a fan_out")
    again = pickle.loads(pickle.dumps(first))
    assert type(again) is error
    assert isinstance(again, standard)
    assert (again.where, again.rule, again.got, again.remedy) == (
        "tree",
        "at most 4 chips",
        5,
        "lower a fan_out",
    )
    assert str(again) == str(first) == "tree: at most 4 chips, got 5; lower a fan_out"
