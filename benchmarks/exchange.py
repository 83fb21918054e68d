"""An epoch's exchange alone: chips that hold next to nothing, and exchange in every tick.

Each chip holds one neuron, which projects to those of all others with a delay of one tick, so that an epoch
is a tick. Either no neuron ever fires, or (up to 4 chips) all fire in every tick, and each chip sends a key
to each other. A tick of one such chip that runs alone, which exchanges nothing, is measured beside it: the
rest is the exchange, with what it takes to call the loop some 30 times a second.

Threads are no more than cores and then serve several chips each; Ray actors are processes, one a chip, and
from three on they share the cores of a machine of two.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.beside import cores
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.one_run import Backend
from benchmarks.report import Check, Report, Row, emit, parser_of
from benchmarks.turns import take_turns
from network import Network
from spikerack.builder import NetworkBuilder, all_to_all

CHIPS = (2, 4, 8, 16)
BACKENDS: dict[str, Backend] = {"threads": "local", "processes": "ray"}
MOST_FIRING = 4
"""Chips up to which all fire, too: from there on a run costs minutes to start and says the same."""
TICKS_PER_MS = 10
THRESHOLD_MV, PUSH_PA = 20.0, 1e6


@dataclass(frozen=True)
class Load:
    """Which chips exchange what."""

    chips: int
    where: str
    firing: bool

    def __str__(self) -> str:
        """Return it for people."""
        alone = "1 chip alone" if self.chips == 1 else f"{self.chips} chips"
        return f"{alone}, {self.where}, {'all fire' if self.firing else 'silent'}"

    def network(self) -> Network:
        """Return a population of one neuron for each chip; all project to all."""
        net = NetworkBuilder("exchange", timestep_ms=1 / TICKS_PER_MS, seed=1)
        neurons = net.population(
            "neurons",
            self.chips,
            "lif_curr_delta",
            initial={"v_mv": 0.0},
            v_rest_mv=0.0,
            v_reset_mv=0.0,
            v_threshold_mv=THRESHOLD_MV,
            t_ref_ms=0.0,
        )
        neurons.receives_current(PUSH_PA if self.firing else 0.0)
        net.connect(neurons, neurons, all_to_all(), weight=0.01, delay_ms=1 / TICKS_PER_MS)
        return net.build()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("exchange", __doc__)
    parser.add_argument("--ticks", type=int, default=200_000, help="epochs of a run")
    parser.add_argument("--chips", type=int, nargs="+", default=list(CHIPS), help="numbers of chips")
    parser.add_argument("--where", nargs="+", choices=tuple(BACKENDS), default=list(BACKENDS))
    chosen = parser.parse_args(arguments)
    loads = [
        Load(k, where, firing)
        for where in chosen.where
        for k in (1, *chosen.chips)
        for firing in ((False, True) if k <= MOST_FIRING else (False,))
    ]
    run(asked_of(loads[0], 100))  # compiles
    results = take_turns(
        {str(load): partial(_run, asked_of(load, chosen.ticks)) for load in loads}, chosen.runs
    )
    report = Report("exchange", f"An epoch's exchange, {cores()} cores")
    for load in loads:
        add(report, load, results[str(load)], chosen.ticks)
    return emit(report, as_json=chosen.json)


def asked_of(load: Load, n_ticks: int) -> NetworkRun:
    """Return the run of a load; a tenth of it warms up."""
    network = load.network()
    warm_up_ms = n_ticks // 10 / TICKS_PER_MS
    options = {"chips": load.chips, "placement": "consecutive"}
    return NetworkRun(
        described(network), n_ticks, options, backend=BACKENDS[load.where], warm_up_ms=warm_up_ms
    )


def _run(asked: NetworkRun, turn: int) -> NetworkRan:
    return run(asked)


def add(report: Report, load: Load, runs: Sequence[NetworkRan], n_ticks: int) -> None:
    """Add what a load showed: microseconds a tick, which is an epoch."""
    # Wall seconds a biological second, at 10,000 ticks a biological second.
    per_epoch = tuple(1e6 * r.realtime_factor / (1000 * TICKS_PER_MS) for r in runs)
    what = "a tick" if load.chips == 1 else "an epoch"
    keys = f"{load.chips * (load.chips - 1)} keys between chips an epoch" if load.firing else "no keys"
    report.rows.append(Row(f"{load}: {what}", "us", per_epoch, note=keys if load.chips > 1 else ""))
    counts = {r.summary["n_spikes"] / n_ticks for r in runs}
    epochs = {r.summary["epoch_ticks"] for r in runs}
    report.checks += [
        Check(f"{load}: all runs must be complete", all(r.summary["state"] == "complete" for r in runs)),
        Check(
            f"{load}: {'all neurons' if load.firing else 'no neuron'} must fire in each tick",
            counts == {load.chips if load.firing else 0},
        ),
    ]
    if load.chips > 1:
        report.checks.append(Check(f"{load}: an epoch must be a tick, got {epochs}", epochs == {1}))


if __name__ == "__main__":
    sys.exit(main())
