"""Recordings: which spikes are kept, and which state variables and weights are sampled.

Without a recording of spikes, all spikes are kept; with one or more, only those that one of them names. The
digest is that of all spikes in any case.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError, show
from network.schema import Description, LongName, Name, Number, Whole

MOST = 2**32
"""Greatest start, stop and step of a range of neurons: no network has as many."""


class NeuronRange(Description):
    """Neurons of a population, counted from 0: `start`, `start + step`, ... below `stop`."""

    start: Annotated[Whole, Field(ge=0, le=MOST)] = Field(default=0, description="the first neuron")
    stop: Annotated[Whole, Field(ge=0, le=MOST)] = Field(description="the neuron to stop before")
    step: Annotated[Whole, Field(ge=1, le=MOST)] = Field(
        default=1, description="the step from neuron to neuron"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start > self.stop:
            rule = f"must be <= stop, {self.stop}, got {self.start}"
            raise NetworkError([("start", f"{rule}; lower start or raise stop")])
        return self

    @property
    def range(self) -> range:
        """The neurons as a Python range."""
        return range(self.start, self.stop, self.step)


class StateRecording(Description):
    """Samples of state variables of some neurons of a population, at regular times."""

    kind: Literal["state"] = Field(default="state", description="the word state")
    population: Name = Field(description="the name of the population")
    variables: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)] = Field(
        description="the names of the state variables"
    )
    neurons: NeuronRange = Field(description="the neurons to sample")
    interval_ms: Number = Field(description="the time from sample to sample in ms")

    @model_validator(mode="after")
    def _variables_once(self) -> Self:
        repeated = [name for i, name in enumerate(self.variables) if name in self.variables[:i]]
        if repeated:
            raise NetworkError([("variables", f"must be unique, got {show(repeated[0])} twice; remove one")])
        return self


class SpikeRecording(Description):
    """The spikes of some neurons of a population or source."""

    kind: Literal["spikes"] = Field(default="spikes", description="the word spikes")
    population: Name = Field(description="the name of the population or source")
    neurons: NeuronRange | None = Field(
        default=None, description="the neurons whose spikes are kept, or null for all"
    )


class WeightRecording(Description):
    """Samples of the weights of a projection's synapses, at regular times.

    Synapses are in the order of source, target, delay.
    """

    kind: Literal["weights"] = Field(default="weights", description="the word weights")
    projection: LongName = Field(description="the name of the projection")
    sources: NeuronRange | None = Field(
        default=None, description="the source neurons whose synapses are sampled, or null for all"
    )
    targets: NeuronRange | None = Field(
        default=None, description="the target neurons whose synapses are sampled, or null for all"
    )
    interval_ms: Number = Field(description="the time from sample to sample in ms")


Recording: TypeAlias = Annotated[
    StateRecording | SpikeRecording | WeightRecording, Field(discriminator="kind")
]
"""What of a run is kept."""
