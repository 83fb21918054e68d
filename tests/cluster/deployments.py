"""What the tests of deployments share: waiting for a coordinator's threads, and a team that does as told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from cluster.coordinator import Coordinator
from cluster.errors import DeploymentLost
from cluster.plan import Plan
from cluster.runfile import read_record
from cluster.team import Progress, ThreadTeam
from cluster.worker import Advance, Built
from tests.cluster.samples import everything_network, plan_of

SECONDS = 30.0
LONG = 10**8


def finish(name: str) -> None:
    """Wait for the coordinator's thread of that name."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(SECONDS)
            assert not thread.is_alive()


def status_of(data: Path, deployment: str = "d1") -> dict[str, Any]:
    record = read_record(data / "deployments" / deployment / "status.json")
    assert record is not None
    return record


class HeldTeam(ThreadTeam):
    """Builds when it is let; fails where it is told to."""

    def __init__(self, plan: Plan, error: Exception | None = None, fail_after: int = LONG) -> None:
        super().__init__(plan)
        self.go, self.error, self.fail_after = threading.Event(), error, fail_after
        self.cause: str | None = None
        self.asked = threading.Event()

    def died(self) -> str | None:
        self.asked.set()
        return self.cause

    def build(self, progress: Progress) -> list[Built]:
        progress("building chips", 0.25)
        assert self.go.wait(SECONDS)
        progress("building chips", 0.5)
        if self.error:
            raise self.error
        return super().build(progress)

    def advance(self, until: int) -> list[Advance]:
        if until > self.fail_after:
            raise DeploymentLost("chip (board 0, chip 1): its process died")
        return super().advance(until)


def held(data: Path, **told: Any) -> tuple[Coordinator, HeldTeam]:
    """A deployment `d1` on two chips that waits to be built, and its team."""
    teams: list[HeldTeam] = []

    def make(plan: Plan) -> HeldTeam:
        teams.append(HeldTeam(plan, **told))
        return teams[0]

    return Coordinator("d1", plan_of(everything_network(), 2), data, make), teams[0]
