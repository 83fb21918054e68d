"""The network: the whole of what a user asks to emulate.

Theory of operation
-------------------
A network is a value: frozen, compared field by field, and exactly its own JSON. It says what is to be
emulated and nothing about how: no chip, no placement, no duration. All its numbers carry their unit in
the field's name.

Its populations, then its sources, in order of declaration, are its *members*; their neurons are numbered
through, from 0. That global number is the neuron's identity everywhere: it keys the random numbers, it is
the address of its spikes, and it orders the digest. So a population's name may change without changing a
spike, but its position may not.

Time is an integer tick from 0. A spike of tick t happens at the biological time (t + 1) timestep_ms.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from network.checks import problems_of
from network.errors import NetworkError
from network.grid import MAX_TICKS, off_grid
from network.population import (
    CorrelatedPoissonSource,
    PoissonSource,
    Population,
    Source,
    SpikeTimesSource,
    UploadedSpikesSource,
)
from network.positions import reach_um
from network.projection import Projection
from network.recording import Recording
from network.schema import MAX_ENTRIES, Description, Name, Number, Whole, at_most

LEAST_MS, MOST_MS = 1e-6, 1e6
"""Bounds of a tick's duration: a nanosecond and a quarter of an hour."""

Member = Population | PoissonSource | CorrelatedPoissonSource | SpikeTimesSource | UploadedSpikesSource
"""Whatever has neurons that emit spikes."""


class Numbering(NamedTuple):
    """What follows from a network's names and sizes.

    Attributes
    ----------
    members : tuple of Member
    named, offsets : mappings
        Each member, and its first global neuron number, by name.
    projections : mapping
        Each projection's number by its name.
    n_neurons : int
    """

    members: tuple[Member, ...]
    named: Mapping[str, Member]
    offsets: Mapping[str, int]
    projections: Mapping[str, int]
    n_neurons: int

    @classmethod
    def of(cls, members: tuple[Member, ...], projections: tuple[Projection, ...]) -> Numbering:
        """Return the numbering of members and projections."""
        starts = list(itertools.accumulate((member.size for member in members), initial=0))
        return cls(
            members=members,
            named={member.name: member for member in members},
            offsets={member.name: start for member, start in zip(members, starts, strict=False)},
            projections={p.name: k for k, p in enumerate(projections)},
            n_neurons=starts[-1],
        )


class Network(Description):
    """A network of spiking neurons, as the user describes it."""

    name: Name = Field(description="the network's name")
    timestep_ms: Annotated[Number, Field(ge=LEAST_MS, le=MOST_MS)] = Field(
        description="the duration of a tick in ms"
    )
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = Field(description="the seed of all random numbers")
    populations: Annotated[tuple[Population, ...], at_most(MAX_ENTRIES)] = Field(
        description="the populations"
    )
    sources: Annotated[tuple[Source, ...], at_most(MAX_ENTRIES)] = Field(
        default=(), description="the populations that only emit spikes"
    )
    projections: Annotated[tuple[Projection, ...], at_most(MAX_ENTRIES)] = Field(
        default=(), description="the projections"
    )
    recordings: Annotated[tuple[Recording, ...], at_most(MAX_ENTRIES)] = Field(
        default=(), description="the recordings of spikes, state variables and weights"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(problems_of(self))
        if problems:
            raise NetworkError(problems)
        return self

    @cached_property
    def _numbering(self) -> Numbering:
        """What follows from names and sizes."""
        return Numbering.of((*self.populations, *self.sources), self.projections)

    @property
    def members(self) -> tuple[Member, ...]:
        """Populations, then sources: the order of the global neuron numbers."""
        return self._numbering.members

    @property
    def offsets(self) -> Mapping[str, int]:
        """The first global neuron number of each member, by name."""
        return self._numbering.offsets

    @property
    def n_neurons(self) -> int:
        """The number of neurons, those of sources included."""
        return self._numbering.n_neurons

    @property
    def n_synapses(self) -> int:
        """The number of synapses, expected where a rule draws it: nothing needs to be drawn to tell."""
        named = self._numbering.named
        return sum(
            p.connectivity.n_synapses(named[p.source].size, named[p.target].size) for p in self.projections
        )

    def member(self, name: str) -> Member:
        """Return the population or source of that name.

        Raises
        ------
        KeyError
            There is none.
        """
        return self._numbering.named[name]

    def projection(self, name: str) -> int:
        """Return the number of the projection of that name.

        Raises
        ------
        KeyError
            There is none.
        """
        return self._numbering.projections[name]

    def reach_um(self, projection: Projection) -> float:
        """Return a bound of the distance of a projection's pairs in um; 0 where distance plays no role."""
        if not projection.depends_on_distance:
            return 0.0
        one, other = (self.member(name).positions for name in (projection.source, projection.target))
        return 0.0 if one is None or other is None else reach_um(one, other)

    def ticks(self, ms: float, *, where: str = "time_ms") -> int:
        """Return the ticks of a duration or delay.

        Parameters
        ----------
        ms : float
            The time in ms, a multiple of the timestep; 0 is allowed.
        where : str
            The name of the time in the error.

        Raises
        ------
        NetworkError
            The time is not a whole number of ticks, negative, or beyond 2**32 - 1 ticks.
        """
        problem = None if ms == 0 else off_grid(ms, self.timestep_ms, max_ticks=MAX_TICKS)
        if problem:
            raise NetworkError([(where, problem)])
        return round(ms / self.timestep_ms)
