"""Connectivity: which source neurons meet which target neurons. One class a rule, told apart by ``rule``.

The two random rules draw sources (and targets) independently and with replacement: a pair may be drawn
more than once (multapses), and a neuron may meet itself (autapses).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError
from network.schema import Description, Indices, Numbers, Whole

MAX_FAN_IN = 2**31
MAX_SYNAPSES = 2**53


class OneToOne(Description):
    """Source neuron i meets target neuron i; both populations have the same size."""

    rule: Literal["one_to_one"] = Field(default="one_to_one", description="the word one_to_one")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return min(n_sources, n_targets)


class AllToAll(Description):
    """Each source neuron meets each target neuron once, itself included."""

    rule: Literal["all_to_all"] = Field(default="all_to_all", description="the word all_to_all")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return n_sources * n_targets


class FixedInDegree(Description):
    """Each target neuron draws `n` source neurons, independently and with replacement."""

    rule: Literal["fixed_in_degree"] = Field(
        default="fixed_in_degree", description="the word fixed_in_degree"
    )
    n: Annotated[Whole, Field(ge=0, le=MAX_FAN_IN)] = Field(description="the synapses onto each neuron")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n * n_targets


class FixedTotalNumber(Description):
    """`n` synapses, each with a source and a target drawn independently and with replacement."""

    rule: Literal["fixed_total_number"] = Field(
        default="fixed_total_number", description="the word fixed_total_number"
    )
    n: Annotated[Whole, Field(ge=0, le=MAX_SYNAPSES)] = Field(description="the number of synapses")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n


class Explicit(Description):
    """A list of synapses: synapse k goes from ``sources[k]`` to ``targets[k]``."""

    rule: Literal["explicit"] = Field(default="explicit", description="the word explicit")
    sources: Indices = Field(description="the source neuron of each synapse, counted from 0", repr=False)
    targets: Indices = Field(description="the target neuron of each synapse, counted from 0", repr=False)
    weights: Numbers | None = Field(
        default=None, description="the weight of each synapse, or null if the projection gives it", repr=False
    )
    delays_ms: Numbers | None = Field(
        default=None,
        description="the delay of each synapse in ms, or null if the projection gives it",
        repr=False,
    )

    @model_validator(mode="after")
    def _equally_long(self) -> Self:
        lists = {"targets": self.targets, "weights": self.weights, "delays_ms": self.delays_ms}
        rule = f"must have as many entries as sources, {len(self.sources)}, got"
        problems = [
            (name, f"{rule} {len(values)}; give one entry for each synapse")
            for name, values in lists.items()
            if values is not None and len(values) != len(self.sources)
        ]
        if problems:
            raise NetworkError(problems)
        return self

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return len(self.sources)


Connectivity: TypeAlias = Annotated[
    OneToOne | AllToAll | FixedInDegree | FixedTotalNumber | Explicit, Field(discriminator="rule")
]
"""One of the rules."""
