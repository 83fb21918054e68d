"""``/v1/runs``: executions of a deployment, and what can be done with them while they go on."""

from __future__ import annotations

import secrets
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.body import JSON_ONLY
from api.deployments import POLL_AFTER_S, view_deployment
from api.errors import InvalidRequest, NoCapacity, OverLimit, QuotaExceeded, RefusedTransition
from api.gateway import Gateway, TheGateway
from api.idempotency import IDEMPOTENT, IdempotentRoute
from api.limits import admit_disk, admit_duration, admit_one_more
from api.models import Controlled, Page, RunQuery, RunRecord, RunRequest, StepRequest
from api.openapi import CONTROLLED, JSON_POSTED, STORED, problems
from api.paging import listing
from api.security import Reader, Runner
from api.states import DEPLOYMENT, RUN, next_state
from api.storage import Row
from cluster.fleet import Action
from cluster.runfile import TERMINAL, now, read_record
from network.grid import MAX_TICKS, off_grid

router = APIRouter(prefix="/v1", tags=["runs"], route_class=IdempotentRoute)

_STEPPED = problems(*CONTROLLED, *JSON_POSTED)


@router.post(
    "/deployments/{deployment_id}/runs",
    status_code=202,
    dependencies=[*IDEMPOTENT, *JSON_ONLY],
    responses=problems(*CONTROLLED, *JSON_POSTED, OverLimit, QuotaExceeded, NoCapacity),
)
def start_run(
    deployment_id: str, body: RunRequest, gateway: TheGateway, key: Runner, response: Response
) -> RunRecord:
    """Run a deployment from tick 0. One run at a time."""
    deployment = gateway.records.one("deployments", key.owner, deployment_id)
    admit_duration(body.duration_ms, gateway.settings.limits)
    n_ticks = _ticks(body.duration_ms, deployment["timestep_ms"])
    state = view_deployment(gateway, deployment).state
    next_state(DEPLOYMENT, f"deployment {deployment_id}", state=state, action="run")
    row = _admit(gateway, key.owner, deployment, body.duration_ms, n_ticks)
    try:
        gateway.fleet.start_run(deployment_id, row["id"], n_ticks)
    except BaseException:
        gateway.records.remove("runs", key.owner, row["id"])
        raise
    response.headers["Location"] = f"/v1/runs/{row['id']}"
    response.headers["Retry-After"] = POLL_AFTER_S
    return view_run(gateway, row)


@router.get("/runs", responses=problems())
def list_runs(gateway: TheGateway, key: Reader, query: Annotated[RunQuery, Query()]) -> Page[RunRecord]:
    """List your runs, newest first."""
    where = {"deployment_id": query.deployment_id} if query.deployment_id else None
    rows, following = listing(gateway.records, "runs", key.owner, query, where)
    return Page(items=[view_run(gateway, row) for row in rows], next=following)


@router.get("/runs/{run_id}", responses=problems(*STORED))
def get_run(run_id: str, gateway: TheGateway, key: Reader) -> RunRecord:
    """Return a run: its state and tick, and when it has ended its digests and certificate."""
    return view_run(gateway, gateway.records.one("runs", key.owner, run_id))


@router.delete("/runs/{run_id}", status_code=204, responses=problems(*STORED, RefusedTransition))
def delete_run(run_id: str, gateway: TheGateway, key: Runner) -> None:
    """Delete a run that has ended, with its spikes."""
    run = view_run(gateway, gateway.records.one("runs", key.owner, run_id))
    next_state(RUN, f"run {run_id}", state=run.state, action="delete")
    gateway.records.remove("runs", key.owner, run_id)
    shutil.rmtree(gateway.run_folder(run_id), ignore_errors=True)


@router.post("/runs/{run_id}/pause", dependencies=IDEMPOTENT, responses=problems(*CONTROLLED))
def pause_run(run_id: str, gateway: TheGateway, key: Runner) -> Controlled:
    """Pause a run at its next boundary."""
    return _control(gateway, key.owner, run_id, "pause")


@router.post("/runs/{run_id}/resume", dependencies=IDEMPOTENT, responses=problems(*CONTROLLED))
def resume_run(run_id: str, gateway: TheGateway, key: Runner) -> Controlled:
    """Let a paused run go on."""
    return _control(gateway, key.owner, run_id, "resume")


@router.post("/runs/{run_id}/cancel", dependencies=IDEMPOTENT, responses=problems(*CONTROLLED))
def cancel_run(run_id: str, gateway: TheGateway, key: Runner) -> Controlled:
    """End a run at its next boundary. Its spikes up to there stay."""
    return _control(gateway, key.owner, run_id, "cancel")


@router.post("/runs/{run_id}/step", dependencies=[*IDEMPOTENT, *JSON_ONLY], responses=_STEPPED)
def step_run(run_id: str, body: StepRequest, gateway: TheGateway, key: Runner) -> Controlled:
    """Advance a paused run by some ticks; it is paused again after."""
    return _control(gateway, key.owner, run_id, "step", body.ticks)


def view_run(gateway: Gateway, row: Row) -> RunRecord:
    """Return a run as clients see it: our record, and that of those who run it."""
    status = read_record(gateway.run_folder(row["id"]) / "status.json") or {}
    seen = {name: status.get(name) for name in RunRecord.model_fields if name not in row or name == "ended"}
    defaults = {"state": "running", "tick": 0, "progress": 0.0, "n_spikes": 0, "n_recorded_spikes": 0}
    known = {name: value for name, value in seen.items() if value is not None or name not in defaults}
    return RunRecord.model_validate(row | defaults | known)


def _control(
    gateway: Gateway, owner: str, run_id: str, action: Action, ticks: int | None = None
) -> Controlled:
    row = gateway.records.one("runs", owner, run_id)
    state = view_run(gateway, row).state
    next_state(RUN, f"run {run_id}", state=state, action=action)
    tick = gateway.fleet.control(row["deployment_id"], run_id, action, ticks)
    return Controlled(tick=tick, state=view_run(gateway, row).state)


def _ticks(duration_ms: float, timestep_ms: float) -> int:
    problem = off_grid(duration_ms, timestep_ms, max_ticks=MAX_TICKS)
    if problem:
        raise InvalidRequest(f"duration_ms: {problem}", errors=[{"path": "duration_ms", "message": problem}])
    return round(duration_ms / timestep_ms)


def _admit(gateway: Gateway, owner: str, deployment: Row, duration_ms: float, n_ticks: int) -> Row:
    limits = gateway.settings.limits
    admit_disk(shutil.disk_usage(gateway.settings.data).free, limits)
    with gateway.records.transaction():
        mine = [view_run(gateway, row).state for row in gateway.records.live("runs", owner)]
        active = sum(state not in TERMINAL for state in mine)
        admit_one_more("active runs", active, limits.runs, instead="cancel one")
        row: dict[str, Any] = {
            "id": f"run_{secrets.token_hex(8)}",
            "deployment_id": deployment["id"],
            "duration_ms": duration_ms,
            "timestep_ms": deployment["timestep_ms"],
            "n_ticks": n_ticks,
            "created": now(),
        }
        return gateway.records.add("runs", owner, row)
