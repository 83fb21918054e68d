"""``/v1/arrays``: lists of synapses and of spikes that are too long for a network's JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.errors import ArraysInUse
from api.gateway import TheGateway
from api.models import ArraysListQuery, ArraysQuery, ArraysRecord, Page
from api.openapi import STORED, UPLOADED, problems
from api.paging import listing
from api.security import Reader, Runner
from api.storage import Row
from api.uploading import CONTAINERS, take_in

router = APIRouter(prefix="/v1/arrays", tags=["arrays"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(CONTAINERS, _BINARY)}}
_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": ArraysRecord, "description": "You have them already."}
}


@router.post("", status_code=201, openapi_extra=_BODY, responses={**_AGAIN, **problems(*UPLOADED)})
async def upload_arrays(
    gateway: TheGateway,
    key: Runner,
    query: Annotated[ArraysQuery, Query()],
    request: Request,
    response: Response,
) -> ArraysRecord:
    """Store arrays: columns of equal length, as an npz file or as a stream of msgpack maps.

    Synapses have `sources` and `targets` (integers), and may have `weights` and `delays_ms` (float32 or
    float64). Spikes have `times_ms` and `neurons`, in any order. Put the answer's `connectivity` into a
    projection, or its `source` into a source, as it is.

    A msgpack stream begins with a map of kind, n and dtypes, as in
    `{"kind": "spikes", "n": 3, "columns": {"times_ms": "<f8", "neurons": "<u4"}}`, and goes on with maps that
    have the bytes of as many entries of every column, 8 MiB of one at most.
    """
    row, is_new = await take_in(gateway, key.owner, query.kind, request)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/v1/arrays/{row['id']}"
    return _record(row)


@router.get("", responses=problems())
def list_arrays(
    gateway: TheGateway, key: Reader, query: Annotated[ArraysListQuery, Query()]
) -> Page[ArraysRecord]:
    """List your arrays, newest first."""
    where = {} if query.kind is None else {"kind": query.kind}
    rows, following = listing(gateway.records, "arrays", key.owner, query, where)
    return Page(items=[_record(row) for row in rows], next=following)


@router.get("/{arrays_id}", responses=problems(*STORED))
def get_arrays(arrays_id: str, gateway: TheGateway, key: Reader) -> ArraysRecord:
    """Return what is known of arrays, and what a network says of them."""
    return _record(gateway.records.one("arrays", key.owner, arrays_id))


@router.delete("/{arrays_id}", status_code=204, responses=problems(*STORED, ArraysInUse))
def delete_arrays(arrays_id: str, gateway: TheGateway, key: Runner) -> None:
    """Delete arrays that none of your stored networks names."""
    with gateway.records.transaction():
        row = gateway.records.one("arrays", key.owner, arrays_id)
        users = gateway.records.networks_of_arrays(key.owner, row["id"])
        if users:
            raise ArraysInUse(
                f"arrays {row['id']}: must be named by no network, are by {', '.join(users)}; delete those",
                networks=users,
            )
        gateway.records.remove("arrays", key.owner, row["id"])
        if not gateway.records.array_owners_of_all(row["id"]):
            gateway.arrays.delete(row["id"])


def _record(row: Row) -> ArraysRecord:
    described = json.loads(row["described"])
    is_list = row["kind"] == "synapses"
    parts = {"connectivity": described if is_list else None, "source": None if is_list else described}
    return ArraysRecord.model_validate(row | parts | {"columns": json.loads(row["columns"])})
