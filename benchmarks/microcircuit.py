"""The cortical microcircuit at full scale: 77,169 neurons and 299 million synapses, beside NEST.

First its rates, irregularity and correlations are compared with those of several seeds in NEST, five for each
of eight populations, and the digests of all chips and backends with each other; then the times are told. Each
run has a process of its own, and the variants take turns. All spikes are kept; the warm-up is not timed.

  dc       2 chips in threads, direct current: also the time to build it, and the memory
  poisson  2 chips in threads, Poisson drive
  ray      2 chips as Ray actors, direct current
  chips4   4 chips in threads, direct current, as a ratio to dc
  chips8   8 chips likewise

`--only` chooses among them; dc and what NEST's statistics are of (at scale 1 dc too) are always run. `--scale
0.1` is a quick look. `--peer nest` runs NEST itself with direct current, a thread a core; at full scale that
takes minutes and 10 GB, so it runs once, for a shorter biological time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.beside import (
    FACTOR,
    Competitor,
    complete,
    cores,
    one_digest,
    ratios,
    rival_rows,
    same_rate,
    same_statistics,
    same_synapses,
    timed,
)
from benchmarks.contest import positive, require_peers
from benchmarks.memory import ESTIMATE, estimate_row
from benchmarks.one_run import Backend, Measured, OneRun, compile_kernels, run
from benchmarks.peer import PeerRun
from benchmarks.report import Check, Report, Row, Target, emit, parser_of
from benchmarks.turns import take_turns
from spikerack.reference import microcircuit_statistics

SEED = 1
SCALES = (0.1, 1.0)
"""Where NEST's statistics are known; targets are those of full scale."""
WARM_UP_MS = 100.0
RATE_TOLERANCE = 0.2
"""Of the mean rate, as the peer's run is short: it tells another network, the statistics tell details."""


@dataclass(frozen=True)
class Variant:
    """One way to run it, and the target of its time, or of its time over that of `dc`."""

    what: str
    drive: str
    chips: int
    target: Target
    backend: Backend = "local"
    over_dc: bool = False


VARIANTS = {
    "dc": Variant("DC, 2 chips in threads", "dc", 2, Target(0.9, 0.5)),
    "poisson": Variant("Poisson, 2 chips in threads", "poisson", 2, Target(1.4, 0.8)),
    "ray": Variant("DC, 2 chips as Ray actors", "dc", 2, Target(1.2, 0.6), backend="ray"),
    "chips4": Variant("DC, 4 chips in threads", "dc", 4, Target(1.6, 1.2), over_dc=True),
    "chips8": Variant("DC, 8 chips in threads", "dc", 8, Target(1.6, 1.2), over_dc=True),
}
BUILD_S = Target(20.0, 8.0)
MEMORY_GB = Target(2.0, 1.4)

Results = Mapping[str, Sequence[Measured]]
"""By variant, in turns."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("microcircuit", __doc__, ("nest",))
    parser.add_argument("--scale", type=float, choices=SCALES, default=1.0)
    parser.add_argument("--only", action="append", choices=tuple(VARIANTS), default=[], help="see above")
    parser.add_argument("--seconds", type=positive, default=5.0, help="biological seconds that are timed")
    parser.add_argument(
        "--peer-ms", type=positive, default=300.0, help="biological time of the peer's that is timed"
    )
    parser.add_argument("--peer-runs", type=int, default=1, help="turns that the peer takes")
    chosen = parser.parse_args(arguments)
    require_peers(parser, chosen.peer)
    circuit = Circuit(chosen.scale, 1e3 * chosen.seconds, chosen.peer_ms)
    if circuit.too_short:
        parser.error(f"--seconds: {circuit.too_short}")
    results, peers = circuit.measure(chosen.only, chosen.runs, chosen.peer_runs if chosen.peer else 0)
    return emit(circuit.report(results, peers), as_json=chosen.json)


@dataclass(frozen=True)
class Circuit:
    """What all variants share.

    Attributes
    ----------
    scale : float
    duration_ms, peer_ms : float
        Biological time that is timed, of ours and of the peer's.
    """

    scale: float
    duration_ms: float
    peer_ms: float

    @property
    def reference(self) -> dict[str, Any]:
        """NEST's statistics at this scale."""
        return microcircuit_statistics(self.scale)

    @property
    def too_short(self) -> str | None:
        """What is wrong with the durations, if anything."""
        least_s = (max(self.reference["window_ms"][1], WARM_UP_MS + self.peer_ms) - WARM_UP_MS) * 1e-3
        found_s = self.duration_ms * 1e-3
        rule = f"must be at least {least_s:g}, for the windows that are compared, got {found_s:g}; raise it"
        return rule if found_s < least_s else None

    @property
    def nest(self) -> Competitor:
        """NEST with direct current."""
        return Competitor("nest", "nest_network", f"NEST, DC, {cores()} threads", {"threads": cores()})

    def one_run(self, name: str) -> OneRun:
        """Return a variant's run."""
        variant = VARIANTS[name]
        return OneRun(
            "microcircuit",
            {"scale": self.scale, "seed": SEED, "drive": variant.drive},
            variant.chips,
            WARM_UP_MS,
            self.duration_ms,
            backend=variant.backend,
            rate_until_ms=WARM_UP_MS + self.peer_ms,
            statistics_ms=self.reference["window_ms"] if name == self.reference["drive"] else None,
        )

    def chosen(self, only: Sequence[str]) -> list[str]:
        """Return the variants that are asked for, all without a word, and those that the others rest on."""
        wanted = {"dc", self.reference["drive"], *(only or VARIANTS)}
        return [name for name in VARIANTS if name in wanted]

    def measure(
        self, only: Sequence[str], runs: int, peer_runs: int
    ) -> tuple[dict[str, list[Measured]], list[PeerRun]]:
        """Let all variants take turns; return their runs, and NEST's."""
        names = self.chosen(only)
        for drive in dict.fromkeys(VARIANTS[name].drive for name in names):
            compile_kernels(self.one_run(drive))
        actions: dict[str, Callable[[int], Any]] = {name: partial(self._run, name) for name in names}
        if peer_runs:
            network = self.one_run("dc").network()
            actions["nest"] = partial(self.nest.run, network, warm_up_ms=WARM_UP_MS, duration_ms=self.peer_ms)
        results = take_turns(actions, runs, at_most={"nest": peer_runs})
        return {name: results[name] for name in names}, results.get("nest", [])

    def _run(self, name: str, turn: int) -> Measured:
        return run(self.one_run(name))

    def report(self, results: Results, peers: Sequence[PeerRun]) -> Report:
        """Return what they showed."""
        title = f"Cortical microcircuit at scale {self.scale:g}"
        report = Report("microcircuit", title, self.rows(results), self.checks(results))
        if peers:
            rival, network = (self.nest, peers), self.one_run("dc").network()
            until_ms = WARM_UP_MS + self.peer_ms
            report.checks.append(same_rate(results["dc"], rival, until_ms, RATE_TOLERANCE))
            report.checks.append(same_synapses(network, rival))
            report.rows += rival_rows(results["dc"], rival)
            report.rows += _peer_rows(self.nest.what, peers)
        return report

    def checks(self, results: Results) -> list[Check]:
        """Return what must hold of ours: complete runs, one digest a drive, NEST's statistics."""
        found = [complete(VARIANTS[name].what, runs) for name, runs in results.items()]
        for drive in dict.fromkeys(VARIANTS[name].drive for name in results):
            same = [each for name in results if VARIANTS[name].drive == drive for each in results[name]]
            found.append(one_digest(f"{drive}, all chips and backends", same))
        return found + self.comparisons(results)

    def comparisons(self, results: Results) -> list[Check]:
        """Return each statistic of each population beside NEST's seeds."""
        summaries = results[self.reference["drive"]][0].statistics
        assert summaries is not None, "the run that is compared keeps its statistics"
        return same_statistics("NEST", summaries, list(self.reference["seeds"].values()))

    def rows(self, results: Results) -> list[Row]:
        """Return the measures of ours."""
        found = []
        for name, runs in results.items():
            variant, note = VARIANTS[name], timed(self.one_run(name), runs)
            factors = tuple(each.realtime_factor for each in runs)
            target = self._at_full_scale(variant.target)
            found.append(Row(variant.what, FACTOR, factors, None if variant.over_dc else target, note))
            if variant.over_dc:
                over = ratios(factors, [each.realtime_factor for each in results["dc"]])
                found.append(Row(f"{variant.what}, against 2", "times", over, target))
        for name in ("dc", "ray"):
            found += self._building_rows(name, results.get(name, ()))
        return found

    def _building_rows(self, name: str, runs: Sequence[Measured]) -> list[Row]:
        """Return time to build and memory; the targets are of threads."""
        if not runs:
            return []
        build, memory = (self._at_full_scale(t) if name == "dc" else None for t in (BUILD_S, MEMORY_GB))
        seconds = tuple(each.ready_seconds for each in runs)
        peaks = tuple(each.peak_pss_bytes * 1e-9 for each in runs)
        what = VARIANTS[name].what
        return [
            Row(f"{what}, building", "s", seconds, build, "from the description to the first tick"),
            Row(f"{what}, peak memory", "GB", peaks, memory, "PSS of all its processes"),
            estimate_row(what, runs, self._at_full_scale(ESTIMATE)),
        ]

    def _at_full_scale(self, target: Target) -> Target | None:
        return target if self.scale == 1.0 else None


def _peer_rows(what: str, peers: Sequence[PeerRun]) -> list[Row]:
    seconds = tuple(each.result["build_seconds"] for each in peers)
    peaks = tuple(each.peak_pss_bytes * 1e-9 for each in peers)
    return [
        Row(f"{what}, building", "s", seconds),
        Row(f"{what}, peak memory", "GB", peaks, note="PSS"),
    ]


if __name__ == "__main__":
    sys.exit(main())
