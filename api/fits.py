"""``/v1/fits``: a dry run. Every limit with its headroom, nothing allocated."""

from __future__ import annotations

from fastapi import APIRouter

from api.body import RawJson, load_json, raw_body, validated
from api.errors import InvalidRequest, UnsupportedMediaType
from api.examples import NETWORK
from api.gateway import Gateway, TheGateway
from api.limits import admit_size, room_of
from api.models import FitRequest
from api.networks import require_stored_arrays, stored_network
from api.openapi import DESCRIBED, STORED, problems
from api.security import Reader
from api.systems import system_named
from cluster import FitReport, check, fit
from network import Network, parse

router = APIRouter(prefix="/v1/fits", tags=["systems"])

_EXAMPLE = {"network": NETWORK, "system": "rack-2x2", "chips": 4}


@router.post(
    "",
    openapi_extra=raw_body(FitRequest, _EXAMPLE),
    responses=problems(*STORED, *DESCRIBED, UnsupportedMediaType),
)
def try_fit(gateway: TheGateway, key: Reader, raw: RawJson) -> FitReport:
    """Say whether a network would fit a system, and what it would take. Answers 200 in both cases."""
    body = validated(FitRequest, load_json(raw))
    system = system_named(body.system)
    network = _network(gateway, key.owner, body)
    admit_size(network, gateway.settings.limits)
    check(network)
    require_stored_arrays(gateway, key.owner, network)
    return fit(network, system, body.options(), room_of(gateway.settings))


def _network(gateway: Gateway, owner: str, body: FitRequest) -> Network:
    if (body.network_id is None) == (body.network is None):
        message = "needs either network_id or network, got both or none; give one of them"
        raise InvalidRequest(f"body: {message}", errors=[{"path": "network", "message": message}])
    if body.network_id is not None:
        return stored_network(gateway, owner, body.network_id)[1]
    return parse(Network, body.network, path="network")
