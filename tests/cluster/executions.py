"""What the tests of runs share: a sink in memory, and a team that fails where it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cluster.control import RunControl
from cluster.errors import DeploymentLost
from cluster.execution import Execution
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


def run_with(team: ThreadTeam, n_ticks: int, sink: Any = None) -> tuple[dict[str, Any], RunControl]:
    """Build the team, run it to the end, and let go of it."""
    control = RunControl("r1", n_ticks)
    try:
        team.build(lambda phase, share: None)
        return Execution(team.plan, team, sink or Memory(), control, "5e").run(), control
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
