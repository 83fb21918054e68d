"""A worker: what runs one chip. Threads and Ray actors wrap the same one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chip import Chip
from chip.arrays import first_of
from chip.lanes import pushes_at_once
from chip.memory import WeightErrors
from cluster.errors import WorkerAborted
from cluster.exchange import Mailboxes
from cluster.loop import ABORTED, Port, run
from cluster.lowering import lower
from cluster.plan import Plan
from cluster.recordings import Columns
from cluster.synapses import Synapses, Window, list_window
from cluster.weightprobes import add_weight_probes
from router import find_entries


@dataclass(frozen=True)
class Built:
    """What a worker says of its chip once it is built."""

    chip: int
    n_synapses: int
    n_axons: int
    n_bytes: int
    synapse_bytes: int
    n_saturated: int
    synapse_digest: tuple[int, int]
    columns: tuple[Columns, ...] = field(default=(), compare=False)
    """What each probe of the chip samples."""
    weight_errors: tuple[WeightErrors, ...] = ()
    """What weights lost by becoming integers, for each projection onto the chip."""


@dataclass(frozen=True)
class Advance:
    """What a chip did in one advance.

    Attributes
    ----------
    tick : int
    spikes : (n,) uint64 array
        tick << 32 | global neuron number, sorted by tick.
    samples : list of (n_rows, n_values) float64 arrays
        For each probe of the chip.
    """

    tick: int
    spikes: NDArray[np.uint64]
    samples: list[NDArray[np.float64]]


@dataclass(frozen=True)
class Tally:
    """What a chip has counted since tick 0.

    Attributes
    ----------
    received : (int, int)
        Address events received from the chip itself, and from others.
    mailed : int
        Address events written in the last epoch, which nobody has received yet.
    entry_events : (n_entries,) int64 array
    synaptic : (int, int, int)
        Synaptic events sent, delivered, in flight.
    """

    received: tuple[int, int]
    mailed: int
    entry_events: NDArray[np.int64]
    synaptic: tuple[int, int, int]


class Worker:
    """Builds and runs chip number `chip` of a plan."""

    def __init__(self, plan: Plan, chip: int, progress: Callable[[float], None] = lambda share: None) -> None:
        self.plan, self.number = plan, chip
        cores = len(os.sched_getaffinity(0))
        self.chip = Chip(lower(plan, chip), progress, threads=max(cores // plan.n_chips, 1))
        states = (Columns(probe.recording, probe.columns) for probe in self.chip.spec.probes)
        self.columns = (*states, *add_weight_probes(plan, self.chip))
        self.port = self._port()
        self.tick = 0
        self._mailboxes: Mailboxes | None = None

    def __repr__(self) -> str:
        return f"Worker({self.chip!r}, tick {self.tick})"

    def built(self) -> Built:
        """Say what was built."""
        memory = self.chip.memory
        return Built(
            chip=self.number,
            n_synapses=memory.words.size,
            n_axons=self.chip.spec.n_axons,
            n_bytes=self.chip.n_bytes,
            synapse_bytes=sum(getattr(array, "nbytes", 8) for array in self.chip.arrays.synapses),
            n_saturated=memory.n_saturated,
            synapse_digest=(int(memory.digest[0]), int(memory.digest[1])),
            columns=self.columns,
            weight_errors=memory.errors,
        )

    def attach(self, mailboxes: Mailboxes) -> None:
        """Exchange address events through `mailboxes`; compiles the loop, without a tick."""
        self._mailboxes = mailboxes
        run(self.chip.arrays, self.port, mailboxes, 0, 0)

    def reset(self) -> None:
        """Return to tick 0."""
        self.chip.reset()
        self.tick = 0
        for counters in (self.port.entry_events, self.port.lengths, self.port.received):
            counters[:] = 0

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
        """Return the synapses of a window that stand on this chip; a run may go on meanwhile."""
        return list_window(self.plan, self.chip, window)

    def tally(self) -> Tally:
        """Return the counters."""
        sent, delivered = self.chip.n_synaptic_events
        return Tally(
            received=(int(self.port.received[0]), int(self.port.received[1])),
            mailed=int(self.port.lengths.sum()),
            entry_events=self.port.entry_events.copy(),
            synaptic=(sent, delivered, self.chip.in_flight(self.tick)),
        )

    def _port(self) -> Port:
        plan, spec = self.plan, self.chip.spec
        table = plan.tables[self.number]
        blocks: list[list[int]] = [[] for _ in plan.network.members]
        for block in spec.blocks:
            blocks[block.source].append(block.first)
        keys = np.array([part.first_global for part in spec.slices], np.int64)
        return Port(
            me=self.number,
            n_chips=plan.n_chips,
            epoch_ticks=plan.epoch_ticks,
            n_neurons=spec.n_neurons,
            n_pushes=pushes_at_once(spec),
            member_first=np.array([*plan.member_first, plan.network.n_neurons], np.int64),
            block_first=first_of([len(own) for own in blocks]),
            block_axon=np.array([axon for own in blocks for axon in own], np.int64),
            slice_member=np.array([part.number for part in spec.slices], np.int64),
            slice_entry=find_entries(table, keys),
            dest_start=table.dest_start,
            dest=table.dest,
            entry_events=np.zeros(table.n_entries, np.int64),
            lengths=np.zeros(plan.n_chips, np.int64),
            received=np.zeros(2, np.int64),
        )
