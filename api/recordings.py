"""``/v1/runs/{run_id}/states``: the state variables that a network's recordings sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.errors import InvalidRequest, NotAcceptable, NotFound
from api.formats import MEDIA_TYPES, Format, choose_format, csv, npz
from api.gateway import TheGateway
from api.models import Request as StrictModel
from api.openapi import STORED, problems
from api.paging import decode_cursor, encode_cursor
from api.recorded import check_span, header_of
from api.security import Reader
from api.spikes import LAST_TICK
from cluster.runfile import RunReader

router = APIRouter(prefix="/v1/runs", tags=["spikes"])

VALUES_A_PAGE = 1_000_000
"""Values in an answer, but for npz and CSV of a recording that has more in a single tick."""


class SampleQuery(StrictModel):
    """Which samples, and how."""

    recording: int = Field(default=0, ge=0, le=2**16, description="Index in the network's `recordings`.")
    from_tick: int = Field(default=0, ge=0, le=LAST_TICK, description="First tick.")
    to_tick: int | None = Field(default=None, ge=0, le=LAST_TICK, description="Tick after the last one.")
    limit: int = Field(default=1_000, ge=1, le=VALUES_A_PAGE, description="Most sampled ticks in the answer.")
    cursor: str | None = Field(default=None, max_length=64, description="`next` of the answer before.")
    format: Format | None = Field(default=None, description="Goes before the header Accept.")


class StateBatch(BaseModel):
    """Samples of one recording, at the ends of ticks."""

    run_id: str
    recording: int
    population: str
    interval_ms: float
    neurons: list[int] = Field(description="Global numbers; the columns of `values`.")
    tick: list[int] = Field(description="The rows of `values`.")
    values: dict[str, list[list[float]]] = Field(
        description="By variable: a row for each tick, a column for each neuron."
    )
    next: str | None = Field(description="Cursor of the next part; null at the end.")


@dataclass(frozen=True)
class Samples:
    """Some rows of a recording.

    Attributes
    ----------
    neurons : (n_neurons,) int64 array
        Global numbers.
    tick : (n_rows,) int64 array
    values : (n_rows, n_variables, n_neurons) float64 array
    """

    run_id: str
    number: int
    spec: dict[str, Any]
    interval_ms: float
    neurons: NDArray[np.int64]
    tick: NDArray[np.int64]
    values: NDArray[np.float64]
    following: str | None


@dataclass(frozen=True)
class Window:
    """Which samples an answer holds: those of ticks in [begin, end), and the cursor of the next."""

    begin: int
    end: int
    following: str | None


SAMPLE_DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES["npz"]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
        },
        "headers": {
            "Next-Cursor": {"description": "npz and CSV: the next part.", "schema": {"type": "string"}}
        },
    },
    **problems(*STORED, NotAcceptable),
}


@router.get("/{run_id}/states", response_model=StateBatch, responses=SAMPLE_DOWNLOADS)
def get_states(
    run_id: str, gateway: TheGateway, key: Reader, query: Annotated[SampleQuery, Query()], request: Request
) -> Response:
    """Return the samples of one recording of states as JSON, npz or CSV, in parts of up to `limit` ticks."""
    check_span(query.from_tick, query.to_tick)
    form = choose_format(query.format, request.headers.get("accept"))
    row = gateway.records.one("runs", key.owner, run_id)
    reader = RunReader(gateway.run_folder(run_id))
    header = header_of(gateway, row, reader)
    spec = recording_of(header, run_id, query.recording, "state")
    width = len(spec["variables"]) * spec["n_neurons"]
    check_width(query.recording, form, width)
    return _WRITERS[form](_read(run_id, reader, header, query))


def recording_of(header: dict[str, Any], run_id: str, number: int, kind: str) -> dict[str, Any]:
    """Return what a run's file says about recording `number`.

    Raises
    ------
    NotFound
        The run has no such recording.
    InvalidRequest
        It is not of `kind`.
    """
    if number >= len(header["recordings"]):
        raise NotFound(
            f"recording: run {run_id} has {len(header['recordings'])} recordings, got {number}; "
            "describe recordings in the network"
        )
    spec: dict[str, Any] = header["recordings"][number]
    if spec["kind"] != kind:
        message = (
            f"must be of kind {kind}, got recording {number} of kind {spec['kind']}; "
            f"ask for /v1/runs/{run_id}/{_PLACES[spec['kind']]}"
        )
        raise InvalidRequest(f"recording: {message}", errors=[{"path": "recording", "message": message}])
    return spec


_PLACES = {"state": "states", "weights": "weights", "spikes": "spikes"}


def check_width(number: int, form: Format, width: int) -> None:
    """Refuse JSON of a recording that has more values in a tick than an answer may hold.

    Raises
    ------
    InvalidRequest
        It has.
    """
    if form == "json" and width > VALUES_A_PAGE:
        message = (
            f"JSON must hold at most {VALUES_A_PAGE} values a tick, got {width} of recording {number}; "
            "ask for npz or csv"
        )
        raise InvalidRequest(f"format: {message}", errors=[{"path": "format", "message": message}])


def window_of(query: SampleQuery, reader: RunReader, every: int, width: int) -> Window:
    """Return which samples, one each `every` ticks, of `width` values each, an answer holds."""
    begin = decode_cursor(query.cursor, 1)[0] if query.cursor else query.from_tick
    stop = reader.last_tick if query.to_tick is None else min(query.to_tick, reader.last_tick)
    rows = max(1, min(query.limit, VALUES_A_PAGE // max(width, 1)))
    split = min(stop, (begin // every + rows) * every)
    more = split // every < stop // every
    return Window(begin, max(split, begin), encode_cursor(split) if more else None)


def _read(run_id: str, reader: RunReader, header: dict[str, Any], query: SampleQuery) -> Samples:
    spec = header["recordings"][query.recording]
    every, width = spec["interval_ticks"], len(spec["variables"]) * spec["n_neurons"]
    window = window_of(query, reader, every, width)
    tick, values = reader.states(query.recording, window.begin, window.end)
    return Samples(
        run_id=run_id,
        number=query.recording,
        spec=spec,
        interval_ms=every * header["timestep_ms"],
        neurons=_neurons(header, spec),
        tick=tick,
        values=values,
        following=window.following,
    )


def _neurons(header: dict[str, Any], spec: dict[str, Any]) -> NDArray[np.int64]:
    first = next(member["first"] for member in header["populations"] if member["name"] == spec["population"])
    return np.arange(spec["start"], spec["stop"], spec["step"], dtype=np.int64) + int(first)


def _as_json(samples: Samples) -> Response:
    variables = samples.spec["variables"]
    return JSONResponse(
        {
            "run_id": samples.run_id,
            "recording": samples.number,
            "population": samples.spec["population"],
            "interval_ms": samples.interval_ms,
            "neurons": samples.neurons.tolist(),
            "tick": samples.tick.tolist(),
            "values": {name: samples.values[:, k].tolist() for k, name in enumerate(variables)},
            "next": samples.following,
        }
    )


def _as_npz(samples: Samples) -> Response:
    arrays = {name: samples.values[:, k] for k, name in enumerate(samples.spec["variables"])}
    content = npz({"tick": samples.tick, "neuron": samples.neurons, **arrays})
    return Response(content, headers=_headers(samples, "npz"), media_type=MEDIA_TYPES["npz"])


def _as_csv(samples: Samples) -> Response:
    """One line for each tick and neuron."""
    n_rows, _, n_neurons = samples.values.shape
    columns = {"tick": np.repeat(samples.tick, n_neurons), "neuron": np.tile(samples.neurons, n_rows)}
    columns |= {name: samples.values[:, k].ravel() for k, name in enumerate(samples.spec["variables"])}
    return StreamingResponse(csv(columns), headers=_headers(samples, "csv"), media_type=MEDIA_TYPES["csv"])


_WRITERS = {"json": _as_json, "npz": _as_npz, "csv": _as_csv}


def _headers(samples: Samples, suffix: str) -> dict[str, str]:
    return download_headers(f"{samples.run_id}-states-{samples.number}.{suffix}", samples.following)


def download_headers(name: str, following: str | None) -> dict[str, str]:
    """Return the headers of a file called `name`, with the cursor of the next part."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return headers | ({"Next-Cursor": following} if following else {})
