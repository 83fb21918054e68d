"""Recordings of spikes and of weights over REST and the stream, with scripted chips."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import api.recordings
from cluster.recordings import RecordedSynapses
from network import SpikeDigest
from tests.api.conftest import NETWORK
from tests.api.test_stream import SPIKES, read, read_all, spikes_of, watching

SPIKE_RECORDINGS = [
    {"kind": "spikes", "population": "exc", "neurons": {"start": 1, "stop": 8, "step": 2}},
    {"kind": "spikes", "population": "inh"},
]
WEIGHTS = {"kind": "weights", "projection": "exc->inh", "interval_ms": 0.5}
RECORDINGS = [SPIKE_RECORDINGS[0], *NETWORK["recordings"], WEIGHTS]
KEPT = [pair for pair in SPIKES if pair[1] in {1, 3, 5, 7, 8, 9}]
SYNAPSES = RecordedSynapses(
    source=np.array([0, 0, 3], np.uint32),
    target=np.array([8, 9, 8], np.uint32),
    delay_ticks=np.array([10, 11, 12]),
    weight=np.array([10.0, 20.0, 30.0]),
)


def _digest(pairs):
    digest = SpikeDigest(0.1, 100, 10)
    digest.update(*np.array(pairs).T)
    return digest.hexdigest()


@pytest.fixture
def filtered(call, fleet) -> str:
    run_id = call.run(call.deployment(call.network(recordings=SPIKE_RECORDINGS)))
    fleet.advance(run_id, 100, SPIKES)
    fleet.end(run_id)
    return run_id


@pytest.fixture
def weighed(call, fleet) -> str:
    """A run of 12 ticks: samples at ticks 4 and 9."""
    fleet.synapses_of[2] = SYNAPSES
    run_id = call.run(call.deployment(call.network(recordings=RECORDINGS)))
    fleet.advance(run_id, 7)
    fleet.advance(run_id, 12)
    fleet.end(run_id)
    return run_id


def test_the_spikes_and_digests_of_a_filtered_run(call, filtered):
    assert 0 < len(KEPT) < len(SPIKES)
    run = call("GET", f"/v1/runs/{filtered}").json()
    assert (run["n_spikes"], run["n_recorded_spikes"]) == (len(SPIKES), len(KEPT))
    assert (run["digest"], run["recorded_digest"]) == (_digest(SPIKES), _digest(KEPT))
    page = call("GET", f"/v1/runs/{filtered}/spikes").json()
    assert list(zip(page["tick"], page["neuron"], strict=True)) == KEPT


@pytest.mark.parametrize("from_tick", [0, 1, 4, 40, 100])
def test_the_stream_of_a_filtered_run(call, filtered, from_tick):
    with watching(call, filtered, f"?from_tick={from_tick}") as socket:
        hello = read(socket)
        messages = [hello, *read_all(socket)]
    assert hello["recorded"] == [[1, 8, 2], [8, 10, 1]]
    assert spikes_of(messages) == [pair for pair in KEPT if pair[0] >= from_tick]
    assert (messages[-1]["digest"], messages[-1]["recorded_digest"]) == (_digest(SPIKES), _digest(KEPT))


def test_a_population_of_a_filtered_run(call, filtered):
    page = call("GET", f"/v1/runs/{filtered}/spikes?population=exc").json()
    assert list(zip(page["tick"], page["neuron"], strict=True)) == [pair for pair in KEPT if pair[1] < 8]


def test_recordings_are_asked_for_by_their_number(call, weighed):
    states = call("GET", f"/v1/runs/{weighed}/states?recording=1").json()
    assert (states["recording"], states["population"], states["tick"]) == (1, "exc", [4, 9])
    assert states["values"]["v_mv"] == [[4, 4.25], [9, 9.25]]
    weights = call("GET", f"/v1/runs/{weighed}/weights?recording=2").json()
    assert weights == {
        "run_id": weighed,
        "recording": 2,
        "projection": "exc->inh",
        "interval_ms": 0.5,
        "source": [0, 0, 3],
        "target": [8, 9, 8],
        "delay_ticks": [10, 11, 12],
        "tick": [4, 9],
        "values": [[4, 4.25, 4.5], [9, 9.25, 9.5]],
        "next": None,
    }


@pytest.mark.parametrize(
    ("place", "number", "message"),
    [
        ("states", 0, "must be of kind state, got recording 0 of kind spikes; ask for /v1/runs/{}/spikes"),
        ("states", 2, "must be of kind state, got recording 2 of kind weights; ask for /v1/runs/{}/weights"),
        ("weights", 0, "must be of kind weights, got recording 0 of kind spikes; ask for /v1/runs/{}/spikes"),
        ("weights", 1, "must be of kind weights, got recording 1 of kind state; ask for /v1/runs/{}/states"),
    ],
)
def test_a_recording_of_another_kind(call, weighed, place, number, message):
    answer = call("GET", f"/v1/runs/{weighed}/{place}?recording={number}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["errors"] == [{"path": "recording", "message": message.format(weighed)}]


def test_a_recording_of_weights_there_is_not(call, weighed):
    answer = call("GET", f"/v1/runs/{weighed}/weights?recording=3")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        f"recording: run {weighed} has 3 recordings, got 3; describe recordings in the network",
    )


def test_weights_as_npz(call, weighed):
    answer = call("GET", f"/v1/runs/{weighed}/weights?recording=2&format=npz&from_tick=5")
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert arrays["tick"].tolist() == [9]
        assert [arrays[name].tolist() for name in ("source", "target", "delay_ticks")] == [
            [0, 0, 3],
            [8, 9, 8],
            [10, 11, 12],
        ]
        assert arrays["weight"].tolist() == [[9, 9.25, 9.5]]


def test_weights_as_csv(call, weighed):
    answer = call("GET", f"/v1/runs/{weighed}/weights?recording=2&to_tick=5", headers={"Accept": "text/csv"})
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["tick", "source", "target", "delay_ticks", "weight"],
        ["4", "0", "8", "10", "4.0"],
        ["4", "0", "9", "11", "4.25"],
        ["4", "3", "8", "12", "4.5"],
    ]
    assert answer.headers["content-disposition"] == f'attachment; filename="{weighed}-weights-2.csv"'


@pytest.mark.parametrize("place", ["states?recording=1", "weights?recording=2"])
def test_samples_come_in_parts(call, weighed, place):
    first = call("GET", f"/v1/runs/{weighed}/{place}&limit=1").json()
    assert first["tick"] == [4]
    second = call("GET", f"/v1/runs/{weighed}/{place}&limit=1&cursor={first['next']}").json()
    assert (second["tick"], second["next"]) == ([9], None)


@pytest.mark.parametrize(("place", "n"), [("states?recording=1", 2), ("weights?recording=2", 3)])
def test_json_of_more_values_than_an_answer_holds(call, weighed, monkeypatch, place, n):
    monkeypatch.setattr(api.recordings, "VALUES_A_PAGE", 1)
    answer = call("GET", f"/v1/runs/{weighed}/{place}")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        f"format: JSON must hold at most 1 values a tick, got {n} of recording {place[-1]}; "
        "ask for npz or csv",
    )
    assert call("GET", f"/v1/runs/{weighed}/{place}&format=npz").status_code == 200
