"""Child processes that cannot outlive their supervisor, however either of them ends. Linux only.

Ray's processes leave their parent's process group and survive it for a while, so a group cannot be used to
find them. A *subreaper* can: what loses its parent becomes its child.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

import psutil

# prctl(PR_SET_PDEATHSIG, SIGTERM), unless the parent is gone already.
_BIND = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent dies."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(number)}")


def bound_to_parent(command: Sequence[str]) -> list[str]:
    """Return a command that is sent SIGTERM when this process dies, even by SIGKILL.

    It becomes `command` by exec. Between fork and exec nothing of this process's Python may run: another
    thread of it may have held a lock at the fork, for ever.
    """
    return [sys.executable, "-I", "-S", "-c", _BIND, str(os.getpid()), *command]


def orphans(known: Iterable[int]) -> list[psutil.Process]:
    """Return the descendants of this process that are not `known` children or descend from one."""
    kept = set(known)
    strangers = [child for child in psutil.Process().children() if child.pid not in kept]
    return [process for child in strangers for process in (child, *_descendants(child))]


def end(processes: list[psutil.Process]) -> None:
    """Kill processes, and wait until they are gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10.0)
    for process in processes:
        with suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
