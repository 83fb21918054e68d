from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import msgpack
import numpy as np
import pytest
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from api.protocol import SUBPROTOCOL
from network import SpikeDigest
from tests.api.conftest import Caller

SPIKES = [(0, 1), (3, 0), (3, 4), (3, 8), (7, 2), (40, 5), (99, 9)]


@contextmanager
def watching(call, run_id, query="", **more: Any):
    path = f"/v1/runs/{run_id}/stream{query}"
    options = {"subprotocols": [SUBPROTOCOL], "headers": call.headers} | more
    with call.http.websocket_connect(path, **options) as socket:
        assert socket.accepted_subprotocol == SUBPROTOCOL
        yield socket


def read(socket, kind=None):
    """Return the next message, or the next one of a kind."""
    while True:
        message = msgpack.unpackb(socket.receive_bytes())
        if kind in {None, message["type"]}:
            return message


def read_all(socket):
    messages = [read(socket)]
    while messages[-1]["type"] != "end":
        messages.append(read(socket))
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_bytes()
    assert (closed.value.code, closed.value.reason) == (1000, "the run has ended")
    return messages


def spikes_of(messages):
    """Return all spikes as pairs, after checking that frames are contiguous."""
    pairs, position = [], messages[0]["first_tick"]
    for message in messages:
        if message["type"] == "gap":
            assert message["from_tick"] == position
            position = message["to_tick"]
        if message["type"] != "data":
            continue
        assert message["tick0"] == position
        position += message["n_ticks"]
        ids, offsets = np.frombuffer(message["ids"], "<u4"), np.frombuffer(message["offsets"], "<u4")
        ticks = message["tick0"] + np.repeat(np.arange(message["n_ticks"]), np.diff(offsets.astype(int)))
        pairs += list(zip(ticks.tolist(), ids.tolist(), strict=True))
    return pairs


def test_a_whole_run(call, fleet):
    run_id = call.run()
    with watching(call, run_id) as socket:
        hello = read(socket)
        assert (hello["type"], hello["run"], hello["n_neurons"]) == ("hello", run_id, 10)
        assert (hello["first_tick"], hello["last_tick"], hello["n_ticks"]) == (0, 0, 100)
        assert [member["name"] for member in hello["populations"]] == ["exc", "inh"]
        fleet.advance(run_id, 10, SPIKES[:5])
        first = read(socket, "data")
        assert (first["tick0"], first["n_ticks"]) == (0, 10)
        fleet.advance(run_id, 100, SPIKES[5:])
        digest = fleet.end(run_id)
        messages = [hello, first, *read_all(socket)]
    assert spikes_of(messages) == SPIKES
    assert messages[-1] == {
        "type": "end",
        "tick": 100,
        "digest": digest,
        "recorded_digest": digest,
        "state": "complete",
        "reason": "complete",
    }
    check = SpikeDigest(0.1, 100, 10)
    check.update(*np.array(SPIKES).T)
    assert check.hexdigest() == digest


def test_a_late_viewer_gets_everything(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 100, SPIKES)
    fleet.end(run_id)
    with watching(call, run_id) as socket:
        assert spikes_of(read_all(socket)) == SPIKES


@pytest.mark.parametrize("from_tick", [0, 3, 4, 40, 99, 100])
def test_resuming(call, fleet, from_tick):
    run_id = call.run()
    fleet.advance(run_id, 100, SPIKES)
    fleet.end(run_id)
    with watching(call, run_id, f"?from_tick={from_tick}") as socket:
        assert spikes_of(read_all(socket)) == [pair for pair in SPIKES if pair[0] >= from_tick]


def test_resuming_after_the_gateway_came_back(call, fleet, restart):
    run_id = call.run()
    fleet.advance(run_id, 50, SPIKES[:6])
    with watching(call, run_id) as socket:
        before = [read(socket), read(socket, "data")]

    def meanwhile() -> None:
        fleet.advance(run_id, 100, SPIKES[6:])
        fleet.end(run_id)

    with watching(restart(meanwhile), run_id, "?from_tick=50") as socket:
        after = read_all(socket)
    assert spikes_of(before) + spikes_of(after) == SPIKES


def test_one_population(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 100, SPIKES)
    fleet.end(run_id)
    with watching(call, run_id, "?population=inh") as socket:
        messages = read_all(socket)
    assert (messages[0]["population"], spikes_of(messages)) == ("inh", [(3, 8), (99, 9)])


def test_the_latest_mode_begins_at_the_newest_tick(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 50, SPIKES[:6])
    with watching(call, run_id, "?mode=latest") as socket:
        hello = read(socket)
        assert (hello["mode"], hello["first_tick"]) == ("latest", 50)
        fleet.advance(run_id, 100, SPIKES[6:])
        fleet.end(run_id)
        assert spikes_of([hello, *read_all(socket)]) == [(99, 9)]


def test_a_quiet_run_beats(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 20)
    with watching(call, run_id, "?from_tick=30") as socket:
        read(socket)
        assert read(socket) == {"type": "heartbeat", "tick": 30, "lag": 0}


def test_a_failed_run_says_where_and_why(call, fleet, http):
    run_id = call.run()
    deployment_id = call("GET", f"/v1/runs/{run_id}").json()["deployment_id"]
    fleet.advance(run_id, 50, SPIKES[:6])
    with watching(call, run_id) as socket:
        first = [read(socket), read(socket, "data")]
        fleet.lose(deployment_id, "the coordinator died")
        http.app.state.watch.look()
        messages = first + read_all(socket)
    assert spikes_of(messages) == SPIKES[:6]
    assert messages[-1] == {
        "type": "end",
        "tick": 50,
        "digest": None,
        "recorded_digest": None,
        "state": "failed",
        "reason": "the coordinator died; last complete tick: 50",
    }


def test_a_run_that_failed_before_it_began(call, fleet, http, monkeypatch):
    monkeypatch.setattr(fleet, "start_run", lambda *_: None)
    run_id = call.run()
    fleet.lose(call("GET", f"/v1/runs/{run_id}").json()["deployment_id"], "the coordinator died")
    http.app.state.watch.look()
    with watching(call, run_id) as socket:
        hello, end = read_all(socket)
    assert (hello["n_neurons"], hello["n_ticks"], hello["populations"]) == (10, 100, [])
    assert (end["state"], end["tick"]) == ("failed", 0)


def test_a_viewer_that_talks_is_closed(call):
    with watching(call, call.run()) as socket:
        read(socket)
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as closed:
            read(socket, "never")
    assert (closed.value.code, closed.value.reason) == (
        1003,
        "stream: takes no messages, got one; only read from it",
    )


def test_a_run_deleted_under_a_viewer(call, fleet, settings):
    run_id = call.run()
    fleet.advance(run_id, 50, SPIKES[:6])
    with watching(call, run_id) as socket:
        read(socket, "data")
        (settings.data / "runs" / run_id / "spikes.bin").unlink()
        fleet.advance(run_id, 100, SPIKES[6:])
        with pytest.raises(WebSocketDisconnect) as closed:
            read(socket, "never")
    assert (closed.value.code, closed.value.reason) == (4404, "run: its files are gone; it was deleted")


def _denied(call, run_id, query="", **options: Any):
    with pytest.raises(WebSocketDenialResponse) as denied, watching(call, run_id, query, **options):
        pass
    answer = denied.value
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["type"], problem["detail"]


@pytest.mark.parametrize("offered", [[], ["spikes.v2.msgpack"], ["ticket.x"]])
def test_other_subprotocols_are_refused(call, offered):
    got = "spikes.v2.msgpack" if "spikes.v2.msgpack" in offered else "nothing"
    assert _denied(call, call.run(), subprotocols=offered) == (
        400,
        "/problems/unsupported-subprotocol",
        f"Sec-WebSocket-Protocol: must be spikes.v1.msgpack, got {got}; offer it",
    )


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("?from_tick=-1", "from_tick: must be >= 0, got -1; raise it"),
        ("?mode=some", "mode: must be 'lossless' or 'latest', got 'some'; change it, see /openapi.json"),
        ("?token=abc", "token: must be a parameter of this resource, got 'token'; rename or remove it"),
        (
            "?from_tick=101",
            "from_tick: must be at most 100, where the run ends, got 101; ask for an earlier tick",
        ),
        (
            "?population=L23",
            "population: must be a population or source of the run (exc, inh), got 'L23'; see its network",
        ),
    ],
)
def test_wrong_queries(call, query, detail):
    assert _denied(call, call.run(), query) == (422, "/problems/invalid-request", detail)


def test_wrong_tokens(call, stranger):
    run_id = call.run()
    nobody = Caller(call.http, call.fleet, "nonsense")
    assert _denied(nobody, run_id)[0] == 401
    assert _denied(call, run_id, headers={})[0] == 401
    assert _denied(stranger, run_id)[0] == 404


def test_web_pages_need_a_known_origin_and_a_ticket(call, fleet):
    run_id = call.run()
    ticket = call("POST", "/v1/tickets").json()["ticket"]
    page = {
        "subprotocols": [SUBPROTOCOL, f"ticket.{ticket}"],
        "headers": {"Origin": "https://viewer.example"},
    }
    evil = page | {"headers": {"Origin": "https://viewer.example.evil"}}
    assert _denied(call, run_id, **evil) == (
        403,
        "/problems/forbidden",
        "Origin: must be one of SPIKERACK_ORIGINS, got 'https://viewer.example.evil'; "
        "ask the operator to add it",
    )
    with watching(call, run_id, **page) as socket:
        assert read(socket)["type"] == "hello"
    assert _denied(call, run_id, **page) == (
        401,
        "/problems/unauthorized",
        "ticket: must be unused and at most 30 s old, and is not; ask for a new one",
    )


def test_an_owner_opens_so_many(call, stranger):
    run_id = call.run()
    with watching(call, run_id), watching(call, run_id):
        assert _denied(call, run_id) == (
            429,
            "/problems/quota-exceeded",
            "stream sockets: one owner may hold 2, and holds 2; close one",
        )
        assert _denied(stranger, run_id)[0] == 404
    with watching(call, run_id) as socket:
        assert read(socket)["type"] == "hello"


def test_streams_are_counted(call, fleet):
    run_id = call.run()
    fleet.advance(run_id, 100, SPIKES)
    with watching(call, run_id) as socket:
        read(socket, "data")
        assert 'spikerack_streams{mode="lossless"} 1.0' in call("GET", "/metrics").text
        fleet.end(run_id)
        read(socket, "end")
    text = call("GET", "/metrics").text
    assert 'spikerack_streams{mode="lossless"} 0.0' in text
    assert "spikerack_streamed_spikes_total 7.0" in text
    assert 'spikerack_stream_frames_total{type="end"} 1.0' in text
