"""A deployment's plan: everything that each part of it must agree on, computed once and sent to all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip import MODELS
from chip.delays import possible_delays
from cluster.arrays import ArrayStore
from cluster.options import DeployOptions
from cluster.placement import PLACERS, Placement
from cluster.quantisation import Quantised, quantise_network
from cluster.systems import System
from network import Member, Network, Projection, Uploaded, UploadedSpikesSource
from router import KeyRange, Table, Tree, build_tables

MAX_EPOCH_TICKS = 64
"""Longest epoch: bounds the mailboxes where no delay does."""


@dataclass(frozen=True)
class Plan:
    """A network on a system. Equal plans give equal chips, wherever they are computed."""

    network: Network
    system: System
    options: DeployOptions
    arrays: str | None = None

    @property
    def n_chips(self) -> int:
        """Chips in use."""
        return self.options.chips

    @property
    def tree(self) -> Tree:
        """The system's tree."""
        return self.system.tree

    @cached_property
    def placement(self) -> Placement:
        """The slices of each chip."""
        return PLACERS[self.options.placement](self.network, self.n_chips)

    @cached_property
    def quantised(self) -> Quantised:
        """All weights as integers."""
        return quantise_network(self.network)

    @cached_property
    def member_first(self) -> tuple[int, ...]:
        """First global number of each member."""
        offsets = self.network.offsets
        return tuple(offsets[member.name] for member in self.network.members)

    @cached_property
    def chips_of(self) -> tuple[frozenset[int], ...]:
        """The chips that hold neurons of each member."""
        held: list[set[int]] = [set() for _ in self.network.members]
        for chip, slices in enumerate(self.placement):
            for part in slices:
                held[part.member].add(chip)
        return tuple(map(frozenset, held))

    @cached_property
    def destinations_of(self) -> tuple[frozenset[int], ...]:
        """The chips that each member's spikes must reach: those with neurons that it projects to."""
        numbers = {member.name: k for k, member in enumerate(self.network.members)}
        reached: list[set[int]] = [set() for _ in self.network.members]
        for projection in self.network.projections:
            reached[numbers[projection.source]] |= self.chips_of[numbers[projection.target]]
        return tuple(map(frozenset, reached))

    @cached_property
    def ranges(self) -> tuple[KeyRange, ...]:
        """The keys of every slice, chip by chip."""
        return tuple(
            KeyRange(self.member_first[part.member] + part.first, part.n, chip)
            for chip, slices in enumerate(self.placement)
            for part in slices
        )

    @cached_property
    def range_destinations(self) -> tuple[frozenset[int], ...]:
        """Destination chips of each of `ranges`."""
        return tuple(self.destinations_of[part.member] for slices in self.placement for part in slices)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The routing tables, one for each chip of the tree."""
        return build_tables(self.tree, self.ranges, self.range_destinations)

    @cached_property
    def epoch_ticks(self) -> int:
        """Ticks between two exchanges: the smallest delay that crosses chips."""
        numbers = {member.name: k for k, member in enumerate(self.network.members)}
        least = MAX_EPOCH_TICKS
        for projection in self.network.projections:
            delays = self.delays_of(projection)
            if not delays.size:
                continue
            ends = self.chips_of[numbers[projection.source]], self.chips_of[numbers[projection.target]]
            if ends[0] and ends[1] and len(ends[0] | ends[1]) > 1:
                least = min(least, int(delays[0]))
        return least

    def delays_of(self, projection: Projection) -> NDArray[np.int64]:
        """Return all delays that a projection's synapses can have, in ticks, ascending."""
        return possible_delays(projection, self.network.timestep_ms, self.network.reach_um(projection))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {member.name: k for k, member in enumerate(self.network.members)}

    def source_of(self, projection: int) -> int:
        """Return the number of the member that a projection comes from."""
        return self._numbers[self.network.projections[projection].source]

    def target_of(self, projection: int) -> int:
        """Return the number of the population that a projection leads to."""
        return self._numbers[self.network.projections[projection].target]

    def source_size(self, projection: int) -> int:
        """Return the neurons that a projection comes from."""
        return self.network.members[self.source_of(projection)].size

    def target_size(self, projection: int) -> int:
        """Return the neurons that a projection leads to."""
        return self.network.members[self.target_of(projection)].size

    def receptor_of(self, projection: int) -> int:
        """Return the number of the receptor that a projection adds to."""
        population = self.network.populations[self.target_of(projection)]
        return MODELS[population.model].receptor(self.network.projections[projection].receptor)

    def columns_of(self, projection: Projection) -> Any:
        """Return the arrays of an uploaded list of synapses; None for other rules."""
        rule = projection.connectivity
        return ArrayStore(self.arrays).synapses(rule.sha256) if isinstance(rule, Uploaded) else None

    def spikes_of(self, member: Member) -> tuple[NDArray[np.int64], NDArray[np.uint32]] | None:
        """Return ticks and neurons of a source's uploaded spikes; None for other members."""
        if not isinstance(member, UploadedSpikesSource):
            return None
        times_ms, neurons = ArrayStore(self.arrays).spikes(member.sha256)
        return np.rint(times_ms / self.network.timestep_ms).astype(np.int64) - 1, neurons

    def n_neurons_of(self, chip: int) -> int:
        """Neurons of one chip, sources included."""
        return sum(part.n for part in self.placement[chip])

    def chip_name(self, chip: int) -> str:
        """Return a chip's name in the system's notation."""
        return f"chip {self.tree.format(chip)}"
