"""The memory of one worker's chips: as they run, and while they are built, which takes more.

While a block of axons is built, what its projections need to draw from is held, and that of the block before,
which is given back only then; beside it the units of synapses that are under way (see `chip.memory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chip.arrays import QUEUED, SEGMENTS
from chip.lanes import CHUNKS_OF_QUEUE
from chip.queues import CHUNK
from chip.spec import Terminal
from cluster.axons import Ending, block_key, layouts_of

WORD_BYTES = 4
_BESIDE_BYTES = 2
_START_BYTES = 4
_SENT_BYTES = 12
"""Of a queued row that has arrived: which, and when."""

_QUEUE_BYTES = 4 * (CHUNK + 1) * CHUNKS_OF_QUEUE + 16
"""Of the queue of a terminal and tick."""

_WHEEL_BYTES = 28
"""Of an entry of the wheel of spikes that wait in rows."""

_CHIP_BYTES = 600_000
"""Buffers of a chip whatever its size: 65,536 spikes, 4,096 pieces of segments, tables."""

_UNIT_SYNAPSES = 750_000
"""Of a unit that is built, on average: it has 2**19 or more, and less than twice as many."""

_UNIT_SEGMENTS = 750_000
"""Likewise."""

_SCRATCH_BYTES = 14
"""Of a synapse of a unit, in each thread: source, delay and word, in arrays that double as they grow."""

_ORDER_BYTES = 8
"""Of a synapse in rows while a unit is sorted."""


@dataclass
class Block:
    """Axons that would be one block of a worker's chips.

    Attributes
    ----------
    n_axons : int
        One for each source neuron.
    layout : int
    terminals : set of Terminal
    endings : list of Ending
    drawing_bytes : int
        What its projections hold to draw synapses from.
    """

    n_axons: int
    layout: int
    terminals: set[Terminal] = field(default_factory=set)
    endings: list[Ending] = field(default_factory=list)
    drawing_bytes: int = 0

    @property
    def n_words(self) -> int:
        """Synapses, as expected."""
        return round(sum(ending.count * ending.per_axon for ending in self.endings) * self.n_axons)

    @property
    def n_bytes(self) -> int:
        """Of the synapses and of where they stand."""
        width = WORD_BYTES if self.layout == SEGMENTS else WORD_BYTES + _BESIDE_BYTES
        return self.n_words * width + self.n_axons * _START_BYTES * self.columns

    def flight_bytes(self, epoch_ticks: int) -> int:
        """Return the bytes for spikes in flight: of queues and the wheel for one spike of each axon.

        There is room for more, but only what is used becomes resident; they grow where more is in flight.
        """
        longest = max((int(ending.delays[-1]) for ending in self.endings if ending.delays.size), default=1)
        if self.layout == SEGMENTS:
            return self.n_axons * (max(longest, epoch_ticks) + 1) * 4
        if self.layout == QUEUED:
            ticks = 1 << longest.bit_length()
            return self.n_axons * _SENT_BYTES + len(self.terminals) * ticks * _QUEUE_BYTES
        return self.n_axons * _WHEEL_BYTES

    def scratch_bytes(self, n_builders: int) -> int:
        """Return the bytes that threads keep to sort units in."""
        return min(self.n_words, _UNIT_SYNAPSES * n_builders) * _SCRATCH_BYTES

    def unit_bytes(self, n_builders: int) -> int:
        """Return the bytes of a finished unit of each thread, and of what it was sorted by."""
        n_synapses = min(self.n_words, _UNIT_SYNAPSES * n_builders)
        if self.layout != SEGMENTS:
            return n_synapses * (WORD_BYTES + _BESIDE_BYTES + _ORDER_BYTES)
        n_segments = min(self.n_axons * self.columns, _UNIT_SEGMENTS * n_builders)
        return n_synapses * WORD_BYTES + n_segments * 2 * _START_BYTES

    @property
    def columns(self) -> int:
        """Entries of each axon among those that say where synapses begin."""
        if self.layout != SEGMENTS:
            return 1
        return max(np.unique(np.concatenate([ending.delays for ending in self.endings])).size, 1)


@dataclass(frozen=True)
class Footprint:
    """What one worker's chips take.

    Attributes
    ----------
    blocks : tuple of Block
        In the order in which they are built.
    neuron_bytes : int
        Of the neurons with their slots, as they run.
    n_slots : int
    epoch_ticks : int
    """

    blocks: tuple[Block, ...]
    neuron_bytes: int
    n_slots: int
    epoch_ticks: int

    @property
    def n_words(self) -> int:
        """Synapses, as expected."""
        return sum(block.n_words for block in self.blocks)

    def running_bytes(self) -> int:
        """Return the bytes of all arrays as the chips run."""
        blocks = sum(block.n_bytes + block.flight_bytes(self.epoch_ticks) for block in self.blocks)
        return blocks + self.neuron_bytes + 8 * self.n_slots + _CHIP_BYTES

    def building_bytes(self, n_builders: int) -> int:
        """Return the most bytes that are held while synapses are made, on `n_builders` cores."""
        made = before = scratch = most = 0
        for block in self.blocks:
            scratch = max(scratch, block.scratch_bytes(n_builders))
            at_first = made + before + block.drawing_bytes + scratch
            made += block.n_bytes
            at_last = made + block.drawing_bytes + scratch + block.unit_bytes(n_builders)
            most, before = max(most, at_first, at_last), block.drawing_bytes
        return most + 8 * self.n_slots * n_builders

    def most_bytes(self, n_builders: int) -> int:
        """Return the most bytes that are held at any time."""
        return max(self.building_bytes(n_builders), self.running_bytes())


def blocks_of(
    endings: Sequence[Ending], *, sources: Sequence[int], drawing: Sequence[int]
) -> tuple[Block, ...]:
    """Return the blocks that a worker's endings would share, those in segments first.

    Parameters
    ----------
    sources : sequence of int
        The size of each member of the network.
    drawing : sequence of int
        For each ending, the bytes that drawing its synapses holds.
    """
    blocks: dict[Any, Block] = {}
    for ending, layout, held in zip(endings, layouts_of(endings), drawing, strict=True):
        key = block_key(ending, layout)
        block = blocks.setdefault(key, Block(sources[ending.source], layout))
        block.terminals.add(ending.terminal)
        block.endings.append(ending)
        block.drawing_bytes += held
    return tuple(sorted(blocks.values(), key=lambda block: block.layout != SEGMENTS))
