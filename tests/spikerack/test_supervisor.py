from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import psutil
import pytest

from spikerack.supervisor import Restarts


class Program:
    """The supervisor in a process of its own; it and its children write to one pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.output: IO[str] = process.stdout

    def until(self, pattern: str) -> re.Match[str]:
        """Read up to the line that matches."""
        seen = []
        for line in self.output:
            seen.append(line)
            if match := re.fullmatch(pattern, line.strip()):
                return match
        raise AssertionError(f"no line {pattern!r} in {seen}")

    def pid(self, name: str) -> int:
        return int(self.until(rf"child {name} (\d+)")[1])


@contextmanager
def supervised(*names: str) -> Iterator[Program]:
    command = [sys.executable, "-m", "tests.spikerack.supervised", *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        program = Program(process)
        try:
            yield program
        finally:
            process.kill()


@pytest.mark.slow
def test_a_dead_child_is_started_again_and_all_end_together() -> None:
    with supervised("a") as program:
        first = program.pid("a")
        os.kill(first, signal.SIGKILL)
        program.until(r"a was killed by SIGKILL; starting it again in \d\.\d s")
        second = program.pid("a")
        program.process.terminate()
        assert program.process.wait() == 0
        assert not psutil.pid_exists(first)
        assert not psutil.pid_exists(second)


@pytest.mark.slow
def test_what_a_dead_child_leaves_behind_is_ended() -> None:
    with supervised("parent") as program:
        pids = {
            name: int(pid) for name, pid in (program.until(r"child (\w+) (\d+)").groups() for _ in range(2))
        }
        assert pids.keys() == {"parent", "grandchild"}
        os.kill(pids["parent"], signal.SIGKILL)
        program.until("parent was killed by SIGKILL.*")
        assert not psutil.pid_exists(pids["grandchild"])


@pytest.mark.slow
def test_a_child_that_always_dies_is_given_up() -> None:
    with supervised("steady", "mayfly") as program:
        steady = program.pid("steady")
        program.until(
            "failed: mayfly: must stay alive, ended with code 3, 2 times in a row; its output is above"
        )
        assert program.process.wait() == 1
        assert not psutil.pid_exists(steady)


@pytest.mark.slow
def test_children_do_not_survive_a_killed_supervisor() -> None:
    with supervised("a", "b") as program:
        program.pid("[ab]")
        program.pid("[ab]")
        program.process.kill()
        # The pipe ends when the last of the children that write to it has ended.
        assert "child" not in program.output.read()


@pytest.mark.slow
def test_readiness_is_told_once() -> None:
    with supervised("a") as program:
        program.until("ready")
        program.process.terminate()
        assert "ready" not in program.output.read()


def test_restarts_wait_longer_each_time_and_end() -> None:
    restarts = Restarts(limit=6, steady_s=60.0)
    delays = [restarts.delay_s(1.0) for _ in range(6)]
    assert delays[5] is None
    waits = [delay for delay in delays[1:5] if delay is not None]
    assert waits == sorted(waits)
    assert max(waits) <= 10.0


def test_a_long_life_is_forgiven() -> None:
    restarts = Restarts(limit=2, steady_s=60.0)
    assert restarts.delay_s(1.0) is not None
    assert restarts.delay_s(60.0) is not None
    assert restarts.delay_s(1.0) is None
