from __future__ import annotations

import pytest

from cluster.host import warm_up


@pytest.fixture(scope="session")
def kernels() -> None:
    """All kernels in both precisions, so that no single test pays for compiling or loading them."""
    warm_up("float32")
    warm_up("float64")
