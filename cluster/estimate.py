"""What a network takes on the fullest chip of a system, and its memory on all: expected, without building it.

Time and memory depend on the number of populations, projections and banks, and on what lists hold, not on
that of neurons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chip import MODELS
from chip.delays import possible_delays
from chip.rules import RULES, Generator
from chip.spec import Terminal
from cluster.axons import Ending
from cluster.expectation import expected_synapses
from cluster.footprint import WORD_BYTES, Block, Footprint, blocks_of
from cluster.options import Placement
from cluster.plan import MAX_EPOCH_TICKS
from cluster.quantisation import quantise_network
from cluster.recordings import sample_bytes
from cluster.room import Room
from cluster.shares import Piece, Share, shares
from cluster.worker import chips_of_workers
from network import Network, PoissonInput, Population, Projection
from network.connectivity import Uploaded
from network.recording import WeightRecording


@dataclass(frozen=True)
class Load:
    """What one projection puts on all chips together.

    Attributes
    ----------
    n_synapses : int
    delays : (n_delays,) int64 array
        All that are possible, in ticks, ascending.
    """

    projection: Projection
    n_synapses: int
    delays: NDArray[np.int64]


class Estimate:
    """What a network takes on `n_chips` chips.

    Parameters
    ----------
    network : Network
        Checked (`cluster.check`).
    n_chips : int
    placement : Placement

    Attributes
    ----------
    loads : tuple of Load
        One for each projection.
    """

    def __init__(self, network: Network, n_chips: int, placement: Placement = "default") -> None:
        self.network, self.n_chips, self.placement = network, n_chips, placement
        self._members = {member.name: number for number, member in enumerate(network.members)}
        self.loads = tuple(map(self._load, network.projections))
        self._onto: dict[str, list[int]] = {}
        for number, projection in enumerate(network.projections):
            self._onto.setdefault(projection.target, []).append(number)
        self._quantised = quantise_network(network).projections
        self._recorded = {r.projection for r in network.recordings if isinstance(r, WeightRecording)}
        self._blocks: dict[Share, tuple[Block, ...]] = {}

    @cached_property
    def chips(self) -> tuple[Share, ...]:
        """What the chips hold of each population."""
        return self._shares(self.n_chips)

    @property
    def n_neurons(self) -> int:
        """Neurons of the chip that has most of them, sources apart."""
        return max(share.n_neurons for share in self.chips)

    @property
    def n_banks(self) -> int:
        """Banks of the chip that has most of them."""
        return max(share.n_banks for share in self.chips)

    @property
    def n_synapses(self) -> int:
        """Synapses of all chips."""
        return sum(load.n_synapses for load in self.loads)

    @property
    def n_words(self) -> int:
        """Synapses onto the chip that has most of them."""
        return max(map(self._n_words, self.chips))

    def n_joined_words(self, room: Room) -> int:
        """Return the synapses onto the worker whose chips have most of them together, at most all."""
        most = max(map(self._n_words, self._shares(room.n_workers(self.n_chips))))
        return min(most, self.n_synapses)  # shares are rounded up

    @property
    def n_axons(self) -> int:
        """Axons of the chip that has most of them."""
        return max(sum(block.n_axons for block in self._blocks_of(share)) for share in self.chips)

    @property
    def longest_delay(self) -> int:
        """The longest delay that is possible, in ticks."""
        return max((int(load.delays[-1]) for load in self.loads if load.delays.size), default=1)

    def n_bytes(self, precision: str, room: Room) -> int:
        """Return the most memory that building and running takes: all processes, with all chips."""
        n_workers = room.n_workers(self.n_chips)
        builders, total = room.n_builders(n_workers), room.process_bytes(n_workers)
        surplus = -self.n_synapses
        for share in self._shares(n_workers):
            own = self.footprint(share, precision)
            total += share.count * own.most_bytes(builders)
            surplus += share.count * own.n_words
        positions = n_workers * self._position_bytes
        total += positions + sample_bytes(self.network) + self._upload_bytes
        return total - WORD_BYTES * max(surplus, 0)  # shares are rounded up

    def footprint(self, share: Share, precision: str) -> Footprint:
        """Return what a worker's chips take."""
        number = np.dtype(precision).itemsize
        populations, held = self.network.populations, share.held
        return Footprint(
            blocks=self._blocks_of(share),
            neuron_bytes=sum(n * _neuron_bytes(populations[member], number) for member, n in held.items()),
            n_slots=sum(n * len(MODELS[populations[member].model].receptors) for member, n in held.items()),
            epoch_ticks=self._epoch_ticks,
        )

    @property
    def _epoch_ticks(self) -> int:
        least = min([MAX_EPOCH_TICKS, *(int(load.delays[0]) for load in self.loads if load.delays.size)])
        return 1 if self.n_chips == 1 else least

    def _shares(self, n_workers: int) -> tuple[Share, ...]:
        return shares(self.network, chips_of_workers(self.n_chips, n_workers), self.placement)

    def _load(self, projection: Projection) -> Load:
        network = self.network
        delays = possible_delays(projection, network.timestep_ms, network.reach_um(projection))
        return Load(projection, expected_synapses(network, projection), delays)

    def _n_words(self, share: Share) -> int:
        """Return the synapses onto a share, of each projection rounded up."""
        populations = self.network.populations
        return sum(
            -(-self.loads[number].n_synapses * n // populations[member].size)
            for member, n in share.held.items()
            for number in self._onto.get(populations[member].name, ())
        )

    def _blocks_of(self, share: Share) -> tuple[Block, ...]:
        if share not in self._blocks:
            endings = [
                self._ending(number, place, piece)
                for place, piece in enumerate(share.pieces)
                for number in self._onto.get(self.network.populations[piece.member].name, ())
                if self._source_of(number)[1]
            ]
            self._blocks[share] = blocks_of(
                endings,
                sources=[member.size for member in self.network.members],
                drawing=[
                    self._drawing_bytes(ending, share.pieces[ending.slice_number]) for ending in endings
                ],
            )
        return self._blocks[share]

    def _ending(self, number: int, place: int, piece: Piece) -> Ending:
        """Return the synapses of a projection onto slices, as `cluster.axons` sees them."""
        load, target = self.loads[number], self.network.populations[piece.member]
        source, n_sources = self._source_of(number)
        receptor = MODELS[target.model].receptor(load.projection.receptor)
        return Ending(
            number=number,
            slice_number=place,
            source=source,
            terminal=Terminal(piece.bank, receptor, self._quantised[number].shift),
            own=number if load.projection.name in self._recorded else -1,
            delays=load.delays,
            per_axon=load.n_synapses * piece.n / max(target.size, 1) / n_sources,
            count=piece.count,
        )

    def _source_of(self, number: int) -> tuple[int, int]:
        """Return number and size of the member that a projection comes from."""
        member = self._members[self.loads[number].projection.source]
        return member, self.network.members[member].size

    def _drawing_bytes(self, ending: Ending, piece: Piece) -> int:
        """Return what the generators of an ending's synapses hold."""
        generator = RULES.get(type(self.loads[ending.number].projection.connectivity), Generator)
        n_sources = self._source_of(ending.number)[1]
        held = generator.held_bytes(n_sources, piece.n, ending.per_axon * n_sources)
        return round(held * piece.count)

    @property
    def _position_bytes(self) -> int:
        """Of the positions of all neurons that distances are taken of, with each worker."""
        placed = {
            name
            for load in self.loads
            for name in (load.projection.source, load.projection.target)
            if load.projection.depends_on_distance
        }
        members = [self.network.members[self._members[name]] for name in placed]
        spaces = [(member.size, member.positions) for member in members]
        return sum(8 * size * space.n_dimensions for size, space in spaces if space)

    @property
    def _upload_bytes(self) -> int:
        """Of uploaded lists, while chips are built from them: columns, and an order of the synapses."""
        rules = [load.projection.connectivity for load in self.loads]
        columns = [
            (rule.n, 8 + 8 * (rule.weights is not None) + 8 * (rule.delays_ms is not None))
            for rule in rules
            if isinstance(rule, Uploaded)
        ]
        return sum(n * (width + 8) for n, width in columns)


def _neuron_bytes(population: Population, number: int) -> int:
    """Return the bytes of a neuron: state, slots, countdown, their copies at tick 0, drive, spikes."""
    model = MODELS[population.model]
    variables, receptors = len(model.kernel_state), len(model.receptors)
    inputs = sum(isinstance(described, PoissonInput) for described in population.inputs)
    return 2 * (variables * number + 4 * receptors + 1) + number + 8 * inputs + 2 * 8
