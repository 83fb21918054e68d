"""``/v1/keys`` and ``/v1/tickets``: who may use the service, and how web pages open a stream."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from api.body import JSON_ONLY
from api.errors import NotFound, RefusedTransition, UnsupportedMediaType
from api.gateway import TheGateway
from api.keys import Key
from api.models import KeyRecord, KeyRequest, NewKey, Page, Ticket
from api.openapi import problems
from api.security import Admin, Reader
from api.tickets import LIFE_S

router = APIRouter(prefix="/v1", tags=["access"])


@router.post("/keys", status_code=201, dependencies=JSON_ONLY, responses=problems(UnsupportedMediaType))
def create_key(body: KeyRequest, gateway: TheGateway, _: Admin, response: Response) -> NewKey:
    """Make an API key. Its token is in this answer and nowhere else."""
    key, token = gateway.keys.issue(body.name, scopes=body.scopes, owner=body.owner, expires=body.expires)
    response.headers["Cache-Control"] = "no-store"
    return NewKey(**_fields(key), token=token)


@router.get("/keys", responses=problems())
def list_keys(gateway: TheGateway, _: Admin) -> Page[KeyRecord]:
    """List all API keys, newest first."""
    return Page(items=[KeyRecord(**_fields(key)) for key in gateway.keys.all()], next=None)


@router.delete("/keys/{key_id}", status_code=204, responses=problems(NotFound, RefusedTransition))
def revoke_key(key_id: str, gateway: TheGateway, _: Admin) -> None:
    """Revoke an API key. What its owner has stored stays, and other keys of the owner go on to open it."""
    gateway.keys.revoke(key_id)


@router.post("/tickets", status_code=201, responses=problems())
async def create_ticket(gateway: TheGateway, key: Reader) -> Ticket:
    """Make a ticket that opens one stream within 30 s."""
    expires = datetime.now(UTC) + timedelta(seconds=LIFE_S)
    return Ticket(ticket=gateway.tickets.issue(key), expires=expires)


def _fields(key: Key) -> dict[str, Any]:
    return asdict(key) | {"scopes": sorted(key.scopes)}
