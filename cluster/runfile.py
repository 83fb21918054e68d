"""A run's files: append-only spikes and states, an index of what is complete, and the record of its state.

Layout of a run's folder:

- ``meta.json``: what was run; written once, before the first tick.
- ``spikes.bin``: little-endian uint32 pairs (tick, neuron), sorted by tick, then neuron: those that are kept.
- ``states-K.bin``: recording K, rows of ``len(variables) * len(neurons)`` little-endian float64.
- ``weights-K.bin``: recording K, rows of one little-endian float64 a synapse; ``synapses-K.npz`` says which
  synapses they are and is written before ``meta.json``.
- ``index.bin``: little-endian int64 pairs (tick, n_spikes): every spike before *tick* is on disk. A record is
  appended only after the data it speaks of, so a reader never sees half a tick.
- ``status.json``: the run's state, replaced whole (temporary file, then rename).
- ``closed``: made when somebody else has closed the record; a writer that is left over changes nothing more.

Writer and readers share nothing but these files, so readers may come late, come back, or outlive the writer.
"""

from __future__ import annotations

import json
import os
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cluster.errors import DeploymentLost
from cluster.recordings import RecordedSynapses
from cluster.spikefile import SpikeFile

TERMINAL = frozenset({"complete", "complete_with_loss", "failed", "cancelled"})

_RECORD_BYTES = 16


def now() -> str:
    """Return the present time as ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Replace the JSON file at `path` in one step."""
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    temporary.write_text(json.dumps(record, allow_nan=False))
    temporary.replace(path)


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the JSON file at `path`, or None while there is none."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return record


def mark_failed(folder: Path, cause: str) -> None:
    """Close the record of a run whose writer is gone; a run that has ended is left as it is.

    Parameters
    ----------
    folder : Path
        The run's folder. It is made when the run died before it wrote anything.
    cause : str
        What happened; becomes the record's `error`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "closed").touch()
    status = read_record(folder / "status.json") or {"tick": 0, "n_ticks": 0, "progress": 0.0}
    if status.get("state") in TERMINAL:
        return
    tick, n_recorded = _last_record(folder / "index.bin")
    keeps_all = (read_record(folder / "meta.json") or {}).get("recorded") is None
    status |= {
        "progress": tick / status["n_ticks"] if status.get("n_ticks") else 0.0,
        "state": "failed",
        "tick": tick,
        # Of spikes that were not kept, only the last report of the writer tells.
        "n_spikes": n_recorded if keeps_all else max(status.get("n_spikes", 0), n_recorded),
        "n_recorded_spikes": n_recorded,
        "error": f"{cause}; last complete tick: {tick}",
    }
    write_record(folder / "status.json", status | {"ended": now()})


def close_open_runs(data: Path, cause: str) -> None:
    """Close the records of all runs in the data folder that have not ended: their writers end now."""
    for path in (data / "runs").glob("*/status.json"):
        if (read_record(path) or {}).get("state") not in TERMINAL:
            mark_failed(path.parent, cause)


def _last_record(path: Path) -> tuple[int, int]:
    try:
        size = path.stat().st_size // _RECORD_BYTES * _RECORD_BYTES
    except FileNotFoundError:
        return 0, 0
    if size == 0:
        return 0, 0
    with path.open("rb") as file:
        file.seek(size - _RECORD_BYTES)
        tick, n_spikes = np.frombuffer(file.read(_RECORD_BYTES), "<i8")
    return int(tick), int(n_spikes)


class RunWriter:
    """Appends a run's spikes and samples. One writer a run.

    Parameters
    ----------
    folder : Path
        The run's folder; made here.
    meta : mapping
        Goes to ``meta.json`` unchanged. Needs `recordings`, each with its `kind`.
    synapses : mapping from int to RecordedSynapses
        Whose weights each recording of weights samples.
    """

    def __init__(
        self, folder: Path, meta: Mapping[str, Any], synapses: Mapping[int, RecordedSynapses] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.n_spikes = 0
        for number, columns in (synapses or {}).items():
            _write_synapses(folder / f"synapses-{number}.npz", columns)
        write_record(folder / "meta.json", meta)
        self._spikes = _append(folder / "spikes.bin")
        self._samples = {
            number: _append(_samples_path(folder, number, recording["kind"]))
            for number, recording in enumerate(meta["recordings"])
            if recording["kind"] != "spikes"
        }
        self._index = _append(folder / "index.bin")

    def append(
        self, last_tick: int, pairs: NDArray[np.uint32], states: Sequence[NDArray[np.float64]] = ()
    ) -> None:
        """Append all spikes up to, and not with, `last_tick`.

        Parameters
        ----------
        last_tick : int
            Ticks before it are complete with this call.
        pairs : (n_spikes, 2) uint32 array
            Tick and neuron, sorted by tick, then neuron; none before the last call's `last_tick`.
        states : sequence of (n_rows, n_values) float64 arrays
            One for each recording; what stands for a recording of spikes is not looked at.

        Raises
        ------
        DeploymentLost
            Somebody else has closed the run's record.
        """
        self._refuse_closed()
        self._spikes.write(np.ascontiguousarray(pairs, "<u4").data)
        self._spikes.flush()
        for number, file in self._samples.items():
            file.write(np.ascontiguousarray(states[number], "<f8").data)
            file.flush()
        self.n_spikes += len(pairs)
        self._index.write(np.array([last_tick, self.n_spikes], "<i8").tobytes())
        self._index.flush()

    def status(self, record: Mapping[str, Any]) -> None:
        """Replace ``status.json``."""
        self._refuse_closed()
        write_record(self.folder / "status.json", record)

    def _refuse_closed(self) -> None:
        if (self.folder / "closed").exists():
            raise DeploymentLost(
                f"run {self.folder.name!r}: its record was closed by another process; start a new run"
            )

    def close(self) -> None:
        """Close the files; what was appended stays."""
        for file in (self._spikes, *self._samples.values(), self._index):
            file.close()


def _append(path: Path) -> BinaryIO:
    return path.open("ab")


def _samples_path(folder: Path, number: int, kind: str) -> Path:
    return folder / f"{'weights' if kind == 'weights' else 'states'}-{number}.bin"


def _write_synapses(path: Path, synapses: RecordedSynapses) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **synapses._asdict())


class RunReader:
    """Reads a run's files while they grow, and after.

    Parameters
    ----------
    folder : Path
        The run's folder. It may not exist yet: the run then has no complete tick.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The index: all spikes before _tick[k] are the first _count[k] of the file. It grows in place.
        self._tick, self._count = array("q", [0]), array("q", [0])
        self._meta: dict[str, Any] | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """What was run: run, timestep_ms, n_ticks, n_neurons, seed, populations, recorded, recordings.

        `recorded` is None when all spikes are kept, else the [start, stop, step] of those whose are.

        Raises
        ------
        FileNotFoundError
            The run has not started yet.
        """
        if self._meta is None:
            self._meta = read_record(self.folder / "meta.json")
        if self._meta is None:
            raise FileNotFoundError(f"{self.folder.name}: the run has not started; ask again later")
        return self._meta

    @property
    def last_tick(self) -> int:
        """The spikes of all ticks before this one are on disk."""
        self._refresh()
        return self._tick[-1]

    @property
    def n_spikes(self) -> int:
        """Spikes on disk, of complete ticks: those that are kept."""
        self._refresh()
        return self._count[-1]

    @property
    def ended(self) -> bool:
        """Whether the run is in a terminal state; nothing is appended after."""
        return self.status().get("state") in TERMINAL

    def status(self) -> dict[str, Any]:
        """Return the run's record, empty before the run has one."""
        return read_record(self.folder / "status.json") or {}

    def read(
        self, from_tick: int, to_tick: int, limit: int | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the spikes of complete ticks in [from_tick, to_tick).

        Parameters
        ----------
        limit : int or None
            Return at most the first `limit` spikes.

        Returns
        -------
        tick, neuron : (n,) uint32 arrays
            Sorted by tick, then neuron.
        """
        self._refresh()
        begin = self._count[max(bisect_right(self._tick, from_tick) - 1, 0)]
        end = self._count[min(bisect_left(self._tick, to_tick), len(self._tick) - 1)]
        if end <= begin:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint32)
        with SpikeFile(self.folder / "spikes.bin") as file:
            low = file.place(from_tick, begin, end)
            high = file.place(to_tick, low, end)
            return file.read(low, high if limit is None else min(high, low + limit))

    def states(
        self, recording: int, from_tick: int, to_tick: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the states of recording `recording`, sampled at the end of ticks in [from_tick, to_tick).

        Returns
        -------
        tick : (n_rows,) int64 array
        values : (n_rows, n_variables, n_neurons) float64 array
        """
        spec = self.meta["recordings"][recording]
        shape = len(spec["variables"]), spec["n_neurons"]
        tick, rows = self._rows(recording, from_tick, to_tick, shape[0] * shape[1])
        return tick, rows.reshape(len(rows), *shape)

    def weights(
        self, recording: int, from_tick: int, to_tick: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the weights of recording `recording`, sampled at the end of ticks in [from_tick, to_tick).

        Returns
        -------
        tick : (n_rows,) int64 array
        values : (n_rows, n_synapses) float64 array
        """
        width = self.meta["recordings"][recording]["n_synapses"]
        return self._rows(recording, from_tick, to_tick, width)

    def synapses(self, recording: int) -> RecordedSynapses:
        """Return the synapses whose weights recording `recording` samples, in the order of its rows."""
        with np.load(self.folder / f"synapses-{recording}.npz", allow_pickle=False) as arrays:
            return RecordedSynapses(**arrays)

    def _rows(
        self, recording: int, from_tick: int, to_tick: int, width: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        spec = self.meta["recordings"][recording]
        every = spec["interval_ticks"]
        first = max(from_tick, 0) // every
        stop = max(min(to_tick, self.last_tick) // every, first)
        path = _samples_path(self.folder, recording, spec["kind"])
        rows = np.fromfile(path, "<f8", (stop - first) * width, offset=first * width * 8)
        return (np.arange(first, stop) + 1) * every - 1, rows.reshape(stop - first, width)

    def _refresh(self) -> None:
        path = self.folder / "index.bin"
        done = (len(self._tick) - 1) * _RECORD_BYTES
        try:
            size = path.stat().st_size // _RECORD_BYTES * _RECORD_BYTES
        except FileNotFoundError:
            return
        if size > done:
            new = np.fromfile(path, "<i8", (size - done) // 8, offset=done).reshape(-1, 2)
            self._tick.frombytes(new[:, 0].astype(np.int64).tobytes())
            self._count.frombytes(new[:, 1].astype(np.int64).tobytes())
