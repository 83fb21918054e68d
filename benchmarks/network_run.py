"""One run of any network on chips, in a process of its own: what it took, and how its neurons fired.

``python -m benchmarks.network_run`` is that process; it speaks `benchmarks.telling`. Others call `run`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import chip
from benchmarks.one_run import Backend, Stopwatch, expected_bytes
from benchmarks.process import ROOT, run_apart
from benchmarks.telling import task, tell, tell_finished, tell_result
from cluster import DeployOptions, RunOutcome, run_local
from network import Network, parse_network

KEPT = (
    "state",
    "digest",
    "synapse_digest",
    "n_spikes",
    "n_neurons",
    "n_synapses",
    "build_seconds",
    "run_seconds",
    "bytes_per_synapse",
    "epoch_ticks",
)


@dataclass(frozen=True)
class NetworkRun:
    """What is run.

    Attributes
    ----------
    network : dict
        A network's JSON.
    n_ticks : int
    options : mapping
        Of `cluster.DeployOptions`.
    threads : int or None
        Cores that threads use; None for all.
    arrays : str or None
        The folder of uploaded arrays.
    warm_up_ms : float
        Of the run, that is not timed.
    first : dict or None
        A network that is built and run for a tick before, in the same process, so that compiled kernels are
        at hand.
    """

    network: dict[str, Any]
    n_ticks: int
    options: Mapping[str, Any] = field(default_factory=dict)
    backend: Backend = "local"
    threads: int | None = None
    arrays: str | None = None
    warm_up_ms: float = 0.0
    first: dict[str, Any] | None = None


@dataclass(frozen=True)
class NetworkRan:
    """What came of it.

    Attributes
    ----------
    summary : dict
        `KEPT` of the run's summary.
    events, traffic : int
        Synaptic events delivered, and address events received.
    realtime_factor : float
        Wall seconds a biological second, the warm-up left out; 0 of a run without ticks.
    rate_hz, isi_cv, modulation : float
        Of all neurons after the warm-up, if there are spikes: see `activity`.
    package : str
        The folder that the engine was imported from.
    expected_bytes : int
        The memory that `cluster.fit` expects it to take.
    """

    summary: dict[str, Any]
    events: int
    traffic: int
    realtime_factor: float
    rate_hz: float
    isi_cv: float
    modulation: float
    package: str
    expected_bytes: int
    peak_pss_bytes: int = 0


def described(network: Network) -> dict[str, Any]:
    """Return a network's JSON."""
    found: dict[str, Any] = network.model_dump(mode="json")
    return found


def run(
    asked: NetworkRun, *, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> NetworkRan:
    """Run in a process of its own.

    Parameters
    ----------
    folder : Path
        Where the packages are imported from.
    environment : mapping, optional
        Variables beside those that it inherits.

    Raises
    ------
    RunFailed
        The process ended without a result.
    """
    command = [sys.executable, "-m", "benchmarks.network_run"]
    path = {"PYTHONPATH": str(folder)}
    finished = run_apart(command, asdict(asked), environment=path | dict(environment or {}), folder=folder)
    return NetworkRan(**finished.result | {"peak_pss_bytes": finished.peak_pss_bytes})


def measure(asked: NetworkRun) -> NetworkRan:
    """Run here, and tell the phases."""
    tell("building")
    options = DeployOptions(**asked.options)
    if asked.first is not None:
        first = parse_network(asked.first)
        run_local(first, n_ticks=1, options=options, backend=asked.backend, arrays=asked.arrays)
    network, watch = parse_network(asked.network), Stopwatch()
    outcome = run_local(
        network,
        n_ticks=asked.n_ticks,
        options=options,
        backend=asked.backend,
        threads=asked.threads,
        arrays=asked.arrays,
        progress=watch,
    )
    tell_finished()
    total_ms = asked.n_ticks * network.timestep_ms
    factor, from_ms = watch.realtime_factor(asked.warm_up_ms, total_ms) if asked.n_ticks else (0.0, 0.0)
    certificate = outcome.summary["conservation"]
    rate_hz, isi_cv, modulation = activity(network, outcome, network.ticks(from_ms), asked.n_ticks)
    return NetworkRan(
        summary={key: outcome.summary[key] for key in KEPT},
        events=certificate["synaptic_events"]["delivered"],
        traffic=certificate["address_events"]["delivered"],
        realtime_factor=factor,
        rate_hz=rate_hz,
        isi_cv=isi_cv,
        modulation=modulation,
        package=str(Path(chip.__file__).resolve().parent.parent),
        expected_bytes=expected_bytes(network, options, asked.backend, asked.threads),
    )


def activity(network: Network, outcome: RunOutcome, first: int, stop: int) -> tuple[float, float, float]:
    """Return mean rate in Hz, mean CV of intervals, and modulation, from tick `first` to `stop`.

    The CV is of the neurons with five intervals or more. The modulation is that of the rate that all neurons
    have in common: the standard deviation of the spikes of a tick, beyond what independent neurons have, as
    a share of their mean. Each is 0 where there is nothing to take it of.
    """
    kept = outcome.tick >= first
    tick, neuron = outcome.tick[kept].astype(np.int64), outcome.neuron[kept].astype(np.int64)
    if not tick.size:
        return 0.0, 0.0, 0.0
    counts = np.bincount(tick - first, minlength=stop - first)
    mean = float(counts.mean())
    modulation = max(float(counts.var()) - mean, 0.0) ** 0.5 / mean
    seconds = (stop - first) * network.timestep_ms * 1e-3
    return tick.size / network.n_neurons / seconds, _mean_cv(tick, neuron, network.n_neurons), modulation


def _mean_cv(tick: NDArray[np.int64], neuron: NDArray[np.int64], n_neurons: int) -> float:
    """Return the mean coefficient of variation of intervals; `tick` ascends."""
    order = np.argsort(neuron, kind="stable")
    same = np.diff(neuron[order]) == 0
    interval, owner = np.diff(tick[order])[same], neuron[order][1:][same]
    n = np.bincount(owner, minlength=n_neurons)
    sums, squares = (np.bincount(owner, weights, n_neurons) for weights in (interval, interval**2))
    enough = n >= 5
    if not enough.any():
        return 0.0
    mean = sums[enough] / n[enough]
    variance = np.maximum(squares[enough] / n[enough] - mean**2, 0.0)
    return float((np.sqrt(variance) / mean).mean())


if __name__ == "__main__":
    tell_result(asdict(measure(NetworkRun(**task()))))
