"""One digest, whatever the placement: the cortical microcircuit on every combination.

``python -m benchmarks.placement [--scale F] [--ms D] [--json]`` runs both drives on 1, 2, 3 and 8 chips, in
threads and Ray actors, placed in all three ways. It prints a row for each and exits with 1 when a digest
differs, a run is not complete, or, at a scale and drive that NEST was measured at, a population's rate is
out of NEST's band.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.report import Check, Report, Row, emit
from cluster import DeployOptions, run_local
from spikerack.examples import EXAMPLES
from spikerack.reference import microcircuit_bands

DRIVES = ("dc", "poisson")
CHIPS = (1, 2, 3, 8)
BACKENDS = ("local", "ray")
PLACEMENTS = ("default", "consecutive", "shuffled")
PRECISION = "float32"


def run_one(
    drive: str, chips: int, backend: str, placement: str, *, scale: float, ms: float
) -> dict[str, Any]:
    """Return what one combination gave."""
    network = EXAMPLES["microcircuit"](scale=scale, seed=1, drive=drive)
    options = DeployOptions(chips=chips, placement=placement, precision=PRECISION)
    summary = run_local(network, n_ticks=network.ticks(ms), options=options, backend=backend).summary
    kept = ("state", "digest", "synapse_digest", "n_spikes", "realtime_factor", "build_seconds", "rates_hz")
    return {"drive": drive, "chips": chips, "backend": backend, "placement": placement} | {
        key: summary[key] for key in kept
    }


def problems(rows: Sequence[dict[str, Any]], scale: float) -> list[str]:
    """Return what is wrong with the rows: one line each."""
    found = []
    for drive in DRIVES:
        mine = [row for row in rows if row["drive"] == drive]
        for key in ("digest", "synapse_digest"):
            different = {row[key] for row in mine}
            if len(different) != 1:
                found.append(f"{drive}: {key} must be one over all combinations, got {len(different)}")
    return found + [line for row in rows for line in _problems_of_run(row, scale)]


def _problems_of_run(row: dict[str, Any], scale: float) -> list[str]:
    where = f"{row['drive']}, {row['chips']} chips, {row['backend']}, {row['placement']}"
    found = [] if row["state"] == "complete" else [f"{where}: must be complete, got {row['state']}"]
    try:
        bands = microcircuit_bands(scale, row["drive"])
    except LookupError:
        return found if row["n_spikes"] else [*found, f"{where}: must spike, got silence"]
    rates = row["rates_hz"]
    return found + [
        f"{where}: rate of {name} must be {band.low_hz:.3f} to {band.high_hz:.3f} Hz, got {rates[name]:.3f}"
        for name, band in bands.items()
        if not band.holds(rates[name])
    ]


def report_of(rows: Sequence[dict[str, Any]], scale: float) -> Report:
    """Return what the combinations showed."""
    measures = [
        Row(
            f"{row['drive']}, {row['chips']} chips, {row['backend']}, {row['placement']}",
            "wall s a biological s",
            (row["realtime_factor"],),
            note=f"{row['n_spikes']:,} spikes, digest {row['digest'][:12]}",
        )
        for row in rows
    ]
    checks = [Check(line, False) for line in problems(rows, scale)]
    everything = f"all {len(rows)} runs are complete, with one digest for each drive, and rates as NEST's"
    return Report(
        "placement", "One digest, whatever the placement", measures, checks or [Check(everything, True)]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all combinations; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.placement", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--ms", type=float, default=1000.0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    combinations = list(itertools.product(DRIVES, CHIPS, BACKENDS, PLACEMENTS))
    console = Console(stderr=True)
    rows = [
        run_one(*combination, scale=chosen.scale, ms=chosen.ms)
        for combination in track(combinations, "placements", console=console)
    ]
    return emit(report_of(rows, chosen.scale), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
