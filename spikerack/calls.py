"""Every request of the REST interface as plain data: what to send, and how to read the answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx2
import numpy as np

from network import Network
from spikerack.spikes import Spikes

T = TypeVar("T")
Record = dict[str, Any]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the reader of its answer."""

    method: str
    path: str
    read: Callable[[httpx2.Response], T]
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    accept: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class SpikePage:
    """A page of spikes, and the cursor of the next one."""

    spikes: Spikes
    next: str | None


def post_network(network: Network | Mapping[str, Any]) -> Call[Record]:
    """Store a network."""
    return Call("POST", "/v1/networks", _record, body=_plain(network))


def get_health() -> Call[None]:
    """Ask whether anybody is there; needs no key."""
    return Call("GET", "/healthz", lambda response: None)


def get_systems() -> Call[list[Record]]:
    """List the systems that a network can be deployed onto."""
    return Call("GET", "/v1/systems", lambda response: list(response.json()["items"]))


def post_fit(network: Network | Mapping[str, Any], options: Mapping[str, Any]) -> Call[Record]:
    """Ask whether a network fits, without deploying it."""
    return Call("POST", "/v1/fits", _record, body={"network": _plain(network), **options})


def post_deployment(network_id: str, options: Mapping[str, Any]) -> Call[Record]:
    """Begin to deploy a stored network."""
    return Call("POST", "/v1/deployments", _record, body={"network_id": network_id, **options})


def get_deployment(deployment_id: str) -> Call[Record]:
    """Look at a deployment."""
    return Call("GET", f"/v1/deployments/{deployment_id}", _record)


def delete_deployment(deployment_id: str) -> Call[None]:
    """Release a deployment."""
    return Call("DELETE", f"/v1/deployments/{deployment_id}", lambda response: None)


def post_run(deployment_id: str, duration_ms: float) -> Call[Record]:
    """Begin a run."""
    return Call("POST", f"/v1/deployments/{deployment_id}/runs", _record, body={"duration_ms": duration_ms})


def get_run(run_id: str) -> Call[Record]:
    """Look at a run."""
    return Call("GET", f"/v1/runs/{run_id}", _record)


def post_control(run_id: str, action: str, ticks: int | None = None) -> Call[int]:
    """Pause, resume, step or cancel a run; the answer is the tick where it took effect."""
    body = None if ticks is None else {"ticks": ticks}
    return Call(
        "POST", f"/v1/runs/{run_id}/{action}", lambda response: int(response.json()["tick"]), body=body
    )


def get_spikes(
    run_id: str,
    *,
    population: str | None = None,
    from_tick: int | None = None,
    to_tick: int | None = None,
    cursor: str | None = None,
) -> Call[SpikePage]:
    """Fetch a page of a run's spikes."""
    asked = {
        "population": population,
        "from_tick": from_tick,
        "to_tick": to_tick,
        "cursor": cursor,
        "limit": 5_000_000,
    }
    params = {name: value for name, value in asked.items() if value is not None}
    return Call("GET", f"/v1/runs/{run_id}/spikes", _spike_page, params=params, accept="application/x-npz")


def _plain(network: Network | Mapping[str, Any]) -> dict[str, Any]:
    return network.model_dump(mode="json") if isinstance(network, Network) else dict(network)


def _record(response: httpx2.Response) -> Record:
    record: Record = response.json()
    return record


def _spike_page(response: httpx2.Response) -> SpikePage:
    with np.load(io.BytesIO(response.content), allow_pickle=False) as arrays:
        places = zip(
            arrays["population"].tolist(), arrays["first"].tolist(), arrays["size"].tolist(), strict=True
        )
        spikes = Spikes(
            tick=arrays["tick"],
            neuron=arrays["neuron"],
            timestep_ms=float(arrays["timestep_ms"]),
            populations={name: (first, size) for name, first, size in places},
        )
    return SpikePage(spikes, response.headers.get("Next-Cursor"))
