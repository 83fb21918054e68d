from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spikerack.errors import UnreachableError
from spikerack.retry import Patience, parse_retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def patience(limit_s: float, clock: Clock) -> Patience:
    return Patience(limit_s, clock=clock, jitter=lambda: 0.5)


def test_delays_grow_to_a_bound() -> None:
    waits = patience(1000.0, Clock())
    delays = [waits.delay_s("x") for _ in range(12)]
    assert delays[1] == pytest.approx(0.15)
    assert delays[1:] == sorted(delays[1:])
    assert delays[-1] == pytest.approx(3.75)


def test_the_servers_wish_is_never_undercut() -> None:
    assert patience(60.0, Clock()).delay_s("x", 7.0) == 7.0


def test_gives_up_after_the_deadline() -> None:
    clock = Clock()
    waits = patience(10.0, clock)
    waits.delay_s("GET /v1/runs/run_1: ConnectError: refused")
    clock.now += 9.99
    with pytest.raises(UnreachableError) as error:
        waits.delay_s("GET /v1/runs/run_1: ConnectError: refused")
    assert str(error.value) == (
        "GET /v1/runs/run_1: ConnectError: refused; gave up after 10.0 s of trying (limit 10 s); "
        "check that the service runs and that the URL is right"
    )


def test_does_not_begin_a_wait_that_would_end_too_late() -> None:
    with pytest.raises(UnreachableError):
        patience(10.0, Clock()).delay_s("x", 11.0)


def test_success_starts_the_deadline_anew() -> None:
    clock = Clock()
    waits = patience(10.0, clock)
    waits.delay_s("x")
    waits.reset()
    clock.now += 100.0
    assert waits.delay_s("x") < 1.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("soon", None),
        ("Mon, 01 Jan 2024 00:00:09 GMT", 9.0),
        ("Mon, 01 Jan 2023 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, now=datetime(2024, 1, 1, tzinfo=UTC)) == seconds
