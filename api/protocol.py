"""The stream of spikes as a state machine: what one viewer is told next. No I/O, no clock.

*Theory of operation.* A viewer has a position, the next tick to read, and a bounded queue of frames to send.
Whoever drives it asks `wanted` which ticks to read from the run's file, gives their spikes to `give`, and
sends what `take` returns. When the queue is full, a *lossless* viewer wants nothing until it has taken a
frame: the file is its memory. A *latest* viewer lets go of all frames that wait and goes on at the newest
ticks; one `gap` says which ticks it skipped. The tick is the sequence number: frames are contiguous, so a
viewer that was cut off asks for the tick after its last frame.

Every message is a msgpack map with `type`:

- ``hello {run, timestep_ms, n_neurons, n_ticks, first_tick, last_tick, mode, population, populations,
  recorded}``: `recorded` is null when all spikes are kept, else a list of [start, stop, step] of the global
  numbers whose spikes are.
- ``data {tick0, n_ticks, ids, offsets}``: `ids` little-endian uint32 global numbers, sorted by tick, then
  number; `offsets` n_ticks + 1 little-endian uint32: ``ids[offsets[i]:offsets[i + 1]]`` spiked in tick
  ``tick0 + i``.
- ``gap {from_tick, to_tick, reason}``: ticks in [from_tick, to_tick) are skipped.
- ``heartbeat {tick, lag}``: nothing to send; `tick` is the next one, `lag` how many complete ticks wait.
- ``end {tick, digest, recorded_digest, state, reason}``: the run is over. `digest` is that of all spikes,
  `recorded_digest` of those that are kept, which are the ones that were streamed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgpack
import numpy as np
from numpy.typing import NDArray

SUBPROTOCOL = "spikes.v1.msgpack"
FRAME_TICKS = 10_000
FRAME_SPIKES = 65_536
# With both a frame is below 310 KB; websocket libraries take messages of 1 MiB unless told otherwise. A tick
# is never cut, so that of a network of more than 250,000 neurons may be larger.

Mode = Literal["lossless", "latest"]
Message = dict[str, Any]
Spikes = NDArray[np.uint32]

# state -> event -> next state; what is not here is a fault of the driver and changes nothing.
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "new": {"greet": "open"},
    "open": {"give": "open", "finish": "closing"},
    "closing": {"end": "closed"},
    "closed": {},
}


def encode(message: Message) -> bytes:
    """Return a message as it travels."""
    packed: bytes = msgpack.packb(message)
    return packed


class Viewer:
    """What one viewer is told.

    Parameters
    ----------
    header : mapping
        The run: run, timestep_ms, n_ticks, n_neurons, populations, recorded.
    first_tick : int
        Where the viewer wants to begin.
    mode : {"lossless", "latest"}
        What is done when the viewer does not keep up.
    queue_frames : int
        Frames that may wait.
    population : str or None
        Name of the only population or source it wants.
    neurons : range or None
        That population's global numbers.
    """

    def __init__(
        self,
        header: Mapping[str, Any],
        *,
        first_tick: int,
        mode: Mode,
        queue_frames: int,
        population: str | None = None,
        neurons: range | None = None,
    ) -> None:
        self.state = "new"
        self.mode = mode
        self.next_tick = first_tick
        self._header = header
        self._population, self._neurons = population, neurons
        self._queue: deque[Message] = deque()
        self._room = queue_frames
        self._end: Message | None = None

    def __repr__(self) -> str:
        return f"Viewer({self.mode}, {self.state}, next tick {self.next_tick}, {len(self._queue)} waiting)"

    @property
    def full(self) -> bool:
        """Whether as many frames wait as may."""
        return len(self._queue) >= self._room

    def greet(self, last_tick: int) -> Message:
        """Return the first message; ticks before `last_tick` are complete."""
        self._move("greet")
        return {
            "type": "hello",
            "run": self._header["run"],
            "timestep_ms": self._header["timestep_ms"],
            "n_neurons": self._header["n_neurons"],
            "n_ticks": self._header["n_ticks"],
            "first_tick": self.next_tick,
            "last_tick": last_tick,
            "mode": self.mode,
            "population": self._population,
            "populations": list(self._header["populations"]),
            "recorded": self._header["recorded"],
        }

    def wanted(self, last_tick: int) -> range:
        """Return the ticks to read now, before `last_tick`; empty when there is nothing to read or no room.

        A viewer of the newest ticks makes room: it lets go of what waits.
        """
        if self.state != "open" or last_tick <= self.next_tick:
            return range(0)
        if self.full:
            if self.mode == "lossless":
                return range(0)
            self._skip_to(max(self.next_tick, last_tick - FRAME_TICKS))
        return range(self.next_tick, min(last_tick, self.next_tick + FRAME_TICKS))

    def give(self, ticks: range, tick: Spikes, neuron: Spikes) -> None:
        """Add the spikes of `ticks`, the next ones in order.

        Parameters
        ----------
        ticks : range
            Begins at `next_tick`.
        tick, neuron : (n,) uint32 arrays
            All spikes of those ticks, sorted by tick, then neuron.
        """
        if ticks.start != self.next_tick:
            raise RuntimeError(
                f"viewer: ticks must begin at {self.next_tick}, got {ticks.start}; give them in order"
            )
        self._move("give")
        if self._neurons is not None:
            kept = (neuron >= self._neurons.start) & (neuron < self._neurons.stop)
            tick, neuron = tick[kept], neuron[kept]
        self._queue.extend(_frames(ticks, tick, neuron))
        self.next_tick = ticks.stop

    def finish(
        self,
        *,
        tick: int,
        state: str,
        digest: str | None,
        recorded_digest: str | None,
        error: str | None,
    ) -> None:
        """Say that the run has ended, after all its ticks were given."""
        self._move("finish")
        self._end = {
            "type": "end",
            "tick": tick,
            "digest": digest,
            "recorded_digest": recorded_digest,
            "state": state,
            "reason": error or state,
        }

    def take(self) -> Message | None:
        """Return the next message and forget it; None when there is nothing to send."""
        if self._queue:
            return self._queue.popleft()
        if self._end is not None and self.state == "closing":
            self._move("end")
            return self._end
        return None

    def heartbeat(self, last_tick: int) -> Message:
        """Return what is said to a viewer that has not heard anything for a while."""
        return {"type": "heartbeat", "tick": self.next_tick, "lag": max(last_tick - self.next_tick, 0)}

    def _skip_to(self, tick: int) -> None:
        first = self._queue[0]
        begin = first["from_tick"] if first["type"] == "gap" else first["tick0"]
        self._queue.clear()
        self._queue.append({"type": "gap", "from_tick": begin, "to_tick": tick, "reason": "slow viewer"})
        self.next_tick = tick

    def _move(self, event: str) -> None:
        if event not in TRANSITIONS[self.state]:
            raise RuntimeError(f"viewer: {event} is not allowed in the state {self.state}; see TRANSITIONS")
        self.state = TRANSITIONS[self.state][event]


def _frames(ticks: range, tick: Spikes, neuron: Spikes) -> Iterator[Message]:
    """Cut ticks into data frames of up to FRAME_SPIKES spikes; a single tick is never cut."""
    firsts = np.searchsorted(tick, np.arange(ticks.start, ticks.stop).astype(np.uint32))
    ends = np.append(firsts, len(tick))
    ids = np.ascontiguousarray(neuron, "<u4").view(np.uint8).data
    begin = 0
    while begin < len(ticks):
        fitting = int(np.searchsorted(ends, ends[begin] + FRAME_SPIKES, "right")) - 1
        stop = min(max(fitting, begin + 1), len(ticks))
        yield {
            "type": "data",
            "tick0": ticks.start + begin,
            "n_ticks": stop - begin,
            "ids": ids[4 * ends[begin] : 4 * ends[stop]],
            "offsets": (ends[begin : stop + 1] - ends[begin]).astype("<u4").tobytes(),
        }
        begin = stop
