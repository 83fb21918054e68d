"""Run benchmarks one after the other, each in a process of its own, and write the page of all.

``python -m benchmarks [--only NAME ...] [--peers NAME ...] [--runs N] [--quick] [--page FILE]``: what each
says is kept in a JSON file beside the page, so that the page holds those that are not run now as they were
last. One that fails, or whose checks do not hold, is named at the end, and the exit code is 1; the others run
all the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.page import write_page
from benchmarks.process import ROOT
from benchmarks.report import PEERS

QUICK: dict[str, tuple[str, ...]] = {
    "microcircuit": ("--scale", "0.1", "--runs", "1", "--seconds", "2"),
    "brunel": ("--scale", "0.1", "--runs", "1", "--seconds", "1"),
    "cuba": ("--scale", "0.5", "--runs", "1", "--seconds", "1"),
    "million": ("--scale", "0.0625", "--runs", "1", "--seconds", "1"),
    "build": ("--scale", "0.05", "--runs", "1"),
    "startup": ("--runs", "1"),
    "stream": ("--runs", "1"),
    "chips": ("--scale", "0.0625", "--runs", "1", "--seconds", "0.5"),
    "exchange": ("--ticks", "20000", "--runs", "1"),
    "counters": ("--scale", "0.1", "--runs", "1", "--seconds", "1"),
    "roofline": ("--scale", "0.1", "--runs", "1", "--seconds", "1", "--mib", "64", "--ticks", "2000"),
    "phases": ("--scale", "0.1", "--drive", "poisson", "--runs", "1", "--seconds", "1"),
    "placement": ("--scale", "0.02", "--ms", "200"),
}
"""All benchmarks in the page's order, each with the options of a quick look."""

PEERS_OF = {
    "microcircuit": ("nest",),
    "brunel": ("nest",),
    "cuba": ("brian2", "nest"),
    "counters": ("sanafe",),
}
WITHOUT_RUNS = ("placement",)
PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, gather, write; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=tuple(QUICK), default=list(QUICK), help="benchmarks to run"
    )
    parser.add_argument(
        "--peers", nargs="+", choices=PEERS, default=[], help="let these take turns with ours"
    )
    parser.add_argument("--runs", type=int, help="runs to take the median of, where a benchmark takes runs")
    parser.add_argument(
        "--quick", action="store_true", help="small: a look at whether all work; needs --page"
    )
    parser.add_argument("--page", type=Path, help=f"the page to write: {PAGE.relative_to(ROOT)}")
    chosen = parser.parse_args(arguments)
    if chosen.quick and chosen.page is None:
        parser.error(
            "--quick: must not replace the page of full measurements, got no --page; name another file"
        )
    page, console = chosen.page or PAGE, Console(stderr=True)
    results, failed = kept(page.with_suffix(".json")), []
    names = [name for name in QUICK if name in chosen.only]
    for k, name in enumerate(names, 1):
        console.print(f"[{k}/{len(names)}] {name}", markup=False)
        begin = time.perf_counter()
        options = options_of(name, peers=chosen.peers, runs=chosen.runs, quick=chosen.quick)
        said, problem = run_one(name, options)
        if said is not None:
            results[name] = said
            write(results, page)
        if problem is not None:
            failed.append(f"{name}: {problem}")
        console.print(f"{name}: {problem or 'done'} after {time.perf_counter() - begin:.0f} s", markup=False)
    for line in failed:
        console.print(f"failed: {line}", markup=False)
    return 1 if failed else 0


def options_of(name: str, *, peers: Sequence[str], runs: int | None, quick: bool) -> list[str]:
    """Return the options of one benchmark."""
    options = list(QUICK[name]) if quick else []
    if runs is not None and name not in WITHOUT_RUNS:
        options += ["--runs", str(runs)]
    return options + [word for peer in PEERS_OF.get(name, ()) if peer in peers for word in ("--peer", peer)]


def run_one(name: str, options: Sequence[str]) -> tuple[dict[str, Any] | None, str | None]:
    """Run a benchmark in a process of its own; return what it said, and what is wrong, if anything.

    Its progress, which it prints on standard error, is shown.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *options]
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    said = last_object(process.stdout)
    if said is None:
        return None, f"must print its report, got nothing and exit code {process.returncode}"
    broken = [check["what"] for check in said["checks"] if not check["holds"]]
    if broken:
        return said, f"{len(broken)} checks do not hold, first: {broken[0]}"
    return said, f"exit code {process.returncode}" if process.returncode else None


def last_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object on the last line that is one, or None."""
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "benchmark" in found:
            return found
    return None


def kept(path: Path) -> dict[str, Any]:
    """Return what benchmarks said before."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def write(results: Mapping[str, Any], page: Path) -> None:
    """Write results and page, in the order of `QUICK`."""
    ordered = {name: results[name] for name in QUICK if name in results}
    write_page(ordered, page)
    page.with_suffix(".json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
