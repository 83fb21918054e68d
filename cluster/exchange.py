"""The exchange: where the workers of one host leave address events for one another, in shared memory.

Theory of operation
-------------------
For each pair of workers there are two mailboxes, used in turn. In epoch e a worker writes keys into the
mailboxes of parity e % 2, then publishes ``e + 1``. Before epoch e it waits until all others have published
e, and reads their mailboxes of epoch e - 1. Who has published e has read epoch e - 2, so the mailbox that
is about to be written is free again. Nothing is locked; a mailbox holds as many keys as its worker can send
in an epoch, so none can be full.

Each wait also reads the abort word, so that the death of one worker never becomes a hang of the others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from chip.jit import load_acquire, store_release, tick_kernel
from cluster.plan import Plan

_LINE = 8
"""int64 words of a cache line: each chip's counter has one of its own."""

_SPINS, _SPINS_SHARED = 20_000, 200
"""Looks at a counter before the core is offered to others: about 100 us where each worker has a core of its
own, so that it is not lost to a passing process; 1 us, the time of a full exchange, where workers share."""


def spins_of(n_workers: int) -> int:
    """Return how often a worker looks before it offers its core to others."""
    return _SPINS if n_workers <= len(os.sched_getaffinity(0)) else _SPINS_SHARED


_sched_yield = types.ExternalFunction("sched_yield", types.int32())


class Mailboxes(NamedTuple):
    """The shared arrays. C workers, E ticks an epoch.

    control : ((C + 1) * 8,) int64
        Word 0: abort when not 0. Word ``8 * (c + 1)``: epochs that worker c has published.
    counts : (2, C, C, E) int32
        By parity, source, destination: keys in the mailbox after each tick of the epoch.
    addressed : (2, C, C) int64
        Address events that the keys of the epoch stand for: one for each chip of the destination.
    first : (C,) int64
        Where each source's keys begin in `keys`.
    room : (C,) int64
        Keys that one mailbox of each source holds.
    keys : uint32
        By source, parity, destination.
    """

    control: NDArray[np.int64]
    counts: NDArray[np.int32]
    addressed: NDArray[np.int64]
    first: NDArray[np.int64]
    room: NDArray[np.int64]
    keys: NDArray[np.uint32]


@dataclass(frozen=True)
class Shape:
    """Sizes of the shared memory of a plan.

    Attributes
    ----------
    neurons : (n_workers,) int64 array
        Neurons of each worker's chips, sources included.
    epoch_ticks : int
    """

    neurons: NDArray[np.int64]
    epoch_ticks: int

    @classmethod
    def of(cls, plan: Plan, shares: Sequence[range]) -> Shape:
        """Return the sizes for a plan, whose chips workers share; one worker alone needs no mailbox."""
        neurons = [sum(plan.n_neurons_of(chip) for chip in chips) for chips in shares]
        return cls(np.array(neurons if len(shares) > 1 else [0], np.int64), plan.epoch_ticks)

    @property
    def _sections(self) -> list[tuple[int, Any]]:
        n = self.neurons.size
        counts = 2 * n * n * self.epoch_ticks
        keys = 2 * n * int(self.neurons.sum()) * self.epoch_ticks
        return [((n + 1) * _LINE, np.int64), (counts, np.int32), (2 * n * n, np.int64), (keys, np.uint32)]

    @property
    def n_bytes(self) -> int:
        """Bytes of the shared memory; only pages that are written become resident."""
        return sum(-(-count * np.dtype(kind).itemsize // 64) * 64 for count, kind in self._sections)

    def mailboxes(self, buffer: Any) -> Mailboxes:
        """Return the arrays within `buffer`, a writable buffer of `n_bytes`, zero at first."""
        arrays, place = [], 0
        for count, kind in self._sections:
            arrays.append(np.frombuffer(buffer, kind, count, place))
            place += -(-count * np.dtype(kind).itemsize // 64) * 64
        n, room = self.neurons.size, self.neurons * self.epoch_ticks
        control, counts, addressed, keys = arrays
        first = np.concatenate([np.zeros(1, np.int64), np.cumsum(2 * n * room)])[:-1]
        counts, addressed = counts.reshape(2, n, n, self.epoch_ticks), addressed.reshape(2, n, n)
        return Mailboxes(control, counts, addressed, first, room, keys)


def abort(mailboxes: Mailboxes) -> None:
    """Make every wait of every chip end."""
    mailboxes.control[0] = 1


def clear(mailboxes: Mailboxes) -> None:
    """Return to epoch 0; no chip may be running."""
    mailboxes.control[:] = 0


@tick_kernel
def wait_for(control, me, n_workers, epoch, n_spins):
    """Wait until all workers but `me` have published `epoch`; return whether they did, False on abort."""
    for worker in range(n_workers):
        spins = 0
        while worker != me and load_acquire(control, (worker + 1) * _LINE) < epoch:
            if load_acquire(control, 0) != 0:
                return False
            spins += 1
            if spins > n_spins:
                _sched_yield()
    return load_acquire(control, 0) == 0


@tick_kernel
def publish(control, me, epoch):
    """Publish `epoch`: all that worker `me` wrote before is visible to who reads it."""
    store_release(control, (me + 1) * _LINE, epoch)
