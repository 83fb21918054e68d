from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from api.watch import Watch, keep_signal_handlers

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
    """An owner may have one active run and two live deployments here; the end of a run counts at once."""
    first, second = call.deployment(), call.deployment()
    fleet.end(call.run(first))
    assert call.run(first)
    fleet.build(second, "failed", error="out of memory")
    _look(call)
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


def test_what_died_while_no_gateway_looked(call, fleet, restart):
    """The fleet of the new gateway never saw the deployment, so it cannot say that it is lost."""
    deployment_id = call.deployment()
    run_id = call.run(deployment_id)
    fleet.advance(run_id, 30)
    again = restart(fleet.networks.clear)
    _look(again)
    cause = "its chips were gone when the gateway came back"
    assert again("GET", f"/v1/deployments/{deployment_id}").json()["error"] == cause
    run = again("GET", f"/v1/runs/{run_id}").json()
    assert (run["state"], run["error"]) == ("failed", f"{cause}; last complete tick: 30")


def test_what_is_lost_keeps_its_cause(call, fleet, restart):
    deployment_id = call.deployment()
    again = restart(lambda: fleet.lose(deployment_id, CAUSE))
    _look(again)
    assert again("GET", f"/v1/deployments/{deployment_id}").json()["error"] == CAUSE


def test_a_run_that_was_admitted_and_never_begun(call, fleet, restart, monkeypatch):
    """The gateway died between its record of the run and the chips' word that they have begun."""
    with monkeypatch.context() as patch:
        patch.setattr(fleet, "start_run", lambda *_: None)
        run_id = call.run()
    again = restart()
    _look(again)
    run = again("GET", f"/v1/runs/{run_id}").json()
    assert (run["state"], run["tick"], run["n_ticks"], run["error"]) == (
        "failed",
        0,
        100,
        "it was not under way when the gateway came back; last complete tick: 0",
    )
    assert again("GET", "/v1/deployments").json()["items"][0]["state"] == "ready"


def test_what_went_on_while_no_gateway_looked(call, fleet, restart):
    run_id = call.run()

    def meanwhile() -> None:
        fleet.advance(run_id, 100, [(50, 1)])
        fleet.end(run_id)

    again = restart(meanwhile)
    _look(again)
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


def _as_ray_does(number):
    """Take a signal from Python behind its back."""
    ctypes.CDLL(None).signal(number, ctypes.c_void_p(signal.SIG_IGN.value))


def test_a_look_gives_python_its_signals_back(monkeypatch):
    """A look may connect to a new Ray head, and that takes SIGTERM away from uvicorn."""
    got: list[int] = []
    watch = object.__new__(Watch)
    settings = SimpleNamespace(poll_s=3600.0)
    monkeypatch.setattr(watch, "_gateway", SimpleNamespace(settings=settings), raising=False)
    monkeypatch.setattr(watch, "look", lambda: _as_ray_does(signal.SIGTERM))

    async def scenario() -> None:
        signalled = asyncio.Event()

        monkeypatch.setattr(
            "api.watch.keep_signal_handlers", lambda: (keep_signal_handlers(), signalled.set())
        )
        polling: Any = asyncio.create_task(watch.poll())
        await signalled.wait()
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling

    before = signal.signal(signal.SIGTERM, lambda number, _: got.append(number))
    try:
        asyncio.run(scenario())
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert got == [signal.SIGTERM]
