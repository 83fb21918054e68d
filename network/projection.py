"""Projections: the synapses from one population to another."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from network.connectivity import Connectivity, Convolution, DistanceDependent, Explicit, Uploaded
from network.errors import NetworkError, Problem, show
from network.schema import Description, LongName, Name, Number, Whole
from network.values import Value, needs_distance


def _default_name(fields: dict[str, Any]) -> str:
    return f"{fields['source']}->{fields['target']}"


class Projection(Description):
    """The synapses from one population (or source) to another.

    A weight is added as given to the receptor's current or voltage: an inhibitory weight is negative.
    A delay is the sum of an axonal and a dendritic part, each rounded half up to ticks if it is drawn, and is
    at least one tick.

    A synapse's memory may have fewer than 16 bits, or hold only the entries of a codebook: each weight
    becomes the nearest value that is left (of two equally near, the lesser). With ``weight_bits`` b these are
    the multiples of s / n up to s, where s is the largest magnitude that the description allows; n = 2**b - 1
    for weights of one sign, else 2**(b - 1) - 1 to either side. The mapping report tells each projection's
    error.
    """

    source: Name = Field(description="the name of the population or source that sends")
    target: Name = Field(description="the name of the population that receives")
    name: LongName = Field(default_factory=_default_name, description="the projection's name")
    connectivity: Connectivity = Field(description="the connectivity rule")
    weight: Value | None = Field(
        default=None,
        description="the weight of each synapse in the receptor's unit: pA, or mV for delta synapses",
    )
    delay_ms: Value | None = Field(
        default=None,
        description="the dendritic delay of each synapse in ms (all of it, unless axonal_delay_ms)",
    )
    axonal_delay_ms: Value | None = Field(
        default=None, description="the axonal delay of each synapse in ms, or null for 0"
    )
    receptor: Name | None = Field(
        default=None, description="the receptor's name, or null for the model's only one"
    )
    weight_bits: Annotated[Whole, Field(ge=1, le=16)] | None = Field(
        default=None, description="the bits of a synapse's weight, 1 to 16, or null for 16"
    )
    codebook: Annotated[tuple[Number, ...], Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="the weights that a synapse can have, 256 at most, or null for any"
    )

    @model_validator(mode="after")
    def _given_once(self) -> Self:
        rule = self.connectivity
        weights: tuple[str, object] = ("connectivity.weights", None)
        delays: tuple[str, object] = ("connectivity.delays_ms", None)
        if isinstance(rule, Explicit | Uploaded):
            weights, delays = (weights[0], rule.weights), (delays[0], rule.delays_ms)
        elif isinstance(rule, Convolution):
            weights = ("connectivity.kernel", rule.kernel)
        problems = [
            *_once("weight", self.weight, *weights),
            *_once("delay_ms", self.delay_ms, *delays),
        ]
        if self.weight_bits is not None and self.codebook is not None:
            rule_text = f"must not be given beside codebook, got {self.weight_bits}"
            problems.append(("weight_bits", f"{rule_text}; remove one of the two"))
        if problems:
            raise NetworkError(problems)
        return self

    @property
    def depends_on_distance(self) -> bool:
        """Whether its synapses depend on where its neurons stand."""
        values = self.weight, self.delay_ms, self.axonal_delay_ms
        return isinstance(self.connectivity, DistanceDependent) or any(map(needs_distance, values))


def _once(name: str, value: Value | None, list_name: str, values: object) -> list[Problem]:
    """Return the problem if a quantity is given neither for all synapses nor for each, or in both ways."""
    if value is None and values is None:
        return [(name, f"must be given, got nothing; add {name}, or {list_name} of the explicit rule")]
    if value is not None and values is not None:
        return [(name, f"must not be given beside {list_name}, got {show(value)}; remove one of the two")]
    return []
