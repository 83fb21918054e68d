"""One emulated chip: plain data plus kernels, with no idea of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import (
    ARRIVALS,
    DELIVERED,
    HIGHEST,
    HISTORY,
    IN_USE,
    N_SPIKES,
    RING,
    SENT,
    SHORT,
    WIDTH,
    ChipArrays,
    Flight,
    Integers,
    Probes,
)
from chip.delivery import in_flight
from chip.errors import SlotOverflow, SnapshotMismatch
from chip.inputs import greatest_mean
from chip.lanes import pushes_at_once
from chip.layout import Builder, Places, sample_rows
from chip.memory import SynapseMemory, build
from chip.neurons import MODELS
from chip.poisson import room_for
from chip.queues import CHUNK, arrived_words
from chip.spec import ChipSpec, InputSpec, SliceSpec
from chip.weights import SLOT_CAPACITY

Snapshot = dict[str, NDArray[Any]]


class WeightProbe(NamedTuple):
    """Words whose weights are sampled.

    Attributes
    ----------
    words : (n,) int64 array
        Places in the synapse memory, as `chip.readback` lists them.
    step : float
        What one unit of a word's weight is worth.
    interval_ticks : int
        A sample is taken at the end of each so many ticks.
    """

    words: Integers
    step: float
    interval_ticks: int


class Chip:
    """A chip, built from its specification.

    Parameters
    ----------
    spec : ChipSpec
    progress : callable
        Told the share of the building that is done, 0 to 1.
    threads : int
        Cores to build with.

    Attributes
    ----------
    arrays : ChipArrays
        All its memory; the kernels of `chip.tick` work on it.
    memory : SynapseMemory
        The static part, with the synapse digest.

    Raises
    ------
    SlotOverflow
        The synapses onto some neuron could exceed a slot.
    """

    def __init__(
        self, spec: ChipSpec, progress: Callable[[float], None] = lambda share: None, *, threads: int = 1
    ) -> None:
        self.spec = spec
        places = Places.of(spec)
        parts = [(spec.slices[row.slice_number], row.receptor) for row in spec.rows]
        targets = [(part.bank_neuron, places.slot(part, receptor)) for part, receptor in parts]
        self.memory: SynapseMemory = build(
            spec.rows,
            blocks=[spec.memory_block(block) for block in spec.blocks],
            targets=targets,
            n_slots=places.n_slots,
            threads=threads,
            progress=progress,
        )
        self._refuse_overflow(places)
        self.arrays: ChipArrays = Builder(spec, self.memory).arrays()
        self._initial = self.snapshot()

    def __repr__(self) -> str:
        n_words = self.memory.words.size
        sizes = f"{self.spec.n_neurons} neurons, {n_words} synapses, {self.spec.n_axons} axons"
        return f"Chip({self.spec.name}: {sizes})"

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays; the ring counts whole, though only what is used becomes resident."""
        return sum(_n_bytes(group) for group in self.arrays)

    @property
    def n_synaptic_events(self) -> tuple[int, int]:
        """Synaptic events sent and delivered since tick 0."""
        counters, arrays = self.arrays.output.counters, self.arrays
        arrived = arrived_words(arrays.synapses, arrays.flight.queues)
        return int(counters[SENT] + arrived), int(counters[DELIVERED])

    def in_flight(self, tick: int) -> int:
        """Return the synaptic events still to come when all ticks before `tick` are done."""
        return int(in_flight(self.arrays.synapses, self.arrays.flight, tick))

    def drain_spikes(self) -> NDArray[np.uint64]:
        """Return and forget the spikes since the last drain: (n,) uint64, tick << 32 | global number."""
        output = self.arrays.output
        spikes = output.spikes[: output.counters[N_SPIKES]].copy()
        output.counters[N_SPIKES] = 0
        return spikes

    def drain_samples(self) -> list[NDArray[np.float64]]:
        """Return and forget the samples since the last drain: (n_rows, n_values) float64 for each probe."""
        probes, out = self.arrays.probes, []
        for probe in range(probes.rows.size):
            width = int(probes.first[probe + 1] - probes.first[probe])
            first, n_rows = int(probes.sample_first[probe]), int(probes.rows[probe])
            out.append(probes.samples[first : first + n_rows * width].reshape(n_rows, width).copy())
        probes.rows[:] = 0
        return out

    def add_weight_probes(self, added: Sequence[WeightProbe]) -> None:
        """Sample the weights of some words from now on; to be called before the first tick."""
        if not added:
            return
        probes, sizes = self.arrays.probes, [probe.words.size for probe in added]
        rooms = [sample_rows(size) * size for size in sizes]
        grown = Probes(
            first=np.append(probes.first, probes.first[-1] + np.cumsum(sizes)),
            place=np.concatenate([probes.place, *(probe.words for probe in added)]),
            origin=probes.origin,
            step=np.append(probes.step, [probe.step for probe in added]),
            interval=np.append(probes.interval, [probe.interval_ticks for probe in added]),
            rows=np.append(probes.rows, np.zeros(len(added), np.int64)),
            sample_first=np.append(probes.sample_first, probes.sample_first[-1] + np.cumsum(rooms)),
            samples=np.empty(probes.samples.size + sum(rooms)),
        )
        self.arrays = self.arrays._replace(probes=grown)
        self._initial = self.snapshot()

    @property
    def _dynamic(self) -> dict[str, NDArray[Any]]:
        """All that changes as the chip runs and keeps its size."""
        a = self.arrays
        return {
            "state": a.neurons.state,
            "countdown": a.neurons.countdown,
            "slots": a.neurons.slots,
            "arrived": a.flight.lanes.arrived,
            "buckets": a.flight.wheel.buckets,
            "wheel": a.flight.wheel.state,
            "queue_first": a.flight.queues.first,
            "queue_chunks_in_use": a.flight.queues.n_chunks,
            "queue_tail": a.flight.queues.tail,
            "queues": a.flight.queues.state,
            "cursor": a.sources.cursor,
            "counters": a.output.counters,
            "rows": a.probes.rows,
        }

    @property
    def _filled(self) -> dict[str, list[NDArray[Any]]]:
        """The filled parts of what fills as the chip runs: spikes in flight, output not yet drained."""
        flight, output, probes = self.arrays.flight, self.arrays.output, self.arrays.probes
        lanes, wheel, queues = flight
        bases = [line[RING] + np.arange(line[HISTORY]) * line[WIDTH] for line in lanes.table]
        begins: Integers = np.concatenate([np.zeros(0, np.int64), *bases])
        ends = probes.sample_first[:-1] + probes.rows * np.diff(probes.first)
        used, chunks = int(wheel.state[HIGHEST]), int(queues.state[HIGHEST])
        return {
            "flight": _views(lanes.ring, begins, begins + lanes.arrived),
            "wheel_next": [wheel.next[:used]],
            "wheel_row": [wheel.row[:used]],
            "wheel_block": [wheel.block[:used]],
            "wheel_place": [wheel.place[:used]],
            "wheel_sent": [wheel.sent[:used]],
            "queue_chunks": [queues.chunks[: chunks * CHUNK]],
            "queue_next": [queues.next[:chunks]],
            "queue_row": [queues.row[: queues.state[ARRIVALS]]],
            "queue_sent": [queues.sent[: queues.state[ARRIVALS]]],
            "spikes": [output.spikes[: output.counters[N_SPIKES]]],
            "samples": _views(probes.samples, probes.sample_first[:-1], ends),
        }

    @property
    def _identity(self) -> NDArray[np.uint64]:
        """What tells chips apart whose arrays have the same sizes: (4,) uint64."""
        sizes = self.arrays.flight.lanes.ring.size, self.arrays.sources.tick.size
        return np.array([*self.memory.digest, *sizes], np.uint64)

    def snapshot(self) -> Snapshot:
        """Return a copy of all that changes as the chip runs, spikes in flight and undrained output too."""
        fixed = {name: array.copy() for name, array in self._dynamic.items()}
        filled = {name: np.concatenate(views) for name, views in self._filled.items()}
        return fixed | filled | {"identity": self._identity}

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a snapshot of this chip, or of one of the same specification.

        Raises
        ------
        SnapshotMismatch
            It has other arrays or sizes, or is of a chip with other synapses; nothing was changed.
        """
        for name, mine in (self._dynamic | {"identity": self._identity}).items():
            self._refuse_mismatch(name, mine, snapshot.get(name))
        if not np.array_equal(snapshot["identity"], self._identity):
            raise SnapshotMismatch(
                f"{self.spec.name}: a snapshot must be of a chip with the same synapses and sources, "
                "got another's; restore a snapshot of the same network on the same placement"
            )
        for name, mine in self._expected_filling(snapshot).items():
            self._refuse_mismatch(name, mine, snapshot.get(name))
        self._grow(int(snapshot["wheel"][HIGHEST]), int(snapshot["queues"][HIGHEST]))
        for name, mine in self._dynamic.items():
            mine[...] = snapshot[name]
        for name, views in self._filled.items():
            place = 0
            for view in views:
                view[...] = snapshot[name][place : place + view.size]
                place += view.size

    def _expected_filling(self, snapshot: Snapshot) -> dict[str, NDArray[Any]]:
        """Return arrays of the sizes that the snapshot's own counts give to what it holds of `_filled`."""
        n_samples = int(snapshot["rows"] @ np.diff(self.arrays.probes.first))
        used, chunks = int(snapshot["wheel"][HIGHEST]), int(snapshot["queues"][HIGHEST])
        arrivals = int(snapshot["queues"][ARRIVALS])
        return {
            "flight": np.empty(int(snapshot["arrived"].sum()), np.uint32),
            "wheel_next": np.empty(used, np.int32),
            "wheel_row": np.empty(used, np.uint32),
            "wheel_block": np.empty(used, np.int32),
            "wheel_place": np.empty(used, np.int64),
            "wheel_sent": np.empty(used, np.int64),
            "queue_chunks": np.empty(chunks * CHUNK, np.uint32),
            "queue_next": np.empty(chunks, np.int32),
            "queue_row": np.empty(arrivals, np.uint32),
            "queue_sent": np.empty(arrivals, np.int64),
            "spikes": np.empty(int(snapshot["counters"][N_SPIKES]), np.uint64),
            "samples": np.empty(n_samples),
        }

    def reset(self) -> None:
        """Return to tick 0."""
        self.restore(self._initial)

    def make_room(self) -> None:
        """Let as many spikes as can come at once wait in rows, and chunks last for the next queued row."""
        wheel, queues = self.arrays.flight.wheel, self.arrays.flight.queues
        short = int(queues.state[SHORT])
        self._grow(int(wheel.state[IN_USE]) + pushes_at_once(self.spec), int(queues.state[IN_USE]) + short)

    def _grow(self, n_waiting: int, n_chunks: int) -> None:
        """Make the wheel hold `n_waiting` entries, and the queues `n_chunks` chunks, or more."""
        lanes, wheel, queues = self.arrays.flight
        if wheel.next.size < n_waiting:
            names = ("next", "row", "block", "place", "sent")
            wheel = wheel._replace(**{name: np.resize(getattr(wheel, name), 2 * n_waiting) for name in names})
        if queues.next.size < n_chunks:
            chunks = np.resize(queues.chunks, 2 * n_chunks * CHUNK)
            queues = queues._replace(chunks=chunks, next=np.resize(queues.next, 2 * n_chunks))
        self.arrays = self.arrays._replace(flight=Flight(lanes, wheel, queues))

    def _refuse_mismatch(self, name: str, mine: NDArray[Any], theirs: NDArray[Any] | None) -> None:
        if theirs is None or (theirs.shape, theirs.dtype) != (mine.shape, mine.dtype):
            got = "nothing" if theirs is None else f"{theirs.dtype} of shape {theirs.shape}"
            raise SnapshotMismatch(
                f"{self.spec.name}: snapshot array {name!r} must be {mine.dtype} of shape {mine.shape}, "
                f"got {got}; "
                "restore a snapshot of the same network on the same placement"
            )

    def _refuse_overflow(self, places: Places) -> None:
        for part in self.spec.slices:
            for receptor in range(len(part.lsb) if part.n else 0):
                first = places.slot(part, receptor)
                load = self.memory.load[first : first + part.n]
                worst = int(np.argmax(load))
                loads = {"its synapses": int(load[worst])} | {
                    f"input {i.number}": self._most(part, i) for i in part.inputs if i.receptor == receptor
                }
                if sum(loads.values()) > SLOT_CAPACITY:
                    raise self._overflow(part, receptor, worst, loads)

    @staticmethod
    def _overflow(part: SliceSpec, receptor: int, neuron: int, loads: Mapping[str, int]) -> SlotOverflow:
        name = MODELS[part.member.model].receptors[receptor].name  # type: ignore[union-attr]
        total, most = sum(loads.values()), max(loads, key=lambda source: loads[source])
        return SlotOverflow(part.member.name, name, part.first + neuron, total, SLOT_CAPACITY, most)

    def _most(self, part: SliceSpec, described: InputSpec) -> int:
        """Return the largest magnitude that a Poisson input can add in a tick."""
        mean = greatest_mean(part, described, self.spec.timestep_ms)
        return room_for(mean) * abs(described.weight)


def _views(array: NDArray[Any], begins: Integers, ends: Integers) -> list[NDArray[Any]]:
    """Return an empty range of `array`, then those of the given ranges that are not empty."""
    ranges = zip(begins.tolist(), ends.tolist(), strict=True)
    return [array[:0], *(array[begin:end] for begin, end in ranges if end > begin)]


def _n_bytes(group: Any) -> int:
    """Return the bytes of an array, of a number, or of all in a tuple."""
    if isinstance(group, tuple):
        return sum(map(_n_bytes, group))
    return int(getattr(group, "nbytes", 8))
