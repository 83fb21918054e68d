"""What the tests of runs share: a sink in memory, and a team that fails where it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cluster.control import RunControl
from cluster.errors import DeploymentLost
from cluster.execution import Execution
from cluster.recordings import Recordings
from cluster.team import ThreadTeam
from cluster.worker import Advance, Tally


class Memory:
    """A sink that keeps what it gets, and can break."""

    def __init__(self, fail_status: Exception | None = None) -> None:
        self.appended: list[int] = []
        self.pairs: list[np.ndarray] = []
        self.records: list[dict[str, Any]] = []
        self.fail_status = fail_status

    def append(self, last_tick: int, pairs: np.ndarray, states: Sequence[np.ndarray]) -> None:
        self.appended.append(last_tick)
        self.pairs.append(pairs)

    def status(self, record: Mapping[str, Any]) -> None:
        if self.fail_status and record["state"] != "running":
            raise self.fail_status
        self.records.append(dict(record))


def execution_of(team: ThreadTeam, control: RunControl, sink: Any = None) -> Execution:
    """Build the team; return a run of it that has not begun."""
    built = team.build(lambda phase, share: None)
    recordings = Recordings.of(team.plan.network, [chip.columns for chip in built])
    sink = Memory() if sink is None else sink
    return Execution(team.plan, team, sink, control, recordings=recordings, synapse_digest="5e")


def run_with(team: ThreadTeam, n_ticks: int, sink: Any = None) -> tuple[dict[str, Any], RunControl]:
    """Build the team, run it to the end, and let go of it."""
    control = RunControl("r1", n_ticks)
    try:
        return execution_of(team, control, sink).run(), control
    finally:
        team.close()


class FailingTeam(ThreadTeam):
    """Fails where it is told to."""

    advance_to = 10**9
    tally_error: Exception | None = None
    missing = 0

    def advance(self, until: int) -> list[Advance]:
        if until > self.advance_to:
            raise DeploymentLost("chip (board 0, chip 1): its process died")
        return super().advance(until)

    def tallies(self) -> list[Tally]:
        if self.tally_error:
            raise self.tally_error
        first, *rest = super().tallies()
        received = (first.received[0] - self.missing, first.received[1])
        return [Tally(received, first.mailed, first.entry_events, first.synaptic), *rest]
