"""``WS /v1/runs/{run_id}/stream``: who may watch a run, and from where."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.errors import Forbidden, InvalidRequest, Unavailable, UnsupportedSubprotocol
from api.gateway import Gateway, TheGateway
from api.keys import Key
from api.models import Request as StrictModel
from api.protocol import SUBPROTOCOL, Mode, Viewer
from api.recorded import header_of, neurons_of
from api.security import key_of_token, require_scope, token_of
from api.spikes import LAST_TICK
from api.storage import Row
from api.viewing import serve_viewer
from cluster.runfile import RunReader

router = APIRouter(prefix="/v1/runs")

TICKET_PREFIX = "ticket."
START_WAIT_S = 5.0


class StreamQuery(StrictModel):
    """What a viewer wants to see."""

    population: str | None = Field(
        default=None, max_length=256, description="Only this population or source."
    )
    from_tick: int | None = Field(
        default=None,
        ge=0,
        le=LAST_TICK,
        description="Next tick wanted; by default 0 if lossless, else the newest.",
    )
    mode: Mode = Field(default="lossless", description="What is done when the viewer does not keep up.")


@router.websocket("/{run_id}/stream")
async def stream_spikes(
    websocket: WebSocket, run_id: str, gateway: TheGateway, query: Annotated[StreamQuery, Query()]
) -> None:
    """Stream a run's spikes. Whatever is refused is refused before the upgrade, as a problem document."""
    _require_origin(websocket, gateway)
    _require_subprotocol(websocket)
    key = require_scope(await _caller(websocket, gateway), "read")
    row = await run_in_threadpool(gateway.records.one, "runs", key.owner, run_id)
    reader = RunReader(gateway.run_folder(run_id))
    await _wait_for_start(reader, run_id)
    viewer = await run_in_threadpool(_viewer, gateway, row, reader, query)
    with gateway.sockets.hold(key.owner):
        await websocket.accept(SUBPROTOCOL)
        await serve_viewer(websocket, gateway, reader, viewer)


def _require_origin(websocket: WebSocket, gateway: Gateway) -> None:
    origin = websocket.headers.get("origin")
    if origin is not None and origin not in gateway.settings.origins:
        raise Forbidden(
            f"Origin: must be one of SPIKERACK_ORIGINS, got {origin!r}; ask the operator to add it"
        )


def _require_subprotocol(websocket: WebSocket) -> None:
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        offered = [name for name in websocket.scope["subprotocols"] if not name.startswith(TICKET_PREFIX)]
        raise UnsupportedSubprotocol(
            f"Sec-WebSocket-Protocol: must be {SUBPROTOCOL}, got {', '.join(offered) or 'nothing'}; offer it"
        )


async def _caller(websocket: WebSocket, gateway: Gateway) -> Key:
    for name in websocket.scope["subprotocols"]:
        if name.startswith(TICKET_PREFIX):
            return gateway.tickets.redeem(name.removeprefix(TICKET_PREFIX))
    return await run_in_threadpool(key_of_token, gateway, token_of(websocket.headers))


async def _wait_for_start(reader: RunReader, run_id: str) -> None:
    """Give a run that was just started the time to write what it is."""
    for _ in range(round(START_WAIT_S / 0.02)):
        if await run_in_threadpool(_has_begun, reader):
            return
        await asyncio.sleep(0.02)
    raise Unavailable(
        f"run {run_id}: must have begun to be streamed, and has not yet; come back", retry_after=1
    )


def _has_begun(reader: RunReader) -> bool:
    return (reader.folder / "meta.json").exists() or reader.ended


def _viewer(gateway: Gateway, row: Row, reader: RunReader, query: StreamQuery) -> Viewer:
    header = {**header_of(gateway, row, reader), "run": row["id"]}
    default = 0 if query.mode == "lossless" else reader.last_tick
    first_tick = default if query.from_tick is None else query.from_tick
    if first_tick > row["n_ticks"]:
        message = (
            f"must be at most {row['n_ticks']}, where the run ends, got {first_tick}; ask for an earlier tick"
        )
        raise InvalidRequest(f"from_tick: {message}", errors=[{"path": "from_tick", "message": message}])
    return Viewer(
        header,
        first_tick=first_tick,
        mode=query.mode,
        queue_frames=gateway.settings.streaming.queue_frames,
        population=query.population,
        neurons=neurons_of(header, query.population),
    )
