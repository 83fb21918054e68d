"""How much memory this host has, and can give now: the machine's, or less where a control group limits it.

A control group counts the pages of files that were read, too; those that were not used lately are given back
when memory is short, so they count as free (as `MemAvailable` counts them for the machine).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import psutil

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60
"""A limit from which on it is none: version 1 writes the largest number of whole pages."""


class _Names(NamedTuple):
    """The files of a version's control group, and a line of its statistics."""

    limit: str
    used: str
    idle_files: str


_VERSION_1 = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = _Names("memory.max", "memory.current", "inactive_file")


def host_memory() -> int:
    """Return the bytes that processes here can have in all."""
    return min([int(psutil.virtual_memory().total), *(limit for limit, _ in control_groups())])


def free_memory() -> int:
    """Return the bytes that processes here can still have now."""
    available = int(psutil.virtual_memory().available)
    return max(min([available, *(limit - used for limit, used in control_groups())]), 0)


def control_groups(mount: Path = _MOUNT, membership: Path = _MEMBERSHIP) -> list[tuple[int, int]]:
    """Return limit and use of each control group that limits this process, in bytes."""
    found = []
    for folder, names in _folders(mount, membership):
        limit, used = (_number(folder / name) for name in (names.limit, names.used))
        if limit is not None and used is not None and limit < _UNLIMITED:
            found.append((limit, used - _idle_files(folder, names)))
    return found


def _folders(mount: Path, membership: Path) -> Iterator[tuple[Path, _Names]]:
    """Yield the folders of this process's groups, of both versions, and of all above them.

    Within a container the path may be one of the host's, which is not seen there: then only the mount's own
    folder is found, which is the container's.
    """
    for line in (_text(membership) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, names = (mount / "memory", _VERSION_1) if controllers else (mount, _VERSION_2)
        own = PurePosixPath(path.lstrip("/"))
        for part in dict.fromkeys((own, *own.parents)):
            yield root / part, names


def _idle_files(folder: Path, names: _Names) -> int:
    """Return the bytes of files in memory that were not used lately."""
    lines = (line.split() for line in (_text(folder / "memory.stat") or "").splitlines())
    return next((int(line[1]) for line in lines if line[:1] == [names.idle_files]), 0)


def _number(file: Path) -> int | None:
    """Return the number in a file; None without a file, or where a limit is ``max``."""
    text = (_text(file) or "").strip()
    return int(text) if text.isdigit() else None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return None
