"""The memory that a run holds: proportional set size, over all its processes.

A page that several processes share counts in each with its share (`man proc_pid_smaps_rollup`), so the sum
counts it once. Processes belong to a run when their environment carries its mark, which children inherit
whatever becomes of their parents: Ray's do not stay in a process group.
"""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.report import Row, Target

MARK = "SPIKERACK_BENCHMARK_RUN"
"""Environment variable that names the run."""

BUILDING_SECONDS = 0.05
RUNNING_SECONDS = 1.0
"""How often to look. A look walks the page tables, some milliseconds a gigabyte of small pages, which would
take from the run; while it runs, memory only grows by the spikes that are kept."""


ESTIMATE = Target(15.0, 5.0)
"""How far the memory that a network was admitted by may be from what it took, in percent."""


class Took(Protocol):
    """A run whose memory was expected, and seen."""

    @property
    def expected_bytes(self) -> int:
        """What `cluster.fit` said before."""

    @property
    def peak_pss_bytes(self) -> int:
        """The most that it was seen to hold."""


def estimate_row(what: str, runs: Sequence[Took], target: Target | None = ESTIMATE) -> Row:
    """Return how far the memory that runs were expected to take is from what they took."""
    off = tuple(100 * abs(each.expected_bytes / each.peak_pss_bytes - 1) for each in runs)
    peak, expected = statistics.median(each.peak_pss_bytes for each in runs), runs[0].expected_bytes
    note = f"{expected * 1e-9:.3f} GB expected, {peak * 1e-9:.3f} measured"
    return Row(f"{what}: expected memory is off by", "%", off, target, note)


class PeakMemory(threading.Thread):
    """Looks at a run's memory until stopped.

    Attributes
    ----------
    peak_bytes : int
        The most that was seen.
    """

    def __init__(self, run: str) -> None:
        super().__init__(name="memory", daemon=True)
        self.peak_bytes = 0
        self._run, self._seconds = run, BUILDING_SECONDS
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self._stopped.is_set():
            self.look()
            self._stopped.wait(self._seconds)

    def look(self) -> None:
        """Look once."""
        self.peak_bytes = max(self.peak_bytes, sum(pss_bytes(pid) for pid in processes_of(self._run)))

    def slow_down(self) -> None:
        """Look seldom from now on: the run is being timed."""
        self._seconds = RUNNING_SECONDS

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()


def processes_of(run: str) -> list[int]:
    """Return the process ids of a run."""
    marked = f"{MARK}={run}".encode()
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if marked in _environment(pid)]


def pss_bytes(pid: int) -> int:
    """Return the proportional set size of a process, 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _environment(pid: int) -> list[bytes]:
    """Return the environment that a process began with; nothing of one that has ended or is another's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
