"""``/healthz``, ``/readyz``, ``/metrics``: for those who keep the service running. No key is asked for."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api.errors import Unavailable
from api.gateway import TheGateway
from api.metrics import CONTENT_TYPE
from api.models import Health
from api.openapi import public_problems

router = APIRouter(tags=["operation"])


@router.get("/healthz", responses=public_problems())
async def is_alive() -> Health:
    """Say that the gateway answers."""
    return Health(status="ok")


@router.get("/readyz", responses=public_problems(Unavailable))
def is_ready(gateway: TheGateway) -> Health:
    """Say whether deployments can be taken: the storage and the chips answer."""
    gateway.storage.query("SELECT 1")
    if not gateway.fleet.ready():
        raise Unavailable("chips: must be reachable, and are not; look at the Ray head", retry_after=5)
    return Health(status="ready")


@router.get("/metrics", response_class=PlainTextResponse, responses=public_problems())
def get_metrics(gateway: TheGateway) -> Response:
    """Return the gateway's metrics for Prometheus."""
    return Response(gateway.metrics.render(), media_type=CONTENT_TYPE)
