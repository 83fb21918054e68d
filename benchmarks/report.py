"""What a benchmark says: measures with their targets, checks, and the machine; for people and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

PEERS = ("nest", "brian2", "sanafe")


@dataclass(frozen=True)
class Target:
    """What a measure must be, and what would be better still.

    Attributes
    ----------
    better : str
        Whether `lower` or `higher` values are better.
    """

    must: float
    moonshot: float
    better: Literal["lower", "higher"] = "lower"

    def reached(self, value: float) -> Literal["moonshot", "must", "no"]:
        """Return the highest of the two that `value` reaches."""
        sign = 1.0 if self.better == "lower" else -1.0
        if sign * value <= sign * self.moonshot:
            return "moonshot"
        return "must" if sign * value <= sign * self.must else "no"


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes
    ----------
    measure, unit : str
    values : tuple of float
        One a run; the median is what counts.
    target : Target or None
    note : str
        What a reader must know to read the number.
    """

    measure: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The median of all runs."""
        return statistics.median(self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON, with its median and what it reaches."""
        reached = None if self.target is None else self.target.reached(self.median)
        return asdict(self) | {"median": self.median, "reached": reached}


@dataclass(frozen=True)
class Check:
    """Something that must be true for the numbers to mean anything: equal digests, statistics that agree."""

    what: str
    holds: bool


@dataclass
class Report:
    """All that one benchmark says.

    Attributes
    ----------
    name, title : str
        The module's name, and a line for people.
    rows : list of Row
    checks : list of Check
    """

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all checks hold."""
        return all(check.holds for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        rows, checks = [row.to_dict() for row in self.rows], [asdict(check) for check in self.checks]
        return {
            "benchmark": self.name,
            "title": self.title,
            "rows": rows,
            "checks": checks,
            "machine": machine(),
        }


def emit(report: Report, *, as_json: bool) -> int:
    """Print a report; return the exit code: 1 when a check does not hold. A missed target is no failure."""
    if as_json:
        print(json.dumps(report.to_dict()))
    else:
        _print(report)
    return 0 if report.holds else 1


def _print(report: Report) -> None:
    table = Table(title=report.title)
    for column in ("measure", "median", "least", "most", "runs", "must", "aim", "reached"):
        table.add_column(column, justify="left" if column in ("measure", "reached") else "right")
    for row in report.rows:
        target = row.target
        goals = ("", "", "") if target is None else (_short(target.must), _short(target.moonshot))
        reached = "" if target is None else target.reached(row.median)
        table.add_row(
            f"{row.measure}, {row.unit}" + (f" ({row.note})" if row.note else ""),
            *(_short(value) for value in (row.median, min(row.values), max(row.values))),
            str(len(row.values)),
            *goals[:2],
            reached,
        )
    console = Console()
    for check in report.checks:
        console.print(("holds: " if check.holds else "DOES NOT HOLD: ") + check.what, highlight=False)
    console.print(table)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """Say where and on what the numbers were measured."""
    return {
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
    }


def _commit() -> str:
    """Return the commit that is checked out, with a plus when files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=7", "--dirty=+"]
    root = Path(__file__).resolve().parent.parent
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def parser_of(name: str, description: str | None, peers: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return a parser with the options of every benchmark: `--json`, `--runs` and, with peers, `--peer`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=5, help="runs to take the median of")
    if peers:
        parser.add_argument(
            "--peer",
            action="append",
            choices=peers,
            default=[],
            help="measure this one too, in the same call, interleaved",
        )
    return parser
