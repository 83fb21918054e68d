"""``/v1/networks``: descriptions, checked and stored."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.body import RawJson, load_json, raw_body
from api.conditional import NOT_MODIFIED, etag, not_modified
from api.errors import NetworkInUse, QuotaExceeded
from api.examples import NETWORK
from api.gateway import Gateway, TheGateway
from api.idempotency import IDEMPOTENT, IdempotentRoute
from api.limits import admit_one_more, admit_size
from api.models import NetworkDetail, NetworkQuery, NetworkRecord, Page, PageQuery
from api.openapi import DESCRIBED, JSON_POSTED, STORED, problems
from api.paging import listing
from api.security import Reader, Runner
from api.storage import Row
from cluster import check
from cluster.arrays import references, require_arrays
from cluster.expectation import expected_total
from cluster.runfile import now
from network import Network, parse_network

router = APIRouter(prefix="/v1/networks", tags=["networks"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=201,
    dependencies=IDEMPOTENT,
    openapi_extra=raw_body(Network, NETWORK),
    responses=problems(*JSON_POSTED, *DESCRIBED, QuotaExceeded),
)
def create_network(gateway: TheGateway, key: Runner, raw: RawJson, response: Response) -> NetworkRecord:
    """Check a network and store it."""
    network = parse_network(load_json(raw))
    admit_size(network, gateway.settings.limits)
    check(network)
    require_stored_arrays(gateway, key.owner, network)
    row = _store(gateway, key.owner, network)
    response.headers["Location"] = f"/v1/networks/{row['id']}"
    return NetworkRecord.model_validate(row)


@router.get("", responses=problems())
def list_networks(
    gateway: TheGateway, key: Reader, query: Annotated[PageQuery, Query()]
) -> Page[NetworkRecord]:
    """List your networks, newest first."""
    rows, following = listing(gateway.records, "networks", key.owner, query)
    return Page(items=[NetworkRecord.model_validate(row) for row in rows], next=following)


@router.get(
    "/{network_id}",
    response_model=NetworkDetail,
    response_model_exclude_unset=True,
    responses={**NOT_MODIFIED, **problems(*STORED)},
)
def get_network(
    network_id: str,
    gateway: TheGateway,
    key: Reader,
    query: Annotated[NetworkQuery, Query()],
    request: Request,
    response: Response,
) -> NetworkDetail | Response:
    """Return a network's record, with `?include=body` its description too."""
    row = gateway.records.one("networks", key.owner, network_id)
    tag = etag(network_id, query)
    if same := not_modified(request, tag):
        return same
    response.headers["ETag"] = tag
    body = {"body": json.loads(gateway.blobs.get(row["sha256"]))} if query.include == "body" else {}
    return NetworkDetail.model_validate(row | body)


@router.delete("/{network_id}", status_code=204, responses=problems(*STORED, NetworkInUse))
def delete_network(network_id: str, gateway: TheGateway, key: Runner) -> None:
    """Delete a network that has no live deployment. Runs that were made with it stay."""
    with gateway.records.transaction():
        row = gateway.records.one("networks", key.owner, network_id)
        live = gateway.records.live("deployments", key.owner)
        users = [deployment["id"] for deployment in live if deployment["network_id"] == row["id"]]
        if users:
            raise NetworkInUse(
                f"network {network_id}: must have no live deployment, has {', '.join(users)}; release them",
                deployments=users,
            )
        gateway.records.remove("networks", key.owner, network_id)
        if not gateway.records.blob_users_of_all(row["sha256"]):
            gateway.blobs.delete(row["sha256"])


def stored_network(gateway: Gateway, owner: str, network_id: str) -> tuple[Row, Network]:
    """Return a network's row and description.

    Raises
    ------
    NotFound
        The owner has none of this id.
    """
    with gateway.records.transaction():
        row = gateway.records.one("networks", owner, network_id)
        content = gateway.blobs.get(row["sha256"])
    return row, parse_network(content)


def require_stored_arrays(gateway: Gateway, owner: str, network: Network) -> None:
    """Refuse a network that names arrays which the owner has not, or says what they are not.

    Raises
    ------
    NetworkError
        It does, or their times are off its grid.
    """
    require_arrays(network, gateway.arrays, held=gateway.records.ids("arrays", owner))


def _store(gateway: Gateway, owner: str, network: Network) -> Row:
    with gateway.records.transaction():
        named = {said.sha256 for _, _, said in references(network)}
        if named - gateway.records.ids("arrays", owner):
            require_stored_arrays(gateway, owner, network)  # They were deleted while it was checked.
        have = gateway.records.count("networks", owner)
        admit_one_more("stored networks", have, gateway.settings.limits.networks, instead="delete one")
        row: dict[str, Any] = {
            "id": f"net_{secrets.token_hex(8)}",
            "name": network.name,
            "sha256": gateway.blobs.put(network.model_dump_json().encode()),
            "n_neurons": network.n_neurons,
            "n_synapses_expected": expected_total(network),
            "timestep_ms": network.timestep_ms,
            "seed": network.seed,
            "created": now(),
        }
        stored = gateway.records.add("networks", owner, row)
        gateway.records.bind_arrays(row["id"], named)
        return stored
