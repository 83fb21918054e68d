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
from tests.spikerack.service import DEPLOYMENT, NETWORK, RUN, Script, answer, arrays, npz, problem

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


def test_reads_synapses_in_parts(on: Callable[[Script], Any]) -> None:
    names = {"receptor": np.array(["excitatory", "inhibitory"]), "projection": np.array(["a", "b\tc"])}

    def part(source: list[int], group: list[int], **headers: str) -> httpx2.Response:
        target, delay_ticks = np.array(source, np.uint32) + 8, np.full(len(source), 15, np.uint16)
        columns = {"source": np.array(source, np.uint32), "target": target, "delay_ticks": delay_ticks}
        return arrays(
            **columns,
            weight=0.5 * np.array(source),
            group=np.array(group, np.int64),
            **names,
            headers=headers,
        )

    script = Script(
        answer(200, DEPLOYMENT | {"state": "ready"}), part([1, 2], [0, 1], Next_Cursor="c1"), part([2], [1])
    )
    synapses = on(script)(lambda client: deployment_of(client).synapses(source="exc", targets=range(3)))
    assert script.lines == [
        "GET /v1/deployments/dep_1",
        "GET /v1/deployments/dep_1/synapses?source=exc&targets=0%3A3%3A1&limit=100000",
        "GET /v1/deployments/dep_1/synapses?source=exc&targets=0%3A3%3A1&cursor=c1&limit=100000",
    ]
    assert (synapses.source.tolist(), synapses.target.tolist()) == ([1, 2, 2], [9, 10, 10])
    assert (synapses.delay_ticks.tolist(), synapses.weight.tolist()) == ([15] * 3, [0.5, 1.0, 1.0])
    assert synapses.receptor.tolist() == ["excitatory", "inhibitory", "inhibitory"]
    assert [group.projections for group in synapses.groups] == [("a",), ("b", "c")]
    assert (len(synapses), repr(synapses)) == (3, "Synapses(3 synapses of a, b, c)")


def test_a_range_that_runs_backwards_asks_for_nothing(on: Callable[[Script], Any]) -> None:
    script = Script()
    with pytest.raises(ValueError, match="range") as caught:
        on(script)(lambda client: deployment_of(client).synapses("a", sources=range(5, 0, -1)))
    assert str(caught.value) == (
        "sources: must be a range of a step of 1 or more, got range(5, 0, -1); turn it round"
    )
    assert script.lines == []


def test_reads_recorded_states_in_parts(on: Callable[[Script], Any]) -> None:
    def part(tick: int, **headers: str) -> httpx2.Response:
        v_mv = np.array([[tick + 0.5, tick + 0.25]])
        return arrays(tick=np.array([tick]), neuron=np.array([3, 5]), v_mv=v_mv, headers=headers)

    script = Script(part(4, Next_Cursor="c1"), part(9))
    states = on(script)(lambda client: run_of(client).states(2, to_tick=10))
    assert script.lines == [
        "GET /v1/runs/run_1/states?recording=2&to_tick=10&limit=1000000",
        "GET /v1/runs/run_1/states?recording=2&to_tick=10&cursor=c1&limit=1000000",
    ]
    assert (states.tick.tolist(), states.neuron.tolist()) == ([4, 9], [3, 5])
    assert states.values["v_mv"].tolist() == [[4.5, 4.25], [9.5, 9.25]]
    assert repr(states) == "States(v_mv: 2 samples of 2 neurons)"


def test_reads_recorded_weights_in_parts(on: Callable[[Script], Any]) -> None:
    columns = {"source": np.array([0, 1], np.uint32), "target": np.array([8, 9], np.uint32)}
    columns |= {"delay_ticks": np.array([1, 2])}

    def part(tick: int, **headers: str) -> httpx2.Response:
        return arrays(tick=np.array([tick]), **columns, weight=np.array([[tick, -1.0]]), headers=headers)

    script = Script(part(4, Next_Cursor="c1"), part(9))
    weights = on(script)(lambda client: run_of(client).weights(1))
    assert script.lines == [
        "GET /v1/runs/run_1/weights?recording=1&limit=1000000",
        "GET /v1/runs/run_1/weights?recording=1&cursor=c1&limit=1000000",
    ]
    assert (weights.tick.tolist(), weights.weight.tolist()) == ([4, 9], [[4, -1], [9, -1]])
    assert (weights.source.tolist(), weights.delay_ticks.tolist()) == ([0, 1], [1, 2])
    assert repr(weights) == "Weights(2 samples of 2 synapses)"


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
