"""Admission: what is refused by its estimate, before anything is allocated."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import NoCapacity, OverLimit, QuotaExceeded
from api.settings import Limits, Settings
from cluster import Room
from cluster.expectation import expected_total
from cluster.hostmemory import host_memory
from network import Network

RETRY_AFTER_S = 10


def admit_size(network: Network, limits: Limits) -> None:
    """Refuse a network whose numbers are beyond what the service ever takes.

    Raises
    ------
    OverLimit
        Too many neurons or synapses. Both follow from the description: nothing is drawn.
    """
    _admit("network", "neurons", network.n_neurons, limits.neurons)
    _admit("network", "synapses", expected_total(network), limits.synapses)


def room_of(settings: Settings) -> Room:
    """Return what the service has for one deployment while there is no other.

    Hosts are taken to be like the one that the gateway runs on.
    """
    memory = min(settings.limits.memory_bytes, host_memory())
    return Room(settings.backend, len(os.sched_getaffinity(0)), memory, alone=False)


def admit_memory(estimate: int, *, deployed: int, available: int, limits: Limits) -> None:
    """Refuse a deployment that would fit into memory alone (`room_of`), but not beside what is there now.

    Parameters
    ----------
    estimate : int
        Bytes that the deployment is expected to take.
    deployed : int
        Bytes that all live deployments are expected to take.
    available : int
        Bytes that the host could give now.
    limits : Limits
        The operator's.

    Raises
    ------
    NoCapacity
        It would not.
    """
    room = min(limits.memory_bytes - deployed, available)
    if estimate > room:
        raise NoCapacity(
            f"deployment: memory for {estimate} bytes is needed, {max(room, 0)} are free now; "
            "release a deployment or come back later",
            resource="memory_bytes",
            estimate=estimate,
            limit=max(room, 0),
            retry_after=RETRY_AFTER_S,
        )


def admit_duration(duration_ms: float, limits: Limits) -> None:
    """Refuse a run that is longer than any may be.

    Raises
    ------
    OverLimit
        It is.
    """
    _admit("run", "duration_ms", duration_ms, limits.duration_ms)


def admit_disk(free: int, limits: Limits, *, what: str = "run", instead: str = "delete runs") -> None:
    """Refuse what would be written while the data folder's disk is nearly full.

    Raises
    ------
    NoCapacity
        Less than `limits.free_disk_bytes` are free.
    """
    if free < limits.free_disk_bytes:
        raise NoCapacity(
            f"{what}: {limits.free_disk_bytes} bytes must be free on the disk, {free} are; {instead}",
            resource="free_disk_bytes",
            estimate=limits.free_disk_bytes,
            limit=free,
            retry_after=RETRY_AFTER_S,
        )


def admit_upload(n: int, n_bytes: int, limits: Limits) -> None:
    """Refuse arrays that are larger than one upload may be.

    Raises
    ------
    OverLimit
        Too many entries in a column, or too many bytes of all columns as they would be stored.
    """
    _admit("upload", "upload_entries", n, limits.upload_entries)
    _admit("upload", "upload_bytes", n_bytes, limits.upload_bytes)


def admit_bytes(have: int, more: int, limits: Limits) -> None:
    """Refuse arrays that an owner has no room for.

    Raises
    ------
    QuotaExceeded
        All of the owner's arrays would be larger than `limits.array_bytes`.
    """
    limit = limits.array_bytes
    if have + more > limit:
        raise QuotaExceeded(
            f"stored arrays: one owner may hold {limit} bytes, and would hold {have + more}; delete some",
            resource="array_bytes",
            estimate=have + more,
            limit=limit,
            retry_after=RETRY_AFTER_S,
        )


def admit_one_more(what: str, have: int, limit: int, *, instead: str) -> None:
    """Refuse one more of something that an owner may only hold so many of.

    Raises
    ------
    QuotaExceeded
        The owner has `limit` of them.
    """
    if have >= limit:
        raise QuotaExceeded(
            f"{what}: one owner may hold {limit}, and holds {have}; {instead}",
            resource=what,
            estimate=have + 1,
            limit=limit,
            retry_after=RETRY_AFTER_S,
        )


def _admit(where: str, resource: str, estimate: float, limit: float) -> None:
    if estimate > limit:
        raise OverLimit(
            f"{where}: {resource} must be at most {limit}, the estimate is {estimate}; "
            f"make it smaller, or ask the operator to raise SPIKERACK_LIMITS__{resource.upper()}",
            resource=resource,
            estimate=estimate,
            limit=limit,
        )


class Held:
    """Counts what each owner holds open at once: streams, or uploads.

    Parameters
    ----------
    limit : int
        Of one owner.
    what, instead : str
        What is counted, and what to do when there are too many.
    """

    def __init__(self, limit: int, *, what: str, instead: str) -> None:
        self._limit, self._what, self._instead = limit, what, instead
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """Count one more while inside.

        Raises
        ------
        QuotaExceeded
            The owner has as many as one may.
        """
        with self._lock:
            admit_one_more(self._what, self._open[owner], self._limit, instead=self._instead)
            self._open[owner] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[owner] -= 1
                self._open += Counter()
