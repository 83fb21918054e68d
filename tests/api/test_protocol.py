from __future__ import annotations

import msgpack
import numpy as np
import pytest

from api import protocol
from api.protocol import Viewer, encode

HEADER = {
    "run": "run_1",
    "timestep_ms": 0.1,
    "n_ticks": 100_000,
    "n_neurons": 10,
    "populations": [{"name": "exc", "first": 0, "size": 8}, {"name": "inh", "first": 8, "size": 2}],
    "recorded": None,
}


def _viewer(mode="lossless", first_tick=0, **more):
    viewer = Viewer(HEADER, first_tick=first_tick, mode=mode, queue_frames=3, **more)
    viewer.greet(50)
    return viewer


def _give(viewer, last_tick, pairs=()):
    """Do what the shell does: read what is wanted."""
    ticks = viewer.wanted(last_tick)
    spikes = np.array([pair for pair in pairs if pair[0] in ticks], np.uint32).reshape(-1, 2)
    viewer.give(ticks, spikes[:, 0], spikes[:, 1])
    return ticks


def _decoded(message):
    """Return a data frame as (tick, neuron) pairs."""
    ids, offsets = np.frombuffer(message["ids"], "<u4"), np.frombuffer(message["offsets"], "<u4")
    assert len(offsets) == message["n_ticks"] + 1
    counts = np.diff(offsets.astype(np.int64))
    ticks = message["tick0"] + np.repeat(np.arange(message["n_ticks"]), counts)
    return list(zip(ticks.tolist(), ids.tolist(), strict=True))


def test_hello():
    viewer = Viewer(
        HEADER, first_tick=7, mode="latest", queue_frames=3, population="inh", neurons=range(8, 10)
    )
    assert viewer.greet(50) == {
        "type": "hello",
        "run": "run_1",
        "timestep_ms": 0.1,
        "n_neurons": 10,
        "n_ticks": 100_000,
        "first_tick": 7,
        "last_tick": 50,
        "mode": "latest",
        "population": "inh",
        "populations": HEADER["populations"],
        "recorded": None,
    }


def test_a_frame_holds_whole_ticks():
    viewer = _viewer()
    pairs = [(1, 4), (1, 9), (3, 0)]
    assert _give(viewer, 5, pairs) == range(5)
    frame = viewer.take()
    assert (frame["type"], frame["tick0"], frame["n_ticks"]) == ("data", 0, 5)
    assert _decoded(frame) == pairs
    assert viewer.take() is None
    assert viewer.wanted(5) == range(0)


def test_silent_ticks_are_told_too():
    viewer = _viewer(first_tick=3)
    _give(viewer, 9)
    frame = viewer.take()
    assert (frame["tick0"], frame["n_ticks"], frame["ids"]) == (3, 6, b"")


def test_one_population():
    viewer = _viewer(population="inh", neurons=range(8, 10))
    _give(viewer, 5, [(1, 4), (1, 9), (3, 8)])
    assert _decoded(viewer.take()) == [(1, 9), (3, 8)]


def test_frames_are_contiguous_and_bounded(monkeypatch):
    monkeypatch.setattr(protocol, "FRAME_TICKS", 10)
    monkeypatch.setattr(protocol, "FRAME_SPIKES", 4)
    pairs = [(t, n) for t in (0, 1, 2, 12) for n in range(3)] + [(25, n) for n in range(9)]
    viewer, seen, position = _viewer(), [], 0
    while viewer.next_tick < 30 or seen[-1]["tick0"] + seen[-1]["n_ticks"] < 30:
        if not viewer.full and viewer.wanted(30):
            _give(viewer, 30, pairs)
        seen.append(viewer.take())
    for frame in seen:
        assert frame["tick0"] == position
        position += frame["n_ticks"]
        assert frame["n_ticks"] <= 10
        assert len(frame["ids"]) <= 4 * 4 or frame["n_ticks"] == 1
    assert [pair for frame in seen for pair in _decoded(frame)] == pairs
    assert position == 30


def test_resuming_gives_the_rest():
    pairs = [(1, 4), (3, 0), (7, 2)]
    first, second = _viewer(), _viewer(first_tick=4)
    _give(first, 4, pairs)
    _give(second, 9, pairs)
    assert _decoded(first.take()) + _decoded(second.take()) == pairs


def test_a_lossless_viewer_that_does_not_read_is_not_read_for():
    viewer = _viewer()
    for last in (10, 20, 30):
        _give(viewer, last)
    assert viewer.full
    assert viewer.wanted(40) == range(0)
    assert viewer.take()["tick0"] == 0
    assert viewer.wanted(40) == range(30, 40)


def test_a_latest_viewer_that_does_not_read_loses_whole_frames():
    viewer = _viewer("latest")
    for last in (10, 20, 30):
        _give(viewer, last)
    _give(viewer, 40, [(35, 1)])
    assert viewer.take() == {"type": "gap", "from_tick": 0, "to_tick": 30, "reason": "slow viewer"}
    assert _decoded(viewer.take()) == [(35, 1)]
    assert viewer.take() is None


def test_gaps_in_a_row_become_one():
    viewer = _viewer("latest")
    for last in range(10, 101, 10):
        _give(viewer, last)
    messages = [viewer.take() for _ in range(2)]
    assert messages[0] == {"type": "gap", "from_tick": 0, "to_tick": 90, "reason": "slow viewer"}
    assert (messages[1]["tick0"], messages[1]["n_ticks"]) == (90, 10)
    assert viewer.take() is None


def test_a_latest_viewer_goes_on_near_the_end():
    viewer = _viewer("latest")
    for last in (10, 20, 30):
        _give(viewer, last)
    assert viewer.wanted(90_000) == range(80_000, 90_000)
    assert viewer.take()["to_tick"] == 80_000


def test_gap_and_data_never_overlap():
    """Whatever the order of reading and sending, the ticks told are 0, 1, 2, ... once each."""
    rng = np.random.default_rng(5)
    viewer, last, position, kinds = _viewer("latest"), 0, 0, set()
    for _ in range(2_000):
        last += int(rng.integers(0, 30))
        if viewer.wanted(last):
            _give(viewer, last)
        message = viewer.take() if rng.random() < 0.4 else None
        if message is None:
            continue
        kinds.add(message["type"])
        assert message.get("tick0", message.get("from_tick")) == position
        position = message["to_tick"] if message["type"] == "gap" else position + message["n_ticks"]
    assert kinds == {"gap", "data"}


def test_the_end_comes_last():
    viewer = _viewer()
    _give(viewer, 10)
    viewer.finish(tick=10, state="complete", digest="ab", recorded_digest="cd", error=None)
    assert viewer.take()["type"] == "data"
    assert viewer.take() == {
        "type": "end",
        "tick": 10,
        "digest": "ab",
        "recorded_digest": "cd",
        "state": "complete",
        "reason": "complete",
    }
    assert viewer.take() is None
    assert viewer.state == "closed"


def test_the_end_of_a_failed_run_says_why():
    viewer = _viewer()
    cause = "chip 3 was killed; last complete tick: 4"
    viewer.finish(tick=4, state="failed", digest=None, recorded_digest=None, error=cause)
    end = viewer.take()
    assert (end["state"], end["reason"]) == ("failed", "chip 3 was killed; last complete tick: 4")


def test_heartbeat():
    viewer = _viewer(first_tick=10)
    assert viewer.heartbeat(25) == {"type": "heartbeat", "tick": 10, "lag": 15}
    assert viewer.heartbeat(5) == {"type": "heartbeat", "tick": 10, "lag": 0}


def test_a_refused_event_changes_nothing():
    viewer = Viewer(HEADER, first_tick=0, mode="lossless", queue_frames=3)
    none = np.zeros(0, np.uint32)
    with pytest.raises(RuntimeError) as caught:
        viewer.give(range(5), none, none)
    assert str(caught.value) == "viewer: give is not allowed in the state new; see TRANSITIONS"
    assert (viewer.state, viewer.next_tick) == ("new", 0)
    viewer.greet(0)
    with pytest.raises(RuntimeError) as caught:
        viewer.give(range(2, 5), none, none)
    assert str(caught.value) == "viewer: ticks must begin at 0, got 2; give them in order"
    assert repr(viewer) == "Viewer(lossless, open, next tick 0, 0 waiting)"


def test_messages_travel_as_msgpack():
    message = {"type": "heartbeat", "tick": 2**32 - 1, "lag": 0}
    assert msgpack.unpackb(encode(message)) == message
