"""Reading synapses back: what stands in a chip's memory, as source, target, delay and weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.emulated import Chip
from chip.jit import kernel
from chip.spec import AxonBlock, SliceSpec


class Neurons(NamedTuple):
    """The neurons ``first ... stop - 1`` of the network's member number `member`."""

    member: int
    first: int
    stop: int


class SynapseTable(NamedTuple):
    """Synapses, one an entry, in the order of the memory.

    Attributes
    ----------
    source, target : (n,) uint32 arrays
        Within their populations.
    delay_ticks : (n,) uint16 array
        Axonal and dendritic part together.
    receptor : (n,) uint8 array
        Number of the target model's receptor.
    weight : (n,) float64 array
        In the receptor's unit.
    word : (n,) int64 array
        Where the synapse stands in `Synapses.words`.
    step : (n,) float64 array
        What one unit of the word's weight is worth.
    """

    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    delay_ticks: NDArray[np.uint16]
    receptor: NDArray[np.uint8]
    weight: NDArray[np.float64]
    word: NDArray[np.int64]
    step: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: list[SynapseTable]) -> SynapseTable:
        """Return the synapses of all parts, one after the other."""
        kinds = (np.uint32, np.uint32, np.uint16, np.uint8, np.float64, np.int64, np.float64)
        columns = zip(*parts, strict=True) if parts else ([] for _ in kinds)
        return cls(*(np.concatenate([np.zeros(0, k), *c]) for k, c in zip(kinds, columns, strict=True)))


def list_synapses(chip: Chip, *, source: Neurons, target: Neurons, block: int | None = None) -> SynapseTable:
    """Return the synapses of a chip between some neurons.

    Takes time for every synapse of the sources on the chip, about a nanosecond.

    Parameters
    ----------
    source, target : Neurons
        Only what is on the chip is found.
    block : int or None
        The block of axons to look at; None for all.
    """
    blocks = chip.spec.blocks if block is None else chip.spec.blocks[block : block + 1]
    found = [
        part
        for described in blocks
        if described.source == source.member
        for part in _of_block(chip, described, source, target)
    ]
    return SynapseTable.joined(found)


def _of_block(chip: Chip, block: AxonBlock, source: Neurons, target: Neurons) -> Iterator[SynapseTable]:
    first, stop = max(source.first, 0), min(source.stop, block.n)
    for part in chip.spec.slices_of.get(target.member, ()):
        low, high = max(target.first, part.first), min(target.stop, part.first + part.n)
        # Populations of a bank may differ in their receptors: the block may be one that this one lacks.
        mine = part.bank == block.bank and block.receptor < len(part.lsb)
        if mine and low < high and first < stop:
            yield _between(chip, block, part, (first, stop), (low, high))


def _between(
    chip: Chip, block: AxonBlock, part: SliceSpec, sources: tuple[int, int], targets: tuple[int, int]
) -> SynapseTable:
    synapses = chip.arrays.synapses
    offset = part.bank_neuron - part.first
    axons = block.first + sources[0], block.first + sources[1]
    within = offset + targets[0], offset + targets[1]
    empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    n = _scan(synapses, block.delays, block.segments, axons, within, *empty)
    word, axon, delay = (np.empty(n, np.int64) for _ in range(3))
    _scan(synapses, block.delays, block.segments, axons, within, word, axon, delay)
    words = synapses.words[word]
    step = math.ldexp(part.lsb[block.receptor], block.shift)
    integers = words.view(np.int32) >> 16
    return SynapseTable(
        source=(axon - block.first).astype(np.uint32),
        target=((words & 0xFFFF).astype(np.int64) - offset).astype(np.uint32),
        delay_ticks=delay.astype(np.uint16),
        receptor=np.full(n, block.receptor, np.uint8),
        weight=np.asarray(integers * step, np.float64),
        word=word,
        step=np.full(n, step),
    )


@kernel
def _scan(synapses, delays, segments, axons, targets, word, axon, delay):
    """Write where the words of some axons onto some targets stand; count them only if there is no room."""
    n, write = 0, word.size > 0
    for a in range(axons[0], axons[1]):
        entry = synapses.axon_start[a]
        for k in range(synapses.axon_start[a + 1] - entry):
            for place in range(np.int64(synapses.start[entry + k]), np.int64(synapses.start[entry + k + 1])):
                target = np.int64(synapses.words[place] & np.uint32(0xFFFF))
                if targets[0] <= target < targets[1]:
                    if write:
                        word[n], axon[n] = place, a
                        delay[n] = (
                            delays[k] if segments else np.int64(synapses.late[place - synapses.first_late])
                        )
                    n += 1
    return n
