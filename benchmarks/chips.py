"""Weak scaling: k chips of 65,536 neurons, each neuron with 1,000 synapses, in threads and as Ray actors.

Of the synapses onto a neuron 80 % come from its own chip, with delays of 0.1 to 2 ms, and 20 % from all
chips, with 2 to 4 ms; the timestep is 0.1 ms, so chips exchange every 20 ticks. All neurons fire out of step
at 4 Hz. With twice the chips there is twice the work: on as many cores as chips the time should stay.

Waiting is measured apart, in a variant of the engine whose exchange reads the cycle counter before and after
each wait: it is the share of the worker loop's time that a worker waits for others (`benchmarks.waiting`).
Where more workers than cores take turns, a worker's waiting is also the others' work.

`--scale 0.0625` is a quick look: chips of 4,096 neurons, with 1,000 synapses each.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.beside import FACTOR, cores
from benchmarks.contest import positive, share
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.one_run import Backend
from benchmarks.report import Check, Report, Row, emit, parser_of
from benchmarks.turns import take_turns
from benchmarks.waiting import make, waited
from network import Network
from spikerack.builder import NetworkBuilder, fixed_in_degree, fixed_total_number, normal, uniform
from spikerack.examples.million import current_pa, integrators
from spikerack.examples.scaling import scaled

CHIP_NEURONS = 65_536
N_NEAR, N_FAR = 800, 200
NEAR_MS, FAR_MS = uniform(0.051, 2.049), uniform(1.951, 4.049)
"""Rounded to ticks: 0.1 to 2 ms and 2 to 4 ms, all as likely."""
WEIGHT_MV = normal(-0.04, 0.5)
TIMESTEP_MS = 0.1
RATE_HZ, RATE_TOLERANCE = 4.0, 0.1
WARM_UP_MS = 100.0
CHIPS = (1, 2, 4)
BACKENDS: dict[str, Backend] = {"threads": "local", "Ray": "ray"}


@dataclass(frozen=True)
class Place:
    """Where a number of chips run."""

    chips: int
    where: str

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.chips} chip{'s' if self.chips > 1 else ''}, {self.where}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("chips", __doc__)
    parser.add_argument("--scale", type=share, default=1.0, help="share of a chip's neurons")
    parser.add_argument("--seconds", type=positive, default=2.0, help="biological seconds that are timed")
    parser.add_argument("--chips", type=int, nargs="+", default=list(CHIPS), help="numbers of chips")
    parser.add_argument("--where", nargs="+", choices=tuple(BACKENDS), default=list(BACKENDS))
    chosen = parser.parse_args(arguments)
    places = [Place(k, where) for k in chosen.chips for where in chosen.where]
    asked = {place: asked_of(place, scale=chosen.scale, seconds=chosen.seconds) for place in places}
    for where in chosen.where:
        run(asked_of(Place(2, where), scale=1e-3, seconds=0.01))
    results = take_turns({str(p): partial(_run, asked[p]) for p in places}, chosen.runs)
    waits = measure_waiting({place: asked[place] for place in places if place.chips > 1})
    report = Report(
        "chips", f"Weak scaling: chips of {scaled(CHIP_NEURONS, chosen.scale):,} neurons, {cores()} cores"
    )
    for place in places:
        add(report, str(place), results[str(place)], waits.get(str(place)))
    report.checks += same_over_backends(places, results)
    return emit(report, as_json=chosen.json)


def network_of(n_chips: int, scale: float) -> Network:
    """Return the network of a number of chips: one population for each."""
    net = NetworkBuilder("chips", timestep_ms=TIMESTEP_MS, seed=1)
    mean_pa = current_pa(RATE_HZ, fan_in=N_NEAR + N_FAR, weight_mv=WEIGHT_MV, timestep_ms=TIMESTEP_MS)
    size = scaled(CHIP_NEURONS, scale)
    chips = [integrators(net, f"chip{k}", size, rate_hz=RATE_HZ, mean_pa=mean_pa) for k in range(n_chips)]
    near, far = fixed_in_degree(N_NEAR), fixed_total_number(round(N_FAR * size / n_chips))
    for target in chips:
        net.connect(target, target, near, weight=WEIGHT_MV, delay_ms=NEAR_MS, name=f"near {target.name}")
        for source in chips:
            net.connect(source, target, far, weight=WEIGHT_MV, delay_ms=FAR_MS)
    return net.build()


def asked_of(place: Place, *, scale: float, seconds: float) -> NetworkRun:
    """Return the run of a place."""
    network = network_of(place.chips, scale)
    return NetworkRun(
        described(network),
        network.ticks(WARM_UP_MS + 1e3 * seconds),
        {"chips": place.chips, "placement": "consecutive"},
        backend=BACKENDS[place.where],
        warm_up_ms=WARM_UP_MS,
    )


def _run(asked: NetworkRun, turn: int) -> NetworkRan:
    return run(asked)


def measure_waiting(asked: Mapping[Place, NetworkRun]) -> dict[str, tuple[float, ...]]:
    """Return each worker's share of waiting, for each place; the first runs only compile."""
    with tempfile.TemporaryDirectory(prefix="spikerack-waiting-") as name:
        folder = make(Path(name))
        for where in {place.where for place in asked}:
            waited(asked_of(Place(2, where), scale=1e-3, seconds=0.01), folder)
        return {str(place): waited(each, folder) for place, each in asked.items()}


def add(report: Report, what: str, runs: Sequence[NetworkRan], waits: tuple[float, ...] | None) -> None:
    """Add what a place showed."""
    report.rows.append(
        Row(what, FACTOR, tuple(r.realtime_factor for r in runs), note=f"{runs[0].rate_hz:.2f} Hz")
    )
    if waits is not None:
        shares = tuple(100 * each for each in waits)
        report.rows.append(Row(f"{what}: waiting", "% of a worker's time", shares, note="one value a worker"))
    rates = [r.rate_hz for r in runs]
    far = max(abs(rate - RATE_HZ) for rate in rates)
    got = f"{min(rates):.3f} to {max(rates):.3f}"
    report.checks += [
        Check(f"{what}: all runs must be complete", all(r.summary["state"] == "complete" for r in runs)),
        Check(
            f"{what}: the mean rate must be within 10 % of {RATE_HZ:g} Hz, got {got}",
            far <= RATE_TOLERANCE * RATE_HZ,
        ),
    ]


def same_over_backends(places: Sequence[Place], results: Mapping[str, Sequence[NetworkRan]]) -> list[Check]:
    """Return whether each number of chips has one digest over all backends and runs."""
    checks = []
    for k in dict.fromkeys(place.chips for place in places):
        runs = [r for place in places if place.chips == k for r in results[str(place)]]
        digests = {(r.summary["digest"], r.summary["synapse_digest"]) for r in runs}
        checks.append(
            Check(f"{k} chips: all runs must have one digest, got {len(digests)}", len(digests) == 1)
        )
    return checks


if __name__ == "__main__":
    sys.exit(main())
