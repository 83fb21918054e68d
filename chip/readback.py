"""Reading synapses back: what stands in a chip's memory, as source, target, delay and weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import COLUMNS, ENTRY, LAYOUT, QUEUED, SEGMENTS
from chip.emulated import Chip
from chip.jit import kernel
from chip.rows import QUEUE_BITS
from chip.spec import SliceSpec, Terminal


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
    found = [
        part
        for number, described in enumerate(chip.spec.blocks)
        if described.source == source.member and block in (None, number)
        for part in _of_block(chip, number, source, target)
    ]
    return SynapseTable.joined(found)


def _of_block(chip: Chip, number: int, source: Neurons, target: Neurons) -> Iterator[SynapseTable]:
    block = chip.spec.blocks[number]
    first, stop = max(source.first, 0), min(source.stop, block.n)
    for part in chip.spec.slices_of.get(target.member, ()):
        low, high = max(target.first, part.first), min(target.stop, part.first + part.n)
        for terminal in block.terminals:
            # Populations of a bank may differ in their receptors: this one may lack the terminal's.
            mine = part.bank == terminal.bank and terminal.receptor < len(part.lsb)
            if mine and low < high and first < stop:
                yield _between(chip, number, terminal, part, (first, stop), (low, high))


def _between(
    chip: Chip,
    number: int,
    terminal: Terminal,
    part: SliceSpec,
    sources: tuple[int, int],
    targets: tuple[int, int],
) -> SynapseTable:
    synapses, block = chip.arrays.synapses, chip.spec.blocks[number]
    offset = part.bank_neuron - part.first
    within = offset + targets[0], offset + targets[1]
    of_queue = chip.spec.queued_terminals.index(terminal) if block.layout == QUEUED else -1
    empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    n = _scan(synapses, number, block.delays, of_queue, sources, within, *empty)
    word, source, delay = (np.empty(n, np.int64) for _ in range(3))
    _scan(synapses, number, block.delays, of_queue, sources, within, word, source, delay)
    words = synapses.words[word]
    step = math.ldexp(part.lsb[terminal.receptor], terminal.shift)
    integers = words.view(np.int32) >> 16
    return SynapseTable(
        source=source.astype(np.uint32),
        target=((words & 0xFFFF).astype(np.int64) - offset).astype(np.uint32),
        delay_ticks=delay.astype(np.uint16),
        receptor=np.full(n, terminal.receptor, np.uint8),
        weight=np.asarray(integers * step, np.float64),
        word=word,
        step=np.full(n, step),
    )


@kernel
def _scan(synapses, block, delays, of_queue, sources, targets, word, source, delay):
    """Write where the words of some sources onto some targets stand; count them only if there is no room."""
    n, write, line = 0, word.size > 0, synapses.blocks[block]
    for a in range(sources[0], sources[1]):
        entry = line[ENTRY] + a * line[COLUMNS]
        for k in range(line[COLUMNS]):
            for place in range(np.int64(synapses.start[entry + k]), np.int64(synapses.start[entry + k + 1])):
                target, ticks = np.int64(synapses.words[place] & np.uint32(0xFFFF)), delays[k]
                if line[LAYOUT] != SEGMENTS:
                    ticks = np.int64(synapses.beside[place - synapses.first_beside])
                if of_queue >= 0:
                    if ticks >> QUEUE_BITS != of_queue:
                        continue
                    ticks &= (1 << QUEUE_BITS) - 1
                if targets[0] <= target < targets[1]:
                    if write:
                        word[n], source[n], delay[n] = place, a, ticks
                    n += 1
    return n
