"""What counting costs: address events by routing entry, and synaptic events sent and delivered.

The same run of the cortical microcircuit (2 chips in threads; direct current at full scale, Poisson drive
below it, where direct current leaves it silent), with the engine as it is, and with a variant of its sources
in which the counting statements are taken out; each run in a process of its own, in turns. Before times are
told: both have one digest, the first counts events, the second counts none. Without counts no conservation
can be certified, so the variant's runs end as `complete_with_loss`.

`--scale 0.1` is a quick look. `--peer sanafe` adds what an event takes SANA-FE, which counts for its energy
model, on two groups of neurons in Loihi, on one core.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.beside import FACTOR, cores
from benchmarks.contest import positive, require_peers, share
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.peer import ENVIRONMENT
from benchmarks.process import ROOT, run_apart
from benchmarks.report import Check, Report, Row, Target, emit, parser_of
from benchmarks.turns import take_turns
from benchmarks.variant import environment, uncounted
from spikerack.examples import microcircuit

WARM_UP_MS = 100.0
COST = Target(1.1, 1.03)
SANAFE: dict[str, Any] = {"n_neurons": 200, "n_ticks": 100, "timing_model": "simple", "threads": 1}
ON, OFF = "counting", "not counting"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("counters", __doc__, ("sanafe",))
    parser.add_argument("--scale", type=share, default=1.0, help="share of the microcircuit")
    parser.add_argument("--seconds", type=positive, default=3.0, help="biological seconds that are timed")
    chosen = parser.parse_args(arguments)
    require_peers(parser, chosen.peer)
    with tempfile.TemporaryDirectory(prefix="spikerack-uncounted-") as folder:
        results = measure(Path(folder), scale=chosen.scale, seconds=chosen.seconds, runs=chosen.runs)
    report = report_of(results, scale=chosen.scale)
    if chosen.peer:
        add_sanafe(report, chosen.runs)
    return emit(report, as_json=chosen.json)


def measure(folder: Path, *, scale: float, seconds: float, runs: int) -> dict[str, list[NetworkRan]]:
    """Return the runs of both, in turns; the variant is made in `folder`."""
    places = {ON: ROOT, OFF: uncounted(folder)}
    variables = {ON: {}, OFF: environment(folder)}
    for name, place in places.items():
        run(asked_of(min(scale, 0.02), 0.01), folder=place, environment=variables[name])
    asked = asked_of(scale, seconds)
    return take_turns(
        {name: partial(_run, asked, place, variables[name]) for name, place in places.items()}, runs
    )


def asked_of(scale: float, seconds: float) -> NetworkRun:
    """Return the run."""
    network = microcircuit(scale, 1, drive="dc" if scale == 1.0 else "poisson")
    n_ticks = network.ticks(WARM_UP_MS + 1e3 * seconds)
    return NetworkRun(described(network), n_ticks, {"chips": 2}, warm_up_ms=WARM_UP_MS)


def _run(asked: NetworkRun, place: Path, variables: Mapping[str, str], turn: int) -> NetworkRan:
    return run(asked, folder=place, environment=variables)


def report_of(results: Mapping[str, Sequence[NetworkRan]], *, scale: float) -> Report:
    """Return what the runs showed."""
    factors = {name: tuple(r.realtime_factor for r in runs) for name, runs in results.items()}
    ratios = tuple(on / off for on, off in zip(factors[ON], factors[OFF], strict=True))
    target = COST if scale == 1.0 else None
    rows = [Row("with counting against without", "times", ratios, target, "of runs in the same turn")]
    rows += [Row(name, FACTOR, values) for name, values in factors.items()]
    per_event = tuple(1e9 * r.summary["run_seconds"] * cores() / max(r.events, 1) for r in results[ON])
    rows.append(Row("an event and core", "ns", per_event, note="all that a tick takes included"))
    return Report("counters", f"What counting costs the microcircuit at {scale:g}", rows, checks_of(results))


def checks_of(results: Mapping[str, Sequence[NetworkRan]]) -> list[Check]:
    """Return what must hold: equal spikes, and counts that are there or are not."""
    runs = [r for each in results.values() for r in each]
    digests = {(r.summary["digest"], r.summary["synapse_digest"]) for r in runs}
    counted = min(min(r.events, r.traffic) for r in results[ON])
    left = max(max(r.events, r.traffic) for r in results[OFF])
    complete = all(r.summary["state"] == "complete" for r in results[ON])
    packages = {r.package for r in results[ON]} & {r.package for r in results[OFF]}
    return [
        Check("all runs that count must be complete", complete),
        Check(f"all runs must have one digest, got {len(digests)}", len(digests) == 1),
        Check(f"the engine must count events, got {counted:,} at least", counted > 0),
        Check(f"the variant must count none, got {left:,} at most", left == 0),
        Check("the variant must be another engine than the project's", not packages),
    ]


def add_sanafe(report: Report, runs: int) -> None:
    """Measure SANA-FE, and add its time for an event."""
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "benchmarks.peers.sanafe_events"]
    results = [run_apart(command, SANAFE).result for _ in range(runs)]
    expected = SANAFE["n_neurons"] ** 2 * SANAFE["n_ticks"]
    events = sorted({result["events"] for result in results})
    what = f"{results[0]['peer']} must see {expected:,} events, one a pair and tick, got {events}"
    report.checks.append(Check(what, events == [expected]))
    per_event = tuple(1e9 * result["seconds"] / result["events"] for result in results)
    note = "dense synapses between two cores of Loihi, timing model 'simple', one thread"
    report.rows.append(Row(f"{results[0]['peer']}, an event and core", "ns", per_event, note=note))


if __name__ == "__main__":
    sys.exit(main())
