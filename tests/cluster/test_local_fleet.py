"""Deployments in threads of this process: records, runs, refusals, release."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import CapacityError, DeploymentLost, DeployOptions, LocalFleet, RunConflict, run_local
from cluster.runfile import RunReader
from network import NetworkError, SpikeDigest, parse_network
from tests.cluster.deployments import LONG, finish, status_of
from tests.cluster.samples import RACK, everything, everything_network

pytestmark = pytest.mark.usefixtures("kernels", "_no_thread_is_left")

EVERY = everything_network()
THREE = DeployOptions(chips=3)


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


def reader(fleet: LocalFleet, run: str) -> RunReader:
    return RunReader(fleet.data / "runs" / run)


def test_a_deployment_is_built_and_says_what_it_became(deployed: LocalFleet) -> None:
    record = status_of(deployed.data)
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
    assert status_of(deployed.data)["state"] == "ready"


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
    assert status_of(deployed.data)["state"] == "released"
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
