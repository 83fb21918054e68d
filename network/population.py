"""Populations of neurons, their inputs, and source populations that only emit spikes."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError, show
from network.schema import MAX_ENTRIES, MAX_NAMES, Description, Name, Number, Numbers, Whole, at_most
from network.values import Value, lowest

MAX_SIZE = 2**31

Size = Annotated[Whole, Field(ge=0, le=MAX_SIZE)]
Values = Annotated[dict[Name, Value], at_most(MAX_NAMES)]


class PoissonInput(Description):
    """Poisson spikes into each neuron, independent between neurons; any number of them in one tick."""

    kind: Literal["poisson"] = Field(default="poisson", description="the word poisson")
    rate_hz: Value = Field(description="the rate of the spikes into each neuron in Hz, >= 0")
    weight: Number = Field(description="the weight of each spike, in the receptor's unit")
    receptor: Name | None = Field(
        default=None, description="the receptor's name, or null for the model's only one"
    )

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        low = lowest(self.rate_hz)
        if low < 0:
            raise NetworkError([("rate_hz", f"must be >= 0, got {show(low)}; raise its lowest value")])
        return self


class DCInput(Description):
    """A constant current into each neuron."""

    kind: Literal["dc"] = Field(default="dc", description="the word dc")
    current_pa: Value = Field(description="the current into each neuron in pA")


Input: TypeAlias = Annotated[PoissonInput | DCInput, Field(discriminator="kind")]
"""One input into each neuron of a population."""


class Population(Description):
    """A named group of neurons of one model.

    Names of the model, its parameters and its state variables are checked where the chip's models are
    known, not here; what is not given has the model's default.
    """

    name: Name = Field(description="the population's name")
    size: Size = Field(description="the number of neurons")
    model: Name = Field(description="the name of the neuron model")
    parameters: Values = Field(default_factory=dict, description="the model's parameters by name")
    initial: Values = Field(default_factory=dict, description="the state variables at time 0 by name")
    inputs: Annotated[tuple[Input, ...], at_most(MAX_ENTRIES)] = Field(
        default=(), description="the inputs into each neuron"
    )


class PoissonSource(Description):
    """A population whose neurons only emit spikes: at most one a tick, with a fixed rate."""

    kind: Literal["poisson"] = Field(default="poisson", description="the word poisson")
    name: Name = Field(description="the source's name")
    size: Size = Field(description="the number of neurons")
    rate_hz: Annotated[Number, Field(ge=0)] = Field(description="the rate of each neuron in Hz")


class SpikeTimesSource(Description):
    """A population whose neurons only emit spikes, at given times.

    A spike at the biological time T has tick T / timestep_ms - 1: the first can be at timestep_ms.
    """

    kind: Literal["spike_times"] = Field(default="spike_times", description="the word spike_times")
    name: Name = Field(description="the source's name")
    size: Size = Field(description="the number of neurons")
    times_ms: Annotated[tuple[Numbers, ...], Field(fail_fast=True)] = Field(
        description="the spike times of each neuron in ms", repr=False
    )

    @model_validator(mode="after")
    def _one_list_a_neuron(self) -> Self:
        if len(self.times_ms) != self.size:
            rule = f"must have one list for each of {self.size} neurons, got {len(self.times_ms)}"
            raise NetworkError([("times_ms", f"{rule}; add empty lists for silent neurons")])
        return self


Source: TypeAlias = Annotated[PoissonSource | SpikeTimesSource, Field(discriminator="kind")]
"""A population that only emits spikes."""
