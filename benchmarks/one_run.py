"""One run of an example on chips, in a process of its own: what it took, and what came of it.

``python -m benchmarks.one_run`` is that process; it speaks `benchmarks.telling`. Others call `run`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from benchmarks.process import run_apart
from benchmarks.telling import task, tell, tell_finished, tell_result
from cluster import SYSTEMS, DeployOptions, RunOutcome, fit, run_local
from cluster.room import room_here
from network import Network
from spikerack.examples import EXAMPLES
from spikerack.reference.spike_statistics import SpikeWindow, summarise

Backend = Literal["local", "ray"]

KEPT = ("state", "digest", "synapse_digest", "n_spikes", "n_synapses", "rates_hz", "n_saturated_weights")


@dataclass(frozen=True)
class OneRun:
    """What is run.

    Attributes
    ----------
    example : str
    arguments : mapping
        Of the example: scale, seed, and its own.
    chips : int
    backend : {"local", "ray"}
    warm_up_ms, duration_ms : float
        Biological time that is not timed, and that is: the run lasts their sum.
    rate_until_ms : float or None
        Until when the mean rate is taken; None for the end.
    statistics_ms : pair of float or None
        The window of which `spikerack.reference.spike_statistics` are made.
    """

    example: str
    arguments: Mapping[str, Any]
    chips: int
    warm_up_ms: float
    duration_ms: float
    backend: Backend = "local"
    rate_until_ms: float | None = None
    statistics_ms: tuple[float, float] | None = None

    @property
    def total_ms(self) -> float:
        """The run's biological time."""
        return self.warm_up_ms + self.duration_ms

    def network(self) -> Network:
        """Return the description."""
        return EXAMPLES[self.example](**self.arguments)


@dataclass(frozen=True)
class Measured:
    """What came of a run.

    Attributes
    ----------
    summary : dict
        `KEPT` of the run's summary.
    ready_seconds : float
        From before the network is described until its first tick begins.
    realtime_factor : float
        Wall seconds a biological second, from `timed_from_ms` to the end.
    timed_from_ms : float
        The first report of progress after the warm-up; 0 when less than half of the run would be left.
    rate_hz : float
        Mean over all neurons, sources aside.
    statistics : dict or None
    expected_bytes : int
        The memory that `cluster.fit` expects it to take.
    peak_pss_bytes : int
    """

    summary: dict[str, Any]
    ready_seconds: float
    realtime_factor: float
    timed_from_ms: float
    rate_hz: float
    statistics: dict[str, Any] | None
    expected_bytes: int
    peak_pss_bytes: int = 0


def run(asked: OneRun) -> Measured:
    """Run in a process of its own.

    Raises
    ------
    RunFailed
        The process ended without a result.
    """
    finished = run_apart([sys.executable, "-m", "benchmarks.one_run"], asdict(asked))
    return Measured(**finished.result | {"peak_pss_bytes": finished.peak_pss_bytes})


def compile_kernels(asked: OneRun) -> None:
    """Let the kernels of a run be compiled, by a short one, so that no measured run does that."""
    scale = min(0.05, asked.arguments.get("scale", 1.0))
    run(OneRun(asked.example, {**asked.arguments, "scale": scale}, asked.chips, 0.0, 10.0))


@dataclass
class Stopwatch:
    """Notes when which share of a run was done, from the reports of `cluster.run_local`.

    The first report of a run comes before its first tick, the last after its end, and between them one
    comes every 0.2 s; so the warm-up is left out without stopping the run.
    """

    begin: float = field(default_factory=time.perf_counter)
    seconds: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def __call__(self, phase: str, share: float, detail: str) -> None:
        """Take a report."""
        if phase == "running":
            self.seconds.append(time.perf_counter() - self.begin)
            self.shares.append(share)
            if len(self.shares) == 1:
                tell("running")

    def realtime_factor(self, warm_up_ms: float, total_ms: float) -> tuple[float, float]:
        """Return wall seconds a biological second, and from which ms on."""
        after = [k for k, share in enumerate(self.shares) if warm_up_ms / total_ms <= share <= 0.5]
        first = after[0] if after else 0
        biological_s = (self.shares[-1] - self.shares[first]) * total_ms * 1e-3
        return (self.seconds[-1] - self.seconds[first]) / biological_s, self.shares[first] * total_ms


def measure(asked: OneRun) -> Measured:
    """Run here, and tell the phases.

    Raises
    ------
    RuntimeError
        The run failed.
    """
    tell("building")
    watch = Stopwatch()
    network, options = asked.network(), DeployOptions(chips=asked.chips)
    outcome = run_local(
        network,
        n_ticks=network.ticks(asked.total_ms),
        options=options,
        backend=asked.backend,
        progress=watch,
    )
    tell_finished()
    if outcome.summary["state"] == "failed":
        raise RuntimeError(f"{asked.example}: {outcome.summary['error']}")
    factor, timed_from_ms = watch.realtime_factor(asked.warm_up_ms, asked.total_ms)
    return Measured(
        summary={key: outcome.summary[key] for key in KEPT},
        ready_seconds=watch.seconds[0],
        realtime_factor=factor,
        timed_from_ms=timed_from_ms,
        rate_hz=mean_rate_hz(network, outcome, asked.rate_until_ms or asked.total_ms),
        statistics=_statistics(network, outcome, asked.statistics_ms),
        expected_bytes=expected_bytes(network, options, asked.backend),
    )


def expected_bytes(
    network: Network, options: DeployOptions, backend: Backend, threads: int | None = None
) -> int:
    """Return the memory that a run is expected to take."""
    room = room_here(backend, threads=threads)
    return fit(network, SYSTEMS["rack-8x8"], options, room).memory_bytes


def mean_rate_hz(network: Network, outcome: RunOutcome, until_ms: float) -> float:
    """Return the mean rate of all neurons from 0 to `until_ms`; spikes of sources do not count."""
    n_neurons = sum(population.size for population in network.populations)
    counted = (outcome.neuron < n_neurons) & (outcome.tick < network.ticks(until_ms))
    return int(np.count_nonzero(counted)) / n_neurons / (until_ms * 1e-3)


def _statistics(
    network: Network, outcome: RunOutcome, window_ms: tuple[float, float] | None
) -> dict[str, Any] | None:
    if window_ms is None:
        return None
    first_tick, stop_tick = (network.ticks(ms) for ms in window_ms)
    window = SpikeWindow(outcome.tick, outcome.neuron, first_tick, stop_tick, network.timestep_ms)
    return summarise(window, {population.name: population.size for population in network.populations})


if __name__ == "__main__":
    tell_result(asdict(measure(OneRun(**task()))))
