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
from cluster.plan import Plan
from cluster.recordings import Recordings, recorded_neurons
from cluster.runfile import now
from cluster.spiketally import SpikeTally
from cluster.team import Team
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
        """Take all spikes that are kept, and all samples, up to, and not with, `last_tick`.

        `states` has one array for each of the network's recordings, with no rows for one of spikes.
        """

    def status(self, record: Mapping[str, Any]) -> None:
        """Take the run's record."""


def run_meta(plan: Plan, run_id: str, n_ticks: int, recordings: Recordings) -> dict[str, Any]:
    """Return what readers of a run need to know of its network."""
    network, recorded = plan.network, recorded_neurons(plan.network)
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
        "recorded": None if recorded is None else [[r.start, r.stop, r.step] for r in recorded],
        "recordings": recordings.describe(),
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
    recordings : Recordings
        Of the chips as they are built.
    synapse_digest : str
    """

    def __init__(
        self,
        plan: Plan,
        team: Team,
        sink: Sink,
        control: RunControl,
        *,
        recordings: Recordings,
        synapse_digest: str,
    ) -> None:
        self.plan, self.team, self.sink, self.control = plan, team, sink, control
        self.recordings, self.n_ticks = recordings, control.n_ticks
        self._spikes = SpikeTally(plan, self.n_ticks)
        self._fixed = {
            "n_ticks": self.n_ticks,
            "synapse_digest": synapse_digest,
            "engine_version": engine_version(),
        }
        self._started, self._seconds, self._reported, self._tick = now(), 0.0, 0.0, 0

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
        record |= self._spikes.digests(self._tick) | {"ended": now()}
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
        ticks = min(_FIRST_ADVANCE_TICKS, self.recordings.max_ticks)
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
        kept = self._spikes.take(_merged([advance.spikes for advance in advances]))
        self.sink.append(until, kept, self.recordings.rows([advance.samples for advance in advances]))
        done, self._tick = until - self._tick, until
        elapsed = time.perf_counter() - begin
        self._seconds += elapsed
        if time.perf_counter() - self._reported > _STATUS_SECONDS:
            self._reported = time.perf_counter()
            self.sink.status(self._record("running"))
        most = min(4 * ticks, _MAX_ADVANCE_TICKS, self.recordings.max_ticks)
        return int(np.clip(done * _ADVANCE_SECONDS / max(elapsed, 1e-6), 1, most))

    def _record(self, state: str, error: str | None = None) -> dict[str, Any]:
        seconds = self._tick * self.plan.network.timestep_ms * 1e-3
        return (
            self._fixed
            | self._spikes.counts()
            | {
                "state": state,
                "tick": self._tick,
                "progress": self._tick / self.n_ticks if self.n_ticks else 1.0,
                "realtime_factor": self._seconds / seconds if seconds else None,
                "run_seconds": self._seconds,
                "error": error,
                "digest": None,
                "recorded_digest": None,
                "conservation": None,
                "rates_hz": self._spikes.rates_hz(seconds),
                "started": self._started,
                "ended": None,
            }
        )

    def _certificate(self) -> Certificate:
        plan, tallies = self.plan, self.team.tallies()
        sent, delivered, waiting = (sum(t.synaptic[k] for t in tallies) for k in range(3))
        used = plan.tables[: plan.n_chips]
        return certify(
            plan.tree,
            plan.ranges,
            destinations=plan.range_destinations,
            spikes_per_range=self._spikes.per_range,
            delivered=sum(sum(tally.received) for tally in tallies),
            in_flight=sum(tally.mailed for tally in tallies),
            dropped={},
            synaptic_events=Balance(SYNAPTIC_EVENTS, sent, delivered, waiting),
            traffic=link_traffic(
                plan.tree, used, [events for tally in tallies for events in tally.entry_events]
            ),
        )


def _merged(parts: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the spikes of all workers, sorted: those of one mostly are, and runs are only merged."""
    return np.sort(np.concatenate(parts), kind="stable")
