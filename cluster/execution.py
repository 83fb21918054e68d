"""One run of a deployment: advance, merge, digest, record, certify. The same for threads and for Ray."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cluster.control import RunControl
from cluster.errors import DeploymentLost
from cluster.lowering import lower
from cluster.plan import Plan
from cluster.runfile import now
from cluster.team import Team
from cluster.worker import Advance
from network import SpikeDigest
from router import SYNAPTIC_EVENTS, Balance, Certificate, certify, link_traffic

_ADVANCE_SECONDS = 0.03
_STATUS_SECONDS = 0.2
_FIRST_ADVANCE_TICKS = 50
_MAX_ADVANCE_TICKS = 100_000


def engine_version() -> str:
    """Return the version of this engine."""
    try:
        return version("spikerack")
    except PackageNotFoundError:
        return "unknown"


class Sink(Protocol):
    """Where a run's results go: files, or memory."""

    def append(
        self, last_tick: int, pairs: NDArray[np.uint32], states: Sequence[NDArray[np.float64]]
    ) -> None:
        """Take all spikes and samples up to, and not with, `last_tick`."""

    def status(self, record: Mapping[str, Any]) -> None:
        """Take the run's record."""


def run_meta(plan: Plan, run_id: str, n_ticks: int) -> dict[str, Any]:
    """Return what readers of a run need to know of its network."""
    network = plan.network
    return {
        "run": run_id,
        "timestep_ms": network.timestep_ms,
        "n_ticks": n_ticks,
        "n_neurons": network.n_neurons,
        "seed": network.seed,
        "engine_version": engine_version(),
        "populations": [
            {
                "name": member.name,
                "first": plan.member_first[k],
                "size": member.size,
                "kind": "population" if k < len(network.populations) else "source",
            }
            for k, member in enumerate(network.members)
        ],
        "recordings": [
            {
                "population": recording.population,
                "variables": list(recording.variables),
                "start": recording.neurons.start,
                "stop": recording.neurons.stop,
                "step": recording.neurons.step,
                "n_neurons": len(recording.neurons.range),
                "interval_ticks": network.ticks(recording.interval_ms),
            }
            for recording in network.recordings
        ],
    }


class Execution:
    """A run under way.

    Parameters
    ----------
    plan : Plan
    team : Team
        Built.
    sink : Sink
    control : RunControl
    synapse_digest : str
    """

    def __init__(self, plan: Plan, team: Team, sink: Sink, control: RunControl, synapse_digest: str) -> None:
        self.plan, self.team, self.sink, self.control = plan, team, sink, control
        network, self.n_ticks = plan.network, control.n_ticks
        self._digest = SpikeDigest(network.timestep_ms, self.n_ticks, network.n_neurons)
        self._order = np.argsort([r.first for r in plan.ranges], kind="stable")
        self._edges = np.array([plan.ranges[k].first for k in self._order] + [network.n_neurons], np.int64)
        self._spikes_per_range = np.zeros(len(plan.ranges), np.int64)
        self._fixed = {
            "n_ticks": self.n_ticks,
            "synapse_digest": synapse_digest,
            "engine_version": engine_version(),
        }
        self._started, self._seconds, self._reported, self._tick = now(), 0.0, 0.0, 0
        self._probes = probe_columns(plan)

    def run(self) -> dict[str, Any]:
        """Run to the end; return the final record, which the sink has got too.

        An error of the team becomes the record's `error`; it is not raised.
        """
        try:
            state = self._advance_all()
            certificate = self._certificate()
            if state == "complete" and not (certificate.holds and certificate.lossless):
                state = "complete_with_loss"
            record = self._record(state) | {"conservation": certificate.to_dict()}
        except Exception as problem:
            record = self._record("failed", f"{problem}; last complete tick: {self._tick}")
        record |= {"digest": self._digest.hexdigest(self._tick), "ended": now()}
        try:
            with contextlib.suppress(DeploymentLost):  # the record was closed by who took this for dead
                self.sink.status(record)
        finally:
            self.control.end(record["state"], self._tick)
        return record

    def _advance_all(self) -> str:
        self.team.reset()
        self.control.on_change = lambda state: self.sink.status(self._record(state))
        self.sink.status(self._record("running"))
        ticks = _FIRST_ADVANCE_TICKS
        while self._tick < self.n_ticks:
            stop = self.control.boundary(self._tick)
            if stop is None:
                return "cancelled"
            ticks = self._advance(min(self._tick + ticks, stop, self.n_ticks), ticks)
        return "complete"

    def _advance(self, until: int, ticks: int) -> int:
        """Advance to `until`; return how many ticks to take next, for an advance to take some tens of ms."""
        begin = time.perf_counter()
        advances = self.team.advance(until)
        spikes = np.sort(np.concatenate([advance.spikes for advance in advances]))
        pairs = np.empty((spikes.size, 2), np.uint32)
        pairs[:, 0], pairs[:, 1] = spikes >> np.uint64(32), spikes & np.uint64(0xFFFFFFFF)
        self._digest.update(pairs[:, 0], pairs[:, 1])
        counts = np.diff(np.searchsorted(np.sort(pairs[:, 1]), self._edges))
        self._spikes_per_range[self._order] += counts
        self.sink.append(until, pairs, self._samples(advances))
        done, self._tick = until - self._tick, until
        elapsed = time.perf_counter() - begin
        self._seconds += elapsed
        if time.perf_counter() - self._reported > _STATUS_SECONDS:
            self._reported = time.perf_counter()
            self.sink.status(self._record("running"))
        return int(
            np.clip(done * _ADVANCE_SECONDS / max(elapsed, 1e-6), 1, min(4 * ticks, _MAX_ADVANCE_TICKS))
        )

    def _samples(self, advances: Sequence[Advance]) -> list[NDArray[np.float64]]:
        """Put the columns that each chip has sampled together to whole rows, for each recording."""
        columns: dict[int, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
        for probes, advance in zip(self._probes, advances, strict=True):
            for (number, places), values in zip(probes, advance.samples, strict=True):
                columns.setdefault(number, []).append((places, values))
        rows = []
        for number, recording in enumerate(self.plan.network.recordings):
            parts = columns.get(number, [])
            width = len(recording.variables) * len(recording.neurons.range)
            whole = np.empty((parts[0][1].shape[0] if parts else 0, width))
            for places, values in parts:
                whole[:, places] = values
            rows.append(whole)
        return rows

    def _record(self, state: str, error: str | None = None) -> dict[str, Any]:
        seconds = self._tick * self.plan.network.timestep_ms * 1e-3
        return self._fixed | {
            "state": state,
            "tick": self._tick,
            "progress": self._tick / self.n_ticks if self.n_ticks else 1.0,
            "realtime_factor": self._seconds / seconds if seconds else None,
            "run_seconds": self._seconds,
            "error": error,
            "digest": None,
            "conservation": None,
            "n_spikes": int(self._spikes_per_range.sum()),
            "rates_hz": self._rates(seconds),
            "started": self._started,
            "ended": None,
        }

    def _rates(self, seconds: float) -> dict[str, float] | None:
        if not seconds:
            return None
        members = self.plan.network.members
        counts = np.zeros(len(members), np.int64)
        np.add.at(
            counts, [part.member for own in self.plan.placement for part in own], self._spikes_per_range
        )
        return {m.name: float(n) / max(m.size, 1) / seconds for m, n in zip(members, counts, strict=True)}

    def _certificate(self) -> Certificate:
        plan, tallies = self.plan, self.team.tallies()
        sent, delivered, waiting = (sum(t.synaptic[k] for t in tallies) for k in range(3))
        used = plan.tables[: plan.n_chips]
        return certify(
            plan.tree,
            plan.ranges,
            destinations=plan.range_destinations,
            spikes_per_range=self._spikes_per_range,
            delivered=sum(sum(tally.received) for tally in tallies),
            in_flight=sum(tally.mailed for tally in tallies),
            dropped={},
            synaptic_events=Balance(SYNAPTIC_EVENTS, sent, delivered, waiting),
            traffic=link_traffic(plan.tree, used, [tally.entry_events for tally in tallies]),
        )


def probe_columns(plan: Plan) -> list[list[tuple[int, NDArray[np.int64]]]]:
    """Return, for each chip and probe, the recording and the columns of its rows."""
    if not plan.network.recordings:
        return [[] for _ in range(plan.n_chips)]
    return [[(p.recording, p.columns) for p in lower(plan, chip).probes] for chip in range(plan.n_chips)]
