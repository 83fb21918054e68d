"""A deployment by its own: building, failing, dying between runs, and its release."""

from __future__ import annotations

import errno
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from cluster import RunConflict
from cluster.runfile import RunReader, write_record
from tests.cluster.deployments import LONG, SECONDS, finish, held, status_of

pytestmark = pytest.mark.usefixtures("kernels", "_no_thread_is_left")


def test_a_deployment_that_is_being_built_takes_no_run(tmp_path: Path) -> None:
    coordinator, team = held(tmp_path)
    assert status_of(tmp_path)["state"] == "building"
    with pytest.raises(RunConflict) as caught:
        coordinator.start_run("r1", 10)
    assert str(caught.value) == (
        "deployment 'd1': to run it must be ready, got building; look at its state first"
    )
    team.go.set()
    finish("build d1")
    assert status_of(tmp_path)["state"] == "ready"
    assert repr(coordinator) == "Coordinator('d1', ready, 2 chips)"
    coordinator.close()
    with pytest.raises(RunConflict) as caught:
        coordinator.start_run("r1", 10)
    assert str(caught.value) == (
        "deployment 'd1': to run it must be ready, got released; look at its state first"
    )


def test_a_build_that_fails_is_on_record(tmp_path: Path) -> None:
    coordinator, team = held(tmp_path, error=MemoryError("no memory for 4 GiB"))
    team.go.set()
    finish("build d1")
    record = status_of(tmp_path)
    assert (record["state"], record["error"]) == (
        "failed",
        "building failed: chips: must be built within the host's free memory, got a need of more than that; "
        "use more chips or release deployments",
    )
    assert record["report"] is None
    with pytest.raises(RunConflict) as caught:
        coordinator.start_run("r1", 10)
    assert str(caught.value) == (
        "deployment 'd1': to run it must be ready, got failed; look at its state first"
    )
    coordinator.close()
    assert status_of(tmp_path) == record


def test_a_report_that_fails_is_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("cluster.coordinator.mapping_report", fails)
    coordinator, team = held(tmp_path)
    team.go.set()
    finish("build d1")
    assert status_of(tmp_path)["error"] == (
        "building failed: division by zero; report it with the network's id"
    )
    coordinator.close()


def test_a_report_that_cannot_be_written_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.coordinator.mapping_report", lambda *arguments: {"mean_error": math.nan})
    coordinator, team = held(tmp_path)
    team.go.set()
    finish("build d1")
    record = status_of(tmp_path)
    assert record["state"] == "failed"
    cause = "building failed: Out of range float values are not JSON compliant"
    report = "report it with the network's id"
    # Later versions of Python name the value.
    assert record["error"] in (f"{cause}; {report}", f"{cause}: nan; {report}")
    assert record["report"] is None
    assert not any(thread.name.startswith("chip_") for thread in threading.enumerate())
    with pytest.raises(RunConflict) as caught:
        coordinator.start_run("r1", 10)
    assert str(caught.value) == (
        "deployment 'd1': to run it must be ready, got failed; look at its state first"
    )
    coordinator.close()


class FullDisk:
    """Takes no record once the chips are built, until there is room again."""

    def __init__(self) -> None:
        self.refused, self.room = threading.Semaphore(0), False

    def write(self, path: Path, record: Any) -> None:
        if record["state"] != "building" and not self.room:
            self.refused.release()
            raise OSError(errno.ENOSPC, "No space left on device")
        write_record(path, record)

    def wait(self, n: int) -> None:
        for _ in range(n):
            assert self.refused.acquire(timeout=SECONDS)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    full = FullDisk()
    monkeypatch.setattr("cluster.coordinator.write_record", full.write)
    monkeypatch.setattr("cluster.coordinator._RETRY_SECONDS", 0.01)
    return full


def test_a_full_disk_fails_the_deployment_and_is_on_record_once_there_is_room(
    tmp_path: Path, disk: FullDisk
) -> None:
    coordinator, team = held(tmp_path)
    team.go.set()
    disk.wait(3)  # That it is ready, then twice that it failed.
    assert repr(coordinator) == "Coordinator('d1', failed, 2 chips)"
    assert status_of(tmp_path)["state"] == "building"
    disk.room = True
    finish("build d1")
    record = status_of(tmp_path)
    assert (record["state"], record["error"]) == (
        "failed",
        "building failed: disk: must have room for what is built, got none; "
        "delete runs or arrays, or ask the operator for room",
    )
    coordinator.close()
    assert status_of(tmp_path) == record


def test_a_full_disk_does_not_hold_up_the_release(tmp_path: Path, disk: FullDisk) -> None:
    coordinator, team = held(tmp_path)
    team.go.set()
    disk.wait(2)
    coordinator.close()
    finish("build d1")
    assert status_of(tmp_path)["state"] == "building"


def test_release_while_it_is_built_stops_the_building(tmp_path: Path) -> None:
    coordinator, team = held(tmp_path)
    coordinator.close()
    team.go.set()
    finish("build d1")
    assert status_of(tmp_path)["state"] == "released"
    coordinator.close()


def test_a_record_of_the_building_never_replaces_that_of_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release comes while the building writes its progress."""
    closing: list[threading.Thread] = []
    ready = threading.Event()

    def write(path: Path, record: Any) -> None:
        if record["phase"] == "building chips" and not closing:
            assert ready.wait(SECONDS)
            closing.append(threading.Thread(target=coordinator.close))
            closing[0].start()
            closing[0].join(0.1)  # it may have to wait for this very call
        write_record(path, record)

    monkeypatch.setattr("cluster.coordinator.write_record", write)
    coordinator, team = held(tmp_path)
    ready.set()
    team.go.set()
    finish("build d1")
    closing[0].join(SECONDS)
    assert status_of(tmp_path)["state"] == "released"


def test_a_chip_that_dies_fails_the_run_and_the_deployment(tmp_path: Path) -> None:
    coordinator, team = held(tmp_path, fail_after=60)
    team.go.set()
    finish("build d1")
    coordinator.start_run("r1", 1000)
    finish("run r1")
    run = RunReader(tmp_path / "runs" / "r1")
    record = run.status()
    assert record["state"] == "failed"
    assert record["tick"] == run.last_tick >= 50
    assert record["error"] == (
        f"chip (board 0, chip 1): its process died; last complete tick: {run.last_tick}"
    )
    assert record["n_spikes"] == run.n_spikes
    deployment_record = status_of(tmp_path)
    assert (deployment_record["state"], deployment_record["error"]) == ("failed", record["error"])
    with pytest.raises(RunConflict) as caught:
        coordinator.start_run("r2", 10)
    assert str(caught.value) == (
        "deployment 'd1': to run it must be ready, got failed; look at its state first"
    )
    assert not any(thread.name.startswith("chip_") for thread in threading.enumerate())
    coordinator.close()
    assert status_of(tmp_path) == deployment_record


def test_a_chip_that_dies_between_runs_fails_the_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.coordinator._WATCH_SECONDS", 0.01)
    coordinator, team = held(tmp_path)
    team.go.set()
    finish("build d1")
    coordinator.start_run("r1", 100)
    finish("run r1")
    assert status_of(tmp_path)["state"] == "ready"
    team.cause = "chip (board 0, chip 1): its process died"
    finish("watch d1")
    record = status_of(tmp_path)
    assert (record["state"], record["error"]) == ("failed", "chip (board 0, chip 1): its process died")
    assert RunReader(tmp_path / "runs" / "r1").status()["state"] == "complete"
    assert not any(thread.name.startswith("chip_") for thread in threading.enumerate())
    coordinator.close()


def test_a_run_is_not_disturbed_by_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.coordinator._WATCH_SECONDS", 0.01)
    coordinator, team = held(tmp_path)
    team.go.set()
    finish("build d1")
    assert team.asked.wait(SECONDS)
    coordinator.start_run("r1", LONG)
    coordinator.control("r1", "pause")
    team.asked.clear()
    team.cause = "chip (board 0, chip 1): its process died"
    assert not team.asked.wait(0.1)
    coordinator.control("r1", "cancel")
    assert team.asked.wait(SECONDS)
    finish("watch d1")
    assert status_of(tmp_path)["error"] == team.cause
    coordinator.close()
