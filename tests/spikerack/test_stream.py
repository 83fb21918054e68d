from __future__ import annotations

import msgpack
import numpy as np
import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from network.digest import SpikeDigest
from spikerack.errors import AuthError, StreamError, UnreachableError
from spikerack.retry import Patience
from spikerack.stream import Mode, StreamState
from tests.spikerack.service import data, end, hello


def state(
    *, from_tick: int | None = None, mode: Mode = "lossless", population: str | None = None
) -> StreamState:
    patience = Patience(60.0, clock=lambda: 0.0, jitter=lambda: 0.5)
    return StreamState("run_1", from_tick=from_tick, mode=mode, population=population, patience=patience)


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None, None)


def refused(status: int, body: bytes, **headers: str) -> InvalidStatus:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return InvalidStatus(Response(status, "No", Headers(names), body))


def expected_digest(n_ticks: int) -> str:
    digest = SpikeDigest(0.1, 4, 8)
    digest.update([0, 0, 2], [3, 7, 1])
    return digest.hexdigest(n_ticks)


def test_a_whole_run() -> None:
    stream = state()
    assert stream.handle(hello()) is None
    batch = stream.handle(data(0, [3, 7], []))
    assert batch is not None
    np.testing.assert_array_equal(batch.tick, [0, 0])
    np.testing.assert_array_equal(batch.neuron, [3, 7])
    assert batch.tick.dtype == batch.neuron.dtype == np.uint32
    assert repr(batch) == "SpikeBatch(ticks 0..1, 2 spikes)"
    stream.handle(data(2, [1], []))
    assert stream.digest is None
    stream.handle(end(4))
    assert stream.n_spikes == 3
    assert stream.digest == expected_digest(4)


def test_the_digest_of_a_run_that_ended_early_covers_the_ticks_done() -> None:
    stream = state()
    for message in (hello(), data(0, [3, 7], [], [1]), end(3)):
        stream.handle(message)
    assert stream.digest == expected_digest(3)


def test_resuming_goes_on_where_it_stopped() -> None:
    stream = state()
    assert stream.url("http://rack.test") == "ws://rack.test/v1/runs/run_1/stream?mode=lossless"
    for message in (hello(), data(0, [3, 7], [])):
        stream.handle(message)
    assert stream.url("https://rack.test") == "wss://rack.test/v1/runs/run_1/stream?from_tick=2&mode=lossless"
    for message in (hello(first_tick=2), data(2, [1], []), end(4)):
        stream.handle(message)
    assert stream.digest == expected_digest(4)


@pytest.mark.parametrize(
    "stream",
    [state(from_tick=2), state(population="exc"), state(mode="latest")],
    ids=["late", "part", "latest"],
)
def test_part_of_a_run_has_no_digest(stream: StreamState) -> None:
    for message in (hello(first_tick=2), data(2, [1], []), end(4)):
        stream.handle(message)
    assert stream.digest is None


def test_a_gap_is_told_with_the_next_batch() -> None:
    stream = state(mode="latest")
    gap = msgpack.packb({"type": "gap", "from_tick": 1, "to_tick": 3, "reason": "slow"})
    for message in (hello(), data(0, [3]), gap):
        stream.handle(message)
    batch = stream.handle(data(3, [1]))
    assert batch is not None
    assert batch.n_missed == 2
    assert stream.handle(end(4)) is None
    assert stream.digest is None


def test_a_heartbeat_tells_the_lag() -> None:
    stream = state()
    stream.handle(hello())
    assert stream.handle(msgpack.packb({"type": "heartbeat", "tick": 0, "lag": 30})) is None
    assert stream.lag == 30


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("text", "messages are binary, got text; update spikerack"),
        (b"\xc1", "messages are msgpack, got 1 bytes that are not"),
        (msgpack.packb([1]), "messages are maps, got list; update spikerack"),
        (
            msgpack.packb({"type": "new"}),
            "a message is one of hello, data, gap, heartbeat, end, got 'new'; update spikerack",
        ),
        (data(1, [1]), "the next tick is 0, got 1"),
        (
            msgpack.packb(
                {"type": "data", "tick0": 0, "n_ticks": 2, "ids": b"\0" * 8, "offsets": b"\0" * 12}
            ),
            "offsets must be 3 and end at 2",
        ),
    ],
)
def test_a_broken_protocol_is_named(message: str | bytes, words: str) -> None:
    stream = state()
    stream.handle(hello())
    with pytest.raises(StreamError) as error:
        stream.handle(message)
    assert str(error.value) == f"stream of run_1: {words}"
    assert stream.next_tick == 0


@pytest.mark.parametrize(
    "error", [closed(1012), closed(4408), closed(1011), ConnectionRefusedError(), TimeoutError(), EOFError()]
)
def test_trouble_is_waited_for(error: Exception) -> None:
    assert 0.0 < state().delay_after(error) < 1.0


def test_a_clean_close_before_the_end_is_trouble_too() -> None:
    assert state().delay_after(ConnectionClosedOK(Close(1000, ""), Close(1000, ""), True)) > 0.0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1003, "the service refused what this client sent (1003 why)"),
        (4404, "the run was deleted (4404 why)"),
        (4500, "the service failed internally (4500 why)"),
    ],
)
def test_final_closes(code: int, words: str) -> None:
    with pytest.raises(StreamError) as error:
        state().delay_after(closed(code, "why"))
    assert str(error.value) == f"stream of run_1: {words}"


def test_a_refusal_that_says_when_to_come_back_is_honoured() -> None:
    assert state().delay_after(refused(429, b"{}", Retry_After="4")) == 4.0


def test_a_refusal_for_good() -> None:
    with pytest.raises(AuthError, match=r"^stream of run_1: 401, unknown key$"):
        state().delay_after(refused(401, b'{"detail": "unknown key"}'))


def test_gives_up_in_the_end() -> None:
    now = [0.0]
    patience = Patience(5.0, clock=lambda: now[0], jitter=lambda: 0.5)
    stream = StreamState("run_1", from_tick=None, mode="lossless", population=None, patience=patience)
    stream.delay_after(ConnectionRefusedError("refused"))
    now[0] = 5.0
    with pytest.raises(
        UnreachableError, match=r"^stream of run_1: ConnectionRefusedError: refused; gave up after 5.0 s"
    ):
        stream.delay_after(ConnectionRefusedError("refused"))
