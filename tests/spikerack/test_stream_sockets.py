"""Both clients' streams over real sockets, against a server that breaks off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from network.digest import SpikeDigest
from spikerack.async_client import AsyncClient, AsyncRun
from spikerack.client import Client, Run
from spikerack.stream import SUBPROTOCOL
from tests.spikerack.service import RUN, data, end, hello

TICKS = [[3, 7], [], [1], []]


@dataclass
class Flaky:
    """Streams a run of four ticks, and breaks off after each tick without a farewell."""

    port: int = 0
    asked: list[str | None] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def __call__(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        query = parse_qs(urlsplit(request.path).query)
        self.asked.append(query.get("from_tick", [None])[0])
        self.keys.append(request.headers.get("Authorization"))
        tick = int(self.asked[-1] or 0)
        connection.send(hello(first_tick=tick))
        if tick < len(TICKS):
            connection.send(data(tick, TICKS[tick]))
            connection.close(1012)
        else:
            connection.send(end(4))


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    script = Flaky()
    with serve(script, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None) as server:
        script.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield script
        server.shutdown()
        thread.join()


def expected() -> str:
    digest = SpikeDigest(0.1, 4, 8)
    digest.update([0, 0, 2], [3, 7, 1])
    return digest.hexdigest()


def check(flaky: Flaky, ticks: list[int], digest: str | None) -> None:
    assert ticks == [0, 1, 2, 3]
    assert digest == expected()
    assert flaky.asked == [None, "1", "2", "3", "4"]
    assert set(flaky.keys) == {"Bearer srk_k_s"}


def test_the_client_resumes(flaky: Flaky) -> None:
    with Client(f"http://127.0.0.1:{flaky.port}", "srk_k_s", pause=lambda seconds: None) as client:
        stream = Run(client, dict(RUN)).stream()
        check(flaky, [batch.tick0 for batch in stream], stream.digest)


def test_the_async_client_resumes(flaky: Flaky) -> None:
    async def at_once(seconds: float) -> None:
        pass

    async def read() -> tuple[list[int], str | None]:
        async with AsyncClient(f"http://127.0.0.1:{flaky.port}", "srk_k_s", pause=at_once) as client:
            stream = AsyncRun(client, dict(RUN)).stream()
            return [batch.tick0 async for batch in stream], stream.digest

    check(flaky, *asyncio.run(read()))
