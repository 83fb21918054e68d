import threading

import pytest

from cluster.options import DeployOptions
from cluster.warmup import _EXAMPLES, warm_up
from network.connectivity import Connectivity
from tests.cluster.samples import everything_network


def test_every_rule_has_an_example() -> None:
    assert set(_EXAMPLES) == set(Connectivity.__args__[0].__args__)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_warming_up_leaves_no_thread(precision: str) -> None:
    before = set(threading.enumerate())
    warm_up(everything_network(), DeployOptions(precision=precision))
    assert set(threading.enumerate()) == before
