from __future__ import annotations

from types import SimpleNamespace

import pytest

from cluster.errors import RunConflict
from tests.api.conftest import LIMITS


def test_a_run_from_start_to_end(call, fleet):
    deployment_id = call.deployment()
    answer = call("POST", f"/v1/deployments/{deployment_id}/runs", json={"duration_ms": 10.0})
    run = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/runs/{run['id']}")
    assert (run["state"], run["tick"], run["n_ticks"], run["digest"]) == ("running", 0, 100, None)
    fleet.advance(run["id"], 40, [(3, 1), (3, 2)])
    middle = call("GET", f"/v1/runs/{run['id']}").json()
    assert (middle["tick"], middle["n_spikes"], middle["realtime_factor"]) == (40, 2, 2.0)
    fleet.advance(run["id"], 100)
    digest = fleet.end(run["id"])
    end = call("GET", f"/v1/runs/{run['id']}").json()
    assert (end["state"], end["digest"], end["engine_version"]) == ("complete", digest, "1")
    assert end["ended"] is not None
    assert call("GET", f"/v1/runs?deployment_id={deployment_id}").json()["items"] == [end]
    assert call("GET", "/v1/runs?deployment_id=dep_other").json()["items"] == []


def test_pause_step_resume_cancel(call, fleet):
    run_id = call.run()
    path = f"/v1/runs/{run_id}"
    fleet.advance(run_id, 10)
    assert call("POST", f"{path}/pause").json() == {"tick": 10, "state": "paused"}
    assert call("POST", f"{path}/step", json={"ticks": 5}).json() == {"tick": 15, "state": "paused"}
    assert call("POST", f"{path}/resume").json() == {"tick": 15, "state": "running"}
    assert call("POST", f"{path}/cancel").json() == {"tick": 15, "state": "cancelled"}


@pytest.mark.parametrize(
    ("before", "action", "needed", "allowed"),
    [
        ([], "resume", "paused", "pause, cancel"),
        ([], "step", "paused", "pause, cancel"),
        (["pause"], "pause", "running", "resume, step, cancel"),
        (["cancel"], "cancel", "running or paused", "delete"),
        (["cancel"], "resume", "paused", "delete"),
    ],
)
def test_refused_actions_change_nothing(call, before, action, needed, allowed):
    run_id = call.run()
    for step in before:
        assert call("POST", f"/v1/runs/{run_id}/{step}").status_code == 200
    run = call("GET", f"/v1/runs/{run_id}").json()
    options = {"json": {"ticks": 1}} if action == "step" else {}
    refused = call("POST", f"/v1/runs/{run_id}/{action}", **options)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/refused-transition")
    assert refused.json()["detail"] == (
        f"run {run_id}: {action} needs the state {needed}, got {run['state']}; allowed now: {allowed}"
    )
    assert call("GET", f"/v1/runs/{run_id}").json() == run


def test_a_run_that_ends_in_the_moment_it_is_paused(call, fleet, monkeypatch):
    """Its record still says running; the word of those who run it counts."""
    run_id = call.run()
    message = f"run {run_id}: pause needs an active run, and it has ended; start another"

    def control(*_: object) -> int:
        raise RunConflict(message)

    monkeypatch.setattr(fleet, "control", control)
    refused = call("POST", f"/v1/runs/{run_id}/pause")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/run-conflict")
    assert refused.json()["detail"] == message


def test_one_run_at_a_time(call, fleet):
    deployment_id = call.deployment()
    call.run(deployment_id)
    refused = call("POST", f"/v1/deployments/{deployment_id}/runs", json={"duration_ms": 1.0})
    assert (refused.status_code, refused.json()["detail"]) == (
        429,
        "active runs: one owner may hold 1, and holds 1; cancel one",
    )


def test_a_deployment_with_an_active_run(call, fleet, stranger):
    call.run()
    refused = stranger("POST", f"/v1/deployments/{stranger.deployment()}/runs", json={"duration_ms": 1.0})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/run-conflict")
    assert stranger("GET", "/v1/runs").json()["items"] == []


def test_a_deployment_that_is_gone(call, fleet):
    deployment_id = call.deployment()
    fleet.networks.clear()
    refused = call("POST", f"/v1/deployments/{deployment_id}/runs", json={"duration_ms": 1.0})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/deployment-lost")
    assert refused.json()["detail"] == (
        f"deployment {deployment_id}: must be alive, and is gone; deploy again"
    )


@pytest.mark.parametrize(
    ("duration_ms", "message"),
    [
        (0.25, "must be a multiple of timestep_ms, 0.1, got 0.25; the nearest are 0.2 and 0.3"),
        (0.01, "must be a multiple of timestep_ms, 0.1, got 0.01; the nearest is 0.1"),
        (0, "must be > 0, got 0; raise it"),
    ],
)
def test_durations_are_whole_ticks(call, duration_ms, message):
    answer = call("POST", f"/v1/deployments/{call.deployment()}/runs", json={"duration_ms": duration_ms})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "duration_ms", "message": message}]


def test_a_run_that_is_too_long(call):
    answer = call("POST", f"/v1/deployments/{call.deployment()}/runs", json={"duration_ms": 1e9})
    assert (answer.status_code, answer.json()["limit"]) == (422, LIMITS.duration_ms)
    assert answer.json()["detail"] == (
        "run: duration_ms must be at most 3600000.0, the estimate is 1000000000.0; "
        "make it smaller, or ask the operator to raise SPIKERACK_LIMITS__DURATION_MS"
    )


def test_a_full_disk(call, fleet, monkeypatch):
    deployment_id = call.deployment()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5))
    refused = call("POST", f"/v1/deployments/{deployment_id}/runs", json={"duration_ms": 1.0})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    assert refused.json()["detail"] == ("run: 1073741824 bytes must be free on the disk, 5 are; delete runs")


def test_an_ended_run_can_be_deleted(settings, call, fleet):
    run_id = call.run()
    refused = call("DELETE", f"/v1/runs/{run_id}")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"run {run_id}: delete needs the state complete or complete_with_loss or failed or cancelled, "
        "got running; allowed now: pause, cancel",
    )
    fleet.end(run_id)
    assert call("DELETE", f"/v1/runs/{run_id}").status_code == 204
    assert call("GET", f"/v1/runs/{run_id}").status_code == 404
    assert not (settings.data / "runs" / run_id).exists()
