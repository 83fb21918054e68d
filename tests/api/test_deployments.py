from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api import create_app
from tests.api.conftest import LIMITS, Caller, host_has, settings_in
from tests.api.scripted import ScriptedFleet


def test_a_deployment_is_built_in_the_background(call, fleet):
    fleet.next_state = "building"
    network_id = call.network()
    answer = call(
        "POST", "/v1/deployments", json={"network_id": network_id, "system": "rack-2x2", "chips": 4}
    )
    record = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")
    assert answer.headers["Location"] == f"/v1/deployments/{record['id']}"
    assert record["state"] == "building"
    assert (record["network_id"], record["network_name"]) == (network_id, "pair")
    assert (record["chips"], record["placement"], record["precision"]) == (4, "default", "float32")
    assert (record["n_neurons"], record["n_synapses"]) == (10, 16)
    assert record["memory_bytes"] > 0
    assert call("GET", answer.headers["Location"]).headers["Retry-After"] == "1"
    fleet.build(record["id"], "ready")
    ready = call("GET", answer.headers["Location"])
    assert "Retry-After" not in ready.headers
    assert (ready.json()["state"], ready.json()["report"]) == ("ready", {"chips": []})


def test_a_run_waits_for_the_building(call, fleet):
    fleet.next_state = "building"
    deployment_id = call.deployment()
    refused = call("POST", f"/v1/deployments/{deployment_id}/runs", json={"duration_ms": 1.0})
    assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")
    assert refused.json()["detail"] == (
        f"deployment {deployment_id}: run needs the state ready, got building; allowed now: release"
    )
    assert (refused.json()["state"], refused.json()["allowed"]) == ("building", ["release"])
    assert call("GET", "/v1/runs").json()["items"] == []


def test_a_failed_deployment_says_why(call, fleet):
    deployment_id = call.deployment()
    fleet.build(deployment_id, "failed", error="chip (board 0, chip 1): out of memory")
    record = call("GET", f"/v1/deployments/{deployment_id}").json()
    assert (record["state"], record["error"]) == ("failed", "chip (board 0, chip 1): out of memory")


def test_release_again_does_no_harm(call, fleet):
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    path = f"/v1/deployments/{deployment_id}"
    assert call("DELETE", path).status_code == 204
    released = call("GET", path).json()
    assert (released["state"], fleet.networks) == ("released", {})
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).json() == released
    assert call("GET", f"/v1/runs/{run_id}").json()["state"] == "cancelled"
    refused = call("POST", f"{path}/runs", json={"duration_ms": 1.0}).json()
    assert refused["detail"] == (
        f"deployment {deployment_id}: run needs the state ready, got released; allowed now: release"
    )


def test_too_many_chips(call):
    answer = call(
        "POST", "/v1/deployments", json={"network_id": call.network(), "system": "rack-2x2", "chips": 5}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/does-not-fit")
    assert answer.json()["problems"]
    assert call("GET", "/v1/deployments").json()["items"] == []


def test_an_owner_has_so_many_deployments(call):
    network_id = call.network()
    for _ in range(2):
        call.deployment(network_id)
    refused = call("POST", "/v1/deployments", json={"network_id": network_id})
    assert (refused.status_code, refused.json()["detail"]) == (
        429,
        "live deployments: one owner may hold 2, and holds 2; release one",
    )


def test_chips_that_do_not_answer(call, fleet):
    network_id = call.network()
    fleet.is_ready = False
    refused = call("POST", "/v1/deployments", json={"network_id": network_id})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json()["detail"] == (
        "chips: must be reachable for a deployment, and are not; come back later"
    )


def _with_memory(tmp_path, memory_bytes: int) -> TestClient:
    settings = settings_in(tmp_path, limits=LIMITS.model_copy(update={"memory_bytes": memory_bytes}))
    return TestClient(create_app(settings, ScriptedFleet(settings.data)))


def test_memory_of_all_deployments_together(tmp_path, call):
    need = call("GET", f"/v1/deployments/{call.deployment()}").json()["memory_bytes"]
    with _with_memory(tmp_path / "two", need * 3 // 2) as http:
        token = (tmp_path / "two" / "key").read_text().strip()
        other = Caller(http, call.fleet, token)
        network_id = other.network()
        other.deployment(network_id)
        refused = other("POST", "/v1/deployments", json={"network_id": network_id, "system": "rack-2x2"})
    room = need * 3 // 2 - need
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    assert refused.json()["type"] == "/problems/no-capacity"
    assert refused.json()["detail"] == (
        f"deployment: memory for {need} bytes is needed, {room} are free now; "
        "release a deployment or come back later"
    )


def test_memory_that_the_service_never_has(tmp_path):
    with _with_memory(tmp_path, 1) as http:
        caller = Caller(http, ScriptedFleet(tmp_path), (tmp_path / "key").read_text().strip())
        refused = caller("POST", "/v1/deployments", json={"network_id": caller.network()})
        body = {"network_id": caller.network(), "system": "rack-2x2"}
        (use,) = (u for u in caller("POST", "/v1/fits", json=body).json()["limits"] if u["where"] == "host")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/does-not-fit")
    assert refused.json()["problems"] == [
        f"host: memory_bytes must be at most 1, got {use['used']}; "
        "use fewer synapses or neurons, or a host with more memory"
    ]
    assert (use["limit"], use["capacity"], use["headroom"]) == ("memory_bytes", 1, 1 - use["used"])


def test_memory_that_the_host_never_has(call, monkeypatch):
    host_has(monkeypatch, total=9, available=5)
    refused = call("POST", "/v1/deployments", json={"network_id": call.network()})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/does-not-fit")
    assert refused.json()["detail"].startswith("host: memory_bytes must be at most 9, got ")


def test_memory_that_the_host_does_not_have_now(call, monkeypatch):
    network_id = call.network()
    host_has(monkeypatch, total=2**40, available=0)
    refused = call("POST", "/v1/deployments", json={"network_id": network_id})
    assert (refused.status_code, refused.json()["limit"]) == (503, 0)


@pytest.mark.parametrize("body", [{"network_id": "net_0"}, {"network_id": "../../etc/passwd"}])
def test_an_unknown_network(call, body):
    assert call("POST", "/v1/deployments", json=body).status_code == 404
