"""``/v1/deployments/{deployment_id}/synapses``: the expanded synapses, as they stand on the chips."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.deployments import view_deployment
from api.errors import InvalidRequest, NotAcceptable, RefusedTransition, Unavailable
from api.formats import MEDIA_TYPES, Format, choose_format, csv, npz, quoted
from api.gateway import TheGateway
from api.models import Request as StrictModel
from api.openapi import STORED, problems
from api.paging import decode_cursor, encode_cursor
from api.recordings import download_headers
from api.security import Reader
from api.states import DEPLOYMENT, next_state
from api.validation import RANGE
from cluster.errors import DeploymentLost, RunConflict
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage

router = APIRouter(prefix="/v1/deployments", tags=["deployments"])

SYNAPSES_A_PAGE = 100_000
SEPARATOR = "\t"
"""Between the names of parallel projections in npz and CSV: no name has it."""


class SynapsesQuery(StrictModel):
    """Which synapses, and how. Either `projection`, or `source` or `target` or both."""

    projection: str | None = Field(
        default=None, max_length=258, description="Those of one projection, and of parallel ones."
    )
    source: str | None = Field(
        default=None, max_length=128, description="Those from one population or source."
    )
    target: str | None = Field(default=None, max_length=128, description="Those onto one population.")
    sources: str | None = Field(
        default=None,
        pattern=RANGE,
        description="Source neurons within their population as `start:stop` or `start:stop:step`.",
    )
    targets: str | None = Field(
        default=None,
        pattern=RANGE,
        description="Target neurons within their population as `start:stop` or `start:stop:step`.",
    )
    limit: int = Field(default=10_000, ge=1, le=SYNAPSES_A_PAGE, description="Most synapses in the answer.")
    cursor: str | None = Field(default=None, max_length=64, description="`next` of the answer before.")
    format: Format | None = Field(default=None, description="Goes before the header Accept.")


class SynapseBatch(BaseModel):
    """Synapses, sorted by source, target, delay, receptor and weight."""

    deployment_id: str
    n_synapses: int = Field(description="In this answer.")
    source: list[int] = Field(
        description="Global numbers: populations, then sources, in order of declaration."
    )
    target: list[int] = Field(description="Global numbers.")
    delay_ticks: list[int] = Field(description="Axonal and dendritic part together.")
    weight: list[float] = Field(description="In the described unit, as the chip adds it.")
    receptor: list[str]
    projection: list[list[str]] = Field(
        description="All projections of this source population, target population and receptor: a memory "
        "does not tell them apart."
    )
    next: str | None = Field(description="Cursor of the next part; null at the end.")


SYNAPSE_DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES["npz"]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
        },
        "headers": {
            "Next-Cursor": {"description": "npz and CSV: the next part.", "schema": {"type": "string"}}
        },
    },
    **problems(*STORED, NotAcceptable, RefusedTransition, RunConflict, DeploymentLost, Unavailable),
}


@router.get("/{deployment_id}/synapses", response_model=SynapseBatch, responses=SYNAPSE_DOWNLOADS)
def get_synapses(
    deployment_id: str,
    gateway: TheGateway,
    key: Reader,
    query: Annotated[SynapsesQuery, Query()],
    request: Request,
) -> Response:
    """Return synapses of a deployment as JSON, npz or CSV, in parts of up to `limit`.

    They are read from the chips' memories, beside a run if there is one. All parts together must leave at
    most 10,000,000 synapses to be expected. An npz file holds `source` and `target` (uint32), `delay_ticks`,
    `weight`, and `group`, the place of each among `receptor` and `projection`; there and in CSV the names of
    parallel projections are separated by tabs.
    """
    asked = SynapseQuery(
        query.projection,
        query.source,
        query.target,
        _range("sources", query.sources),
        _range("targets", query.targets),
    )
    begin = decode_cursor(query.cursor, 2) if query.cursor else (0, 0)
    form = choose_format(query.format, request.headers.get("accept"))
    row = gateway.records.one("deployments", key.owner, deployment_id)
    state = view_deployment(gateway, row).state
    next_state(DEPLOYMENT, f"deployment {deployment_id}", state=state, action="read synapses")
    page = gateway.fleet.synapses(deployment_id, asked, query.limit, (begin[0], begin[1]))
    return _WRITERS[form](deployment_id, page)


def _range(where: str, text: str | None) -> range | None:
    if text is None:
        return None
    start, stop, step = [*map(int, text.split(":")), 1][:3]
    if start > stop or step < 1:
        message = f"must have start <= stop and step >= 1, got {text}; turn them round, or raise the step"
        raise InvalidRequest(f"{where}: {message}", errors=[{"path": where, "message": message}])
    return range(start, stop, step)


def _as_json(deployment_id: str, page: SynapsePage) -> Response:
    kinds = page.synapses.kind.tolist()
    return JSONResponse(
        {
            "deployment_id": deployment_id,
            "n_synapses": len(kinds),
            **{name: column.tolist() for name, column in _columns(page).items()},
            "receptor": [page.groups[kind].receptor for kind in kinds],
            "projection": [page.groups[kind].projections for kind in kinds],
            "next": _next(page),
        }
    )


def _as_npz(deployment_id: str, page: SynapsePage) -> Response:
    names = {
        "receptor": np.array([group.receptor for group in page.groups], np.str_),
        "projection": np.array([SEPARATOR.join(group.projections) for group in page.groups], np.str_),
    }
    content = npz({**_columns(page), "group": page.synapses.kind, **names})
    headers = download_headers(f"{deployment_id}-synapses.npz", _next(page))
    return Response(content, headers=headers, media_type=MEDIA_TYPES["npz"])


def _as_csv(deployment_id: str, page: SynapsePage) -> Response:
    receptor = np.array([quoted(group.receptor) for group in page.groups], object)
    projection = np.array([quoted(SEPARATOR.join(group.projections)) for group in page.groups], object)
    kind = page.synapses.kind
    lines = csv({**_columns(page), "receptor": receptor[kind], "projection": projection[kind]})
    headers = download_headers(f"{deployment_id}-synapses.csv", _next(page))
    return StreamingResponse(lines, headers=headers, media_type=MEDIA_TYPES["csv"])


_WRITERS = {"json": _as_json, "npz": _as_npz, "csv": _as_csv}


def _columns(page: SynapsePage) -> dict[str, NDArray[Any]]:
    synapses = page.synapses
    return {
        "source": synapses.source,
        "target": synapses.target,
        "delay_ticks": synapses.delay_ticks,
        "weight": synapses.weight,
    }


def _next(page: SynapsePage) -> str | None:
    return encode_cursor(*page.following) if page.following else None
