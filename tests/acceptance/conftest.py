from __future__ import annotations

from collections.abc import Iterator

import pytest

from spikerack.client import Client
from spikerack.launch import Launched, launched


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """`spikerack serve` in a process of its own, for all acceptance tests."""
    with launched(tmp_path_factory.mktemp("service") / "data") as running:
        yield running


@pytest.fixture
def client(service: Launched) -> Iterator[Client]:
    with service.client() as connected:
        yield connected
