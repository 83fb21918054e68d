"""A service that speaks from a script: the other end of the client's tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import msgpack
import numpy as np

TIMESTEP_MS = 0.1
POPULATIONS = [{"name": "exc", "first": 0, "size": 8, "kind": "population"}]

NETWORK = {"name": "demo", "timestep_ms": TIMESTEP_MS, "seed": 1, "populations": []}
RUN: dict[str, Any] = {
    "id": "run_1",
    "state": "running",
    "tick": 0,
    "n_ticks": 100,
    "timestep_ms": TIMESTEP_MS,
    "n_spikes": 0,
    "progress": 0.0,
    "n_recorded_spikes": 0,
    "digest": None,
    "recorded_digest": None,
    "rates_hz": None,
    "error": None,
}
DEPLOYMENT: dict[str, Any] = {
    "id": "dep_1",
    "network_name": "demo",
    "system": "rack-2x2",
    "chips": 4,
    "state": "building",
    "phase": "place",
    "progress": 0.5,
    "error": None,
    "report": None,
}


def answer(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """A response with the body as JSON."""
    return httpx2.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def problem(
    status: int, detail: str, *, retry_after: str | None = None, **extensions: Any
) -> httpx2.Response:
    """A response that is a problem."""
    headers = {"Content-Type": "application/problem+json"}
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    body = {"type": "/problems/x", "title": "X", "status": status, "detail": detail, **extensions}
    return httpx2.Response(status, json=body, headers=headers)


def npz(tick: list[int], neuron: list[int], **headers: str) -> httpx2.Response:
    """A page of spikes."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        tick=np.array(tick, np.uint32),
        neuron=np.array(neuron, np.uint32),
        timestep_ms=np.float64(TIMESTEP_MS),
        population=np.array(["exc", "inh"]),
        first=np.array([0, 6], np.uint32),
        size=np.array([6, 2], np.uint32),
    )
    return httpx2.Response(
        200, content=buffer.getvalue(), headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def arrays(headers: Mapping[str, str], **columns: np.ndarray) -> httpx2.Response:
    """A part of an answer as npz."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **columns)
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx2.Response(200, content=buffer.getvalue(), headers=named)


class Script:
    """Answers requests one after the other, and keeps them."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        reply = self.answers.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def apause(self, seconds: float) -> None:
        """Note a pause instead of waiting."""
        self.pauses.append(seconds)

    @property
    def lines(self) -> list[str]:
        """What was asked, in order."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def hello(*, first_tick: int = 0, n_ticks: int = 4) -> bytes:
    return msgpack.packb(
        {
            "type": "hello",
            "run": "run_1",
            "timestep_ms": TIMESTEP_MS,
            "n_neurons": 8,
            "n_ticks": n_ticks,
            "first_tick": first_tick,
            "last_tick": 0,
            "mode": "lossless",
            "population": None,
            "populations": POPULATIONS,
            "recorded": None,
        }
    )


def data(tick0: int, *ticks: list[int]) -> bytes:
    """A data frame: the neurons that spiked in tick0, tick0 + 1, ..."""
    offsets = np.cumsum([0, *map(len, ticks)]).astype("<u4")
    ids = np.array([neuron for tick in ticks for neuron in tick], "<u4")
    frame = {
        "type": "data",
        "tick0": tick0,
        "n_ticks": len(ticks),
        "ids": ids.tobytes(),
        "offsets": offsets.tobytes(),
    }
    return msgpack.packb(frame)


def end(tick: int = 4, *, digest: str | None = None) -> bytes:
    return msgpack.packb(
        {
            "type": "end",
            "tick": tick,
            "digest": digest,
            "recorded_digest": digest,
            "state": "complete",
            "reason": "complete",
        }
    )


Handler = Callable[[httpx2.Request], httpx2.Response]
