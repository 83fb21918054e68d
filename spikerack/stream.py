"""The stream protocol ``spikes.v1.msgpack`` from the reader's side, without I/O.

`StreamState` takes messages in, gives batches of spikes out, and knows where to resume. The sockets are in
`spikerack.client` and `spikerack.async_client`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import msgpack
import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed, InvalidStatus

from network.digest import SpikeDigest
from spikerack.errors import StreamError, problem_error
from spikerack.retry import Patience, parse_retry_after

SUBPROTOCOL = "spikes.v1.msgpack"
# The service sends a heartbeat each second of silence; this much silence is a dead connection.
QUIET_S = 10.0
MAX_MESSAGE_BYTES = 64 * 2**20

Mode = Literal["lossless", "latest"]
_FINAL_CLOSE_CODES = {
    1003: "the service refused what this client sent",
    4404: "the run was deleted",
    4500: "the service failed internally",
}


@dataclass(frozen=True, eq=False)
class SpikeBatch:
    """The spikes of some consecutive ticks.

    Attributes
    ----------
    tick0, n_ticks : int
        The batch holds all spikes of ticks [tick0, tick0 + n_ticks).
    tick, neuron : (n_spikes,) uint32 arrays
        Sorted by tick, then neuron; neurons by their global numbers.
    n_missed : int
        Ticks that were skipped right before this batch; always 0 in a lossless stream.
    """

    tick0: int
    n_ticks: int
    tick: NDArray[np.uint32]
    neuron: NDArray[np.uint32]
    n_missed: int = 0

    def __len__(self) -> int:
        return len(self.tick)

    def __repr__(self) -> str:
        return f"SpikeBatch(ticks {self.tick0}..{self.tick0 + self.n_ticks - 1}, {len(self)} spikes)"


class StreamState:
    """Where a reader of a run's stream stands.

    Parameters
    ----------
    run_id : str
        The run.
    from_tick : int or None
        First tick wanted; None for all in a lossless stream, and for the newest in a `latest` one.
    mode : str
        `lossless`, or `latest` to skip ticks rather than fall behind.
    population : str or None
        Only this population's spikes.
    patience : Patience
        How long to try to come back after trouble.

    Attributes
    ----------
    hello : mapping or None
        The service's greeting: timestep_ms, n_neurons, n_ticks, populations, recorded, ...
    end : mapping or None
        The service's farewell: tick, digest, recorded_digest, state, reason. None until the run is over.
    next_tick : int or None
        The tick to resume from.
    lag : int
        Complete ticks that were not sent yet at the last heartbeat.
    """

    def __init__(
        self, run_id: str, *, from_tick: int | None, mode: Mode, population: str | None, patience: Patience
    ) -> None:
        self.run_id = run_id
        self.mode = mode
        self.population = population
        self.patience = patience
        self.next_tick = from_tick
        self.hello: Mapping[str, Any] | None = None
        self.end: Mapping[str, Any] | None = None
        self.lag = 0
        self.n_spikes = 0
        self._digest: SpikeDigest | None = None
        self._whole = mode == "lossless" and population is None and not from_tick
        self._missed = 0

    def url(self, base: str) -> str:
        """Return the socket's address, from where to resume included."""
        asked = {"from_tick": self.next_tick, "mode": self.mode, "population": self.population}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"ws{base.removeprefix('http')}/v1/runs/{self.run_id}/stream?{query}"

    @property
    def digest(self) -> str | None:
        """Digest of all that was received; None unless that is the whole of a run that has ended.

        It is the run's `recorded_digest`: only spikes that the network's recordings keep are streamed.
        """
        if self.end is None or self._digest is None or not self._whole or self.next_tick != self.end["tick"]:
            return None
        return self._digest.hexdigest(self.end["tick"])

    def handle(self, message: str | bytes) -> SpikeBatch | None:
        """Take a message in; return its spikes, if it has any ticks.

        Raises
        ------
        StreamError
            The message breaks the protocol.
        """
        frame = self._decode(message)
        handlers = {
            "hello": self._on_hello,
            "data": self._on_data,
            "gap": self._on_gap,
            "heartbeat": self._on_heartbeat,
            "end": self._on_end,
        }
        kind = frame.get("type")
        if kind not in handlers:
            raise self._broken(f"a message is one of {', '.join(handlers)}, got {kind!r}; update spikerack")
        return handlers[kind](frame)

    def delay_after(self, error: BaseException) -> float:
        """Return the seconds to wait before resuming after a connection's end.

        Raises
        ------
        ProblemError, StreamError
            Coming back cannot help.
        UnreachableError
            The reader's patience is over.
        """
        retry_after_s = None
        if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in _FINAL_CLOSE_CODES:
            why = _FINAL_CLOSE_CODES[error.rcvd.code]
            raise StreamError(
                f"stream of {self.run_id}: {why} ({error.rcvd.code} {error.rcvd.reason})"
            ) from error
        if isinstance(error, InvalidStatus):
            retry_after_s = self._refusal(error)
        cause = f"stream of {self.run_id}: {type(error).__name__}: {error}"
        return self.patience.delay_s(cause, retry_after_s)

    def _refusal(self, error: InvalidStatus) -> float | None:
        response = error.response
        retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
        if retry_after_s is None and response.status_code < 500:
            request = f"stream of {self.run_id}"
            raise problem_error(
                request, response.status_code, _problem(bytes(response.body or b""))
            ) from error
        return retry_after_s

    def _decode(self, message: str | bytes) -> dict[str, Any]:
        if isinstance(message, str):
            raise self._broken("messages are binary, got text; update spikerack")
        try:
            frame = msgpack.unpackb(message, strict_map_key=True, max_map_len=64, max_array_len=100_000)
        except (ValueError, msgpack.UnpackException) as error:
            raise self._broken(f"messages are msgpack, got {len(message)} bytes that are not") from error
        if not isinstance(frame, dict):
            raise self._broken(f"messages are maps, got {type(frame).__name__}; update spikerack")
        return frame

    def _on_hello(self, frame: dict[str, Any]) -> None:
        if self.hello is None:
            self._digest = SpikeDigest(frame["timestep_ms"], frame["n_ticks"], frame["n_neurons"])
        self.hello = frame
        if self.next_tick is None:
            self.next_tick = frame["first_tick"]

    def _on_data(self, frame: dict[str, Any]) -> SpikeBatch:
        if frame["tick0"] != self.next_tick:
            raise self._broken(f"the next tick is {self.next_tick}, got {frame['tick0']}")
        offsets = np.frombuffer(frame["offsets"], "<u4").astype(np.int64)
        neuron = np.frombuffer(frame["ids"], "<u4").astype(np.uint32)
        if len(offsets) != frame["n_ticks"] + 1 or offsets[-1] != len(neuron):
            raise self._broken(f"offsets must be {frame['n_ticks'] + 1} and end at {len(neuron)}")
        ticks = np.arange(frame["tick0"], frame["tick0"] + frame["n_ticks"], dtype=np.uint32)
        batch = SpikeBatch(
            frame["tick0"], frame["n_ticks"], np.repeat(ticks, np.diff(offsets)), neuron, self._missed
        )
        self._advance(batch)
        return batch

    def _advance(self, batch: SpikeBatch) -> None:
        self.next_tick = batch.tick0 + batch.n_ticks
        self.n_spikes += len(batch)
        self._missed = 0
        self.patience.reset()
        if self._whole and self._digest is not None:
            self._digest.update(batch.tick, batch.neuron)

    def _on_gap(self, frame: dict[str, Any]) -> None:
        self._whole = False
        self._missed += frame["to_tick"] - frame["from_tick"]
        self.next_tick = frame["to_tick"]

    def _on_heartbeat(self, frame: dict[str, Any]) -> None:
        self.lag = frame["lag"]
        self.patience.reset()

    def _on_end(self, frame: dict[str, Any]) -> None:
        self.end = frame

    def _broken(self, rule: str) -> StreamError:
        return StreamError(f"stream of {self.run_id}: {rule}")


def _problem(body: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
