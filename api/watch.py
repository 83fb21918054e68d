"""The watch: it notices what ended without anybody asking, and closes the records."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections import Counter

from starlette.concurrency import run_in_threadpool

from api.deployments import end_runs, view_deployment
from api.gateway import Gateway
from api.runs import view_run
from cluster.errors import ClusterError, DeploymentLost
from cluster.runfile import TERMINAL, mark_failed, now

_log = logging.getLogger("api")


def keep_signal_handlers() -> None:
    """Install the handlers of SIGTERM and SIGINT again that Python knows; outside the main thread do nothing.

    Ray puts a C++ handler in their place whenever it connects, so also when the watch finds its head
    restarted. Python does not notice, and the gateway would die of SIGTERM instead of draining.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)
        if handler is not None:  # None: it was never Python's.
            signal.signal(number, handler)


class Watch:
    """Looks for deployments whose chips are gone and for runs that have ended.

    A look is one plain call, so what it does can be tested without time passing. `poll` calls it for ever.
    The first look also closes what ended while no gateway was there to see it: make the watch before requests
    are taken.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._records = gateway.records
        self._looking = threading.Lock()
        self._lost: dict[str, str] = {}
        self._deployments_before = self._records.live_of_all("deployments")
        self._runs_before = self._records.live_of_all("runs")

    async def poll(self) -> None:
        """Look every `poll_s`. A look that fails is logged, and the next one tries again."""
        while True:
            try:
                await run_in_threadpool(self.look)
            except Exception:
                _log.exception("the watch failed; it goes on")
            keep_signal_handlers()
            await asyncio.sleep(self._gateway.settings.poll_s)

    def look(self) -> None:
        """Close the records of what is lost, and note what has ended."""
        with self._looking:
            self._lost |= self._gateway.fleet.lost()
            self._find_unknown()
            for deployment_id, cause in list(self._lost.items()):
                self._close(deployment_id, cause)
                del self._lost[deployment_id]
            self._close_orphans()
            deployments, runs = self._note_deployments(), self._note_runs()
            self._gateway.metrics.show_live(deployments, runs)

    def _find_unknown(self) -> None:
        """Find the deployments of earlier gateways that the chips know nothing of.

        They were admitted and never begun, or died with that gateway. Pausing a run that does not exist is
        refused by all that live, and changes nothing.
        """
        while self._deployments_before:
            deployment_id = self._deployments_before[-1]["id"]
            try:
                self._gateway.fleet.control(deployment_id, "none", "pause")
            except DeploymentLost:
                self._lost.setdefault(deployment_id, "its chips were gone when the gateway came back")
            except ClusterError:
                pass
            self._deployments_before.pop()

    def _close_orphans(self) -> None:
        """Close the runs of earlier gateways that were admitted and never begun, or never closed."""
        while self._runs_before:
            run = self._runs_before[-1]
            folder = self._gateway.run_folder(run["id"])
            deployment = self._records.one("deployments", run["owner"], run["deployment_id"])
            if deployment["ended"] or not (folder / "meta.json").exists():
                mark_failed(folder, "it was not under way when the gateway came back")
            self._runs_before.pop()

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
