"""What a chip is told to be: slices of populations, axons, rows, inputs and probes, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import QUEUED, SEGMENTS
from chip.rows import BlockSpec, RowSpec, beside
from network import Member, PoissonInput

BANK_NEURONS = 65_536
"""Neurons of a bank: what 16 bits of a synapse can name, and what keeps a slot in a core's L2 cache."""


@dataclass(frozen=True)
class InputSpec:
    """A Poisson input of a slice.

    Attributes
    ----------
    described : PoissonInput
    number : int
        Which of the population's inputs; part of the random key.
    receptor : int
    weight : int
        In LSBs of the receptor.
    """

    described: PoissonInput
    number: int
    receptor: int
    weight: int


@dataclass(frozen=True)
class SliceSpec:
    """The part of one population that stands in one bank (or, for a source, on the chip).

    Attributes
    ----------
    member : Population or source
        As described, whole.
    number : int
        Its place among the network's members; part of the random keys.
    first_global : int
        Global number of the slice's first neuron.
    first, n : int
        Which neurons of the population.
    bank : int
        -1 for a source: it has no slots.
    bank_neuron : int
        The first neuron's number within its bank.
    chip : int
        The emulated chip that it stands on: several may be built as one, with common banks.
    lsb : tuple of float
        LSB of each receptor's slots, in the weight's unit.
    inputs : tuple of InputSpec
        The Poisson inputs; currents need nothing but their description.
    spikes : pair of (n_spikes,) integer arrays, or None
        The spikes of the whole source, where they were uploaded: ticks (a spike at T ms has tick
        T / timestep_ms - 1), and numbers within the population.
    """

    member: Member
    number: int
    first_global: int
    first: int
    n: int
    bank: int
    bank_neuron: int
    chip: int = 0
    lsb: tuple[float, ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    spikes: tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]] | None = None


class Terminal(NamedTuple):
    """Where an axon ends: a bank, a receptor, and log2 of the weight step in LSBs."""

    bank: int
    receptor: int
    shift: int


@dataclass(frozen=True)
class AxonBlock:
    """Consecutive axons, one for each neuron of a source population.

    Blocks in segments come before all others (see `chip.memory`).

    Attributes
    ----------
    source : int
        The source population's place among the network's members.
    n : int
        Its size.
    terminals : tuple of Terminal
        Where its synapses add; one unless the layout is queued, then sorted.
    delays : (n_delays,) int64 array
        All delays that its synapses can have, in ticks, ascending.
    layout : int
        `SEGMENTS`, `ROWS` or `QUEUED`.
    """

    source: int
    n: int
    terminals: tuple[Terminal, ...]
    delays: NDArray[np.int64]
    layout: int = SEGMENTS

    @property
    def columns(self) -> int:
        """Entries of each axon among those that say where synapses begin."""
        return self.delays.size if self.layout == SEGMENTS else 1


@dataclass(frozen=True)
class ProbeSpec:
    """State variables of a slice that are sampled.

    Attributes
    ----------
    recording : int
        Which of the network's recordings.
    columns : (n_values,) int64 array
        Where the values stand in a row of the whole recording.
    slice_number : int
    variable, neuron : (n_values,) int64 arrays
        Which state variable of which neuron of the slice.
    interval_ticks : int
    """

    recording: int
    columns: NDArray[np.int64]
    slice_number: int
    variable: NDArray[np.int64]
    neuron: NDArray[np.int64]
    interval_ticks: int


@dataclass(frozen=True)
class ChipSpec:
    """A chip before it is built.

    Attributes
    ----------
    epoch_ticks : int
        Spikes of other chips arrive at most so many ticks after they were fired.
    """

    name: str
    seed: int
    timestep_ms: float
    precision: Literal["float32", "float64"]
    n_banks: int
    slices: tuple[SliceSpec, ...]
    blocks: tuple[AxonBlock, ...]
    rows: tuple[RowSpec, ...]
    probes: tuple[ProbeSpec, ...]
    epoch_ticks: int

    @cached_property
    def slices_of(self) -> Mapping[int, list[SliceSpec]]:
        """The slices of each member by its number."""
        slices: dict[int, list[SliceSpec]] = {}
        for part in self.slices:
            slices.setdefault(part.number, []).append(part)
        return slices

    @cached_property
    def queued_terminals(self) -> tuple[Terminal, ...]:
        """The terminals of all queued axons, by their numbers beside words."""
        return tuple(sorted({t for block in self.blocks if block.layout == QUEUED for t in block.terminals}))

    def memory_block(self, block: AxonBlock) -> BlockSpec:
        """Return what the memory needs to know of a block."""
        if block.layout != QUEUED:
            return BlockSpec(block.n, block.delays, block.layout == SEGMENTS)
        numbers = [self.queued_terminals.index(terminal) for terminal in block.terminals]
        codes = [block.delays + beside(number, 0) for number in numbers]
        return BlockSpec(block.n, np.concatenate(codes), segments=False)

    @property
    def n_axons(self) -> int:
        """Axons of all blocks."""
        return sum(block.n for block in self.blocks)

    @property
    def n_neurons(self) -> int:
        """Neurons of all slices, sources included."""
        return sum(part.n for part in self.slices)
