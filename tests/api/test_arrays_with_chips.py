"""Uploaded arrays with real chips in threads: from the upload to the digest."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from api import create_app
from cluster import LocalFleet
from tests.api.conftest import NETWORK, Caller
from tests.api.uploads import MSGPACK, NPZ, npz, packed

pytestmark = pytest.mark.slow

N_SOURCES, N_TARGETS, N_SYNAPSES, N_SPIKES = 50, 20, 400, 300


@pytest.fixture
def call(settings):
    fleet = LocalFleet(settings.data)
    with TestClient(create_app(settings, fleet)) as http:
        caller = Caller(http, fleet, settings.key_file.read_text().strip())
        yield caller
    fleet.close()


@pytest.fixture
def columns():
    rng = np.random.default_rng(11)
    return {
        "sources": rng.integers(0, N_SOURCES, N_SYNAPSES),
        "targets": rng.integers(0, N_TARGETS, N_SYNAPSES),
        "weights": rng.integers(1, 4000, N_SYNAPSES) * 0.5,
        "delays_ms": rng.integers(1, 40, N_SYNAPSES) * 0.1,
    }


@pytest.fixture
def spikes():
    rng = np.random.default_rng(12)
    places = rng.choice(900 * N_SOURCES, N_SPIKES, replace=False)
    return {"times_ms": (1 + places // N_SOURCES) * 0.1, "neurons": places % N_SOURCES}


def network(connectivity, source):
    ends = {"source": "drive", "target": "p", "receptor": "excitatory"}
    return NETWORK | {
        "populations": [{"name": "p", "size": N_TARGETS, "model": "lif_curr_exp"}],
        "sources": [{"name": "drive", "size": N_SOURCES} | source],
        "projections": [ends | {"connectivity": connectivity}],
        "recordings": [],
    }


def deployed(call, described, chips):
    answer = call("POST", "/v1/networks", json=described)
    assert answer.status_code == 201, answer.text
    body = {"network_id": answer.json()["id"], "system": "rack-2x2", "chips": chips}
    path = call("POST", "/v1/deployments", json=body).headers["Location"]
    while (record := call("GET", path).json())["state"] == "building":
        pass
    return record


def digests(call, described, chips):
    record = deployed(call, described, chips)
    assert record["state"] == "ready", record["error"]
    run_id = call.run(record["id"], duration_ms=100.0)
    while (run := call("GET", f"/v1/runs/{run_id}").json())["state"] == "running":
        pass
    assert call("DELETE", f"/v1/deployments/{record['id']}").status_code == 204
    assert run["n_spikes"] > N_SPIKES
    return run["digest"], run["synapse_digest"]


def test_what_is_uploaded_is_what_could_have_been_described(call, columns, spikes):
    said = call("POST", "/v1/arrays?kind=synapses", content=packed(columns, step=64), headers=MSGPACK).json()
    source = call("POST", "/v1/arrays?kind=spikes", content=npz(spikes), headers=NPZ).json()["source"]
    times = [[] for _ in range(N_SOURCES)]
    for ms, neuron in sorted(zip(spikes["times_ms"].tolist(), spikes["neurons"].tolist(), strict=True)):
        times[neuron].append(ms)
    lists = {name: values.tolist() for name, values in columns.items()}
    described = network({"rule": "explicit"} | lists, {"kind": "spike_times", "times_ms": times})
    expected = digests(call, described, 1)
    for chips in (1, 3):
        assert digests(call, network(said["connectivity"], source), chips) == expected


def test_a_deployment_of_damaged_arrays_fails(call, settings, columns, spikes):
    said = call("POST", "/v1/arrays?kind=synapses", content=npz(columns), headers=NPZ).json()
    source = call("POST", "/v1/arrays?kind=spikes", content=npz(spikes), headers=NPZ).json()["source"]
    path = settings.data / "arrays" / said["id"] / "weights.npy"
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    record = deployed(call, network(said["connectivity"], source), 2)
    assert (record["state"], record["error"]) == (
        "failed",
        f"building failed: arrays {said['id']}: must be as they were stored, "
        "and column weights has another SHA-256; upload them again",
    )
    again = call("POST", "/v1/arrays?kind=synapses", content=npz(columns), headers=NPZ)
    assert (again.status_code, again.json()["id"]) == (200, said["id"])
    assert deployed(call, network(said["connectivity"], source), 2)["state"] == "ready"
