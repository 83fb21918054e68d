"""A million neurons on 16 chips: 1,048,576 neurons, 268,435,456 synapses, a tick of 1 ms, in threads.

  near      80 % of the synapses within a chip (1-4 ms), 20 % anywhere (2-8 ms), neurons fire at 2 Hz
  near20    the same at 20 Hz
  anywhere  all synapses anywhere (2-8 ms), 2 Hz

The network is the bundled example `million`, placed so that each of its populations is on a chip of its own.
Each run has a process of its own, and the variants take turns; the first 0.2 s are not timed, all spikes are
kept. Before times are told: every run is complete, all runs of a variant have one digest, the mean rate is
within 10 %, and the neurons are out of step: what modulates the rate of all of them is below 20 %.

`--only` chooses among the variants; `--scale 0.0625` is a quick look, at the same rates.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.beside import FACTOR, cores
from benchmarks.contest import positive, share
from benchmarks.memory import ESTIMATE, estimate_row
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.report import Check, Report, Row, Target, emit, parser_of
from benchmarks.turns import take_turns
from spikerack.examples.million import N_CHIPS, Targets, million

SEED = 1
WARM_UP_MS = 200.0
RATE_TOLERANCE = 0.1
MOST_MODULATION = 0.2
OPTIONS = {"chips": N_CHIPS, "placement": "consecutive"}


@dataclass(frozen=True)
class Variant:
    """One of the networks, and the target of its time."""

    what: str
    rate_hz: float
    targets: Targets
    target: Target


VARIANTS = {
    "near": Variant("80 % near, 2 Hz", 2.0, "near", Target(1.0, 0.6)),
    "near20": Variant("80 % near, 20 Hz", 20.0, "near", Target(5.0, 3.0)),
    "anywhere": Variant("all anywhere, 2 Hz", 2.0, "anywhere", Target(2.0, 1.0)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("million", __doc__)
    parser.add_argument("--scale", type=share, default=1.0, help="share of the neurons")
    parser.add_argument("--seconds", type=positive, default=2.0, help="biological seconds that are timed")
    parser.add_argument("--only", action="append", choices=tuple(VARIANTS), default=[], help="see above")
    chosen = parser.parse_args(arguments)
    asked = {
        name: asked_of(name, scale=chosen.scale, seconds=chosen.seconds)
        for name in VARIANTS
        if name in (chosen.only or VARIANTS)
    }
    compile_kernels(asked)
    results = take_turns({name: partial(_run, each) for name, each in asked.items()}, chosen.runs)
    return emit(report_of(results, scale=chosen.scale), as_json=chosen.json)


def asked_of(name: str, *, scale: float, seconds: float) -> NetworkRun:
    """Return a variant's run."""
    variant = VARIANTS[name]
    network = million(scale, SEED, rate_hz=variant.rate_hz, targets=variant.targets)
    n_ticks = network.ticks(WARM_UP_MS + 1e3 * seconds)
    return NetworkRun(described(network), n_ticks, OPTIONS, warm_up_ms=WARM_UP_MS)


def compile_kernels(asked: Mapping[str, NetworkRun]) -> None:
    """Let the kernels be compiled by short runs of small networks, so that no measured run does that."""
    for name in asked:
        run(asked_of(name, scale=1e-3, seconds=0.01))


def _run(asked: NetworkRun, turn: int) -> NetworkRan:
    return run(asked)


def report_of(results: Mapping[str, Sequence[NetworkRan]], *, scale: float) -> Report:
    """Return what the runs showed."""
    n_neurons = next(iter(results.values()))[0].summary["n_neurons"]
    report = Report("million", f"{n_neurons:,} neurons on {N_CHIPS} chips, {cores()} cores")
    for name, runs in results.items():
        report.rows += rows_of(VARIANTS[name], runs, full=scale == 1.0)
        report.checks += checks_of(VARIANTS[name], runs)
    return report


def rows_of(variant: Variant, runs: Sequence[NetworkRan], *, full: bool) -> list[Row]:
    """Return a variant's measures; the target is that of full scale."""
    what, first = variant.what, runs[0]
    per_event = tuple(1e9 * r.summary["run_seconds"] * cores() / max(r.events, 1) for r in runs)
    note = f"{first.rate_hz:.2f} Hz, CV of intervals {first.isi_cv:.2f}, modulation {first.modulation:.3f}"
    return [
        Row(what, FACTOR, tuple(r.realtime_factor for r in runs), variant.target if full else None, note),
        Row(f"{what}: an event and core", "ns", per_event, note="all that a tick takes included"),
        Row(f"{what}: building", "s", tuple(r.summary["build_seconds"] for r in runs)),
        Row(
            f"{what}: peak memory",
            "GB",
            tuple(r.peak_pss_bytes * 1e-9 for r in runs),
            note=f"PSS of the process, with {first.summary['n_spikes']:,} spikes",
        ),
        estimate_row(what, runs, ESTIMATE if full else None),
        Row(
            f"{what}: a synapse",
            "bytes",
            tuple(r.summary["bytes_per_synapse"] for r in runs),
            note="with where it stands",
        ),
    ]


def checks_of(variant: Variant, runs: Sequence[NetworkRan]) -> list[Check]:
    """Return what must hold of a variant's runs."""
    what, rate_hz = variant.what, variant.rate_hz
    states = sorted({r.summary["state"] for r in runs})
    digests = {(r.summary["digest"], r.summary["synapse_digest"]) for r in runs}
    rates = sorted(r.rate_hz for r in runs)
    modulation, far = max(r.modulation for r in runs), max(abs(rate - rate_hz) for rate in rates)
    got = f"{rates[0]:.3f} to {rates[-1]:.3f}"
    return [
        Check(f"{what}: all runs must be complete, got {', '.join(states)}", states == ["complete"]),
        Check(f"{what}: all runs must have one digest, got {len(digests)}", len(digests) == 1),
        Check(
            f"{what}: the mean rate must be within 10 % of {rate_hz:g} Hz, got {got}",
            far <= RATE_TOLERANCE * rate_hz,
        ),
        Check(
            f"{what}: the rate's common modulation must be at most {MOST_MODULATION}, got {modulation:.3f}",
            modulation <= MOST_MODULATION,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
