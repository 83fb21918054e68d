"""What a measured process tells the one that started it: lines on standard output. Standard library only.

A process reads its task as a line of JSON from standard input, tells its phases as they begin, and its result
last. Peers use this too, in their own environment, so nothing is imported here that they may lack.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal

MARK = "@benchmark "
"""Begins the lines that are meant for the starter; simulators print others."""

Phase = Literal["building", "running"]


def task() -> dict[str, Any]:
    """Return what standard input asks for."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    return asked


def tell(phase: Phase) -> None:
    """Say that a phase begins."""
    _print({"phase": phase})


def tell_finished() -> None:
    """Say that the run has ended, and wait until its memory has been looked at for the last time."""
    _print({"phase": "finished"})
    sys.stdin.read()


def tell_result(result: Mapping[str, Any]) -> None:
    """Say what came of the task."""
    _print({"result": dict(result)})


def heard(line: str) -> dict[str, Any] | None:
    """Return what a line tells, or None for one that a simulator printed for people."""
    if not line.startswith(MARK):
        return None
    told: dict[str, Any] = json.loads(line.removeprefix(MARK))
    return told


def _print(told: Mapping[str, Any]) -> None:
    # A simulator's banner may end without a line's end.
    print("\n" + MARK + json.dumps(told), flush=True)
