"""Every request of the REST interface as plain data: what to send, and how to read the answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx2
import numpy as np

from network import Network
from spikerack.progress import OnProgress
from spikerack.samples import States, Weights
from spikerack.spikes import Spikes
from spikerack.synapses import SynapseGroup, Synapses
from spikerack.uploads import Upload

T = TypeVar("T")
Record = dict[str, Any]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the reader of its answer.

    Attributes
    ----------
    body : object
        What is sent as JSON.
    content : callable or None
        Begins the stream of msgpack maps that is sent instead; called anew for each attempt.
    """

    method: str
    path: str
    read: Callable[[httpx2.Response], T]
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    content: Callable[[], Iterator[bytes]] | None = None
    accept: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class SpikePage:
    """A page of spikes, and the cursor of the next one."""

    spikes: Spikes
    next: str | None


@dataclass(frozen=True)
class Part(Generic[T]):
    """A part of an answer, and the cursor of the next one."""

    content: T
    next: str | None


def post_network(network: Network | Mapping[str, Any]) -> Call[Record]:
    """Store a network."""
    return Call("POST", "/v1/networks", _record, body=_plain(network))


def get_health() -> Call[None]:
    """Ask whether anybody is there; needs no key."""
    return Call("GET", "/healthz", lambda response: None)


def post_arrays(upload: Upload, on_progress: OnProgress) -> Call[Record]:
    """Store arrays."""
    params = {"kind": upload.kind}
    return Call("POST", "/v1/arrays", _record, params=params, content=lambda: upload.parts(on_progress))


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


def get_synapses(
    deployment_id: str, asked: Mapping[str, str | None], cursor: str | None
) -> Call[Part[Synapses]]:
    """Fetch a part of a deployment's synapses; `asked` has the parameters of the resource."""
    params = _given({**asked, "cursor": cursor, "limit": 100_000})
    path = f"/v1/deployments/{deployment_id}/synapses"
    return Call("GET", path, _synapse_part, params=params, accept="application/x-npz")


def get_states(run_id: str, asked: Mapping[str, int | None], cursor: str | None) -> Call[Part[States]]:
    """Fetch a part of the samples of a recording of states."""
    params = _given({**asked, "cursor": cursor, "limit": 1_000_000})
    path = f"/v1/runs/{run_id}/states"
    return Call("GET", path, _state_part, params=params, accept="application/x-npz")


def get_weights(run_id: str, asked: Mapping[str, int | None], cursor: str | None) -> Call[Part[Weights]]:
    """Fetch a part of the samples of a recording of weights."""
    params = _given({**asked, "cursor": cursor, "limit": 1_000_000})
    path = f"/v1/runs/{run_id}/weights"
    return Call("GET", path, _weight_part, params=params, accept="application/x-npz")


def _given(asked: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in asked.items() if value is not None}


def _arrays(response: httpx2.Response) -> dict[str, Any]:
    with np.load(io.BytesIO(response.content), allow_pickle=False) as arrays:
        return dict(arrays)


def _synapse_part(response: httpx2.Response) -> Part[Synapses]:
    arrays = _arrays(response)
    receptors, projections = arrays.pop("receptor").tolist(), arrays.pop("projection").tolist()
    groups = tuple(
        SynapseGroup(receptor, tuple(names.split("\t")))
        for receptor, names in zip(receptors, projections, strict=True)
    )
    return Part(Synapses(**arrays, groups=groups), response.headers.get("Next-Cursor"))


def _state_part(response: httpx2.Response) -> Part[States]:
    arrays = _arrays(response)
    tick, neuron = arrays.pop("tick"), arrays.pop("neuron")
    return Part(States(tick, neuron, arrays), response.headers.get("Next-Cursor"))


def _weight_part(response: httpx2.Response) -> Part[Weights]:
    return Part(Weights(**_arrays(response)), response.headers.get("Next-Cursor"))


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
