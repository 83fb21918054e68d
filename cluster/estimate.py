"""What a network takes on the fullest chip of a system, and its memory on all: expected, without building it.

Time and memory depend on the number of populations and projections, and on what their lists hold, not on
that of neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chip import MODELS
from chip.delays import possible_delays
from cluster.axons import in_segments
from cluster.expectation import expected_synapses
from cluster.options import Placement
from cluster.plan import MAX_EPOCH_TICKS
from cluster.quantisation import quantise_network
from cluster.recordings import sample_bytes
from cluster.shares import Held, Share, shares
from network import Network, PoissonInput, Population, Projection
from network.connectivity import Uploaded
from network.recording import WeightRecording

WORD_BYTES = 4
_DELAY_BYTES = 2
_AXON_BYTES = 21
"""Where an axon's entries begin, its lane, slot and shift."""

_WHEEL_BYTES = 24
"""Of an entry of the wheel of spikes that wait in rows."""

_CHIP_BYTES = 600_000
"""Buffers of a chip whatever its size: 65,536 spikes, 4,096 segments, tables."""


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
    delays: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class _Block:
    """The axons of a chip that share source, receptor, shift and layout."""

    n_sources: int
    segments: bool
    banks: list[range] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    n_words: int = 0

    @property
    def n_axons(self) -> int:
        """One for each source neuron and bank."""
        return self.n_sources * n_covered(self.banks)

    @property
    def n_bytes(self) -> int:
        """Of the axons and of where their synapses stand, but for spikes in flight."""
        if not self.segments:
            return self.n_axons * (_AXON_BYTES + WORD_BYTES) + self.n_words * _DELAY_BYTES
        return self.n_axons * (_AXON_BYTES + WORD_BYTES * self._n_delays)

    @property
    def _n_delays(self) -> int:
        return max(np.unique(np.concatenate([load.delays for load in self.loads])).size, 1)

    def flight_bytes(self, epoch_ticks: int) -> int:
        """Return the bytes for spikes in flight; only what is used of them becomes resident."""
        if not self.segments:
            return self.n_axons * 2 * (epoch_ticks + 1) * _WHEEL_BYTES
        longest = max((int(load.delays[-1]) for load in self.loads if load.delays.size), default=1)
        return self.n_axons * (max(longest, epoch_ticks) + 1) * WORD_BYTES


@dataclass(frozen=True)
class _Chip:
    """What one of the chips of a share holds: words of synapse memory, and axons."""

    n_chips: int
    n_words: int
    blocks: tuple[_Block, ...]

    @property
    def n_axons(self) -> int:
        """One a source neuron, bank, receptor, shift and layout."""
        return sum(block.n_axons for block in self.blocks)

    def n_bytes(self, epoch_ticks: int) -> int:
        """Of its axons, of spikes in flight, and of what a chip takes whatever it holds."""
        axons = sum(block.n_bytes + block.flight_bytes(epoch_ticks) for block in self.blocks)
        return axons + _CHIP_BYTES


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
    shares : tuple of Share
        What the chips hold of each population.
    """

    def __init__(self, network: Network, n_chips: int, placement: Placement = "default") -> None:
        self.network, self.n_chips = network, n_chips
        self._members = {member.name: member for member in network.members}
        self.shares = shares(network, n_chips, placement)
        self.loads = tuple(map(self._load, network.projections))
        self._onto: dict[str, list[int]] = {}
        for number, projection in enumerate(network.projections):
            self._onto.setdefault(projection.target, []).append(number)
        self._quantised = quantise_network(network).projections
        self._recorded = {r.projection for r in network.recordings if isinstance(r, WeightRecording)}
        self._chips = tuple(map(self._chip, self.shares))

    @property
    def n_neurons(self) -> int:
        """Neurons of the chip that has most of them, sources apart."""
        return max(share.n_neurons for share in self.shares)

    @property
    def n_synapses(self) -> int:
        """Synapses of all chips."""
        return sum(load.n_synapses for load in self.loads)

    @property
    def n_words(self) -> int:
        """Synapses onto the chip that has most of them."""
        return max(chip.n_words for chip in self._chips)

    @property
    def n_axons(self) -> int:
        """Axons of the chip that has most of them."""
        return max(chip.n_axons for chip in self._chips)

    @property
    def longest_delay(self) -> int:
        """The longest delay that is possible, in ticks."""
        return max((int(load.delays[-1]) for load in self.loads if load.delays.size), default=1)

    def n_bytes(self, precision: str) -> int:
        """Return the memory of all chips: synapses, their index, neurons, spikes in flight, samples."""
        network, number = self.network, np.dtype(precision).itemsize
        epoch = min([MAX_EPOCH_TICKS, *(int(load.delays[0]) for load in self.loads if load.delays.size)])
        epoch = 1 if self.n_chips == 1 else epoch
        neurons = sum(_neuron_bytes(p.model, number) * p.size for p in network.populations)
        inputs = sum(8 * p.size for p in network.populations for i in p.inputs if isinstance(i, PoissonInput))
        spikes = network.n_neurons * 2 * 8
        chips = sum(chip.n_chips * (chip.n_bytes(epoch) + self._position_bytes) for chip in self._chips)
        words = self.n_synapses * WORD_BYTES
        return words + neurons + inputs + spikes + chips + sample_bytes(network) + self._upload_bytes

    def _load(self, projection: Projection) -> Load:
        network = self.network
        delays = possible_delays(projection, network.timestep_ms, network.reach_um(projection))
        return Load(projection, expected_synapses(network, projection), delays)

    def _chip(self, share: Share) -> _Chip:
        """Put projections of one source, receptor, shift and layout together; recorded ones stay alone."""
        blocks: dict[tuple[str, int, int, bool, str], _Block] = {}
        n_words = 0
        for name, held in share.held.items():
            target = self._members[name]
            assert isinstance(target, Population), name
            for number in self._onto.get(name, ()):
                load, projection = self.loads[number], self.loads[number].projection
                words = -(-load.n_synapses * held.n // target.size)
                receptor = MODELS[target.model].receptor(projection.receptor)
                own = projection.name if projection.name in self._recorded else ""
                segments, n_sources = self._in_segments(load, held, words), self._sources(load)
                key = projection.source, receptor, self._quantised[number].shift, segments, own
                block = blocks.setdefault(key, _Block(n_sources, segments))
                block.banks.append(held.banks)
                block.loads.append(load)
                block.n_words += words
                n_words += words
        return _Chip(share.n_chips, n_words, tuple(blocks.values()))

    def _sources(self, load: Load) -> int:
        return self._members[load.projection.source].size

    def _in_segments(self, load: Load, held: Held, n_words: int) -> bool:
        """Return whether a column for each delay costs less than a number beside each word."""
        n_axons = self._sources(load) * len(held.banks)
        return in_segments(load.delays.size, n_words / max(n_axons, 1))

    @property
    def _position_bytes(self) -> int:
        """Of the positions of all neurons that distances are taken of, on each chip, while it is built."""
        placed = {
            name
            for load in self.loads
            for name in (load.projection.source, load.projection.target)
            if load.projection.depends_on_distance
        }
        spaces = {name: self._members[name].positions for name in placed}
        return sum(
            8 * self._members[name].size * space.n_dimensions for name, space in spaces.items() if space
        )

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


def n_covered(spans: Sequence[range]) -> int:
    """Return how many numbers lie in any of the ranges."""
    n, done = 0, 0
    for span in sorted(spans, key=lambda span: span.start):
        n += max(span.stop - max(span.start, done), 0)
        done = max(done, span.stop)
    return n


def _neuron_bytes(model: str, number: int) -> int:
    """Return the bytes of one neuron: state and drive, its copy at tick 0, slots, load, flag."""
    variables, receptors = len(MODELS[model].kernel_state), len(MODELS[model].receptors)
    return 2 * (variables * number + 4 * receptors) + number + 8 * receptors + 1
