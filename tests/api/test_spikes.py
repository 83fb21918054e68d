from __future__ import annotations

import io

import numpy as np
import pytest

from api import spikepages
from api.spikepages import Selection, read_page
from cluster.runfile import RunReader, RunWriter

SPIKES = [(0, 1), (3, 0), (3, 4), (3, 8), (3, 9), (7, 2), (8, 8), (40, 5)]


@pytest.fixture
def run_id(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 10, SPIKES[:7])
    fleet.advance(run_id, 50, SPIKES[7:])
    return run_id


def _pairs(answer):
    return list(zip(answer["tick"], answer["neuron"], strict=True))


def test_all_spikes(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/spikes").json()
    assert _pairs(answer) == SPIKES
    assert (answer["from_tick"], answer["to_tick"], answer["next"]) == (0, 50, None)
    assert (answer["n_spikes"], answer["timestep_ms"], answer["run_id"]) == (8, 0.1, run_id)


@pytest.mark.parametrize(
    ("query", "expected", "to_tick"),
    [
        ("from_tick=3&to_tick=8", SPIKES[1:6], 8),
        ("from_tick=4&to_tick=7", [], 7),
        ("to_tick=1000", SPIKES, 50),
        ("from_tick=90", [], 90),
        ("population=inh", [(3, 8), (3, 9), (8, 8)], 50),
        ("population=exc&from_tick=4", [(7, 2), (40, 5)], 50),
    ],
)
def test_selections(call, run_id, query, expected, to_tick):
    answer = call("GET", f"/v1/runs/{run_id}/spikes?{query}").json()
    assert (_pairs(answer), answer["to_tick"]) == (expected, to_tick)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("window", [1, 2, 2**18])
def test_pages_join_to_the_whole(call, run_id, limit, window, monkeypatch):
    monkeypatch.setattr(spikepages, "WINDOW_SPIKES", window)
    seen, cursor = [], ""
    while cursor is not None:
        query = f"population=exc&limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = call("GET", f"/v1/runs/{run_id}/spikes?{query}").json()
        assert page["n_spikes"] <= limit
        seen += _pairs(page)
        cursor = page["next"]
    assert seen == [pair for pair in SPIKES if pair[1] < 8]


def test_a_live_run_goes_on_from_to_tick(call, fleet, run_id):
    first = call("GET", f"/v1/runs/{run_id}/spikes").json()
    fleet.advance(run_id, 60, [(55, 1)])
    more = call("GET", f"/v1/runs/{run_id}/spikes?from_tick={first['to_tick']}").json()
    assert (_pairs(more), more["to_tick"]) == ([(55, 1)], 60)


def test_npz(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/spikes?limit=6", headers={"Accept": "application/x-npz"})
    assert answer.headers["content-type"] == "application/x-npz"
    assert (answer.headers["From-Tick"], answer.headers["To-Tick"]) == ("0", "50")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{run_id}.npz"'
    with np.load(io.BytesIO(answer.content)) as file:
        assert (file["tick"].dtype, file["neuron"].dtype) == (np.uint32, np.uint32)
        assert list(zip(file["tick"].tolist(), file["neuron"].tolist(), strict=True)) == SPIKES[:6]
        assert file["population"].tolist() == ["exc", "inh"]
        assert (file["first"].tolist(), file["size"].tolist()) == ([0, 8], [8, 2])
        assert float(file["timestep_ms"]) == 0.1
        assert (bool(file["complete"]), int(file["next_tick"])) == (False, 8)
    rest = call("GET", f"/v1/runs/{run_id}/spikes?format=csv&cursor={answer.headers['Next-Cursor']}")
    assert rest.text == "tick,neuron\r\n8,8\r\n40,5\r\n"
    assert rest.headers["content-type"] == "text/csv; charset=utf-8"
    assert "Next-Cursor" not in rest.headers


def test_a_whole_npz_says_so(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/spikes?format=npz")
    with np.load(io.BytesIO(answer.content)) as file:
        assert (bool(file["complete"]), int(file["next_tick"])) == (True, 50)


def test_each_format_has_its_limit(call, run_id, monkeypatch):
    monkeypatch.setattr("api.spikes.DEFAULT_LIMITS", {"json": 2, "npz": 3, "csv": 8})
    path = f"/v1/runs/{run_id}/spikes"
    assert call("GET", path).json()["n_spikes"] == 2
    with np.load(io.BytesIO(call("GET", path + "?format=npz").content)) as file:
        assert (len(file["tick"]), bool(file["complete"])) == (3, False)
    assert "Next-Cursor" not in call("GET", path + "?format=csv").headers
    assert call("GET", path + "?limit=5").json()["n_spikes"] == 5


@pytest.mark.parametrize("resource", ["spikes", "states"])
def test_ticks_that_run_backwards(call, run_id, resource):
    path = f"/v1/runs/{run_id}/{resource}"
    answer = call("GET", path + "?from_tick=8&to_tick=3")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "to_tick: must be at least from_tick, 8, got 3; ask for a later tick or leave it out",
    )
    assert answer.json()["errors"][0]["path"] == "to_tick"
    assert call("GET", path + "?from_tick=8&to_tick=8").status_code == 200


def test_a_format_that_is_not_on_offer(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/spikes", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")


def test_an_unknown_population(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/spikes?population=L23")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "population: must be a population or source of the run (exc, inh), got 'L23'; see its network",
    )


def test_spikes_of_an_ended_run_are_not_sent_twice(call, fleet, run_id):
    path = f"/v1/runs/{run_id}/spikes"
    assert "ETag" not in call("GET", path).headers
    fleet.end(run_id)
    tag = call("GET", path).headers["ETag"]
    assert call("GET", path, headers={"If-None-Match": tag}).status_code == 304
    assert call("GET", path + "?limit=1", headers={"If-None-Match": tag}).status_code == 200


def test_a_run_that_has_not_begun(call, settings, fleet, monkeypatch):
    monkeypatch.setattr(fleet, "start_run", lambda *_: None)
    run_id = call.run()
    answer = call("GET", f"/v1/runs/{run_id}/spikes").json()
    assert (_pairs(answer), answer["to_tick"], answer["timestep_ms"]) == ([], 0, 0.1)
    assert call("GET", f"/v1/runs/{run_id}").json()["state"] == "running"
    refused = call("GET", f"/v1/runs/{run_id}/spikes?population=exc").json()
    assert refused["detail"] == (
        "population: must be a population or source of the run (none yet), got 'exc'; see its network"
    )


def test_memory_is_bounded_by_the_page(tmp_path, monkeypatch):
    """A page reads windows until it is full, not the whole run."""
    writer = RunWriter(tmp_path, {"recordings": []})
    for tick in range(100):
        writer.append(tick + 1, np.stack([np.full(10, tick), np.arange(10)], axis=1).astype(np.uint32))
    writer.close()
    monkeypatch.setattr(spikepages, "WINDOW_SPIKES", 20)
    reader, spans = RunReader(tmp_path), []
    real = reader.read
    monkeypatch.setattr(reader, "read", lambda *span: (spans.append(span), real(*span))[1])
    page = read_page(reader, Selection(10, 100), 25)
    assert spans == [(10, 12), (12, 14)]
    assert page.following == (12, 5)
    assert len(page.tick) == 25


def test_states(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/states").json()
    assert (answer["recording"], answer["population"], answer["interval_ms"]) == (0, "exc", 0.5)
    assert (answer["tick"], answer["neurons"]) == ([4, 9, 14, 19, 24, 29, 34, 39, 44, 49], [0, 1])
    assert answer["values"]["v_mv"][:2] == [[4.0, 4.25], [9.0, 9.25]]
    assert answer["next"] is None


def test_states_in_pages(call, run_id):
    path = f"/v1/runs/{run_id}/states?limit=4&from_tick=5&to_tick=45"
    first = call("GET", path).json()
    second = call("GET", f"{path}&cursor={first['next']}").json()
    assert first["tick"] + second["tick"] == [9, 14, 19, 24, 29, 34, 39, 44]
    assert second["next"] is None


def test_states_as_files(call, run_id):
    table = call("GET", f"/v1/runs/{run_id}/states?format=csv&limit=1")
    assert table.text == "tick,neuron,v_mv\r\n4,0,4.0\r\n4,1,4.25\r\n"
    assert table.headers["Next-Cursor"]
    with np.load(io.BytesIO(call("GET", f"/v1/runs/{run_id}/states?format=npz").content)) as file:
        assert file["v_mv"].shape == (10, 2)
        assert file["tick"][-1] == 49
        assert file["neuron"].tolist() == [0, 1]


def test_a_recording_there_is_not(call, run_id):
    answer = call("GET", f"/v1/runs/{run_id}/states?recording=1")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        f"recording: run {run_id} has 1 recordings, got 1; describe recordings in the network",
    )
