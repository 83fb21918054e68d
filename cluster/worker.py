"""A worker: what runs a chip, or several. Threads and Ray actors wrap the same one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chip import Chip
from chip.memory import WeightErrors
from cluster.errors import WorkerAborted
from cluster.exchange import Mailboxes
from cluster.loop import ABORTED, run, words_in_mailboxes
from cluster.lowering import count_axons, lower
from cluster.plan import Plan
from cluster.port import port_of, split_entries
from cluster.recordings import Columns
from cluster.synapses import Synapses, Window, list_window
from cluster.weightprobes import add_weight_probes


@dataclass(frozen=True)
class BuiltChip:
    """One chip once it is built; what several share is told by the synapses onto each."""

    chip: int
    n_synapses: int
    n_axons: int
    n_bytes: int


@dataclass(frozen=True)
class Built:
    """What a worker says of its chips once they are built."""

    chips: tuple[BuiltChip, ...]
    synapse_bytes: int
    n_saturated: int
    synapse_digest: tuple[int, int]
    columns: tuple[Columns, ...] = field(default=(), compare=False)
    """What each probe samples."""
    weight_errors: tuple[WeightErrors, ...] = ()
    """What weights lost by becoming integers, for each projection."""

    @property
    def n_synapses(self) -> int:
        """Synapses of all chips."""
        return sum(chip.n_synapses for chip in self.chips)

    @property
    def n_bytes(self) -> int:
        """Memory of all chips."""
        return sum(chip.n_bytes for chip in self.chips)


def chips_of_workers(n_chips: int, n_workers: int) -> tuple[range, ...]:
    """Return the chips of each worker: consecutive ones, equally many but for one."""
    cuts = [n_chips * k // n_workers for k in range(n_workers + 1)]
    return tuple(map(range, cuts[:-1], cuts[1:]))


@dataclass(frozen=True)
class Advance:
    """What a worker's chips did in one advance.

    Attributes
    ----------
    tick : int
    spikes : (n,) uint64 array
        tick << 32 | global neuron number, sorted by tick.
    samples : list of (n_rows, n_values) float64 arrays
        For each probe.
    """

    tick: int
    spikes: NDArray[np.uint64]
    samples: list[NDArray[np.float64]]


@dataclass(frozen=True)
class Tally:
    """What a worker's chips have counted since tick 0.

    Attributes
    ----------
    received : (int, int)
        Address events received from the chip itself, and from others.
    mailed : int
        Address events of the last epoch, which do not count as received yet.
    entry_events : list of (n_entries,) int64 arrays
        For each chip.
    synaptic : (int, int, int)
        Synaptic events sent, delivered, in flight; those of address events in mailboxes are in flight.
    """

    received: tuple[int, int]
    mailed: int
    entry_events: list[NDArray[np.int64]]
    synaptic: tuple[int, int, int]


class Worker:
    """Builds and runs some chips of a plan, as one chip with common banks.

    Parameters
    ----------
    plan : Plan
    chips : tuple of range
        Those of each worker.
    me : int
        The number of this one.
    """

    def __init__(
        self,
        plan: Plan,
        chips: Sequence[range],
        me: int,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        self.plan, self.chips = plan, chips[me]
        cores = len(os.sched_getaffinity(0))
        self.chip = Chip(lower(plan, self.chips), progress, threads=max(cores // len(chips), 1))
        states = (Columns(probe.recording, probe.columns) for probe in self.chip.spec.probes)
        self.columns = (*states, *add_weight_probes(plan, self.chip))
        self.port = port_of(plan, self.chip.spec, chips, me)
        self.tick = 0
        self._mailboxes: Mailboxes | None = None

    def __repr__(self) -> str:
        return f"Worker({self.chip!r}, tick {self.tick})"

    def built(self) -> Built:
        """Say what was built."""
        memory = self.chip.memory
        return Built(
            chips=tuple(map(self._built_chip, self.chips)),
            synapse_bytes=sum(getattr(array, "nbytes", 8) for array in self.chip.arrays.synapses),
            n_saturated=memory.n_saturated,
            synapse_digest=(int(memory.digest[0]), int(memory.digest[1])),
            columns=self.columns,
            weight_errors=memory.errors,
        )

    def _built_chip(self, chip: int) -> BuiltChip:
        spec, memory = self.chip.spec, self.chip.memory
        mine = {k for k, part in enumerate(spec.slices) if part.chip == chip}
        n_synapses = sum(memory.onto.get(k, 0) for k in mine)
        total, n_bytes = memory.words.size, self.chip.n_bytes
        share = n_synapses / total if total else 1 / len(self.chips)
        n_axons = count_axons(self.plan, chip) if len(self.chips) > 1 else spec.n_axons
        return BuiltChip(chip, n_synapses, n_axons, round(n_bytes * share))

    def attach(self, mailboxes: Mailboxes) -> None:
        """Exchange address events through `mailboxes`; compiles the loop, without a tick."""
        self._mailboxes = mailboxes
        run(self.chip.arrays, self.port, mailboxes, 0, 0)
        words_in_mailboxes(self.chip.arrays, self.port, mailboxes, 0)

    def reset(self) -> None:
        """Return to tick 0."""
        self.chip.reset()
        self.tick = 0
        for counters in (self.port.entry_events, self.port.lengths, self.port.addressed, self.port.received):
            counters[:] = 0
        self.port.begun[0] = -1

    def advance(self, until: int) -> Advance:
        """Run to tick `until`; all chips must be told the same.

        Raises
        ------
        WorkerAborted
            Another part of the deployment has died.
        """
        assert self._mailboxes is not None, "attach first"
        spikes, samples = [self.chip.drain_spikes()], [self.chip.drain_samples()]
        while self.tick < until:
            self.chip.make_room()
            tick = run(self.chip.arrays, self.port, self._mailboxes, self.tick, until)
            if tick == ABORTED:
                raise WorkerAborted(
                    f"{self.chip.spec.name}: aborted after tick {self.tick}, another part has died"
                )
            self.tick = tick
            spikes.append(self.chip.drain_spikes())
            samples.append(self.chip.drain_samples())
        joined = [np.concatenate(parts) for parts in zip(*samples, strict=True)]
        return Advance(self.tick, np.concatenate(spikes), joined)

    def synapses(self, window: Window) -> Synapses:
        """Return the synapses of a window that stand on these chips; a run may go on meanwhile."""
        return list_window(self.plan, self.chip, window)

    def tally(self) -> Tally:
        """Return the counters; all workers must have reached the same tick."""
        assert self._mailboxes is not None, "attach first"
        sent, delivered = self.chip.n_synaptic_events
        mailed = int(words_in_mailboxes(self.chip.arrays, self.port, self._mailboxes, self.tick))
        return Tally(
            received=(int(self.port.received[0]), int(self.port.received[1])),
            mailed=int(self.port.addressed.sum()),
            entry_events=split_entries(self.plan, self.chips, self.port.entry_events),
            synaptic=(sent + mailed, delivered, self.chip.in_flight(self.tick) + mailed),
        )
