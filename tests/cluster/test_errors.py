from __future__ import annotations

import pickle

import pytest

from cluster import CapacityError, ClusterError, DeploymentLost, RunConflict
from cluster.errors import WorkerAborted


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (CapacityError(["one: rule", "two: rule"]), ValueError),
        (DeploymentLost("deployment 'd': gone"), RuntimeError),
        (RunConflict("run 'r': conflict"), RuntimeError),
        (WorkerAborted("chip: aborted"), RuntimeError),
    ],
)
def test_an_error_pickles_and_is_a_standard_one(error: ClusterError, standard: type[Exception]) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert isinstance(again, standard)
    assert isinstance(again, ClusterError)
    assert str(again) == str(error)


def test_a_capacity_error_has_a_line_for_each_problem() -> None:
    error = pickle.loads(pickle.dumps(CapacityError(["one: rule", "two: rule"])))
    assert error.problems == ("one: rule", "two: rule")
    assert str(error) == "one: rule\ntwo: rule"
