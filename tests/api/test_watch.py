from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api import create_app
from tests.api.conftest import Caller

CAUSE = "the coordinator died"


def _look(call):
    call.http.app.state.watch.look()


def test_the_run_of_a_lost_deployment_fails_at_its_tick(call, fleet):
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    fleet.advance(run_id, 42, [(3, 1)])
    fleet.lose(deployment_id, CAUSE)
    _look(call)
    run = call("GET", f"/v1/runs/{run_id}").json()
    assert (run["state"], run["tick"], run["error"]) == ("failed", 42, f"{CAUSE}; last complete tick: 42")
    assert run["ended"] is not None
    deployment = call("GET", f"/v1/deployments/{deployment_id}").json()
    assert (deployment["state"], deployment["error"]) == ("failed", CAUSE)
    assert call("GET", f"/v1/runs/{run_id}/spikes").json()["tick"] == [3]
    refused = call("POST", f"/v1/runs/{run_id}/pause")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/refused-transition")


def test_the_service_goes_on_after_a_loss(call, fleet):
    lost = call.deployment()
    call.run(lost)
    fleet.lose(lost, CAUSE)
    _look(call)
    assert call("DELETE", f"/v1/deployments/{lost}").status_code == 204
    run_id = call.run()
    fleet.advance(run_id, 100)
    fleet.end(run_id)
    assert call("GET", f"/v1/runs/{run_id}").json()["state"] == "complete"


def test_an_ended_run_of_a_lost_deployment_stays_as_it_was(call, fleet):
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    fleet.end(run_id)
    before = call("GET", f"/v1/runs/{run_id}").json()
    fleet.lose(deployment_id, CAUSE)
    _look(call)
    assert call("GET", f"/v1/runs/{run_id}").json() == before


def test_ends_make_room(call, fleet):
    """An owner may have one active run and two live deployments here."""
    first, second = call.deployment(), call.deployment()
    run_id = call.run(first)
    fleet.end(run_id)
    fleet.build(second, "failed", error="out of memory")
    _look(call)
    assert call.run(first)
    assert call.deployment()


def test_a_look_that_fails_forgets_nothing(call, fleet, monkeypatch):
    deployment_id = call.deployment()
    fleet.lose(deployment_id, CAUSE)
    with monkeypatch.context() as patch:
        patch.setattr("api.watch.end_runs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            _look(call)
    _look(call)
    assert call("GET", f"/v1/deployments/{deployment_id}").json()["error"] == CAUSE


@pytest.fixture
def restarted(settings, fleet, call):
    """Return a function that stops the gateway, does something, and starts another one."""
    entered = []

    def restart(meanwhile) -> Caller:
        call.http.__exit__(None, None, None)
        meanwhile()
        http = TestClient(create_app(settings, fleet))
        entered.append(http.__enter__())
        again = Caller(http, fleet, call.headers["Authorization"].split()[1])
        _look(again)
        return again

    yield restart
    entered[0].__exit__(None, None, None)
    call.http.__enter__()


def test_what_died_while_no_gateway_looked(call, fleet, restarted):
    """The fleet of the new gateway never saw the deployment, so it cannot say that it is lost."""
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    fleet.advance(run_id, 30)
    again = restarted(fleet.networks.clear)
    cause = "its chips were gone when the gateway came back"
    assert again("GET", f"/v1/deployments/{deployment_id}").json()["error"] == cause
    run = again("GET", f"/v1/runs/{run_id}").json()
    assert (run["state"], run["error"]) == ("failed", f"{cause}; last complete tick: 30")


def test_what_went_on_while_no_gateway_looked(call, fleet, restarted):
    run_id = call.run()

    def meanwhile() -> None:
        fleet.advance(run_id, 100, [(50, 1)])
        fleet.end(run_id)

    again = restarted(meanwhile)
    run = again("GET", f"/v1/runs/{run_id}").json()
    assert (run["state"], run["tick"]) == ("complete", 100)
    assert again("GET", "/v1/deployments").json()["items"][0]["state"] == "ready"


def test_metrics_of_runs_and_deployments(call, fleet):
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    _look(call)
    text = call("GET", "/metrics").text
    assert 'spikerack_runs{state="running"} 1.0' in text
    assert 'spikerack_deployments{state="ready"} 1.0' in text
    fleet.end(run_id)
    call("DELETE", f"/v1/deployments/{deployment_id}")
    _look(call)
    text = call("GET", "/metrics").text
    assert 'spikerack_runs{state="running"} 0.0' in text
    assert 'spikerack_runs{state="complete"} 1.0' in text
    assert 'spikerack_deployments{state="ready"} 0.0' in text
