"""A deployment from building to release, in threads: states, records, refusals, and nothing left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import CapacityError, DeploymentLost, DeployOptions, LocalFleet, RunConflict, run_local
from cluster.coordinator import Coordinator
from cluster.plan import Plan
from cluster.runfile import RunReader, read_record, write_record
from cluster.team import Progress, ThreadTeam
from cluster.worker import Advance, Built
from network import NetworkError, SpikeDigest, parse_network
from tests.cluster.samples import RACK, everything, everything_network, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()
SECONDS = 30.0
LONG = 10**8
THREE = DeployOptions(chips=3)


def finish(name: str) -> None:
    """Wait for the coordinator's thread of that name."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(SECONDS)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in left)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    made = LocalFleet(tmp_path)
    yield made
    made.close()


@pytest.fixture
def deployed(fleet: LocalFleet) -> LocalFleet:
    """A fleet with the deployment `d1` on three chips, ready."""
    fleet.deploy("d1", EVERY, RACK, THREE)
    finish("build d1")
    return fleet


def deployment(fleet: LocalFleet, name: str = "d1") -> dict[str, Any]:
    record = read_record(fleet.data / "deployments" / name / "status.json")
    assert record is not None
    return record


def reader(fleet: LocalFleet, run: str) -> RunReader:
    return RunReader(fleet.data / "runs" / run)


def test_a_deployment_is_built_and_says_what_it_became(deployed: LocalFleet) -> None:
    record = deployment(deployed)
    assert {key: record[key] for key in ("state", "phase", "progress", "error")} == {
        "state": "ready",
        "phase": "ready",
        "progress": 1.0,
        "error": None,
    }
    report = record["report"]
    outcome = run_local(EVERY, n_ticks=1, options=THREE)
    same = ("synapse_digest", "n_synapses", "n_chips", "memory_bytes", "quantisation", "chips", "limits")
    assert {key: report[key] for key in same} == {key: outcome.summary[key] for key in same}
    assert report["build_seconds"] > 0


def test_two_runs_give_the_same_spikes_as_the_command_line(deployed: LocalFleet) -> None:
    for run in ("r1", "r2"):
        deployed.start_run("d1", run, 500)
        finish(f"run {run}")
    outcome = run_local(EVERY, n_ticks=500)
    for run in ("r1", "r2"):
        record, spikes = reader(deployed, run).status(), reader(deployed, run)
        assert (record["state"], record["tick"]) == ("complete", 500)
        assert record["digest"] == outcome.summary["digest"]
        assert record["synapse_digest"] == outcome.summary["synapse_digest"]
        assert record["conservation"]["lossless"]
        tick, neuron = spikes.read(0, 500)
        assert (tick.tolist(), neuron.tolist()) == (outcome.tick.tolist(), outcome.neuron.tolist())
        for number, states in enumerate(outcome.states):
            assert spikes.states(number, 0, 500)[1].tolist() == states.tolist()
    assert deployment(deployed)["state"] == "ready"


def test_one_run_at_a_time(deployed: LocalFleet) -> None:
    deployed.start_run("d1", "r1", LONG)
    with pytest.raises(RunConflict) as caught:
        deployed.start_run("d1", "r2", 10)
    assert str(caught.value) == (
        "deployment 'd1': one active run at a time, got 'r1' still running; wait for it or cancel it"
    )
    tick = deployed.control("d1", "r1", "pause")
    with pytest.raises(RunConflict) as caught:
        deployed.start_run("d1", "r2", 10)
    assert str(caught.value) == (
        "deployment 'd1': one active run at a time, got 'r1' still paused; wait for it or cancel it"
    )
    assert not (deployed.data / "runs" / "r2").exists()
    assert deployed.control("d1", "r1", "cancel") == tick
    deployed.start_run("d1", "r2", 10)
    finish("run r2")
    assert reader(deployed, "r2").status()["state"] == "complete"


def test_pause_step_resume_and_cancel_are_on_record_when_they_are_answered(deployed: LocalFleet) -> None:
    deployed.start_run("d1", "r1", LONG)

    def facts() -> tuple[str, int, int]:
        status = reader(deployed, "r1").status()
        return status["state"], status["tick"], reader(deployed, "r1").last_tick

    paused = deployed.control("d1", "r1", "pause")
    assert facts() == ("paused", paused, paused)
    assert deployed.control("d1", "r1", "step", 7) == paused + 7
    assert facts() == ("paused", paused + 7, paused + 7)
    assert deployed.control("d1", "r1", "resume") == paused + 7
    assert facts()[0] == "running"
    ended = deployed.control("d1", "r1", "cancel")
    assert facts() == ("cancelled", ended, ended)
    assert ended >= paused + 7
    with pytest.raises(RunConflict) as caught:
        deployed.control("d1", "r1", "resume")
    assert str(caught.value) == (
        "run 'r1': to resume it must be paused, got cancelled; look at its state first"
    )


def test_the_digest_of_a_cancelled_run_is_that_of_the_ticks_done(deployed: LocalFleet) -> None:
    deployed.start_run("d1", "r1", LONG)
    deployed.control("d1", "r1", "pause")
    ended = deployed.control("d1", "r1", "cancel")
    status = reader(deployed, "r1").status()
    tick, neuron = reader(deployed, "r1").read(0, LONG)
    digest = SpikeDigest(0.1, ended, EVERY.n_neurons)
    digest.update(tick, neuron)
    assert status["digest"] == digest.hexdigest()
    assert status["n_spikes"] == tick.size
    assert status["conservation"]["holds"]


def test_a_run_of_another_name_is_refused(deployed: LocalFleet) -> None:
    for run in ("r1", "other"):
        with pytest.raises(RunConflict) as caught:
            deployed.control("d1", run, "pause")
        assert str(caught.value) == (
            f"run '{run}': to pause it must be the active run, got none of that name; list runs"
        )
        if run == "r1":
            deployed.start_run("d1", "r1", 5)
            finish("run r1")


def test_release_ends_the_run_and_all_threads_and_is_idempotent(deployed: LocalFleet) -> None:
    deployed.start_run("d1", "r1", LONG)
    assert any(thread.name.startswith("chip_") for thread in threading.enumerate())
    deployed.release("d1")
    status = reader(deployed, "r1").status()
    assert (status["state"], status["tick"]) == ("cancelled", reader(deployed, "r1").last_tick)
    finish("run r1")
    assert not any(thread.name.startswith(("chip_", "run ", "build ")) for thread in threading.enumerate())
    assert deployment(deployed)["state"] == "released"
    deployed.release("d1")
    deployed.release("never was")
    lost = "deployment 'd1': its chips are gone; deploy the network again"
    with pytest.raises(DeploymentLost) as caught:
        deployed.start_run("d1", "r2", 10)
    assert str(caught.value) == lost
    with pytest.raises(DeploymentLost) as caught:
        deployed.control("d1", "r1", "pause")
    assert str(caught.value) == lost


def test_a_fleet_in_threads_is_always_there(fleet: LocalFleet) -> None:
    assert fleet.ready()
    assert fleet.lost() == {}


def test_what_is_wrong_is_refused_before_anything_is_deployed(fleet: LocalFleet) -> None:
    network = everything()
    network["populations"][0]["model"] = "lif"
    with pytest.raises(NetworkError):
        fleet.deploy("d1", parse_network(network), RACK, THREE)
    with pytest.raises(CapacityError):
        fleet.deploy("d1", EVERY, RACK, DeployOptions(chips=65))
    assert list(fleet.data.iterdir()) == []


class HeldTeam(ThreadTeam):
    """Builds when it is let; fails where it is told to."""

    def __init__(self, plan: Plan, error: Exception | None = None, fail_after: int = LONG) -> None:
        super().__init__(plan)
        self.go, self.error, self.fail_after = threading.Event(), error, fail_after
        self.cause: str | None = None
        self.asked = threading.Event()

    def died(self) -> str | None:
        self.asked.set()
        return self.cause

    def build(self, progress: Progress) -> list[Built]:
        progress("building chips", 0.25)
        assert self.go.wait(SECONDS)
        progress("building chips", 0.5)
        if self.error:
            raise self.error
        return super().build(progress)

    def advance(self, until: int) -> list[Advance]:
        if until > self.fail_after:
            raise DeploymentLost("chip (board 0, chip 1): its process died")
        return super().advance(until)


def held(tmp_path: Path, **told: Any) -> tuple[Coordinator, HeldTeam]:
    teams: list[HeldTeam] = []

    def make(plan: Plan) -> HeldTeam:
        teams.append(HeldTeam(plan, **told))
        return teams[0]

    return Coordinator("d1", plan_of(EVERY, 2), tmp_path, make), teams[0]


def status_of(tmp_path: Path) -> dict[str, Any]:
    record = read_record(tmp_path / "deployments" / "d1" / "status.json")
    assert record is not None
    return record


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
    assert (record["state"], record["error"]) == ("failed", "building failed: no memory for 4 GiB")
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
    assert status_of(tmp_path)["error"] == "building failed: division by zero"
    coordinator.close()


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
