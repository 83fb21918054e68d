"""Compiling kernels before the chips start, once a host: the parts in processes side by side.

*Theory of operation.* Numba compiles in one thread of a process at a time, but what it compiled stays in a
folder that all processes share (`chip.jit`). So what runs chips and what builds them are compiled by two
processes (`cluster.kernelparts`), in the time of the longer, and everybody loads them from the folder. A
marker in the folder says that a part is there. It names the processor and when the sources were written, as
Numba's own index does. A marker that is wrong costs time only: what is not there is compiled when it is
called.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llvmlite import binding

from chip.jit import CACHE_FOLDER
from cluster.options import DeployOptions, Precision
from network import Network

PHASE = "compiling kernels"
_ALWAYS = "FixedTotalNumber"
"""The rule that is compiled for a network without projections: it needs some of what builds chips, too."""
_USUAL = 190
"""Functions that Numba compiles for a network of one rule, or so; only the pace of a bar depends on it."""
_LAST_WORDS = 2000
_ROOT = Path(__file__).resolve().parent.parent
_SOURCES = ("chip/**/*.py", "cluster/*.py")


def warm_up(
    network: Network,
    options: DeployOptions,
    progress: Callable[[str, float], None] = lambda phase, share: None,
) -> None:
    """Compile all kernels that a network needs, unless they are in the folder.

    Parameters
    ----------
    progress : callable
        Told `PHASE` and the share that is done, if there is anything to compile.

    Raises
    ------
    RuntimeError
        The compilation failed; the message has its last words.
    """
    rules = {type(projection.connectivity).__name__ for projection in network.projections} or {_ALWAYS}
    parts = [_Part("loop", options.precision)]
    parts += [_Part("rules", options.precision, rule) for rule in sorted(rules)]
    missing = [part for part in parts if not part.marker.exists()]
    if not missing:
        return
    commands = _commands(options.precision, missing)
    bar = _Bar(progress)
    bar.show()
    size = max(len(os.sched_getaffinity(0)), 1)
    for first in range(0, len(commands), size):
        _run(commands[first : first + size], bar)
    for part in missing:
        part.marker.touch()


@dataclass(frozen=True)
class _Part:
    """Kernels that are compiled together, and the file that says that they are."""

    name: str
    precision: Precision
    rule: str = ""

    @property
    def marker(self) -> Path:
        """The file that is there once they are compiled, for this processor and these sources."""
        name = "-".join(filter(None, (self.name, self.rule, self.precision, _state())))
        return CACHE_FOLDER / f"{name}.compiled"


@functools.cache
def _state() -> str:
    """Hash what Numba looks at before it takes compiled code: processor, and when sources were written."""
    digest = hashlib.sha256(binding.get_host_cpu_name().encode())
    for path in sorted(path for pattern in _SOURCES for path in _ROOT.glob(pattern)):
        stat = path.stat()
        digest.update(f"{path} {stat.st_mtime_ns} {stat.st_size}\n".encode())
    return digest.hexdigest()[:16]


def _commands(precision: Precision, parts: Sequence[_Part]) -> list[list[str]]:
    """Return the arguments of each process: one for the loop, one for all rules."""
    rules = [part.rule for part in parts if part.name == "rules"]
    loop = [["loop", precision] for part in parts if part.name == "loop"]
    return loop + ([["rules", precision, *rules]] if rules else [])


class _Bar:
    """Counts functions as they are compiled."""

    def __init__(self, progress: Callable[[str, float], None]) -> None:
        self._progress, self._n, self._lock = progress, 0, threading.Lock()

    def show(self) -> None:
        """Tell the share that is done; the last hundredth is the end's."""
        self._progress(PHASE, min(self._n / _USUAL, 0.99))

    def count(self, lines: IO[str]) -> None:
        """Show a step for each line, until there are no more."""
        for _ in lines:
            with self._lock:
                self._n += 1
                self.show()


def _run(commands: Sequence[Sequence[str]], bar: _Bar) -> None:
    """Run processes of `cluster.kernelparts` side by side; when this is interrupted they end, too."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with ExitStack() as stack:
        started = []
        for command in commands:
            errors = stack.enter_context(tempfile.TemporaryFile("w+"))
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "cluster.kernelparts", *command],
                    env=os.environ | {"PYTHONPATH": path},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
            )
            thread = threading.Thread(target=bar.count, args=(process.stdout,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(process.kill)
            started.append((command, process, thread, errors))
        for command, process, thread, errors in started:
            code = process.wait()
            thread.join()
            if code:
                errors.seek(0)
                raise RuntimeError(
                    f"{PHASE}: {' '.join(command)} must end with 0, got {code}; it said:\n"
                    + errors.read()[-_LAST_WORDS:]
                )
