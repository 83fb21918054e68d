"""The gateway with real chips in threads, from the network to the digest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from api import Settings, create_app
from cluster import LocalFleet
from network import SpikeDigest
from tests.api.conftest import NETWORK, Caller
from tests.api.test_stream import read, read_all, spikes_of, watching

pytestmark = pytest.mark.slow

N_TICKS = 1_000
DRIVEN: dict[str, Any] = NETWORK | {
    "populations": [
        {
            "name": "exc",
            "size": 80,
            "model": "lif_curr_exp",
            "inputs": [{"kind": "dc", "current_pa": 600.0}],
            "initial": {"v_mv": {"kind": "uniform", "low": -65.0, "high": -50.0}},
        },
        {"name": "inh", "size": 20, "model": "lif_curr_exp"},
    ],
    "projections": [NETWORK["projections"][0] | {"weight": 100.0}],
}


@pytest.fixture
def call(settings: Settings):
    fleet = LocalFleet(settings.data)
    with TestClient(create_app(settings, fleet)) as http:
        assert settings.key_file is not None
        yield Caller(http, fleet, settings.key_file.read_text().strip())
    fleet.close()


def _built(call, chips: int, **changes: Any) -> str:
    answer = call("POST", "/v1/networks", json=DRIVEN | changes).json()
    body = {"network_id": answer["id"], "system": "rack-2x2", "chips": chips}
    path = call("POST", "/v1/deployments", json=body).headers["Location"]
    while (state := call("GET", path).json()["state"]) == "building":
        pass
    assert state == "ready"
    return path.rpartition("/")[2]


def test_the_stream_and_rest_and_the_digest_agree(call):
    run_id = call.run(_built(call, 4), duration_ms=N_TICKS / 10)
    with watching(call, run_id) as socket:
        messages = read_all(socket)
    pairs, run = spikes_of(messages), call("GET", f"/v1/runs/{run_id}").json()
    assert 100 < len(pairs) < 10_000
    assert (run["state"], run["tick"], run["n_spikes"]) == ("complete", N_TICKS, len(pairs))
    digest = SpikeDigest(0.1, N_TICKS, 100)
    digest.update(*np.array(pairs).T)
    assert run["digest"] == messages[-1]["digest"] == digest.hexdigest()
    page = call("GET", f"/v1/runs/{run_id}/spikes").json()
    assert list(zip(page["tick"], page["neuron"], strict=True)) == pairs
    assert run["conservation"] is not None
    assert set(run["rates_hz"]) == {"exc", "inh"}
    states = call("GET", f"/v1/runs/{run_id}/states").json()
    assert np.shape(states["values"]["v_mv"]) == (N_TICKS // 5, 2)


@pytest.mark.parametrize("chips", [1, 3])
def test_recordings_from_chips_to_rest(call, chips):
    recordings = [
        {"kind": "spikes", "population": "exc", "neurons": {"start": 5, "stop": 80, "step": 7}},
        {"kind": "weights", "projection": "exc->inh", "targets": {"stop": 2}, "interval_ms": 25},
        *NETWORK["recordings"],
    ]
    deployment_id = _built(call, chips, recordings=recordings)
    run_id = call.run(deployment_id, duration_ms=N_TICKS / 10)
    with watching(call, run_id) as socket:
        messages = read_all(socket)
    run, pairs = call("GET", f"/v1/runs/{run_id}").json(), spikes_of(messages)
    assert {neuron for _, neuron in pairs} <= set(range(5, 80, 7))
    assert 0 < run["n_recorded_spikes"] == len(pairs) < run["n_spikes"]
    digest = SpikeDigest(0.1, N_TICKS, 100)
    digest.update(*np.array(pairs).T)
    assert messages[-1]["recorded_digest"] == run["recorded_digest"] == digest.hexdigest() != run["digest"]
    weights = call("GET", f"/v1/runs/{run_id}/weights?recording=1").json()
    assert (weights["tick"], len(weights["source"])) == ([249, 499, 749, 999], 160)
    path = f"/v1/deployments/{deployment_id}/synapses"
    synapses = call("GET", f"{path}?projection=exc->inh&targets=0:2").json()
    for column in ("source", "target", "delay_ticks"):
        assert weights[column] == synapses[column]
    assert weights["values"] == [synapses["weight"]] * 4
    assert (synapses["source"][:3], synapses["target"][:3]) == ([0, 0, 1], [80, 81, 80])
    assert set(synapses["weight"]) == {100.0}


def test_chips_do_not_change_the_digest(call):
    digests = set()
    for chips in (1, 3):
        deployment_id = _built(call, chips)
        run_id = call.run(deployment_id, duration_ms=N_TICKS / 10)
        with watching(call, run_id) as socket:
            digests.add(read(socket, "end")["digest"])
        assert call("DELETE", f"/v1/deployments/{deployment_id}").status_code == 204
        call.http.app.state.watch.look()
    assert len(digests) == 1


def test_control_takes_effect_at_the_tick_it_says(call):
    run_id = call.run(_built(call, 2), duration_ms=3_600_000.0)
    path = f"/v1/runs/{run_id}"
    paused = call("POST", f"{path}/pause").json()
    assert paused["state"] == "paused"
    stepped = call("POST", f"{path}/step", json={"ticks": 7}).json()
    assert stepped == {"tick": paused["tick"] + 7, "state": "paused"}
    with watching(call, run_id, f"?from_tick={paused['tick']}") as socket:
        assert read(socket)["last_tick"] == stepped["tick"]
        data = read(socket, "data")
        assert (data["tick0"], data["n_ticks"]) == (paused["tick"], 7)
        assert call("POST", f"{path}/resume").json()["state"] == "running"
        ended = call("POST", f"{path}/cancel").json()
        assert ended["state"] == "cancelled"
        end = read(socket, "end")
    run = call("GET", path).json()
    assert (end["tick"], end["state"], end["digest"]) == (ended["tick"], "cancelled", run["digest"])


def test_release_ends_the_run(call):
    deployment_id = _built(call, 2)
    run_id = call.run(deployment_id, duration_ms=3_600_000.0)
    assert call("DELETE", f"/v1/deployments/{deployment_id}").status_code == 204
    assert call("GET", f"/v1/runs/{run_id}").json()["state"] == "cancelled"
    assert call("GET", f"/v1/deployments/{deployment_id}").json()["state"] == "released"


def test_a_network_that_does_not_fit(call):
    huge = DRIVEN | {"populations": [DRIVEN["populations"][0] | {"size": 900_000}], "projections": []}
    network_id = call("POST", "/v1/networks", json=huge).json()["id"]
    answer = call(
        "POST", "/v1/deployments", json={"network_id": network_id, "system": "rack-2x2", "chips": 9}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/does-not-fit")
    assert answer.json()["problems"][0] == (
        "system 'rack-2x2': chips must be at most 4, got 9; use fewer chips or a larger system"
    )
