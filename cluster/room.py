"""What a host has for chips: cores, memory, and what its processes take before any chip is built."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from cluster.hostmemory import free_memory

Backend = Literal["local", "ray"]

PROCESS_BYTES = 145_000_000
"""A process with all modules and compiled kernels, without a chip: 90 to 100 MB of its own, and of 95 MB of
mapped files its share, which depends on who else maps them: a half beside one other such process, as in
`python -m benchmarks.cuba`, which shows 158 MB (PSS), of which the chips are 10."""

ACTOR_BYTES = 135_000_000
"""The same of a Ray actor that runs a chip (PSS)."""

_ACTORS_BYTES = 200_000_000
"""The host actor and who drives a deployment: 95 and 100 MB (PSS)."""

_HEAD_BYTES = 225_000_000
"""Ray's own processes, where a run starts them for itself (PSS)."""


@dataclass(frozen=True)
class Room:
    """What a host has for a deployment, and how its chips run there.

    Attributes
    ----------
    backend : {"local", "ray"}
    n_cores : int
        In threads, as many workers share the chips; with Ray, each chip is an actor.
    memory_bytes : int or None
        What the deployment may take; None where nobody says.
    alone : bool
        Whether it has a process, or a Ray cluster, of its own, which count too; else those of a service.
    """

    backend: Backend = "local"
    n_cores: int = 1
    memory_bytes: int | None = None
    alone: bool = True

    def n_workers(self, n_chips: int) -> int:
        """Return how many workers run `n_chips` chips."""
        return n_chips if self.backend == "ray" else min(n_chips, self.n_cores)

    def n_builders(self, n_workers: int) -> int:
        """Return on how many cores each of the workers builds."""
        return max(self.n_cores // max(n_workers, 1), 1)

    def process_bytes(self, n_workers: int) -> int:
        """Return what the processes of a deployment take without chips."""
        if self.backend == "local":
            return PROCESS_BYTES if self.alone else 0
        return _ACTORS_BYTES + n_workers * ACTOR_BYTES + (_HEAD_BYTES if self.alone else 0)


def room_here(backend: Backend, *, threads: int | None = None, memory_bytes: int | None = None) -> Room:
    """Return what this host has now for a deployment that is alone.

    Parameters
    ----------
    threads : int or None
        Cores that it may use; None for all.
    memory_bytes : int or None
        Bytes that it may take; None for all that are free.
    """
    memory = free_memory() if memory_bytes is None else memory_bytes
    return Room(backend, len(sorted(os.sched_getaffinity(0))[:threads]), memory)
