from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from cluster.kernelparts import EXAMPLES, compile_loop, compile_rules
from cluster.options import DeployOptions
from cluster.warmup import warm_up
from tests.cluster.deployments import SECONDS
from tests.cluster.samples import everything_network


@pytest.fixture(scope="session")
def kernels() -> None:
    """All kernels in both precisions, so that no single test pays for compiling or loading them."""
    for precision in ("float32", "float64"):
        warm_up(everything_network(), DeployOptions(precision=precision))
        compile_loop(precision)
        compile_rules(precision, [rule.__name__ for rule in EXAMPLES])


@pytest.fixture
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in left)
