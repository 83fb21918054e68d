"""A team: the workers of one deployment, behind one interface, in threads of this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import psutil

from cluster.errors import DeploymentLost, WorkerAborted
from cluster.exchange import Shape, abort, clear
from cluster.plan import Plan
from cluster.synapses import Synapses, Window
from cluster.worker import Advance, Built, Tally, Worker, chips_of_workers

Progress = Callable[[str, float], None]
"""Told a phase and the share of it that is done, 0 to 1."""


class Team(Protocol):
    """The workers of a plan. Calls are made by one thread at a time, but for `synapses` and `close`."""

    def build(self, progress: Progress) -> list[Built]:
        """Build all chips."""

    def reset(self) -> None:
        """Return all chips to tick 0."""

    def advance(self, until: int) -> list[Advance]:
        """Run all chips to tick `until`; return what each worker's did.

        Raises
        ------
        DeploymentLost
            A chip has died; the others were stopped.
        """

    def tallies(self) -> list[Tally]:
        """Return the counters of all chips."""

    def synapses(self, window: Window) -> list[Synapses]:
        """Return the synapses of a window from all chips, as they stand in their memories.

        May be called while the chips advance, which goes on beside it: memories are only read.

        Raises
        ------
        DeploymentLost
            A chip has died.
        """

    def died(self) -> str | None:
        """Return what of the team has died, though nobody was asking it anything; None while all live."""

    def peak_bytes(self) -> int:
        """Return the largest memory that the chips' processes have had, in bytes."""

    def close(self) -> None:
        """End all workers. Idempotent; makes an advance that is under way fail."""


class ThreadTeam:
    """Threads of this process: one a chip, but no more than cores, which then share the chips.

    Parameters
    ----------
    plan : Plan
    threads : int or None
        Cores that the threads may use; None for all that this process may.
    """

    def __init__(self, plan: Plan, threads: int | None = None) -> None:
        self.plan = plan
        self._cores = sorted(os.sched_getaffinity(0))[:threads]
        self._chips = chips_of_workers(plan.n_chips, min(plan.n_chips, len(self._cores)))
        self._pool = ThreadPoolExecutor(len(self._chips), "chip", initializer=self._pin)
        self._workers: list[Worker] = []
        shape = Shape.of(plan, self._chips)
        self._mailboxes = shape.mailboxes(np.zeros(shape.n_bytes, np.uint8))

    def build(self, progress: Progress) -> list[Built]:
        """Build all chips."""
        shares, lock = [0.0] * len(self._chips), threading.Lock()

        def report(me: int, share: float) -> None:
            with lock:
                shares[me] = share
                progress("building chips", sum(shares) / len(shares))

        def build_one(me: int) -> Worker:
            return Worker(self.plan, self._chips, me, lambda share: report(me, share))

        self._workers = list(self._pool.map(build_one, range(len(self._chips))))
        progress("compiling kernels", 0.0)
        for worker in self._workers:
            worker.attach(self._mailboxes)
        progress("compiling kernels", 1.0)
        return [worker.built() for worker in self._workers]

    def reset(self) -> None:
        """Return all chips to tick 0."""
        clear(self._mailboxes)
        self._each(Worker.reset)

    def advance(self, until: int) -> list[Advance]:
        """Run all chips to tick `until`; an error of one stops the others."""

        def one(worker: Worker) -> Advance:
            try:
                return worker.advance(until)
            except BaseException:
                abort(self._mailboxes)
                raise

        futures = [self._pool.submit(one, worker) for worker in self._workers]
        errors = [error for future in futures if (error := future.exception())]
        # Those that the abort word stopped say less than who raised it.
        for error in sorted(errors, key=lambda error: isinstance(error, WorkerAborted)):
            raise error
        return [future.result() for future in futures]

    def tallies(self) -> list[Tally]:
        """Return the counters of all chips."""
        return [worker.tally() for worker in self._workers]

    def synapses(self, window: Window) -> list[Synapses]:
        """Return the synapses of a window from all chips; listed in the caller's thread."""
        workers = self._workers
        if not workers:
            raise DeploymentLost("deployment: released")
        return [worker.synapses(window) for worker in workers]

    def died(self) -> str | None:
        """Return None: threads do not die alone."""
        return None

    def peak_bytes(self) -> int:
        """Return this process's largest resident memory."""
        return peak_bytes_of_process()

    def close(self) -> None:
        """Stop all threads."""
        abort(self._mailboxes)
        self._pool.shutdown()
        self._workers = []

    def _pin(self) -> None:
        os.sched_setaffinity(threading.get_native_id(), self._cores)

    def _each(self, action: Callable[[Worker], None]) -> None:
        list(self._pool.map(action, self._workers))


def peak_bytes_of_process() -> int:
    """Return the largest resident memory that this process has had, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)


def total_digest(built: Sequence[Built]) -> str:
    """Return the synapse digest of a network from those of its chips: 32 hexadecimal digits."""
    lanes = (sum(b.synapse_digest[lane] for b in built) & (1 << 64) - 1 for lane in (0, 1))
    return "".join(f"{lane:016x}" for lane in lanes)
