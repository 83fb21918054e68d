"""Populations of neurons, their inputs, and source populations that only emit spikes.

A waveform multiplies: a rate of 1 Hz with a modulation of steps has the steps' values as its rates.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError, show
from network.positions import Positions
from network.schema import (
    MAX_ENTRIES,
    MAX_NAMES,
    Description,
    Name,
    Number,
    Numbers,
    Sha256,
    Whole,
    at_most,
)
from network.values import Value, lowest, needs_distance
from network.waveform import Waveform

MAX_SIZE = 2**31

Size = Annotated[Whole, Field(ge=0, le=MAX_SIZE)]
Values = Annotated[dict[Name, Value], at_most(MAX_NAMES)]


class PoissonInput(Description):
    """Poisson spikes into each neuron, independent between neurons; any number of them in one tick."""

    kind: Literal["poisson"] = Field(default="poisson", description="the word poisson")
    rate_hz: Value = Field(description="the rate of the spikes into each neuron in Hz, >= 0")
    modulation: Waveform | None = Field(
        default=None, description="what the rate is multiplied with over time, >= 0, or null for 1"
    )
    weight: Number = Field(description="the weight of each spike, in the receptor's unit")
    receptor: Name | None = Field(
        default=None, description="the receptor's name, or null for the model's only one"
    )

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        low = 0.0 if needs_distance(self.rate_hz) else lowest(self.rate_hz)
        if low < 0:  # What is a function of distance is looked at where the distances are known.
            raise NetworkError([("rate_hz", f"must be >= 0, got {show(low)}; raise its lowest value")])
        return self


class DCInput(Description):
    """A constant current into each neuron."""

    kind: Literal["dc"] = Field(default="dc", description="the word dc")
    current_pa: Value = Field(description="the current into each neuron in pA")


class CurrentInput(Description):
    """A current into each neuron that changes over time: steps, a ramp, a sine."""

    kind: Literal["current"] = Field(default="current", description="the word current")
    current_pa: Value = Field(default=1.0, description="what the waveform is multiplied with in pA")
    waveform: Waveform = Field(description="the course of the current over time")


class NoiseInput(Description):
    """A current into each neuron that is drawn anew at regular times, independent between neurons.

    Normal with the given mean and standard deviation, constant in between; NEST's `noise_generator`.
    """

    kind: Literal["noise"] = Field(default="noise", description="the word noise")
    mean_pa: Number = Field(default=0.0, description="the mean of the current in pA")
    sd_pa: Annotated[Number, Field(ge=0)] = Field(description="the standard deviation of the current in pA")
    interval_ms: Number = Field(description="the time from draw to draw in ms")


Input: TypeAlias = Annotated[PoissonInput | DCInput | CurrentInput | NoiseInput, Field(discriminator="kind")]
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
    positions: Positions | None = Field(
        default=None, description="where the neurons stand, or null if distance plays no role"
    )


class PoissonSource(Description):
    """A population whose neurons only emit spikes: at most one a tick, independent of each other."""

    kind: Literal["poisson"] = Field(default="poisson", description="the word poisson")
    name: Name = Field(description="the source's name")
    size: Size = Field(description="the number of neurons")
    rate_hz: Annotated[Number, Field(ge=0)] = Field(description="the rate of each neuron in Hz")
    modulation: Waveform | None = Field(
        default=None, description="what the rate is multiplied with over time, >= 0, or null for 1"
    )
    positions: Positions | None = Field(
        default=None, description="where the neurons stand, or null if distance plays no role"
    )


class CorrelatedPoissonSource(Description):
    """A population of correlated Poisson sources: each neuron copies spikes of one hidden mother process.

    The mother spikes at rate_hz / correlation, at most once a tick, and each neuron copies each of its spikes
    with the chance `correlation`: so any two have this correlation, within one tick.

    References
    ----------
    Kuhn, Aertsen, Rotter 2003, Neural Comput. 15:67 (multiple interaction process).
    """

    kind: Literal["correlated_poisson"] = Field(
        default="correlated_poisson", description="the word correlated_poisson"
    )
    name: Name = Field(description="the source's name")
    size: Size = Field(description="the number of neurons")
    rate_hz: Annotated[Number, Field(ge=0)] = Field(description="the rate of each neuron in Hz")
    correlation: Annotated[Number, Field(gt=0, le=1)] = Field(
        description="the correlation of each pair of neurons, above 0 to 1"
    )
    modulation: Waveform | None = Field(
        default=None, description="what the rate is multiplied with over time, >= 0, or null for 1"
    )
    positions: Positions | None = Field(
        default=None, description="where the neurons stand, or null if distance plays no role"
    )


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
    positions: Positions | None = Field(
        default=None, description="where the neurons stand, or null if distance plays no role"
    )

    @model_validator(mode="after")
    def _one_list_a_neuron(self) -> Self:
        if len(self.times_ms) != self.size:
            rule = f"must have one list for each of {self.size} neurons, got {len(self.times_ms)}"
            raise NetworkError([("times_ms", f"{rule}; add empty lists for silent neurons")])
        return self


class UploadedSpikesSource(Description):
    """A population whose neurons only emit spikes, at times that were uploaded as binary arrays.

    What the description says of the arrays must be what they hold: uploading answers with it, and a
    deployment compares.
    """

    kind: Literal["uploaded_spikes"] = Field(
        default="uploaded_spikes", description="the word uploaded_spikes"
    )
    name: Name = Field(description="the source's name")
    size: Size = Field(description="the number of neurons")
    sha256: Sha256 = Field(description="the SHA-256 of the arrays, 64 hexadecimal digits")
    n: Annotated[Whole, Field(ge=0, le=2**53)] = Field(description="the number of spikes")
    neuron_stop: Annotated[Whole, Field(ge=0, le=2**32)] = Field(
        description="the greatest neuron plus one, 0 if there are no spikes"
    )
    positions: Positions | None = Field(
        default=None, description="where the neurons stand, or null if distance plays no role"
    )


Source: TypeAlias = Annotated[
    PoissonSource | CorrelatedPoissonSource | SpikeTimesSource | UploadedSpikesSource,
    Field(discriminator="kind"),
]
"""A population that only emits spikes."""
