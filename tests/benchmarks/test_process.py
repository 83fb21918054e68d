"""A run in a process of its own: its result, its memory, its failures."""

import os
import re
import subprocess
import sys

import pytest

from benchmarks.memory import MARK, PeakMemory, processes_of, pss_bytes
from benchmarks.process import RunFailed, run_apart
from benchmarks.telling import heard

MEGABYTE = 1_000_000
HOLDS = """
import subprocess, sys
depth = int(sys.argv[2])
held = bytearray(b"x") * 64_000_000
child = depth and subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], sys.argv[1], str(depth - 1)],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
)
child and child.stdout.readline()
print("holding", flush=True)
sys.stdin.read()
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_process_gets_its_task_and_tells_its_result() -> None:
    code = (
        "from benchmarks.telling import *; import os; print('for people', end=''); asked = task();"
        "tell('building'); tell('running'); tell_finished();"
        "tell_result({'got': asked, 'is': os.environ['IS']})"
    )
    finished = run_apart(python(code), {"n": 3}, environment={"IS": "set"})
    assert finished.result == {"got": {"n": 3}, "is": "set"}
    assert finished.peak_pss_bytes > 0


def test_lines_for_people_are_not_heard() -> None:
    assert heard("@bench\n") is None
    assert heard('@benchmark {"phase": "running"}\n') == {"phase": "running"}


def test_memory_is_that_of_all_processes_with_the_mark() -> None:
    command = [*python(HOLDS), HOLDS, "1"]
    variables = os.environ | {MARK: "a-run"}
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        memory, another = PeakMemory("a-run"), PeakMemory("a-ru")
        memory.look()
        another.look()
        assert len(processes_of("a-run")) == 2
        process.communicate()
    assert 128 * MEGABYTE < memory.peak_bytes < 228 * MEGABYTE
    assert another.peak_bytes == 0


def test_a_process_that_has_ended_holds_nothing() -> None:
    process = subprocess.Popen(python("pass"))
    process.wait()
    assert pss_bytes(process.pid) == 0


def test_memory_after_the_run_does_not_count() -> None:
    code = (
        "from benchmarks.telling import *; task(); held = bytearray(b'x') * 64_000_000; tell_finished();"
        "more = bytearray(b'x') * 200_000_000; tell_result({})"
    )
    assert 64 * MEGABYTE < run_apart(python(code), {}).peak_pss_bytes < 164 * MEGABYTE


def test_a_failure_shows_the_last_lines() -> None:
    code = "print('said'); raise SystemExit('wrong')"
    message = (
        f"{sys.executable} -c {code}: must end with exit code 0 and a result, got exit code 1; "
        "read its last lines:\nsaid\nwrong"
    )
    with pytest.raises(RunFailed, match=f"^{re.escape(message)}$"):
        run_apart(python(code), {})


def test_no_result_is_a_failure() -> None:
    message = (
        f"{sys.executable} -c pass: must end with exit code 0 and a result, got exit code 0; "
        "read its last lines:\n"
    )
    with pytest.raises(RunFailed, match=f"^{re.escape(message)}$"):
        run_apart(python("pass"), {"more": "x" * 100_000})
