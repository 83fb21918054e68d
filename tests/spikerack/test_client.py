"""Both clients against a scripted service: one suite, since they are twins."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest

from network import parse_network
from spikerack.async_client import AsyncClient, AsyncDeployment, AsyncRun, AsyncSpikeStream
from spikerack.client import Client, Deployment, Run, SpikeStream
from spikerack.errors import (
    AuthError,
    BusyError,
    ConflictError,
    DeploymentFailedError,
    RunFailedError,
    ServerError,
    UnreachableError,
)
from spikerack.views import digest_of
from tests.spikerack.service import DEPLOYMENT, NETWORK, RUN, Script, answer, npz, problem

URL = "http://rack.test"


class Blocking:
    """Runs a step on `Client`."""

    def __init__(self, script: Script) -> None:
        transport = httpx2.MockTransport(script)
        self.client: Any = Client(URL, "srk_k_s", transport=transport, pause=script.pauses.append)

    def __call__(self, step: Callable[[Any], Any]) -> Any:
        return step(self.client)


class Awaiting:
    """Runs the same step on `AsyncClient`."""

    def __init__(self, script: Script) -> None:
        transport = httpx2.MockTransport(script)
        self.client: Any = AsyncClient(URL, "srk_k_s", transport=transport, pause=script.apause)

    def __call__(self, step: Callable[[Any], Any]) -> Any:
        async def awaited() -> Any:
            result = step(self.client)
            return await result if inspect.isawaitable(result) else result

        return asyncio.run(awaited())


@pytest.fixture(params=[Blocking, Awaiting])
def on(request: pytest.FixtureRequest) -> Callable[[Script], Any]:
    twin: Callable[[Script], Any] = request.param
    return twin


def run_of(client: Any) -> Any:
    return (Run if isinstance(client, Client) else AsyncRun)(client, dict(RUN))


def deployment_of(client: Any, **changes: Any) -> Any:
    return (Deployment if isinstance(client, Client) else AsyncDeployment)(client, DEPLOYMENT | changes)


@pytest.mark.parametrize(
    ("blocking", "awaiting"),
    [(Client, AsyncClient), (Deployment, AsyncDeployment), (Run, AsyncRun), (SpikeStream, AsyncSpikeStream)],
)
def test_the_twins_have_the_same_methods(blocking: type, awaiting: type) -> None:
    def public(cls: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(cls, inspect.isfunction)
        return {
            name.removeprefix("a") if name == "aclose" else name: list(inspect.signature(method).parameters)
            for name, method in methods
            if not name.startswith("_")
        }

    assert public(blocking) == public(awaiting)


def test_deploys_a_network(on: Callable[[Script], Any]) -> None:
    script = Script(answer(201, {"id": "net_1"}), answer(202, DEPLOYMENT))
    network = parse_network(NETWORK)
    deployment = on(script)(lambda client: client.deploy(network, system="rack-2x2", chips=4))
    assert script.lines == ["POST /v1/networks", "POST /v1/deployments"]
    assert parse_network(script.requests[0].content) == network
    assert json.loads(script.requests[1].content) == {"network_id": "net_1", "system": "rack-2x2", "chips": 4}
    assert script.requests[0].headers["Authorization"] == "Bearer srk_k_s"
    assert repr(deployment).endswith("Deployment(dep_1: demo on 4 chips of rack-2x2, building)")


def test_runs_once_the_deployment_is_built(on: Callable[[Script], Any]) -> None:
    ready = DEPLOYMENT | {"state": "ready"}
    script = Script(answer(200, DEPLOYMENT), answer(200, ready), answer(202, RUN))
    run = on(script)(lambda client: deployment_of(client).run(10.0))
    assert script.lines == [
        "GET /v1/deployments/dep_1",
        "GET /v1/deployments/dep_1",
        "POST /v1/deployments/dep_1/runs",
    ]
    assert json.loads(script.requests[-1].content) == {"duration_ms": 10.0}
    assert script.pauses == [0.2]
    assert (run.id, run.state, run.tick, run.digest) == ("run_1", "running", 0, None)


def test_a_deployment_that_cannot_be_built(on: Callable[[Script], Any]) -> None:
    script = Script(answer(200, DEPLOYMENT | {"state": "failed", "error": "no room on (board 0, chip 0)"}))
    with pytest.raises(
        DeploymentFailedError, match=r"^deployment dep_1 is failed: no room on \(board 0, chip 0\)$"
    ):
        on(script)(lambda client: deployment_of(client).wait())


def test_waits_for_the_end(on: Callable[[Script], Any]) -> None:
    script = Script(answer(200, RUN), answer(200, RUN | {"state": "complete", "tick": 100, "digest": "ab"}))
    run = on(script)(lambda client: run_of(client).wait())
    assert (run.state, run.tick, run.digest) == ("complete", 100, "ab")


def test_a_failed_run_raises(on: Callable[[Script], Any]) -> None:
    script = Script(answer(200, RUN | {"state": "failed", "tick": 41, "error": "chip 2 died"}))
    with pytest.raises(RunFailedError, match=r"^run run_1 failed at tick 41: chip 2 died$"):
        on(script)(lambda client: run_of(client).wait())


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_controls(on: Callable[[Script], Any], action: str) -> None:
    script = Script(answer(200, {"tick": 12, "state": "any"}))
    assert on(script)(lambda client: getattr(run_of(client), action)()) == 12
    assert script.lines == [f"POST /v1/runs/run_1/{action}"]
    assert script.requests[0].content == b""


def test_steps(on: Callable[[Script], Any]) -> None:
    script = Script(answer(200, {"tick": 17, "state": "paused"}))
    assert on(script)(lambda client: run_of(client).step(5)) == 17
    assert json.loads(script.requests[0].content) == {"ticks": 5}


def test_spikes_are_fetched_page_by_page(on: Callable[[Script], Any]) -> None:
    script = Script(npz([0, 1], [5, 7], Next_Cursor="c1"), npz([2], [0]))
    spikes = on(script)(lambda client: run_of(client).spikes(from_tick=0, to_tick=3))
    np.testing.assert_array_equal(spikes.tick, [0, 1, 2])
    np.testing.assert_array_equal(spikes.neuron, [5, 7, 0])
    assert spikes.tick.dtype == spikes.neuron.dtype == np.uint32
    assert spikes.populations == {"exc": (0, 6), "inh": (6, 2)}
    assert script.lines == [
        "GET /v1/runs/run_1/spikes?from_tick=0&to_tick=3&limit=5000000",
        "GET /v1/runs/run_1/spikes?from_tick=0&to_tick=3&cursor=c1&limit=5000000",
    ]


def test_verifies_the_digest(on: Callable[[Script], Any]) -> None:
    page = npz([0, 1], [5, 7])
    script = Script(page)
    digest = digest_of(on(script)(lambda client: run_of(client).spikes()), 100)
    ended = RUN | {"state": "complete", "tick": 100}
    # The digest of all spikes is another when the network's recordings keep some of them.
    right = answer(200, ended | {"digest": "ab", "recorded_digest": digest})
    wrong = answer(200, ended | {"digest": digest, "recorded_digest": "00"})
    assert on(Script(right, page))(lambda client: run_of(client).verify())
    assert not on(Script(wrong, page))(lambda client: run_of(client).verify())
    assert not on(Script(answer(200, ended)))(lambda client: run_of(client).verify())


def test_a_broken_connection_is_tried_again_with_the_same_key(on: Callable[[Script], Any]) -> None:
    script = Script(httpx2.ConnectError("refused"), answer(202, RUN))
    on(script)(lambda client: deployment_of(client, state="ready").run(10.0))
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert len(script.pauses) == 1


def test_retry_after_is_honoured(on: Callable[[Script], Any]) -> None:
    script = Script(problem(503, "full", retry_after="3"), answer(200, {"items": [], "next": None}))
    assert on(script)(lambda client: client.systems()) == []
    assert script.pauses == [3.0]


def test_a_proxys_trouble_is_tried_again(on: Callable[[Script], Any]) -> None:
    script = Script(httpx2.Response(502, text="<html>"), answer(200, {"items": [], "next": None}))
    assert on(script)(lambda client: client.systems()) == []


def test_what_waiting_cannot_mend_is_raised_at_once(on: Callable[[Script], Any]) -> None:
    for reply, family in [
        (problem(401, "no key"), AuthError),
        (problem(409, "active run"), ConflictError),
        (problem(429, "quota"), BusyError),
        (httpx2.Response(500, text="oops"), ServerError),
    ]:
        script = Script(reply)
        with pytest.raises(family):
            on(script)(lambda client: client.systems())
        assert script.pauses == []


def test_no_room_until_patience_is_over_is_the_services_own_problem(on: Callable[[Script], Any]) -> None:
    script = Script(problem(503, "no chips are free", retry_after="90"))
    with pytest.raises(BusyError, match=r"^GET /v1/systems: 503, no chips are free$"):
        on(script)(lambda client: client.systems())


def test_a_service_that_is_not_there(on: Callable[[Script], Any]) -> None:
    script = Script(*[httpx2.ConnectError("refused")] * 3)
    caller = on(script)
    caller.client.patience_s = 0.05
    with pytest.raises(UnreachableError, match=r"^GET /v1/systems: ConnectError: refused; gave up after "):
        caller(lambda client: client.systems())


def test_the_key_is_never_printed() -> None:
    client = Client(URL, "srk_k_secret")
    assert repr(client) == "Client(http://rack.test)"
    assert "secret" not in repr(client.access)
    client.close()


def test_a_released_deployment(on: Callable[[Script], Any]) -> None:
    script = Script(httpx2.Response(204))
    on(script)(lambda client: deployment_of(client).release())
    assert script.lines == ["DELETE /v1/deployments/dep_1"]
