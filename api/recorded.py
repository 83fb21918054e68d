"""What a run has recorded, as far as all formats and the stream need it."""

from __future__ import annotations

from typing import Any

from api.errors import InvalidRequest
from api.gateway import Gateway
from api.storage import Row
from cluster.runfile import RunReader


def header_of(gateway: Gateway, row: Row, reader: RunReader) -> dict[str, Any]:
    """Return what a run's file says about it; for one that died before it wrote it, what is known otherwise.

    Returns
    -------
    dict
        At least timestep_ms, n_ticks, n_neurons, populations, recorded and recordings.
    """
    try:
        return reader.meta
    except FileNotFoundError:
        deployment = gateway.records.one("deployments", row["owner"], row["deployment_id"])
        known = {
            "timestep_ms": row["timestep_ms"],
            "n_ticks": row["n_ticks"],
            "n_neurons": deployment["n_neurons"],
        }
        return {**known, "populations": [], "recorded": None, "recordings": []}


def check_span(from_tick: int, to_tick: int | None) -> None:
    """Refuse ticks that run backwards. None stands for the last complete tick.

    Raises
    ------
    InvalidRequest
        `to_tick` is before `from_tick`.
    """
    if to_tick is not None and to_tick < from_tick:
        message = (
            f"must be at least from_tick, {from_tick}, got {to_tick}; ask for a later tick or leave it out"
        )
        raise InvalidRequest(f"to_tick: {message}", errors=[{"path": "to_tick", "message": message}])


def neurons_of(header: dict[str, Any], population: str | None) -> range | None:
    """Return the global numbers of a population or source; None for all.

    Raises
    ------
    InvalidRequest
        The run has none of this name.
    """
    if population is None:
        return None
    for member in header["populations"]:
        if member["name"] == population:
            return range(member["first"], member["first"] + member["size"])
    names = ", ".join(member["name"] for member in header["populations"]) or "none yet"
    message = f"must be a population or source of the run ({names}), got {population!r}; see its network"
    raise InvalidRequest(f"population: {message}", errors=[{"path": "population", "message": message}])
