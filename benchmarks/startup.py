"""From the shell to a result: ``spikerack run`` of a small network, warm, and the first after installing.

The command is a process of its own: the interpreter, the imports, building, 100 ms of Brunel's network at a
hundredth of its size, the summary. *First* has an empty folder of compiled kernels, so all of them are
compiled; what a user is shown meanwhile is read from standard error as it comes, piped and on a terminal.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Check, Report, Row, Target, emit, parser_of

COMMAND = (
    *(sys.executable, "-m", "spikerack.cli", "run", "brunel", "--scale", "0.01"),
    *("--duration-ms", "100", "--backend", "local", "--json"),
)
PHASE = "compiling kernels"
WARM = Target(must=3.0, moonshot=1.5)
FIRST = Target(must=30.0, moonshot=10.0)


@dataclass(frozen=True)
class Started:
    """One call of the command.

    Attributes
    ----------
    seconds : float
        From starting the process to its end.
    shown_seconds : float or None
        From starting the process to the first word on compiling; None when there was none.
    shown : str
        All that it wrote to standard error.
    summary : dict
        What it wrote to standard output.
    """

    seconds: float
    shown_seconds: float | None
    shown: str
    summary: dict[str, Any]


def start(kernels: str | None = None, *, terminal: bool = False) -> Started:
    """Call the command, with a folder of kernels other than the user's if one is given."""
    environment = os.environ | ({} if kernels is None else {"SPIKERACK_KERNELS": kernels})
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            COMMAND, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=theirs
        )
        os.close(theirs)
        shown, shown_seconds = _listen(ours, begun)
        code = process.wait()
        seconds = time.perf_counter() - begun
        output.seek(0)
        if code:
            raise RuntimeError(f"{' '.join(COMMAND)}: must end with 0, got {code}; it said:\n{shown}")
        return Started(seconds, shown_seconds, shown, json.load(output))


def _listen(descriptor: int, begun: float) -> tuple[str, float | None]:
    """Return what comes until the other end closes, and when after `begun` it first spoke of compiling."""
    heard, seconds = b"", None
    # A terminal whose other end is closed answers with an error.
    with suppress(OSError), os.fdopen(descriptor, "rb", buffering=0) as file:
        while piece := file.read(4096):
            heard += piece
            if seconds is None and PHASE.encode() in heard:
                seconds = time.perf_counter() - begun
    return heard.decode(errors="replace"), seconds


def start_first(*, terminal: bool = False) -> Started:
    """Call the command with an empty folder of kernels."""
    with tempfile.TemporaryDirectory(prefix="srk-kernels-") as kernels:
        return start(kernels, terminal=terminal)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit code."""
    chosen = parser_of("startup", __doc__).parse_args(arguments)
    start()  # Whatever was not compiled yet is now.
    warm = [start() for _ in range(chosen.runs)]
    first = [start_first(terminal=k == 0) for k in range(chosen.runs)]
    digests = {one.summary["digest"] for one in (*warm, *first)}
    told = [one.shown_seconds for one in first if one.shown_seconds is not None]
    early = all(one.shown_seconds is not None and one.shown_seconds < one.seconds / 2 for one in first)
    rows = [
        Row("warm, shell to result", "s", tuple(one.seconds for one in warm), WARM),
        Row("first run, shell to result", "s", tuple(one.seconds for one in first), FIRST, "all is compiled"),
    ]
    if told:
        rows.append(Row("first run, until it says that it compiles", "s", tuple(told)))
    checks = [
        Check("one digest, warm and first", len(digests) == 1),
        Check(f"a first run says '{PHASE}' before half of it has passed", early),
    ]
    return emit(Report("startup", "From the shell to a result", rows, checks), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
