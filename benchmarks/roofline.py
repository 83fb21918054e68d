"""How near the engine is to what the memory allows: measured bandwidth, and the microcircuit against it.

An event of the microcircuit needs the four bytes of its synapse and its part of where synapses stand, all of
which a spike reads once: the bytes a synapse of the chips as built. At the measured bandwidth of all cores
reading that is the least time an event can take, were nothing else to be done. Its share of the measured time
of an event is told, updates of neurons, exchange and all else included.

Nor is it bandwidth alone: segments lie anywhere, and a core waits for so many lines at a time and no more. So
the engine's walk over random segments is timed alone too: words anywhere in memory, and in the cache.

Beside it what a neuron's update takes, and a Poisson draw: populations without synapses on one core. A draw
is what the same population takes longer with a Poisson input.

`--scale 0.1` is a quick look at the microcircuit, `--mib 64` at the memory.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.bandwidth import KERNELS, Memory, chain, nanoseconds_a_look
from benchmarks.beside import cores
from benchmarks.contest import positive, share
from benchmarks.network_run import NetworkRan, NetworkRun, described, run
from benchmarks.report import Check, Report, Row, emit, parser_of
from benchmarks.segments import LENGTH, Segments
from benchmarks.turns import take_turns
from spikerack.builder import NetworkBuilder
from spikerack.examples import microcircuit

N_NEURONS = 65_536
TIMESTEP_MS = 0.1
POISSON_HZ = 8_000.0
POPULATIONS = {
    "lif_curr_delta": ("lif_curr_delta", False),
    "lif_curr_exp": ("lif_curr_exp", False),
    "lif_curr_exp, Poisson input": ("lif_curr_exp", True),
}
"""Model, and whether it has an input."""
CIRCUIT = "microcircuit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = parser_of("roofline", __doc__)
    parser.add_argument("--scale", type=share, default=1.0, help="share of the microcircuit")
    parser.add_argument("--seconds", type=positive, default=3.0, help="its biological seconds")
    parser.add_argument("--mib", type=int, default=512, help="size of each of three arrays")
    parser.add_argument("--ticks", type=int, default=20_000, help="of the populations")
    chosen = parser.parse_args(arguments)
    report = Report("roofline", f"Memory and the microcircuit at {chosen.scale:g}, {cores()} cores")
    bandwidth = add_memory(report, chosen.mib, chosen.runs)
    add_segments(report, chosen.mib, chosen.runs)
    asked = {CIRCUIT: circuit(chosen.scale, chosen.seconds)}
    asked |= {name: population(*POPULATIONS[name], chosen.ticks) for name in POPULATIONS}
    run(circuit(0.01, 0.01))  # compiles
    for name in POPULATIONS:
        run(population(*POPULATIONS[name], 10))
    results = take_turns({name: partial(_run, each) for name, each in asked.items()}, chosen.runs)
    add_circuit(report, results.pop(CIRCUIT), bandwidth)
    add_populations(report, results, chosen.ticks)
    return emit(report, as_json=chosen.json)


def add_memory(report: Report, mib: int, runs: int) -> float:
    """Measure the memory; return the bytes a nanosecond that all cores can read."""
    memory, read = Memory(mib), 0.0
    for name in KERNELS:
        for threads in dict.fromkeys((1, cores())):
            values = tuple(memory.gigabytes_a_second(name, threads) for _ in range(runs))
            row = Row(f"{name}, {threads} core{'s' if threads > 1 else ''}", "GB/s", values)
            report.rows.append(row)
            read = row.median if name == "read" else read
    lines = chain(mib)
    looks = tuple(nanoseconds_a_look(lines) for _ in range(runs))
    report.rows.append(
        Row("a random look, 1 core", "ns", looks, note=f"each line of {mib} MiB once, in a cycle")
    )
    return read


def add_segments(report: Report, mib: int, runs: int) -> None:
    """Measure delivery alone."""
    segments = Segments(mib, cores())
    for where, cached in (("anywhere", False), ("in the cache", True)):
        for threads in dict.fromkeys((1, cores())):
            what = f"segments of {LENGTH} words {where}, {threads} core{'s' if threads > 1 else ''}"
            values = tuple(segments.nanoseconds_an_event(threads, k, cached=cached) for k in range(runs))
            report.rows.append(Row(f"{what}: an event and core", "ns", values))


def circuit(scale: float, seconds: float) -> NetworkRun:
    """Return the microcircuit's run: a chip a core."""
    network = microcircuit(scale, 1, drive="dc" if scale == 1.0 else "poisson")
    return NetworkRun(described(network), network.ticks(1e3 * seconds), {"chips": cores()})


def population(model: str, poisson: bool, n_ticks: int) -> NetworkRun:
    """Return the run of neurons that rest, without synapses, on one core."""
    net = NetworkBuilder("rest", timestep_ms=TIMESTEP_MS, seed=1)
    neurons = net.population("neurons", N_NEURONS, model)
    if poisson:
        values: dict[str, Any] = {"rate_hz": POISSON_HZ, "weight": 0.001, "receptor": "excitatory"}
        neurons.receives_poisson(**values)
    return NetworkRun(described(net.build()), n_ticks, {"chips": 1}, threads=1)


def _run(asked: NetworkRun, turn: int) -> NetworkRan:
    return run(asked)


def add_circuit(report: Report, runs: Sequence[NetworkRan], bandwidth: float) -> None:
    """Add the microcircuit beside the bound."""
    per_event = tuple(1e9 * r.summary["run_seconds"] / max(r.events, 1) for r in runs)
    n_bytes = runs[0].summary["bytes_per_synapse"]
    least = n_bytes / bandwidth
    shares = tuple(100.0 * least / each for each in per_event)
    events = runs[0].events
    report.rows += [
        Row(f"{CIRCUIT}: an event, all cores", "ns", per_event, note=f"{events:,} events"),
        Row(f"{CIRCUIT}: an event and core", "ns", tuple(cores() * each for each in per_event)),
        Row(f"{CIRCUIT}: an event", "bytes", (n_bytes,), note="its synapse, and where it stands"),
        Row(f"{CIRCUIT}: the least an event can take", "ns", (least,), note="at the bandwidth of reading"),
        Row(f"{CIRCUIT}: share of the bound that is reached", "%", shares),
    ]
    report.checks += [
        Check(f"{CIRCUIT}: all runs must be complete", all(r.summary["state"] == "complete" for r in runs)),
        Check(f"{CIRCUIT}: must deliver events, got {events:,}", events > 0),
    ]


def add_populations(report: Report, results: dict[str, list[NetworkRan]], n_ticks: int) -> None:
    """Add what neurons take, and a draw."""
    times = {
        name: tuple(1e9 * r.summary["run_seconds"] / (N_NEURONS * n_ticks) for r in runs)
        for name, runs in results.items()
    }
    report.rows += [Row(f"{name}: a neuron and tick", "ns", values) for name, values in times.items()]
    without, with_input = times["lif_curr_exp"], times["lif_curr_exp, Poisson input"]
    draws = tuple(long - short for short, long in zip(without, with_input, strict=True))
    mean = POISSON_HZ * TIMESTEP_MS * 1e-3
    report.rows.append(Row("a Poisson draw", "ns", draws, note=f"of mean {mean:g} a tick"))
    silent = all(r.summary["n_spikes"] == 0 for runs in results.values() for r in runs)
    report.checks.append(Check("populations at rest must not fire", silent))


if __name__ == "__main__":
    sys.exit(main())
