"""Where the time of a tick goes, phase by phase: the engine in threads, on several networks.

Runs a variant of the engine (`benchmarks.variant`) that reads the cycle counter after each call of the tick
and of the worker loop that is named in `PHASES`, and adds the cycles since the reading before to the phase.
What Python does between two advances (taking spikes over, digests) counts as waiting.

`--scale 0.1` is a quick look. `--network` chooses among the networks, which take turns: microcircuit, brunel,
cuba, and the variants of `benchmarks.million`.
"""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import million
from benchmarks.contest import positive, share
from benchmarks.network_run import NetworkRun, described, run
from benchmarks.report import Check, Report, Row, emit, parser_of
from benchmarks.turns import take_turns
from benchmarks.variant import CLOCK, VariantError, append, copy_packages, environment, rewrite
from spikerack.examples import EXAMPLES

PHASES = {
    "wait_for": "waiting for the others",
    "evaluate": "beginning",
    "warm": "warming slots",
    "update_drive": "currents",
    "_fire": "sources",
    "_receive": "spikes of others",
    "read_arrivals": "queued rows: reading",
    "deliver_rows": "waiting rows",
    "deliver_queued": "queued rows: adding",
    "deliver": "segments",
    "add_poisson": "Poisson inputs",
    "_update": "neurons",
    "_collect": "collecting spikes",
    "_send": "sending spikes",
}
"""What each call of the tick and the loop does."""

TOLD = "SPIKERACK_PHASES"
"""Environment variable that names the folder in which workers tell their cycles."""

LAP = """

@tick_kernel
def lap(counters, phase):
    now = cycles()
    if counters[-1] != 0:
        counters[phase] += now - counters[-1]
    counters[-1] = now
"""

WORKER = """

import json
from pathlib import Path

_tally = Worker.tally


def tally(self):
    path = Path(os.environ["SPIKERACK_PHASES"]) / f"{self.port.me}.json"
    path.write_text(json.dumps({"cycles": self.chip.arrays.output.counters.tolist(), "tick": self.tick}))
    return _tally(self)


Worker.tally = tally
"""
WARM_UP_MS = 100.0
MILLION = {"million": "near", "million at 20 Hz": "near20", "million anywhere": "anywhere"}
"""Variants of `benchmarks.million`."""
NETWORKS = ("microcircuit", "brunel", "cuba", *MILLION)
LONGER = {"brunel": 4, "cuba": 40}
"""Times as long as the others: they take so little that a run's begin would count for much."""
LEAST_US = 0.1
"""Phases that take less in all runs are not told."""


class _Laps(ast.NodeTransformer):
    """Adds a lap after each statement that calls a phase, and at the loop's begin."""

    def __init__(self, first: int) -> None:
        self.first, self.seen = first, set[str]()

    def visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                setattr(node, name, [new for old in body for new in self._with_lap(old)])
        return self.generic_visit(node)

    def _with_lap(self, node: ast.stmt) -> list[ast.stmt]:
        looked_at = node.test if isinstance(node, ast.If) else node
        simple = isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.If)
        called = {
            call.func.id
            for call in ast.walk(looked_at)
            if simple and isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        } & set(PHASES)
        if not called:
            return [node]
        self.seen |= called
        place = self.first + list(PHASES).index(called.pop())
        return [node, *ast.parse(f"lap(chip.output.counters, {place})").body]


def make(folder: Path) -> Path:
    """Make the variant; return its folder.

    Raises
    ------
    VariantError
        A phase's call was not found.
    """
    copy_packages(folder)
    append(folder / "chip/jit.py", CLOCK + LAP)
    append(folder / "cluster/worker.py", WORKER)
    append(folder / "chip/arrays.py", f"\nN_COUNTERS += {len(PHASES) + 1}\n")
    seen: set[str] = set()
    for name in ("chip/tick.py", "cluster/loop.py"):
        laps = _Laps(first=_counters_before())
        rewrite(folder / name, lambda tree, laps=laps: _add(tree, laps))
        seen |= laps.seen
    if missing := set(PHASES) - seen:
        raise VariantError(
            f"variant with phases: the tick and the loop must call {', '.join(sorted(missing))}, found no "
            "such call; see what is called now and name it in benchmarks/phases.py"
        )
    return folder


def _counters_before() -> int:
    from chip.arrays import N_COUNTERS

    return N_COUNTERS


def _add(tree: ast.Module, laps: _Laps) -> None:
    laps.visit(tree)
    for node in tree.body:  # until an advance begins, Python has had the thread
        if isinstance(node, ast.FunctionDef) and node.name == "run":
            node.body.insert(1, ast.parse(f"lap(chip.output.counters, {laps.first})").body[0])
    tree.body.insert(2, ast.parse("from chip.jit import lap").body[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("phases", __doc__)
    parser.add_argument("--scale", type=share, default=1.0)
    parser.add_argument("--network", action="append", choices=NETWORKS, default=[], help="see above")
    parser.add_argument("--drive", choices=("dc", "poisson"), default="dc", help="of the microcircuit")
    parser.add_argument("--seconds", type=positive, default=1.0, help="biological seconds")
    chosen = parser.parse_args(arguments)
    names = [name for name in NETWORKS if name in (chosen.network or NETWORKS)]
    asked = {name: asked_of(name, chosen.scale, chosen.drive, chosen.seconds) for name in names}
    report = Report("phases", f"A tick by phases, at scale {chosen.scale:g}")
    with tempfile.TemporaryDirectory(prefix="spikerack-phases-") as folder:
        variant = make(Path(folder))
        (told := variant / "told").mkdir()
        variables = environment(variant) | {TOLD: str(told)}
        for each in asked.values():
            run(replace(each, n_ticks=2, warm_up_ms=0.0), folder=variant, environment=variables)  # compiles
        results = take_turns(
            {name: partial(_run, each, variant, told) for name, each in asked.items()}, chosen.runs
        )
    for name, runs in results.items():
        add_phases(report, f"{name}, {chosen.drive}" if name == "microcircuit" else name, runs)
    return emit(report, as_json=chosen.json)


def asked_of(name: str, scale: float, drive: str, seconds: float) -> NetworkRun:
    """Return the run of a network."""
    if name in MILLION:
        asked = million.asked_of(MILLION[name], scale=scale, seconds=seconds)
        return replace(asked, warm_up_ms=WARM_UP_MS)
    network = EXAMPLES[name](scale=scale, seed=1, **({"drive": drive} if name == "microcircuit" else {}))
    n_ticks = network.ticks(WARM_UP_MS + 1e3 * seconds * LONGER.get(name, 1))
    return NetworkRun(described(network), n_ticks, {"chips": 2}, warm_up_ms=WARM_UP_MS)


def add_phases(report: Report, what: str, runs: Sequence[tuple[dict[str, float], bool]]) -> None:
    """Add a network's rows: those of phases that it has."""
    for phase in (*PHASES.values(), "all"):
        values = tuple(phases[phase] for phases, _ in runs)
        if max(values) >= LEAST_US:
            report.rows.append(Row(f"{what}: {phase}", "us a tick", values))
    report.checks.append(Check(f"{what}: all runs must be complete", all(complete for _, complete in runs)))


def _run(asked: NetworkRun, folder: Path, told: Path, turn: int) -> tuple[dict[str, float], bool]:
    """Return the microseconds of a tick for each phase, the mean of all workers; and whether all is well."""
    for path in told.iterdir():
        path.unlink()
    ran = run(asked, folder=folder, environment=environment(folder) | {TOLD: str(told)})
    workers = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(told.iterdir())]
    first = _counters_before()
    per_tick = [
        sum(w["cycles"][first + k] for w in workers) / len(workers) / asked.n_ticks
        for k in range(len(PHASES))
    ]
    wall_us = ran.summary["run_seconds"] / asked.n_ticks * 1e6
    scale = wall_us / sum(per_tick)
    phases = {name: value * scale for name, value in zip(PHASES.values(), per_tick, strict=True)}
    return phases | {"all": wall_us}, ran.summary["state"] == "complete"


if __name__ == "__main__":
    sys.exit(main())
