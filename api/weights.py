"""``/v1/runs/{run_id}/weights``: the weights that a network's recordings sampled, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.formats import MEDIA_TYPES, choose_format, csv, npz
from api.gateway import TheGateway
from api.recorded import check_span, header_of
from api.recordings import (
    SAMPLE_DOWNLOADS,
    SampleQuery,
    check_width,
    download_headers,
    recording_of,
    window_of,
)
from api.security import Reader
from cluster.recordings import RecordedSynapses
from cluster.runfile import RunReader

router = APIRouter(prefix="/v1/runs", tags=["spikes"])


class WeightBatch(BaseModel):
    """Weights of one recording, at the ends of ticks; in the described unit of the projection's weights."""

    run_id: str
    recording: int
    projection: str
    interval_ms: float
    source: list[int] = Field(description="Global numbers; with the next two the columns of `values`.")
    target: list[int] = Field(description="Global numbers.")
    delay_ticks: list[int]
    tick: list[int] = Field(description="The rows of `values`.")
    values: list[list[float]] = Field(
        description="A row for each tick, a column for each synapse, sorted by source, target, delay, and by "
        "weight at tick 0."
    )
    next: str | None = Field(description="Cursor of the next part; null at the end.")


@dataclass(frozen=True)
class Weights:
    """Some rows of a recording of weights.

    Attributes
    ----------
    synapses : RecordedSynapses
        The columns.
    tick : (n_rows,) int64 array
    values : (n_rows, n_synapses) float64 array
    """

    run_id: str
    number: int
    spec: dict[str, Any]
    interval_ms: float
    synapses: RecordedSynapses
    tick: NDArray[np.int64]
    values: NDArray[np.float64]
    following: str | None


@router.get("/{run_id}/weights", response_model=WeightBatch, responses=SAMPLE_DOWNLOADS)
def get_weights(
    run_id: str, gateway: TheGateway, key: Reader, query: Annotated[SampleQuery, Query()], request: Request
) -> Response:
    """Return the samples of one recording of weights as JSON, npz or CSV, in parts of up to `limit` ticks.

    An npz file holds `tick`, the columns `source`, `target` and `delay_ticks`, and `weight`, a row for each
    tick. A CSV file has a line for each tick and synapse.
    """
    check_span(query.from_tick, query.to_tick)
    form = choose_format(query.format, request.headers.get("accept"))
    row = gateway.records.one("runs", key.owner, run_id)
    reader = RunReader(gateway.run_folder(run_id))
    header = header_of(gateway, row, reader)
    spec = recording_of(header, run_id, query.recording, "weights")
    check_width(query.recording, form, spec["n_synapses"])
    return _WRITERS[form](_read(run_id, reader, header["timestep_ms"], query))


def _read(run_id: str, reader: RunReader, timestep_ms: float, query: SampleQuery) -> Weights:
    spec = reader.meta["recordings"][query.recording]
    window = window_of(query, reader, spec["interval_ticks"], spec["n_synapses"])
    tick, values = reader.weights(query.recording, window.begin, window.end)
    return Weights(
        run_id=run_id,
        number=query.recording,
        spec=spec,
        interval_ms=spec["interval_ticks"] * timestep_ms,
        synapses=reader.synapses(query.recording),
        tick=tick,
        values=values,
        following=window.following,
    )


def _as_json(weights: Weights) -> Response:
    return JSONResponse(
        {
            "run_id": weights.run_id,
            "recording": weights.number,
            "projection": weights.spec["projection"],
            "interval_ms": weights.interval_ms,
            **{name: column.tolist() for name, column in _columns(weights).items()},
            "tick": weights.tick.tolist(),
            "values": weights.values.tolist(),
            "next": weights.following,
        }
    )


def _as_npz(weights: Weights) -> Response:
    content = npz({"tick": weights.tick, **_columns(weights), "weight": weights.values})
    return Response(content, headers=_headers(weights, "npz"), media_type=MEDIA_TYPES["npz"])


def _as_csv(weights: Weights) -> Response:
    n_rows, n_synapses = weights.values.shape
    columns = {"tick": np.repeat(weights.tick, n_synapses)}
    columns |= {name: np.tile(column, n_rows) for name, column in _columns(weights).items()}
    lines = csv({**columns, "weight": weights.values.ravel()})
    return StreamingResponse(lines, headers=_headers(weights, "csv"), media_type=MEDIA_TYPES["csv"])


_WRITERS = {"json": _as_json, "npz": _as_npz, "csv": _as_csv}


def _columns(weights: Weights) -> dict[str, NDArray[Any]]:
    synapses = weights.synapses
    return {"source": synapses.source, "target": synapses.target, "delay_ticks": synapses.delay_ticks}


def _headers(weights: Weights, suffix: str) -> dict[str, str]:
    return download_headers(f"{weights.run_id}-weights-{weights.number}.{suffix}", weights.following)
