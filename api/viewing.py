"""The shell around `api.protocol`: it reads a run's file and writes a viewer's socket.

*Theory of operation.* A viewer is three tasks. *read* asks the file for what the viewer wants, once every
`frame_ms` when it has caught up; *write* sends what waits, each message within a time-out; *listen* notices
that the viewer is gone. The run appends to its file and knows of no viewer, and no viewer knows of another,
so none can make anybody wait.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from api.errors import NotFound, SlowViewer, UnexpectedMessage
from api.gateway import Gateway
from api.problems import problem_of
from api.protocol import Message, Viewer, encode
from api.spikepages import windows
from cluster.runfile import TERMINAL, RunReader

CLOSE_S = 2.0
REASON_BYTES = 120  # A close frame holds 125 bytes with its code.
_log = logging.getLogger("api")


async def serve_viewer(websocket: WebSocket, gateway: Gateway, reader: RunReader, viewer: Viewer) -> None:
    """Serve an accepted viewer until the run ends or the viewer does, and close its socket."""
    with gateway.metrics.streams.labels(viewer.mode).track_inprogress():
        code, reason = await _outcome(_Viewing(websocket, gateway, reader, viewer))
    if code is None:
        return
    with suppress(WebSocketDisconnect, WebSocketDisconnected, TimeoutError, RuntimeError):
        async with asyncio.timeout(CLOSE_S):
            await websocket.close(code, reason)


async def _outcome(viewing: _Viewing) -> tuple[int | None, str]:
    """Return the close code and reason; no code when the viewer has gone."""
    try:
        await viewing.run()
        return 1000, "the run has ended"
    except (WebSocketDisconnect, WebSocketDisconnected):
        return None, ""
    except FileNotFoundError:
        problem = problem_of(NotFound("run: its files are gone; it was deleted"))
    except Exception as error:
        problem = problem_of(error)
        if problem.kind.status >= 500:
            _log.exception("%r failed", viewing.viewer)
    return problem.kind.close_code, problem.detail.encode()[:REASON_BYTES].decode(errors="ignore")


class _Viewing:
    """One viewer's tasks and what they share."""

    def __init__(self, websocket: WebSocket, gateway: Gateway, reader: RunReader, viewer: Viewer) -> None:
        self.viewer = viewer
        self._websocket, self._reader = websocket, reader
        self._metrics = gateway.metrics
        self._pace = pace = gateway.settings.streaming
        self._timeout_s = pace.lossless_timeout_s if viewer.mode == "lossless" else pace.latest_timeout_s
        self._news = asyncio.Event()
        self._last_tick = 0

    async def run(self) -> None:
        """Return when `end` is sent; raise what else ends the stream."""
        self._last_tick = await run_in_threadpool(lambda: self._reader.last_tick)
        await self._send(self.viewer.greet(self._last_tick))
        try:
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._read()), group.create_task(self._listen())]
                await self._write()
                for task in others:
                    task.cancel()
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _read(self) -> None:
        while self.viewer.state == "open":
            self._last_tick, status = await run_in_threadpool(self._look)
            wanted = self.viewer.wanted(self._last_tick)
            if wanted:
                await self._give(wanted)
            elif status.get("state") in TERMINAL and self._last_tick <= self.viewer.next_tick:
                self._finish(status)
            if not wanted or self.viewer.next_tick >= self._last_tick:
                await asyncio.sleep(self._pace.frame_ms / 1000)

    def _look(self) -> tuple[int, dict[str, Any]]:
        """Return the last complete tick and, when nothing is new, the run's record.

        In this order: a record that says the run has ended makes the tick read after it the last one.
        """
        status = self._reader.status() if self._reader.last_tick <= self.viewer.next_tick else {}
        return self._reader.last_tick, status

    async def _give(self, wanted: range) -> None:
        window = next(windows(self._reader, wanted.start, wanted.stop))
        tick, neuron = await run_in_threadpool(self._reader.read, window.start, window.stop)
        self.viewer.give(window, tick, neuron)
        self._news.set()

    def _finish(self, status: dict[str, Any]) -> None:
        self.viewer.finish(
            tick=status["tick"],
            state=status["state"],
            digest=status.get("digest"),
            recorded_digest=status.get("recorded_digest"),
            error=status.get("error"),
        )
        self._news.set()

    async def _write(self) -> None:
        while True:
            self._news.clear()
            message = self.viewer.take()
            if message is None and not await self._hear():
                message = self.viewer.heartbeat(self._last_tick)
            if message is not None:
                await self._send(message)
                if message["type"] == "end":
                    return

    async def _hear(self) -> bool:
        """Wait until there may be something to send; return False when it is time for a heartbeat."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.heartbeat_s):
                return await self._news.wait()
        return False

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._websocket.send_bytes(encode(message))
        except TimeoutError:
            raise SlowViewer(
                f"viewer: must read within {self._timeout_s:g} s, and did not; resume with from_tick"
            ) from None
        self._metrics.frames.labels(message["type"]).inc()
        self._metrics.spikes.inc(len(message.get("ids", b"")) // 4)

    async def _listen(self) -> None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        raise UnexpectedMessage("stream: takes no messages, got one; only read from it")
