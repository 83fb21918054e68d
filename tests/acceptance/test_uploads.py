"""Arrays through the service's outer door, onto chips in Ray actors."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from cluster import run_local
from network import Network
from spikerack.arrays import save, save_spikes
from spikerack.async_client import AsyncClient
from spikerack.builder import NetworkBuilder, uploaded

pytestmark = [pytest.mark.ray, pytest.mark.slow]

N_SOURCES, N_TARGETS, DURATION_MS = 200, 100, 50.0


def network(synapses, spikes) -> Network:
    builder = NetworkBuilder("uploads", timestep_ms=0.1, seed=4)
    drive = builder.uploaded_spikes_source("drive", N_SOURCES, spikes)
    target = builder.population("target", N_TARGETS, "lif_curr_exp")
    builder.connect(drive, target, uploaded(synapses), receptor="excitatory")
    return builder.build()


def test_what_is_uploaded_runs_on_ray_as_it_does_here(service, client, tmp_path):
    rng = np.random.default_rng(21)
    n = 300_000
    synapses = {
        "sources": rng.integers(0, N_SOURCES, n),
        "targets": rng.integers(0, N_TARGETS, n, np.uint16),
        "weights": rng.integers(-8, 16, n) * np.float32(0.25),
        "delays_ms": rng.integers(1, 60, n) * 0.1,
    }
    places = rng.choice(400 * N_SOURCES, 3000, replace=False)
    spikes = {"times_ms": (1 + places // N_SOURCES) * 0.1, "neurons": places % N_SOURCES}
    said, facts = save(tmp_path, **synapses), save_spikes(tmp_path, **spikes)
    here = run_local(network(said, facts), n_ticks=500, arrays=tmp_path).summary

    assert client.upload(**synapses) == said
    assert client.upload_spikes(**spikes) == facts

    async def again():
        async with AsyncClient(service.url, service.api_key) as twin:
            return await twin.upload(**synapses)

    assert asyncio.run(again()) == said
    with client.deploy(network(said, facts), system="rack-2x2", chips=3).wait() as deployment:
        run = deployment.run(DURATION_MS).wait()
        assert (run.digest, run.record["synapse_digest"]) == (here["digest"], here["synapse_digest"])
        assert run.record["n_spikes"] > 3000
