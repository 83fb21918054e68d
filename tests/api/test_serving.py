"""The gateway behind real sockets: slow viewers, oversize bodies, SIGTERM."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgpack
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api import Streaming
from api.protocol import SUBPROTOCOL
from api.serving import ViewerConnection
from network import SpikeDigest
from tests.api.conftest import NETWORK, Caller
from tests.api.served import served_in

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Caller, int]]:
    with served_in(tmp_path, streaming=Streaming(queue_frames=2, lossless_timeout_s=0.2)) as opened:
        yield opened


def _open(call: Caller, port: int, run_id: str, query: str = "") -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{port}/v1/runs/{run_id}/stream{query}",
        subprotocols=[SUBPROTOCOL],
        additional_headers=call.headers,
        compression=None,
        max_size=None,
    )


def _listen(viewer: ClientConnection, digest: SpikeDigest) -> tuple[int, int | None]:
    """Take in all that comes; return the next tick and the close code."""
    position = 0
    try:
        while True:
            message = msgpack.unpackb(viewer.recv(timeout=20))
            if message["type"] == "hello":
                position = message["first_tick"]
            if message["type"] == "data":
                counts = np.diff(np.frombuffer(message["offsets"], "<u4").astype(np.int64))
                ticks = message["tick0"] + np.repeat(np.arange(message["n_ticks"]), counts)
                digest.update(ticks, np.frombuffer(message["ids"], "<u4"))
                assert message["tick0"] == position
                position += message["n_ticks"]
    except ConnectionClosed as closed:
        return position, closed.rcvd.code if closed.rcvd else None


def test_a_viewer_that_does_not_read_is_closed_and_resumes(served):
    call, port = served
    n_ticks = 400_000
    run_id = call.run(duration_ms=n_ticks / 10)
    pairs = np.stack([np.repeat(np.arange(n_ticks), 10), np.tile(np.arange(10), n_ticks)], axis=1)
    call.fleet.advance(run_id, n_ticks, pairs)
    expected = call.fleet.end(run_id)
    digest = SpikeDigest(0.1, n_ticks, 10)
    with _open(call, port, run_id) as viewer:
        for streams in ("1.0", "0.0"):
            while f'spikerack_streams{{mode="lossless"}} {streams}' not in call("GET", "/metrics").text:
                pass  # The viewer is there, does not read, and the gateway lets go of it.
        position, code = _listen(viewer, digest)
    assert code == 4408
    assert 0 < position < n_ticks
    with _open(call, port, run_id, f"?from_tick={position}") as viewer:
        position, code = _listen(viewer, digest)
    assert (position, code, digest.hexdigest()) == (n_ticks, 1000, expected)


def test_messages_are_not_compressed(served):
    call, port = served
    with connect(
        f"ws://127.0.0.1:{port}/v1/runs/{call.run()}/stream",
        subprotocols=[SUBPROTOCOL],
        additional_headers=call.headers,
    ) as viewer:
        assert viewer.protocol.extensions == []
        assert viewer.response.headers["Sec-WebSocket-Protocol"] == SUBPROTOCOL


def test_a_refused_upgrade_is_no_error(served, caplog):
    call, port = served
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{port}/v1/runs/run_1/stream"):
        pass
    assert refused.value.response.status_code == 400
    call("GET", "/healthz")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_message_after_the_close_finds_the_viewer_gone():
    """The connection closes between two messages when a keep-alive ping finds no answer."""

    async def scenario() -> None:
        config = uvicorn.Config(FastAPI())
        config.load()
        connection = ViewerConnection(config, ServerState(), {})
        connection.handshake_complete = connection.close_sent = True
        with pytest.raises(ClientDisconnected):
            await connection.send({"type": "websocket.send", "bytes": b"x"})
        with pytest.raises(RuntimeError):
            await connection.send({"type": "websocket.accept"})

    asyncio.run(scenario())


@pytest.mark.parametrize("declared", [10**12, 300_000])
def test_an_oversize_body_is_refused_before_it_is_sent(served, declared):
    call, port = served
    head = (
        f"POST /v1/networks HTTP/1.1\r\nHost: x\r\nAuthorization: {call.headers['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {declared}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(head.encode() + b"{")
        answer = b""
        while b"payload-too-large" not in answer:
            part = raw.recv(65536)
            assert part, answer
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"content-type: application/problem+json\r\n" in answer


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """``python -m api`` with threads for chips: the process, its address and its key."""
    environment = os.environ | {
        "SPIKERACK_DATA": str(tmp_path / "data"),
        "SPIKERACK_KEY_FILE": str(tmp_path / "key"),
        "SPIKERACK_BACKEND": "local",
        "SPIKERACK_PORT": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "api"], env=environment, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stderr is not None
        lines = iter(started.stderr.readline, "")
        address = next(found[1] for line in lines if (found := re.search(r"running on http://(\S+)", line)))
        yield started, address, (tmp_path / "key").read_text().strip()
        started.kill()


def test_sigterm_drains(process):
    started, address, token = process
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"http://{address}", headers=headers, timeout=20) as http:
        network = http.post("/v1/networks", json=NETWORK).json()
        body = {"network_id": network["id"], "system": "rack-2x2"}
        deployment = http.post("/v1/deployments", json=body).json()
        while http.get(f"/v1/deployments/{deployment['id']}").json()["state"] == "building":
            pass
        run = http.post(f"/v1/deployments/{deployment['id']}/runs", json={"duration_ms": 3_600_000.0}).json()
        uri = f"ws://{address}/v1/runs/{run['id']}/stream"
        with connect(uri, subprotocols=[SUBPROTOCOL], additional_headers=headers) as viewer:
            assert msgpack.unpackb(viewer.recv())["type"] == "hello"
            started.send_signal(signal.SIGTERM)
            _, code = _listen(viewer, SpikeDigest(0.1, 36_000_000, 10))
        assert code == 1012
    assert started.wait(timeout=30) == 0
