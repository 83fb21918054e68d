"""The coordinator: owns one deployment, builds its chips, executes its runs, writes its records.

The same class works in a detached Ray actor (`cluster.ray_fleet`) and in threads of a process (`LocalFleet`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.arrays import ArrayStore, require_arrays
from cluster.causes import cause_of
from cluster.control import RunControl
from cluster.errors import DeploymentLost, RunConflict
from cluster.execution import Execution, run_meta
from cluster.fleet import Action
from cluster.plan import Plan
from cluster.recordings import Recordings
from cluster.report import mapping_report
from cluster.runfile import TERMINAL, RunWriter, write_record
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage, read_page
from cluster.team import Team

_REPORT_SECONDS = 0.2
_WATCH_SECONDS = 0.5
_RETRY_SECONDS = 0.5


class Coordinator:
    """One deployment, from building to release. Building begins at once, in a thread of its own.

    Parameters
    ----------
    deployment_id : str
    plan : Plan
    data : Path
        The data folder; records go to ``deployments/<id>`` and ``runs/<run>``.
    make_team : callable
        Returns the workers of a plan.
    """

    def __init__(self, deployment_id: str, plan: Plan, data: Path, make_team: Callable[[Plan], Team]) -> None:
        self.deployment_id, self.plan, self.data = deployment_id, plan, data
        self._team = make_team(plan)
        self._lock = threading.Lock()
        self._ended, self._released = threading.Event(), threading.Event()
        self._state = "building"
        self._report: dict[str, Any] = {}
        self._recordings: Recordings | None = None
        self._control: RunControl | None = None
        self._reported = 0.0
        self._folder = data / "deployments" / deployment_id
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write("building", phase="waiting for chips", progress=0.0)
        self._thread = threading.Thread(target=self._build, name=f"build {deployment_id}", daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch, name=f"watch {deployment_id}", daemon=True).start()

    def __repr__(self) -> str:
        return f"Coordinator({self.deployment_id!r}, {self._state}, {self.plan.n_chips} chips)"

    def start_run(self, run_id: str, n_ticks: int) -> None:
        """Begin a run from tick 0; returns at once.

        Raises
        ------
        RunConflict
            The deployment is not ready, or has an active run.
        """
        with self._lock:
            if self._state != "ready":
                rule = f"to run it must be ready, got {self._state}"
                raise RunConflict(f"deployment {self.deployment_id!r}: {rule}; look at its state first")
            if self._control is not None and self._control.state not in TERMINAL:
                rule = f"one active run at a time, got {self._control.run_id!r} still {self._control.state}"
                raise RunConflict(f"deployment {self.deployment_id!r}: {rule}; wait for it or cancel it")
            assert self._recordings is not None
            meta = run_meta(self.plan, run_id, n_ticks, self._recordings)
            writer = RunWriter(self.data / "runs" / run_id, meta, self._recordings.synapses)
            self._control = RunControl(run_id, n_ticks)
            execution = Execution(
                self.plan,
                self._team,
                writer,
                self._control,
                recordings=self._recordings,
                synapse_digest=self._report["synapse_digest"],
            )
            self._thread = threading.Thread(
                target=self._execute, args=(execution, writer), name=f"run {run_id}", daemon=True
            )
            self._thread.start()

    def control(self, run_id: str, action: Action, ticks: int | None = None) -> int:
        """Pause, resume, step or cancel the active run; return the tick at which it took effect.

        Raises
        ------
        RunConflict
            It is not the active run, or its state does not allow it.
        """
        control = self._control
        if control is None or control.run_id != run_id:
            raise RunConflict(
                f"run {run_id!r}: to {action} it must be the active run, got none of that name; list runs"
            )
        return control.act(action, ticks)

    def synapses(self, query: SynapseQuery, limit: int, begin: tuple[int, int]) -> SynapsePage:
        """Return a part of the synapses that a query asks for, as they stand in the chips' memories now.

        A run goes on meanwhile: the memories are only read.

        Raises
        ------
        RunConflict
            The deployment is not ready.
        RefusedQuery
            The query names what there is not, or asks for too much.
        DeploymentLost
            A chip has died.
        """
        with self._lock:
            if self._state != "ready":
                rule = f"to read its synapses it must be ready, got {self._state}"
                raise RunConflict(f"deployment {self.deployment_id!r}: {rule}; look at its state first")
        return read_page(self.plan, query, self._team.synapses, limit=limit, begin=begin)

    def close(self) -> None:
        """End the active run and all chips. Idempotent."""
        with self._lock:
            if self._state == "released":
                return
            failed, self._state = self._state == "failed", "released"
            self._ended.set()
            self._released.set()
        control = self._control
        if control is not None and control.state not in TERMINAL:
            control.cancel()
            self._thread.join(timeout=10.0)
        self._team.close()
        if not failed:
            self._write("released", phase="released", progress=1.0)

    def _build(self) -> None:
        begin = time.perf_counter()
        try:
            require_arrays(self.plan.network, ArrayStore(self.plan.arrays), verify=True)
            built = self._team.build(self._report_progress)
            self._recordings = Recordings.of(self.plan.network, [chip.columns for chip in built])
            self._report = mapping_report(self.plan, built, time.perf_counter() - begin)
            with self._lock:
                if self._state == "building":
                    self._write("ready", phase="ready", progress=1.0)
                    self._state = "ready"
        except Exception as problem:
            self._report = {}  # It may be what could not be written.
            self._fail(cause_of(problem))

    def _execute(self, execution: Execution, writer: RunWriter) -> None:
        try:
            record = execution.run()
        finally:
            writer.close()
        if record["state"] == "failed":
            self._fail(record["error"])

    def _watch(self) -> None:
        """Fail the deployment when a chip dies between runs; during one, the run's own calls notice."""
        while not self._ended.wait(_WATCH_SECONDS):
            with self._lock:
                idle = self._state == "ready" and (self._control is None or self._control.state in TERMINAL)
            cause = self._team.died() if idle else None
            if cause is not None:
                self._fail(cause)

    def _fail(self, cause: str) -> None:
        self._ended.set()
        with self._lock:
            if self._state == "released":
                return
            self._state = "failed"
            recorded = self._record_failure(cause)
        self._team.close()
        while not recorded:
            self._released.wait(_RETRY_SECONDS)
            with self._lock:
                recorded = self._record_failure(cause) or self._state == "released"

    def _record_failure(self, cause: str) -> bool:
        """Return whether the record could say so; it cannot while the disk is full."""
        try:
            self._write("failed", phase="failed", progress=0.0, error=cause)
        except OSError:
            return False
        return True

    def _report_progress(self, phase: str, share: float) -> None:
        with self._lock:  # or a record of the building could replace that of the release
            if self._state != "building":
                raise DeploymentLost(f"deployment {self.deployment_id!r}: released while it was built")
            if time.perf_counter() - self._reported > _REPORT_SECONDS:
                self._reported = time.perf_counter()
                self._write("building", phase=phase, progress=share)

    def _write(self, state: str, *, phase: str, progress: float, error: str | None = None) -> None:
        record = {"state": state, "phase": phase, "progress": progress, "error": error}
        write_record(self._folder / "status.json", record | {"report": self._report or None})
