"""Projections: the synapses from one population to another."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from network.connectivity import Connectivity, Explicit
from network.errors import NetworkError, Problem, show
from network.schema import Description, LongName, Name
from network.values import Value


def _default_name(fields: dict[str, Any]) -> str:
    return f"{fields['source']}->{fields['target']}"


class Projection(Description):
    """The synapses from one population (or source) to another.

    A weight is added as given to the receptor's current or voltage: an inhibitory weight is negative.
    A drawn delay is rounded half up to ticks.
    """

    source: Name = Field(description="the name of the population or source that sends")
    target: Name = Field(description="the name of the population that receives")
    name: LongName = Field(default_factory=_default_name, description="the projection's name")
    connectivity: Connectivity = Field(description="the connectivity rule")
    weight: Value | None = Field(
        default=None,
        description="the weight of each synapse in the receptor's unit: pA, or mV for delta synapses",
    )
    delay_ms: Value | None = Field(default=None, description="the delay of each synapse in ms")
    receptor: Name | None = Field(
        default=None, description="the receptor's name, or null for the model's only one"
    )

    @model_validator(mode="after")
    def _given_once(self) -> Self:
        lists = self.connectivity if isinstance(self.connectivity, Explicit) else None
        problems = [
            *_once("weight", self.weight, "connectivity.weights", lists and lists.weights),
            *_once("delay_ms", self.delay_ms, "connectivity.delays_ms", lists and lists.delays_ms),
        ]
        if problems:
            raise NetworkError(problems)
        return self


def _once(name: str, value: Value | None, list_name: str, values: object) -> list[Problem]:
    """Return the problem if a quantity is given neither for all synapses nor for each, or in both ways."""
    if value is None and values is None:
        return [(name, f"must be given, got nothing; add {name}, or {list_name} of the explicit rule")]
    if value is not None and values is not None:
        return [(name, f"must not be given beside {list_name}, got {show(value)}; remove one of the two")]
    return []
