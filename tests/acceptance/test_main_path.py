"""From a network's JSON to its spikes, through the outer door: REST, Ray actors, websocket."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from cluster import DeployOptions, run_local
from spikerack.async_client import AsyncClient
from spikerack.client import Client
from spikerack.errors import AuthError, ConflictError, NotFoundError
from spikerack.launch import Launched, launched
from spikerack.verdict import run_checks
from tests.acceptance.rack import N_CHIPS, actors, assert_serves, deployed, ray_address, small_network

pytestmark = [pytest.mark.ray, pytest.mark.slow]

DURATION_MS = 200.0


def test_deploy_run_stream_and_compare(service: Launched, client: Client) -> None:
    with deployed(client) as deployment:
        assert len(actors(service, "ChipActor")) == N_CHIPS
        run = deployment.run(DURATION_MS)
        stream = run.stream()
        batches = list(stream)
        run.wait()
    spikes = run.spikes()
    assert all(check.holds for check in run_checks(run, stream.state, spikes))
    np.testing.assert_array_equal(np.concatenate([batch.tick for batch in batches]), spikes.tick)
    np.testing.assert_array_equal(np.concatenate([batch.neuron for batch in batches]), spikes.neuron)


def test_chips_as_ray_actors_and_as_threads_give_the_same_spikes(client: Client) -> None:
    network = small_network()
    here = run_local(network, n_ticks=network.ticks(50.0), options=DeployOptions(chips=2)).summary
    with deployed(client) as deployment:
        there = deployment.run(50.0).wait()
    assert here["n_spikes"] > 0
    assert (there.digest, there.record["synapse_digest"]) == (here["digest"], here["synapse_digest"])


def test_the_async_client_does_the_same(service: Launched) -> None:
    async def emulate() -> tuple[str | None, str | None, bool]:
        async with AsyncClient(service.url, service.api_key) as client:
            deployment = await client.deploy(small_network(), system="rack-2x2", chips=2)
            async with await deployment.wait():
                run = await deployment.run(50.0)
                stream = run.stream()
                assert sum([len(batch) async for batch in stream]) > 0
                await run.wait()
                return stream.digest, run.digest, await run.verify()

    streamed, recorded, verified = asyncio.run(emulate())
    assert streamed == recorded
    assert verified


def test_a_run_obeys(client: Client) -> None:
    with deployed(client) as deployment:
        run = deployment.run(60_000.0)
        next(iter(run.stream()))
        paused = run.pause()
        assert run.refresh().state == "paused"
        with pytest.raises(ConflictError):
            deployment.run(1.0)
        assert run.step(5) == paused + 5
        assert run.refresh().tick == paused + 5
        assert run.resume() == paused + 5
        cancelled = run.cancel()
        run.wait()
        assert (run.state, run.tick) == ("cancelled", cancelled)
        assert run.verify()


def test_a_late_reader_and_a_reader_of_a_part(client: Client) -> None:
    with deployed(client) as deployment:
        run = deployment.run(DURATION_MS).wait()
    late = run.stream()
    assert sum(map(len, late)) == run.record["n_spikes"]
    assert late.digest == run.digest
    whole = run.spikes("L4I", from_tick=500, to_tick=1500)
    part = [batch for batch in run.stream(population="L4I", from_tick=500) if batch.tick0 < 1500]
    assert part[0].tick0 == 500
    streamed = np.concatenate([batch.neuron[batch.tick < 1500] for batch in part])
    np.testing.assert_array_equal(streamed, whole.neuron)
    first, size = whole.populations["L4I"]
    assert len(whole) > 0
    assert ((whole.neuron >= first) & (whole.neuron < first + size)).all()


def test_released_chips_are_gone(service: Launched, client: Client) -> None:
    deployment = deployed(client)
    chips = actors(service, "ChipActor")
    assert len(chips) == N_CHIPS
    deployment.release()
    _, alive = psutil.wait_procs(chips, timeout=10.0)
    assert alive == []
    assert deployment.refresh().state == "released"
    with pytest.raises(ConflictError):
        deployment.run(1.0)


def test_the_key_is_asked_for(service: Launched, client: Client) -> None:
    with Client(service.url, "srk_wrong_key") as stranger, pytest.raises(AuthError):
        stranger.systems()
    with pytest.raises(NotFoundError):
        client.run("run_0000000000000000")
    assert stat.S_IMODE((service.data / "key").stat().st_mode) == 0o600
    assert service.output.count("srk_") == 1


@pytest.mark.parametrize(("mode", "admitted"), [("token", True), ("disabled", False)])
def test_ray_refuses_who_has_no_token(service: Launched, mode: str, admitted: bool) -> None:
    environment = os.environ | {"RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN_PATH": str(service.data / "ray_token")}
    ray = "from ray.scripts.scripts import main; main()"
    command = [sys.executable, "-c", ray, "health-check", "--address", ray_address(service)]
    result = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    assert (result.returncode == 0) is admitted


def test_a_gateway_joins_a_cluster_by_its_address(
    service: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(service.data / "ray_token"))
    arguments = ("--address", ray_address(service))
    with launched(tmp_path / "data", arguments=arguments) as guest, guest.client() as client:
        assert_serves(client)
    assert guest.process.returncode == 0
    with service.client() as client:
        assert_serves(client)


def test_the_command_line_deploys_and_watches(service: Launched) -> None:
    environment = os.environ | {"SPIKERACK_URL": service.url, "SPIKERACK_API_KEY": service.api_key}

    def call(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "spikerack.cli", *arguments, "--json"]
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return result.stdout.splitlines()

    (line,) = call("deploy", "microcircuit", "--scale", "0.02", "--chips", "2", "--run-ms", "100")
    deployment = json.loads(line)
    *_, end = call("watch", deployment["run"]["id"])
    assert json.loads(end)["state"] == "complete"
    with service.client() as client:
        client.deployment(deployment["id"]).release()
