"""The full cortical microcircuit against NEST: rates, irregularity, correlation.

``python -m benchmarks.microcircuit_full [--scale F] [--chips N] [--seed S] [--json]`` builds the network on
chips in threads, runs it for 2.5 s, and compares the spikes of the last 2 s with those of NEST's seeds.
Scale 1 is 77,169 neurons, 298,880,970 synapses and the direct current; 0.1, with Poisson drive, is a quick
look. It exits with 1 when a population's statistic is out of the spread of NEST's seeds, or the run is not
complete.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from cluster import DeployOptions, RunOutcome, run_local
from spikerack.examples import EXAMPLES
from spikerack.reference import microcircuit_statistics
from spikerack.reference.comparison import Comparison, compare
from spikerack.reference.spike_statistics import SpikeWindow, summarise

Progress = Callable[[str, float, str], None]
"""Told a phase, the share of it that is done, and a detail for people."""

KEPT = (
    "state",
    "digest",
    "synapse_digest",
    "n_spikes",
    "realtime_factor",
    "build_seconds",
    "peak_memory_bytes",
)


def run_one(
    reference: dict[str, Any],
    *,
    chips: int,
    seed: int,
    progress: Progress = lambda phase, share, detail: None,
) -> RunOutcome:
    """Run the network that the reference describes, as long as it says."""
    network = EXAMPLES["microcircuit"](scale=reference["scale"], seed=seed, drive=reference["drive"])
    n_ticks = network.ticks(reference["window_ms"][1])
    return run_local(network, n_ticks=n_ticks, options=DeployOptions(chips=chips), progress=progress)


def compared(outcome: RunOutcome, reference: dict[str, Any]) -> list[Comparison]:
    """Return each statistic of each population beside NEST's."""
    timestep_ms = reference["timestep_ms"]
    first_tick, stop_tick = (round(ms / timestep_ms) for ms in reference["window_ms"])
    window = SpikeWindow(outcome.tick, outcome.neuron, first_tick, stop_tick, timestep_ms)
    return list(compare(summarise(window, reference["sizes"]), list(reference["seeds"].values())))


def table_of(comparisons: Sequence[Comparison], title: str) -> Table:
    """Return the comparisons for people."""
    table = Table(title=title)
    for column in ("population", "statistic", "here", "NEST", "apart", "limit", ""):
        left = column in ("population", "statistic", "")
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    for each in comparisons:
        numbers = (each.found, each.reference, each.deviation, each.limit)
        verdict = "agrees" if each.holds else "DIFFERS"
        table.add_row(each.population, each.statistic, *(f"{x:.4f}" for x in numbers), verdict)
    return table


@contextmanager
def bar() -> Iterator[Progress]:
    """Show progress on standard error."""
    with Bar(console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=1.0)

        def show(phase: str, share: float, detail: str) -> None:
            shown.update(task, completed=share, description=f"{phase} {detail}".strip())

        yield show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, compare, print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.microcircuit_full", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--chips", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    reference = microcircuit_statistics(chosen.scale)
    with bar() as progress:
        outcome = run_one(reference, chips=chosen.chips, seed=chosen.seed, progress=progress)
    comparisons = compared(outcome, reference)
    summary = {key: outcome.summary[key] for key in KEPT}
    if chosen.json:
        rows = [asdict(each) | {"holds": each.holds} for each in comparisons]
        print(json.dumps({"run": summary, "comparisons": rows}))
    else:
        title = (
            f"Microcircuit at {chosen.scale:g}, {chosen.chips} chips, beside {len(reference['seeds'])} seeds"
        )
        Console().print(table_of(comparisons, f"{title} of {reference['simulator']}"))
        for key, value in summary.items():
            print(f"{key}: {value}")
    agree = all(each.holds for each in comparisons)
    return 0 if agree and summary["state"] == "complete" else 1


if __name__ == "__main__":
    sys.exit(main())
