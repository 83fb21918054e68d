"""``/v1/deployments``: a network on a system."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.body import JSON_ONLY
from api.errors import Unavailable
from api.gateway import Gateway, TheGateway
from api.idempotency import IDEMPOTENT, IdempotentRoute
from api.limits import admit_memory, admit_one_more, admit_size, room_of
from api.models import DeploymentRecord, DeploymentRequest, Page, PageQuery
from api.networks import require_stored_arrays, stored_network
from api.openapi import DEPLOYED, STORED, problems
from api.paging import listing
from api.security import Reader, Runner
from api.states import DEPLOYMENT, next_state
from api.storage import Row
from api.systems import system_named
from cluster import FitReport, fit
from cluster.errors import CapacityError, DeploymentLost
from cluster.hostmemory import free_memory
from cluster.runfile import mark_failed, now, read_record

router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=IdempotentRoute)

POLL_AFTER_S = "1"


@router.post(
    "", status_code=202, dependencies=[*IDEMPOTENT, *JSON_ONLY], responses=problems(*DEPLOYED, Unavailable)
)
def create_deployment(
    body: DeploymentRequest, gateway: TheGateway, key: Runner, response: Response
) -> DeploymentRecord:
    """Deploy a stored network onto chips. It is built in the background: poll `Location`."""
    stored, network = stored_network(gateway, key.owner, body.network_id)
    system, options = system_named(body.system), body.options()
    admit_size(network, gateway.settings.limits)
    require_stored_arrays(gateway, key.owner, network)
    report = fit(network, system, options, room_of(gateway.settings))
    if not report.fits:
        raise CapacityError(report.problems)
    _require_fleet(gateway)
    row = _admit(gateway, key.owner, body, stored, report)
    try:
        gateway.fleet.deploy(row["id"], network, system, options)
    except BaseException as error:
        gateway.records.remove("deployments", key.owner, row["id"])
        if isinstance(error, DeploymentLost):
            raise _unavailable() from error
        raise
    response.headers["Location"] = f"/v1/deployments/{row['id']}"
    response.headers["Retry-After"] = POLL_AFTER_S
    return view_deployment(gateway, row)


@router.get("", responses=problems())
def list_deployments(
    gateway: TheGateway, key: Reader, query: Annotated[PageQuery, Query()]
) -> Page[DeploymentRecord]:
    """List your deployments, released ones too, newest first."""
    rows, following = listing(gateway.records, "deployments", key.owner, query)
    return Page(items=[view_deployment(gateway, row) for row in rows], next=following)


@router.get("/{deployment_id}", responses=problems(*STORED))
def get_deployment(
    deployment_id: str, gateway: TheGateway, key: Reader, response: Response
) -> DeploymentRecord:
    """Return a deployment: its state, how far it is built, and the mapping report."""
    deployment = view_deployment(gateway, gateway.records.one("deployments", key.owner, deployment_id))
    if deployment.state == "building":
        response.headers["Retry-After"] = POLL_AFTER_S
    return deployment


@router.delete("/{deployment_id}", status_code=204, responses=problems(*STORED, Unavailable))
def release_deployment(deployment_id: str, gateway: TheGateway, key: Runner) -> None:
    """Give the chips back. An active run ends; what it has recorded stays. Again does no harm."""
    row = gateway.records.one("deployments", key.owner, deployment_id)
    state = view_deployment(gateway, row).state
    next_state(DEPLOYMENT, f"deployment {deployment_id}", state=state, action="release")
    gateway.fleet.release(deployment_id)
    if row["released"] is None:
        gateway.records.change(
            "deployments", key.owner, deployment_id, released=now(), ended=row["ended"] or now()
        )
    end_runs(gateway, deployment_id, "the deployment was released")


def view_deployment(gateway: Gateway, row: Row) -> DeploymentRecord:
    """Return a deployment as clients see it: our record, and that of those who run it."""
    status = read_record(gateway.deployment_folder(row["id"]) / "status.json") or {}
    state = status.get("state", "building")
    if row["failure"]:
        state = "failed"
    if row["released"]:
        state = "released"
    seen = {
        "state": state,
        "phase": status.get("phase", "queued"),
        "progress": status.get("progress", 0.0),
        "error": row["failure"] or status.get("error"),
        "report": status.get("report"),
    }
    return DeploymentRecord.model_validate(row | seen)


def end_runs(gateway: Gateway, deployment_id: str, cause: str) -> None:
    """Close the records of runs that nobody carries on any more."""
    for run in gateway.records.live_of_all("runs"):
        if run["deployment_id"] == deployment_id:
            mark_failed(gateway.run_folder(run["id"]), cause)


def _require_fleet(gateway: Gateway) -> None:
    if not gateway.fleet.ready():
        raise _unavailable()


def _unavailable() -> Unavailable:
    message = "chips: must be reachable for a deployment, and are not; come back later"
    return Unavailable(message, retry_after=5)


def _admit(gateway: Gateway, owner: str, body: DeploymentRequest, stored: Row, report: FitReport) -> Row:
    limits = gateway.settings.limits
    with gateway.records.transaction():
        mine = gateway.records.live("deployments", owner)
        admit_one_more("live deployments", len(mine), limits.deployments, instead="release one")
        deployed = sum(row["memory_bytes"] for row in gateway.records.live_of_all("deployments"))
        admit_memory(report.memory_bytes, deployed=deployed, available=free_memory(), limits=limits)
        gateway.records.one("networks", owner, body.network_id)
        row: dict[str, Any] = {
            "id": f"dep_{secrets.token_hex(8)}",
            "network_id": stored["id"],
            "network_name": stored["name"],
            "timestep_ms": stored["timestep_ms"],
            "system": body.system,
            "chips": body.chips,
            "placement": body.placement,
            "precision": body.precision,
            "n_neurons": report.n_neurons,
            "n_synapses": report.n_synapses,
            "memory_bytes": report.memory_bytes,
            "created": now(),
        }
        return gateway.records.add("deployments", owner, row)
