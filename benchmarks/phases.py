"""Where the time of a tick goes: the cortical microcircuit on two chips in threads, phase by phase.

Runs a variant of the engine (`benchmarks.variant`) that reads the cycle counter after each call of the tick
and of the worker loop that is named in `PHASES`, and adds the cycles since the reading before to the phase.
What Python does between two advances (taking spikes over, digests) counts as waiting.

`--scale 0.1` is a quick look. `--network` names another bundled example; `million` runs on 16 chips.
"""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest import positive, share
from benchmarks.million import OPTIONS as MILLION
from benchmarks.network_run import NetworkRun, described, run
from benchmarks.report import Check, Report, Row, emit, parser_of
from benchmarks.variant import CLOCK, VariantError, append, copy_packages, environment, rewrite
from spikerack.examples import EXAMPLES

PHASES = {
    "wait_for": "waiting for the others",
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
NETWORKS = ("microcircuit", "brunel", "cuba", "million")


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
    tree.body.insert(2, ast.parse("from chip.jit import lap").body[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("phases", __doc__)
    parser.add_argument("--scale", type=share, default=1.0)
    parser.add_argument("--network", choices=NETWORKS, default="microcircuit")
    parser.add_argument("--drive", choices=("dc", "poisson"), default="dc")
    parser.add_argument("--seconds", type=positive, default=1.0, help="biological seconds")
    chosen = parser.parse_args(arguments)
    own = {"drive": chosen.drive} if chosen.network == "microcircuit" else {}
    network = EXAMPLES[chosen.network](scale=chosen.scale, seed=1, **own)
    options = MILLION if chosen.network == "million" else {"chips": 2}
    n_ticks = network.ticks(WARM_UP_MS + 1e3 * chosen.seconds)
    asked = NetworkRun(described(network), n_ticks, options, warm_up_ms=WARM_UP_MS)
    title = f"A tick of {chosen.network} at {chosen.scale:g}, {options['chips']} chips in threads, by phases"
    report = Report("phases", title)
    with tempfile.TemporaryDirectory(prefix="spikerack-phases-") as name:
        folder = make(Path(name))
        (told := folder / "told").mkdir()
        variables = environment(folder) | {TOLD: str(told)}
        run(NetworkRun(asked.network, 2, options), folder=folder, environment=variables)  # compiles
        runs, states = [], []
        for _ in range(chosen.runs):
            phases, complete = _run(asked, folder, told)
            runs.append(phases)
            states.append(complete)
    for phase in (*PHASES.values(), "all"):
        report.rows.append(Row(phase, "us a tick", tuple(each[phase] for each in runs)))
    report.checks.append(Check("all runs are complete", all(states)))
    return emit(report, as_json=chosen.json)


def _run(asked: NetworkRun, folder: Path, told: Path) -> tuple[dict[str, float], bool]:
    """Return the microseconds of a tick for each phase, the mean of all workers; and whether all is well."""
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
