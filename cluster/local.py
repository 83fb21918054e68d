"""A network run from here, without the service: what the command line and notebooks call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cluster.arrays import ArrayStore, require_arrays
from cluster.check import check
from cluster.control import RunControl
from cluster.execution import Execution
from cluster.fit import require_fit
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.recordings import RecordedSynapses, Recordings
from cluster.report import mapping_report
from cluster.room import Backend, room_here
from cluster.systems import SYSTEMS, System
from cluster.team import Team, ThreadTeam
from cluster.warmup import warm_up
from network import Network
from network.recording import StateRecording


@dataclass
class MemorySink:
    """Keeps a run's results in memory; tells `progress` as they come."""

    progress: Callable[[str, float, str], None]
    pairs: list[NDArray[np.uint32]] = field(default_factory=list)
    states: list[Sequence[NDArray[np.float64]]] = field(default_factory=list)

    def append(
        self, last_tick: int, pairs: NDArray[np.uint32], states: Sequence[NDArray[np.float64]]
    ) -> None:
        """Keep the spikes and samples."""
        self.pairs.append(pairs)
        self.states.append(states)

    def status(self, record: Mapping[str, Any]) -> None:
        """Tell the share that is done."""
        factor = record["realtime_factor"]
        detail = f"{record['n_spikes']:,} spikes" + (
            f", {factor:.2f} s a biological second" if factor else ""
        )
        self.progress("running", record["progress"], detail)


@dataclass(frozen=True)
class RunOutcome:
    """A finished run.

    Attributes
    ----------
    tick, neuron : (n_spikes,) uint32 arrays
        The spikes that the network's recordings keep, sorted by tick, then global neuron number.
    summary : dict
        Digests, sizes, rates, times, memory, conservation, quantisation; ready for JSON.
    states : list of float64 arrays
        For each recording of the network: (n_rows, n_variables, n_neurons) of states, (n_rows, n_synapses) of
        weights, (0, 0) of spikes.
    synapses : mapping from int to RecordedSynapses
        For each recording of weights, its columns.
    """

    tick: NDArray[np.uint32]
    neuron: NDArray[np.uint32]
    summary: dict[str, Any]
    states: list[NDArray[np.float64]]
    synapses: Mapping[int, RecordedSynapses]


def run_local(
    network: Network,
    *,
    n_ticks: int,
    system: System | None = None,
    options: DeployOptions | None = None,
    backend: Backend = "local",
    threads: int | None = None,
    arrays: Path | str | None = None,
    memory_bytes: int | None = None,
    progress: Callable[[str, float, str], None] = lambda phase, share, detail: None,
) -> RunOutcome:
    """Build a network, run it for `n_ticks`, and return its spikes and a summary.

    Parameters
    ----------
    threads : int or None
        Cores to use with the local backend; None for all.
    arrays : Path, str or None
        The folder of the arrays that the network names, as `spikerack.arrays.save` fills it.
    memory_bytes : int or None
        What building and running may be expected to take; None for all that this host can give now.
    progress : callable
        Told phase, share done (0 to 1) and a detail for people.

    Raises
    ------
    NetworkError, CapacityError
        The network is wrong, or does not fit the system or into memory.
    ArraysLost
        Arrays that it names are damaged.
    DeploymentLost
        A chip died while it was built.
    """
    check(network)
    system, options = system or SYSTEMS["rack-8x8"], options or DeployOptions()
    require_fit(network, system, options, room_here(backend, threads=threads, memory_bytes=memory_bytes))
    store = ArrayStore(None if arrays is None else Path(arrays).resolve())
    require_arrays(network, store, verify=True)
    plan = Plan(network, system, options, None if store.folder is None else str(store.folder))
    if backend == "local":  # Ray's hosts do it themselves.
        warm_up(network, options, lambda phase, share: progress(phase, share, "once after installing"))
    begin = time.perf_counter()
    team = _team(plan, backend, threads)
    try:
        built = team.build(lambda phase, share: progress(phase, share, ""))
        report = mapping_report(plan, built, time.perf_counter() - begin)
        recordings = Recordings.of(network, [chip.columns for chip in built])
        sink, control = MemorySink(progress), RunControl("local", n_ticks)
        digest = report["synapse_digest"]
        run = Execution(plan, team, sink, control, recordings=recordings, synapse_digest=digest)
        summary = report | run.run() | {"peak_memory_bytes": team.peak_bytes()}
        return _outcome(recordings, sink, summary)
    finally:
        team.close()


def _team(plan: Plan, backend: Backend, threads: int | None) -> Team:
    if backend == "local":
        return ThreadTeam(plan, threads)
    from cluster.ray_team import PrivateRayTeam  # Ray takes a second to import, and threads do not need it

    return PrivateRayTeam(plan)


def _outcome(recordings: Recordings, sink: MemorySink, summary: dict[str, Any]) -> RunOutcome:
    tick, neuron = (np.concatenate([np.empty(0, np.uint32), *(p[:, k] for p in sink.pairs)]) for k in (0, 1))
    states = []
    for number, recording in enumerate(recordings.network.recordings):
        width = recordings.width(number)
        rows = np.concatenate([np.empty((0, width)), *(part[number] for part in sink.states)])
        if isinstance(recording, StateRecording):
            rows = rows.reshape(len(rows), len(recording.variables), len(recording.neurons.range))
        states.append(rows)
    return RunOutcome(tick, neuron, summary, states, recordings.synapses)
