"""``/v1/systems``: what can be deployed onto."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import InvalidRequest, NotFound
from api.models import Page, SystemRecord
from api.openapi import problems
from api.security import Reader
from cluster import SYSTEMS, System

router = APIRouter(prefix="/v1/systems", tags=["systems"])


@router.get("", responses=problems())
def list_systems(_: Reader) -> Page[SystemRecord]:
    """List the systems."""
    return Page(items=[_record(system) for system in SYSTEMS.values()], next=None)


@router.get("/{name}", responses=problems(NotFound))
def get_system(name: str, _: Reader) -> SystemRecord:
    """Return a system: its tree of chips and their limits."""
    if name not in SYSTEMS:
        raise NotFound(f"system: must be one of {', '.join(SYSTEMS)}, got {name!r}; list them at /v1/systems")
    return _record(SYSTEMS[name])


def system_named(name: str) -> System:
    """Return the system that a body names.

    Raises
    ------
    InvalidRequest
        There is none of this name.
    """
    if name not in SYSTEMS:
        message = f"must be one of {', '.join(SYSTEMS)}, got {name!r}; list them at /v1/systems"
        raise InvalidRequest(f"system: {message}", errors=[{"path": "system", "message": message}])
    return SYSTEMS[name]


def _record(system: System) -> SystemRecord:
    return SystemRecord(**system.model_dump(), n_chips=system.n_chips)
