"""The watch: it notices what ended without anybody asking, and closes the records."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from starlette.concurrency import run_in_threadpool

from api.deployments import end_runs, view_deployment
from api.gateway import Gateway
from api.runs import view_run
from cluster.errors import ClusterError, DeploymentLost
from cluster.runfile import TERMINAL, now

_log = logging.getLogger("api")


class Watch:
    """Looks for deployments whose chips are gone and for runs that have ended.

    A look is one plain call, so what it does can be tested without time passing. `poll` calls it for ever.
    The first look also closes what ended while no gateway was there to see it.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._records = gateway.records
        self._lost: dict[str, str] = {}
        self._is_first = True

    async def poll(self) -> None:
        """Look every `poll_s`. A look that fails is logged, and the next one tries again."""
        while True:
            try:
                await run_in_threadpool(self.look)
            except Exception:
                _log.exception("the watch failed; it goes on")
            await asyncio.sleep(self._gateway.settings.poll_s)

    def look(self) -> None:
        """Close the records of what is lost, and note what has ended."""
        self._lost |= self._gateway.fleet.lost()
        if self._is_first:
            self._lost |= self._unknown()
        for deployment_id, cause in list(self._lost.items()):
            self._close(deployment_id, cause)
            del self._lost[deployment_id]
        deployments, runs = self._note_deployments(), self._note_runs()
        self._gateway.metrics.show_live(deployments, runs)
        self._is_first = False

    def _unknown(self) -> dict[str, str]:
        """Return the deployments in our records that the chips know nothing of.

        They may have been admitted and never begun, or have died with an earlier gateway. Pausing a run that
        does not exist is refused by all that live, and changes nothing.
        """
        unknown = {}
        for row in self._records.live_of_all("deployments"):
            try:
                self._gateway.fleet.control(row["id"], "none", "pause")
            except DeploymentLost:
                unknown[row["id"]] = "its chips were gone when the gateway came back"
            except ClusterError:
                continue
        return unknown

    def _close(self, deployment_id: str, cause: str) -> None:
        for row in self._records.live_of_all("deployments"):
            if row["id"] == deployment_id:
                self._records.change("deployments", row["owner"], deployment_id, failure=cause, ended=now())
        end_runs(self._gateway, deployment_id, cause)

    def _note_deployments(self) -> Counter[str]:
        states: Counter[str] = Counter()
        for row in self._records.live_of_all("deployments"):
            state = view_deployment(self._gateway, row).state
            states[state] += 1
            if state in {"failed", "released"}:
                self._records.change("deployments", row["owner"], row["id"], ended=now())
        return states

    def _note_runs(self) -> Counter[str]:
        states: Counter[str] = Counter()
        for row in self._records.live_of_all("runs"):
            run = view_run(self._gateway, row)
            if run.state in TERMINAL:
                ended = run.ended.isoformat(timespec="milliseconds") if run.ended else now()
                self._records.change("runs", row["owner"], row["id"], ended=ended)
                self._gateway.metrics.count_end(run.state)
            else:
                states[run.state] += 1
        return states
