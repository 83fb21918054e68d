"""SIGTERM in the middle of everything: all ends in order, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from cluster.runfile import RunReader
from spikerack.launch import launched
from tests.acceptance.rack import LONG_MS, actors, children, deployed

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def left_behind() -> set[Path]:
    """What Ray and the exchange of address events keep outside the data folder while they live."""
    return {*Path("/dev/shm").iterdir(), *Path("/tmp").glob("srk-*")}


def test_nothing_is_left(tmp_path: Path) -> None:
    before = left_behind()
    with launched(tmp_path / "data") as service, service.client() as client:
        run = deployed(client).run(LONG_MS)
        next(iter(run.stream()))
        processes = children(service)
        assert len(actors(service, "ChipActor")) == 4
    assert service.process.returncode == 0
    _, alive = psutil.wait_procs(processes, timeout=1.0)
    assert alive == []
    assert left_behind() <= before
    record = RunReader(tmp_path / "data" / "runs" / run.id).status()
    assert record["state"] == "failed"
    assert record["error"] == f"the service was stopped; last complete tick: {record['tick']}"
    assert record["tick"] > 0
