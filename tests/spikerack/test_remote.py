"""The command line's view of a run, with the stream of a scripted server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import msgpack
import pytest
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from spikerack.client import Client, Run
from spikerack.errors import RunFailedError
from spikerack.remote import print_batches, show_live, window_start
from spikerack.stream import SUBPROTOCOL
from tests.spikerack.service import RUN, Script, answer, data, end, hello

FAILED = {
    "type": "end",
    "tick": 4,
    "digest": None,
    "recorded_digest": None,
    "state": "failed",
    "reason": "chip 1 died",
}


@pytest.fixture
def asked() -> list[str]:
    """The queries of the streams that were opened."""
    return []


@pytest.fixture
def run_of(asked: list[str]) -> Iterator[Callable[[bytes], Run]]:
    """A run whose stream has four ticks and ends as told."""
    endings: list[bytes] = []

    def speak(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(urlsplit(connection.request.path).query)
        for message in (hello(), data(0, [3, 7], []), data(2, [1], []), endings[0]):
            connection.send(message)

    with serve(speak, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        failed = RUN | {"state": "failed", "tick": 4, "n_spikes": 1234, "error": "chip 1 died"}
        with Client(url, "srk_k_s", transport=httpx2.MockTransport(Script(answer(200, failed)))) as client:

            def make(ending: bytes) -> Run:
                endings.append(ending)
                return Run(client, dict(RUN))

            yield make
        server.shutdown()
        thread.join()


def test_batches_are_one_object_a_line(
    run_of: Callable[[bytes], Run], capfd: pytest.CaptureFixture[str]
) -> None:
    print_batches(run_of(end(4, digest="ab")), None)
    first, second, last = map(json.loads, capfd.readouterr().out.splitlines())
    assert first == {"tick0": 0, "n_ticks": 2, "n_spikes": 2, "n_missed": 0}
    assert second == {"tick0": 2, "n_ticks": 2, "n_spikes": 1, "n_missed": 0}
    assert (last["state"], last["digest"]) == ("complete", "ab")


def test_the_live_raster_ends_with_the_digest(
    run_of: Callable[[bytes], Run], asked: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    show_live(run_of(end(4, digest="ab")), None, 500.0)
    assert asked == ["from_tick=0&mode=latest"]
    out = capfd.readouterr().out
    assert "run_1  0.000 s of 0.0004 s  3 spikes seen" in out
    assert "exc" in out
    assert out.rstrip().splitlines()[-1] == "complete at tick 4, 1,234 spikes, digest ab"


@pytest.mark.parametrize(("window_ms", "from_tick"), [(500.0, 0), (7.0, 0), (1.0, 60)])
def test_watching_begins_a_window_before_the_newest_tick(window_ms: float, from_tick: int) -> None:
    assert window_start(RUN | {"tick": 70}, window_ms) == from_tick


def test_a_failed_run_is_an_error(run_of: Callable[[bytes], Run]) -> None:
    with pytest.raises(RunFailedError, match=r"^run run_1 failed at tick 4: chip 1 died$"):
        print_batches(run_of(msgpack.packb(FAILED)), None)
