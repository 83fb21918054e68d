"""Viewers that do not read. The socket is a plain ASGI one, whose `send` a test holds back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgpack
import numpy as np
import pytest
from starlette.websockets import WebSocket

from api.metrics import Metrics
from api.protocol import Viewer
from api.settings import Streaming
from api.viewing import serve_viewer
from cluster.runfile import RunReader, RunWriter

HEADER: dict[str, Any] = {"run": "run_1", "timestep_ms": 0.1, "n_ticks": 1000, "n_neurons": 10}
HEADER |= {"populations": [], "recorded": None}


class Peer:
    """The other end of a socket. After the hello it reads only while `reads` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.got: list[dict[str, Any]] = []
        self.closed: dict[str, Any] | None = None
        self.news = asyncio.Event()
        self._said = iter([{"type": "websocket.connect"}])

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            if self.got:
                await self.reads.wait()
            self.got.append(msgpack.unpackb(message["bytes"]))
        if message["type"] == "websocket.close":
            self.closed = message
        self.news.set()

    async def receive(self) -> dict[str, Any]:
        for message in self._said:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the first message of a kind, when it has arrived."""
        while True:
            for message in self.got:
                if message["type"] == kind:
                    return message
            self.news.clear()
            await self.news.wait()


@pytest.fixture
def writer(tmp_path):
    writer = RunWriter(tmp_path, HEADER | {"recordings": []})
    writer.status({"state": "running", "tick": 0})
    yield writer
    writer.close()


def _append(writer, tick):
    writer.append(tick, np.array([[tick - 1, tick % 10]], np.uint32))


def _end(writer, tick):
    writer.status({"state": "complete", "tick": tick, "digest": "ab"})


def _viewer(mode) -> Viewer:
    return Viewer(HEADER, first_tick=0, mode=mode, queue_frames=2)


async def _view(writer, peer, viewer, **pace: float) -> None:
    pacing = Streaming(frame_ms=16, heartbeat_s=5.0, **pace)
    gateway: Any = SimpleNamespace(settings=SimpleNamespace(streaming=pacing), metrics=Metrics())
    socket = WebSocket({"type": "websocket", "subprotocols": []}, peer.receive, peer.send)
    await socket.accept()
    await serve_viewer(socket, gateway, RunReader(writer.folder), viewer)


async def _until(claim: Callable[[], bool]) -> None:
    """Let the others work until a claim holds; the test's time limit is the deadline."""
    while not claim():
        await asyncio.sleep(0)


def _run(scenario) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(limited())


def test_a_lossless_viewer_that_stalls_is_closed_and_may_come_back(writer):
    async def scenario() -> None:
        peer = Peer()
        _append(writer, 10)
        await _view(writer, peer, _viewer("lossless"), lossless_timeout_s=0.05)
        assert [message["type"] for message in peer.got] == ["hello"]
        assert peer.closed == {
            "type": "websocket.close",
            "code": 4408,
            "reason": "viewer: must read within 0.05 s, and did not; resume with from_tick",
        }

    _run(scenario)


def test_a_lossless_viewer_that_pauses_misses_nothing(writer):
    async def scenario() -> None:
        peer, viewer = Peer(), _viewer("lossless")
        viewing = asyncio.create_task(_view(writer, peer, viewer))
        tick = 0
        while not viewer.full:
            tick += 10
            _append(writer, tick)
            await _until(lambda tick=tick: viewer.full or viewer.next_tick == tick)
        _append(writer, 500)
        _end(writer, 500)
        peer.reads.set()
        await viewing
        frames = [message for message in peer.got if message["type"] == "data"]
        ends = [frame["tick0"] + frame["n_ticks"] for frame in frames]
        assert [frame["tick0"] for frame in frames] == [0, *ends[:-1]]
        assert ends[-1] == 500
        assert sum(len(frame["ids"]) // 4 for frame in frames) == tick // 10 + 1
        assert [message["type"] for message in peer.got if message["type"] != "data"] == ["hello", "end"]
        assert peer.closed == {"type": "websocket.close", "code": 1000, "reason": "the run has ended"}

    _run(scenario)


def test_a_latest_viewer_that_pauses_is_told_what_it_missed(writer):
    async def scenario() -> None:
        peer, viewer = Peer(), _viewer("latest")
        viewing = asyncio.create_task(_view(writer, peer, viewer))
        for tick in range(10, 101, 10):
            _append(writer, tick)
            await _until(lambda tick=tick: viewer.next_tick == tick)
        _end(writer, 100)
        peer.reads.set()
        await viewing
        kinds = [message["type"] for message in peer.got]
        position = 0
        for message in peer.got[1:-1]:
            assert message.get("tick0", message.get("from_tick")) == position
            position = message.get("to_tick", position + message.get("n_ticks", 0))
        assert position == 100
        assert kinds.count("gap") == 1
        assert kinds.count("data") <= 3
        assert kinds[-1] == "end"

    _run(scenario)


def test_a_stalled_viewer_stalls_nobody_else(writer):
    async def scenario() -> None:
        stalled, good = Peer(), Peer()
        good.reads.set()
        first = asyncio.create_task(_view(writer, stalled, _viewer("lossless")))
        second = asyncio.create_task(_view(writer, good, _viewer("lossless")))
        _append(writer, 10)
        await good.until("data")
        _end(writer, 10)
        await second
        assert not first.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    _run(scenario)


def test_a_fault_closes_the_stream_without_a_word_of_it(writer, caplog, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(RunReader, "read", broken)

    async def scenario() -> None:
        peer = Peer()
        peer.reads.set()
        _append(writer, 10)
        await _view(writer, peer, _viewer("lossless"))
        assert peer.closed is not None
        assert (peer.closed["code"], "secret" in peer.closed["reason"]) == (4500, False)

    _run(scenario)
    assert "Viewer(lossless, open, next tick 0, 0 waiting) failed" in caplog.text
