"""A run in a process of its own, so that neither memory nor threads of another are measured with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.memory import MARK, PeakMemory
from benchmarks.telling import heard

ROOT = Path(__file__).resolve().parent.parent
LAST_LINES = 12


class RunFailed(RuntimeError):
    """A measured process ended without a result."""


@dataclass(frozen=True)
class Finished:
    """What came of a process.

    Attributes
    ----------
    result : dict
        What it told.
    peak_pss_bytes : int
        The most memory that it and its children were seen to hold before they told `finished`.
    """

    result: dict[str, Any]
    peak_pss_bytes: int


def run_apart(
    command: Sequence[str],
    task: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Finished:
    """Run a command that speaks `benchmarks.telling`, and return its result.

    Parameters
    ----------
    command : sequence of str
    task : mapping
        JSON for its standard input.
    environment : mapping, optional
        Variables beside those that it inherits.
    folder : Path
        Where it is started: the root folder.

    Raises
    ------
    RunFailed
        It ended with another exit code than 0, or told no result; its last lines are in the message.
    """
    run = uuid.uuid4().hex
    variables = os.environ | (environment or {}) | {MARK: run}
    memory = PeakMemory(run)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with _started(command, variables, errors, folder) as process:
            memory.start()
            try:
                result, last = _follow(process, task, memory)
            finally:
                memory.stop()
        if process.returncode != 0 or result is None:
            raise RunFailed(_failure(command, process.returncode, [*last, *_lines(errors)]))
    return Finished(result, memory.peak_bytes)


@contextlib.contextmanager
def _started(
    command: Sequence[str], variables: Mapping[str, str], errors: IO[str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Start a process; it does not outlive the block, however that ends."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    with process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def _follow(
    process: subprocess.Popen[str], task: Mapping[str, Any], memory: PeakMemory
) -> tuple[dict[str, Any] | None, list[str]]:
    """Give the task and listen to the end; return the result and the last lines that were for people."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended already, and its exit code says why
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
    result: dict[str, Any] | None = None
    last: list[str] = []
    for line in process.stdout:
        told = heard(line)
        if told is None:
            last = [*last[1 - LAST_LINES :], line.rstrip()]
        elif told.get("phase") == "running":
            memory.slow_down()
        elif told.get("phase") == "finished":
            memory.look()
            memory.stop()
            process.stdin.close()
        result = result if told is None else told.get("result", result)
    return result, last


def _lines(file: IO[str]) -> list[str]:
    file.seek(0)
    return [line.rstrip() for line in file]


def _failure(command: Sequence[str], code: int, lines: Sequence[str]) -> str:
    last = [line for line in lines if line][-LAST_LINES:]
    return (
        f"{' '.join(command)}: must end with exit code 0 and a result, got exit code {code}; "
        f"read its last lines:\n" + "\n".join(last)
    )
