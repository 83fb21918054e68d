"""``/v1/runs/{run_id}/spikes``: the spikes of complete ticks, of a run that has ended or still goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.conditional import NOT_MODIFIED, etag, not_modified
from api.errors import NotAcceptable
from api.formats import MEDIA_TYPES, Format, choose_format, csv, npz
from api.gateway import TheGateway
from api.models import Request as StrictModel
from api.openapi import STORED, problems
from api.paging import decode_cursor, encode_cursor
from api.recorded import check_span, header_of, neurons_of
from api.security import Reader
from api.spikepages import Selection, SpikePage, read_page
from api.storage import Row
from cluster.runfile import RunReader

router = APIRouter(prefix="/v1/runs", tags=["spikes"])

LAST_TICK = 2**32
DEFAULT_LIMITS: dict[Format, int] = {"json": 100_000, "npz": 5_000_000, "csv": 5_000_000}
"""Spikes in an answer when the caller does not say: 8 bytes each in npz, and CSV is written as it is sent."""


class SpikeQuery(StrictModel):
    """Which spikes, and how."""

    population: str | None = Field(
        default=None, max_length=256, description="Only those of one population or source."
    )
    from_tick: int = Field(default=0, ge=0, le=LAST_TICK, description="First tick.")
    to_tick: int | None = Field(default=None, ge=0, le=LAST_TICK, description="Tick after the last one.")
    limit: int | None = Field(
        default=None,
        ge=1,
        le=5_000_000,
        description="Most spikes in the answer; by default 100,000 in JSON and 5,000,000 in npz and CSV.",
    )
    cursor: str | None = Field(default=None, max_length=64, description="`next` of the answer before.")
    format: Format | None = Field(default=None, description="Goes before the header Accept.")


class SpikeBatch(BaseModel):
    """Spikes, sorted by tick, then neuron."""

    run_id: str
    timestep_ms: float
    from_tick: int
    to_tick: int = Field(
        description="Spikes before it are covered once `next` is null; a live run goes on from here."
    )
    n_spikes: int = Field(description="In this answer.")
    tick: list[int]
    neuron: list[int] = Field(
        description="Global numbers: populations, then sources, in order of declaration."
    )
    next: str | None = Field(description="Cursor of the next part; null at the end.")


DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES["npz"]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
        },
        "headers": {
            "Next-Cursor": {
                "description": "npz and CSV: cursor of the next part; absent at the end.",
                "schema": {"type": "string"},
            },
            "From-Tick": {"description": "npz and CSV.", "schema": {"type": "integer"}},
            "To-Tick": {"description": "npz and CSV.", "schema": {"type": "integer"}},
        },
    },
    **NOT_MODIFIED,
    **problems(*STORED, NotAcceptable),
}


@router.get("/{run_id}/spikes", response_model=SpikeBatch, responses=DOWNLOADS)
def get_spikes(
    run_id: str, gateway: TheGateway, key: Reader, query: Annotated[SpikeQuery, Query()], request: Request
) -> Response:
    """Return spikes as JSON, npz or CSV, in parts of up to `limit`.

    An npz file holds `tick` and `neuron` (uint32), `timestep_ms`, the numbering (`population`, `first`,
    `size`), `complete`, which is false when spikes before the header `To-Tick` are left for another part, and
    `next_tick`, the first tick that the file does not hold whole. Of npz and CSV the header `Next-Cursor` is
    the cursor of the next part; without it there is none.
    """
    check_span(query.from_tick, query.to_tick)
    form = choose_format(query.format, request.headers.get("accept"))
    row = gateway.records.one("runs", key.owner, run_id)
    reader = RunReader(gateway.run_folder(run_id))
    header = header_of(gateway, row, reader)
    tag = etag(run_id, query, form, reader.n_spikes) if reader.ended else None
    if tag and (same := not_modified(request, tag)):
        return same
    selection = _select(query, reader, header)
    limit = min(query.limit or DEFAULT_LIMITS[form], gateway.settings.limits.spikes_a_page)
    page = read_page(reader, selection, limit)
    response = _WRITERS[form](row, header, selection, page)
    if tag:
        response.headers["ETag"] = tag
    return response


def _select(query: SpikeQuery, reader: RunReader, header: dict[str, Any]) -> Selection:
    last = reader.last_tick
    stop = last if query.to_tick is None else min(query.to_tick, last)
    whole = Selection(query.from_tick, max(stop, query.from_tick), 0, neurons_of(header, query.population))
    if query.cursor is None:
        return whole
    from_tick, skip = decode_cursor(query.cursor, 2)
    return replace(whole, from_tick=from_tick, to_tick=max(stop, from_tick), skip=skip)


def _as_json(row: Row, header: dict[str, Any], selection: Selection, page: SpikePage) -> Response:
    return JSONResponse(
        {
            "run_id": row["id"],
            "timestep_ms": header["timestep_ms"],
            "from_tick": selection.from_tick,
            "to_tick": selection.to_tick,
            "n_spikes": len(page.tick),
            "tick": page.tick.tolist(),
            "neuron": page.neuron.tolist(),
            "next": encode_cursor(*page.following) if page.following else None,
        }
    )


def _as_npz(row: Row, header: dict[str, Any], selection: Selection, page: SpikePage) -> Response:
    members = header["populations"]
    arrays: dict[str, NDArray[Any]] = {
        "tick": page.tick,
        "neuron": page.neuron,
        "timestep_ms": np.array(header["timestep_ms"], dtype=np.float64),
        "population": np.array([member["name"] for member in members], dtype=np.str_),
        "first": np.array([member["first"] for member in members], dtype=np.uint32),
        "size": np.array([member["size"] for member in members], dtype=np.uint32),
        "complete": np.array(page.following is None),
        "next_tick": np.array(page.following[0] if page.following else selection.to_tick, dtype=np.int64),
    }
    headers = _download_headers(row, selection, page, "npz")
    return Response(npz(arrays), headers=headers, media_type=MEDIA_TYPES["npz"])


def _as_csv(row: Row, _: dict[str, Any], selection: Selection, page: SpikePage) -> Response:
    headers = _download_headers(row, selection, page, "csv")
    lines = csv({"tick": page.tick, "neuron": page.neuron})
    return StreamingResponse(lines, headers=headers, media_type=MEDIA_TYPES["csv"])


_WRITERS = {"json": _as_json, "npz": _as_npz, "csv": _as_csv}


def _download_headers(row: Row, selection: Selection, page: SpikePage, suffix: str) -> dict[str, str]:
    headers = {
        "Content-Disposition": f'attachment; filename="{row["id"]}.{suffix}"',
        "From-Tick": str(selection.from_tick),
        "To-Tick": str(selection.to_tick),
    }
    return headers | ({"Next-Cursor": encode_cursor(*page.following)} if page.following else {})
