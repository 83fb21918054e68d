"""What goes in and out as JSON. `cluster` and `network` describe their own parts; these are the gateway's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SkipValidation, field_validator

from api.keys import Scope
from api.validation import OWNER
from cluster import DeployOptions
from cluster.systems import DEFAULT_SYSTEM
from network import Network, Uploaded
from network.arrays import ArrayKind

Item = TypeVar("Item")

DeploymentState = Literal["building", "ready", "failed", "released"]
RunState = Literal["running", "paused", "complete", "complete_with_loss", "failed", "cancelled"]


class Request(BaseModel):
    """Base of bodies and query strings: an unknown name is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[Item]):
    """A part of a list, newest first."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next part; null at the end.")


class PageQuery(Request):
    """Which part of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="Most items in the answer.")
    cursor: str | None = Field(default=None, max_length=64, description="`next` of the answer before.")


class NetworkRecord(BaseModel):
    """A stored network."""

    id: str
    name: str
    n_neurons: int = Field(description="Those of sources included.")
    n_synapses_expected: int
    timestep_ms: float
    seed: int
    sha256: str = Field(description="SHA-256 of the network's canonical JSON.")
    created: datetime


class NetworkDetail(NetworkRecord):
    """A stored network, with its description where it was asked for."""

    body: dict[str, Any] | None = Field(default=None, description="The network, with `?include=body`.")


class NetworkQuery(Request):
    """What to answer about a network."""

    include: Literal["body"] | None = Field(default=None, description="`body` adds the description itself.")


class ArraysQuery(Request):
    """What is uploaded."""

    kind: ArrayKind = Field(description="`synapses` for projections, or `spikes` for sources.")


class ArraysListQuery(PageQuery):
    """Which arrays to list."""

    kind: ArrayKind | None = Field(default=None, description="Only those of one kind.")


class SpikesReference(BaseModel):
    """What a source of uploaded spikes says of them, beside its name and size."""

    kind: Literal["uploaded_spikes"] = "uploaded_spikes"
    sha256: str
    n: int = Field(description="The number of spikes.")
    neuron_stop: int = Field(description="One more than the greatest neuron, 0 if there are no spikes.")


class ArraysRecord(BaseModel):
    """Uploaded arrays."""

    id: str = Field(description="SHA-256 of what they hold, whatever they came in.")
    kind: ArrayKind
    n: int = Field(description="Synapses or spikes.")
    n_bytes: int = Field(description="As they are stored.")
    columns: list[str] = Field(description="What each of them has.")
    connectivity: Uploaded | None = Field(
        description="Of synapses: what a projection takes as its connectivity, as it is."
    )
    source: SpikesReference | None = Field(
        description="Of spikes: what a source takes beside its name and size, as it is."
    )
    created: datetime


class SystemRecord(BaseModel):
    """A system that can be deployed onto."""

    name: str
    description: str
    n_chips: int
    levels: list[dict[str, Any]] = Field(description="From the leaves up, each with name and fan_out.")
    chip: dict[str, Any] = Field(description="What one chip can hold.")


class DeploymentRequest(DeployOptions):
    """A network onto a system."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"network_id": "net_0123456789abcdef", "system": "rack-2x2", "chips": 4}],
        }
    )

    network_id: str = Field(max_length=64, description="A stored network.")
    system: str = Field(default=DEFAULT_SYSTEM, max_length=64, description="A name of /v1/systems.")

    def options(self) -> DeployOptions:
        """Return the part that `cluster` takes."""
        return DeployOptions(chips=self.chips, placement=self.placement, precision=self.precision)


class FitRequest(DeployOptions):
    """A network, stored or given here, and a system that it might be deployed onto."""

    network_id: str | None = Field(
        default=None, max_length=64, description="A stored network; this or `network`."
    )
    network: Annotated[Network | None, SkipValidation] = Field(
        default=None, description="The network itself; this or `network_id`."
    )
    system: str = Field(default=DEFAULT_SYSTEM, max_length=64, description="A name of /v1/systems.")

    def options(self) -> DeployOptions:
        """Return the part that `cluster` takes."""
        return DeployOptions(chips=self.chips, placement=self.placement, precision=self.precision)


class DeploymentRecord(BaseModel):
    """A deployment."""

    id: str
    network_id: str | None = Field(
        description="Null when the network was deleted after the deployment ended."
    )
    network_name: str
    timestep_ms: float
    system: str
    chips: int
    placement: str
    precision: str
    state: DeploymentState
    phase: str = Field(description="What is being built.")
    progress: float = Field(ge=0, le=1)
    error: str | None
    report: dict[str, Any] | None = Field(description="The mapping report, when it is built.")
    n_neurons: int
    n_synapses: int
    memory_bytes: int = Field(description="The estimate it was admitted by.")
    created: datetime
    released: datetime | None


class RunRequest(Request):
    """A run of a deployment, from tick 0."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"duration_ms": 1000.0}]})

    duration_ms: float = Field(
        gt=0, allow_inf_nan=False, description="Biological time; a multiple of timestep_ms."
    )


class StepRequest(Request):
    """How far to step a paused run."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ticks": 100}]})

    ticks: int = Field(ge=1, le=2**32 - 1, description="Ticks to advance.")


class RunQuery(PageQuery):
    """Which runs to list."""

    deployment_id: str | None = Field(
        default=None, max_length=64, description="Only those of one deployment."
    )


class RunRecord(BaseModel):
    """A run."""

    id: str
    deployment_id: str
    duration_ms: float
    timestep_ms: float
    n_ticks: int
    created: datetime
    state: RunState
    tick: int = Field(description="Ticks that are done.")
    progress: float = Field(ge=0, le=1)
    realtime_factor: float | None = Field(
        description="Wall over biological time; below 1 is faster than real time."
    )
    n_spikes: int = Field(description="Of all neurons.")
    n_recorded_spikes: int = Field(
        description="Of the neurons whose spikes the network's recordings keep; all of them without any."
    )
    rates_hz: dict[str, float] | None = Field(description="Mean rate by population.")
    digest: str | None = Field(description="SHA-256 of all spikes.")
    recorded_digest: str | None = Field(
        description="SHA-256 of the spikes that are kept; equals `digest` when all are."
    )
    synapse_digest: str | None
    conservation: dict[str, Any] | None = Field(description="Every address and synaptic event accounted for.")
    engine_version: str | None
    error: str | None = Field(description="Why it failed, and at which tick.")
    started: datetime | None
    ended: datetime | None


class Controlled(BaseModel):
    """Where an action took effect."""

    tick: int
    state: RunState


class KeyRequest(Request):
    """A new API key."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "notebook", "scopes": ["read", "run"]}]}
    )

    name: str = Field(min_length=1, max_length=100)
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    owner: str | None = Field(
        default=None,
        pattern=OWNER,
        description="Whose records it opens; null makes a new owner.",
    )
    expires: AwareDatetime | None = Field(default=None, description="Before the year 3000; null is never.")

    @field_validator("expires")
    @classmethod
    def _within_the_calendar(cls, expires: datetime | None) -> datetime | None:
        if expires is not None and not 2000 <= expires.year < 3000:
            raise ValueError(
                f"must be before the year 3000, got {expires.isoformat()}; leave it out for never"
            )
        return expires


class KeyRecord(BaseModel):
    """An API key, without its secret."""

    id: str
    owner: str
    name: str
    scopes: list[Scope]
    created: datetime
    expires: datetime | None


class NewKey(KeyRecord):
    """An API key just made."""

    token: str = Field(description="Shown once; only its SHA-256 is stored.")


class Ticket(BaseModel):
    """Opens one stream, once."""

    ticket: str = Field(description="Offer it as the websocket subprotocol `ticket.<ticket>`.")
    expires: datetime


class Health(BaseModel):
    """How the gateway is."""

    status: Literal["ok", "ready"]
