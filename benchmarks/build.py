"""Building networks: the full microcircuit, each rule of connectivity, and 100 million uploaded synapses.

Each is built in a process of its own that has built a small network of its kind before, so that compiled
kernels are at hand; from the plan to chips that could take their first tick, on as many chips in threads as
there are cores. The rules draw the same number of synapses each, with constant weights and delays but for
one, which also draws normal weights and delays as the microcircuit's. For the uploaded list, keeping it in a
folder (`spikerack.arrays.save`) is measured beside building from it.

`--scale 0.1` is a quick look; `--only` chooses among microcircuit, rules and uploaded.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.beside import cores
from benchmarks.contest import share
from benchmarks.memory import ESTIMATE, estimate_row
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.report import Check, Report, Row, Target, emit, parser_of
from benchmarks.rule_networks import SYNAPSES_A_NEURON, joined, rule_networks
from benchmarks.turns import take_turns
from benchmarks.upload import keep_apart
from cluster import SYSTEMS, DeployOptions, fit
from network import Network
from spikerack.examples import microcircuit

N_RULE, N_UPLOADED = 10_000_000, 100_000_000
SMALL = 20_000
BUILD_S = Target(20.0, 8.0)
PARTS = ("microcircuit", "rules", "uploaded")
DRAWN, TOLERANCE = ("fixed_probability", "distance_dependent"), 0.01
"""Of the synapses that rules with a probability draw."""


@dataclass(frozen=True)
class Built:
    """A build, and how many synapses it is expected to draw."""

    asked: NetworkRun
    n_synapses: int

    @classmethod
    def of(cls, network: Network, small: Network, arrays: str | None = None) -> Built:
        """Return the build of a network: a run of no tick, after that of a small one that is alike."""
        expected = fit(network, SYSTEMS["rack-8x8"], DeployOptions(chips=cores())).n_synapses
        first, options = described(small), {"chips": cores()}
        return cls(NetworkRun(described(network), 0, options, arrays=arrays, first=first), expected)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("build", __doc__)
    parser.add_argument("--scale", type=share, default=1.0, help="share of the synapses")
    parser.add_argument("--only", action="append", choices=PARTS, default=[], help="see above")
    chosen = parser.parse_args(arguments)
    parts = chosen.only or PARTS
    report = Report("build", f"Building networks on {cores()} chips in threads, {cores()} cores")
    with tempfile.TemporaryDirectory(prefix="spikerack-uploaded-") as folder:
        builds: dict[str, Built] = {}
        if "microcircuit" in parts:
            builds["microcircuit"] = Built.of(microcircuit(chosen.scale, 1), microcircuit(0.01, 1))
        if "rules" in parts:
            small = rule_networks(SMALL)
            large = rule_networks(round(N_RULE * chosen.scale))
            builds |= {name: Built.of(network, small[name]) for name, network in large.items()}
        if "uploaded" in parts:
            built, row = uploaded(folder, round(N_UPLOADED * chosen.scale))
            builds["uploaded, with weights"] = built
            report.rows.append(row)
        results = take_turns({name: partial(_run, each.asked) for name, each in builds.items()}, chosen.runs)
    for name, each in builds.items():
        target = BUILD_S if name == "microcircuit" and chosen.scale == 1.0 else None
        add(report, name, each, results[name], target)
    return emit(report, as_json=chosen.json)


def _run(asked: NetworkRun, turn: int) -> NetworkRan:
    return run(asked)


def uploaded(folder: str, n: int) -> tuple[Built, Row]:
    """Keep a list of `n` synapses in a folder; return a network of it, and how long keeping took."""
    small, kept = (keep_apart(folder, n=k, n_neurons=_size(k)) for k in (SMALL, n))
    row = Row(
        f"keeping {n:,} synapses in a folder", "s", (kept.seconds,), note="checked and hashed, weights too"
    )
    network, first = (joined(_size(each.rule.n), each.rule, delay_ms=1.5) for each in (kept, small))
    return Built.of(network, first, folder), row


def _size(n: int) -> int:
    return max(n // SYNAPSES_A_NEURON, 1)


def add(report: Report, name: str, built: Built, runs: Sequence[NetworkRan], target: Target | None) -> None:
    """Add what building a network took."""
    seconds = tuple(r.summary["build_seconds"] for r in runs)
    n = runs[0].summary["n_synapses"]
    rates = f"{n / seconds[0] * 1e-6:.1f} M synapses a second" if n else "no synapses"
    report.rows += [
        Row(f"{name}: {n:,} synapses", "s", seconds, target, rates),
        Row(f"{name}: a synapse and core", "ns", tuple(1e9 * s * cores() / max(n, 1) for s in seconds)),
        estimate_row(name, runs, None if target is None else ESTIMATE),
    ]
    digests = {r.summary["synapse_digest"] for r in runs}
    apart = abs(n - built.n_synapses) / max(n, 1)
    report.checks += [
        Check(
            f"{name}: must have {built.n_synapses:,} synapses, 1 % more or less where they are drawn one by "
            f"one, got {n:,}",
            apart <= (TOLERANCE if name in DRAWN else 0.0),
        ),
        Check(f"{name}: all builds must have one synapse digest, got {len(digests)}", len(digests) == 1),
    ]


if __name__ == "__main__":
    sys.exit(main())
