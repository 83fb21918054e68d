"""Projections between two populations as cases: as rows of a chip, as memory, and as what is described."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.codes import NO_CODES, Codes
from chip.delays import possible_delays
from chip.memory import SynapseMemory, build
from chip.positions import period_of, positions_of
from chip.rows import QUEUE_BITS, BlockSpec, RowSpec, beside
from chip.rules import Ends
from network import Projection, Value
from network.positions import Space, reach_um
from tests.chip.expansion import Described, Synapse, held
from tests.chip.expansion.places import periods, positions
from tests.chip.expansion.rules import Pairs

STEP = 2.0**-6
H = 0.1
"""The timestep in ms."""


@dataclass(frozen=True)
class Case:
    """A projection of seed and number between populations of `sizes`, source first.

    `at` holds the positions of both populations, or nothing; `columns` the arrays of an upload.
    """

    rule: Any
    sizes: tuple[int, int]
    weight: Value | None = 1.0
    delay_ms: Value | None = 1.0
    axonal_delay_ms: Value | None = None
    recurrent: bool = False
    at: tuple[Space, ...] = ()
    seed: int = 7
    number: int = 0
    codes: Codes = NO_CODES
    columns: Any = None

    @property
    def projection(self) -> Projection:
        """As described."""
        return Projection(
            source="s",
            target="t",
            connectivity=self.rule,
            weight=self.weight,
            delay_ms=self.delay_ms,
            axonal_delay_ms=self.axonal_delay_ms,
        )

    @property
    def members(self) -> tuple[int, int]:
        """The numbers of the two populations."""
        return (0, 0) if self.recurrent else (0, 1)

    @property
    def reach_um(self) -> float:
        """A bound of the distances of pairs."""
        return reach_um(*self.at) if self.at else 0.0

    def ends(self, low: int, high: int) -> Ends:
        """Return the ends of the slice of targets low ... high - 1."""
        ends = Ends(self.seed, self.number, *self.sizes, low, high - low, recurrent=self.recurrent)
        if not self.at:
            return ends
        source, target = (
            positions_of(space, self.seed, member, *span)
            for space, member, span in zip(
                self.at, self.members, ((0, self.sizes[0]), (low, high - low)), strict=True
            )
        )
        return replace(ends, source_um=source, target_um=target, period_um=period_of(self.at[0]))

    def row(self, part: tuple[int, int] | None = None, **more: Any) -> RowSpec:
        """Return the row of a projection onto targets [low, high) of `part`, all of them by default."""
        low, high = part or (0, self.sizes[1])
        fields: dict[str, Any] = {"block": 0, "terminal": 0, "slice_number": 0, "receptor": 0}
        fields |= {"step": STEP, "shift": 0}
        fields |= {"codes": self.codes, "columns": self.columns} | more
        return RowSpec(self.projection, self.ends(low, high), timestep_ms=H, **fields)

    def expected(self, part: tuple[int, int] | None = None) -> list[Synapse]:
        """Return the synapses onto a part, as plain Python expands them, cut to what 16 bits hold."""
        source_um = target_um = None
        period: tuple[float, ...] = ()
        if self.at:
            source_um, target_um = (
                positions(space, self.seed, member, size)
                for space, member, size in zip(self.at, self.members, self.sizes, strict=True)
            )
            period = periods(self.at[0])
        pairs = Pairs(self.seed, self.number, *self.sizes, self.recurrent, source_um, target_um, period)
        rule = self.rule if self.columns is None else self.columns
        low, high = part or (0, self.sizes[1])
        return [
            synapse._replace(weight=self._cut(synapse.weight))
            for synapse in Described(self.projection, rule, pairs, H).synapses()
            if low <= synapse.target < high
        ]

    def _cut(self, weight: float) -> float:
        if self.codes.values.size:
            return held(weight, STEP, self.codes.values.tolist())
        return min(max(weight, -32767 * STEP), 32767 * STEP)

    def delays(self) -> NDArray[np.int64]:
        """Return all delays that are possible, in ticks."""
        if self.columns is None:
            return possible_delays(self.projection, H, self.reach_um)
        described = self.projection.model_copy(update={"connectivity": self.columns})
        return possible_delays(described, H, self.reach_um)

    @property
    def layouts(self) -> tuple[int, ...]:
        """The layouts that can hold the delays."""
        delays = self.delays()
        fits = not delays.size or delays[-1] < 1 << QUEUE_BITS
        return (SEGMENTS, ROWS, QUEUED) if fits else (SEGMENTS, ROWS)

    def made(self, part: tuple[int, int] | None = None, **how: Any) -> "Made":
        """Return the memory of the case alone."""
        return made_of([(self, part)], **how)

    def synapses(self, part: tuple[int, int] | None = None, **how: Any) -> list[Synapse]:
        """Return the synapses onto a part as memory holds them."""
        first = (part or (0, 0))[0]
        return [
            Synapse(source, target + first, delay, weight * STEP)
            for source, delay, target, weight in self.made(part, **how).table().tolist()
        ]


class Made(NamedTuple):
    """A memory, the blocks of its axons, and their layout."""

    memory: SynapseMemory
    blocks: list[BlockSpec]
    layout: int

    def table(self) -> NDArray[np.int64]:
        """Return axon, delay, target within the bank and weight of every word, in memory's order: (n, 4)."""
        memory = self.memory
        axons, delays = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        first = 0
        for block in self.blocks:
            columns = block.delays if block.segments else np.zeros(1, np.int64)
            axons.append(np.repeat(np.arange(first, first + block.n), columns.size))
            delays.append(np.tile(columns, block.n))
            first += block.n
        axon, delay = np.concatenate(axons), np.concatenate(delays)
        counts = np.diff(memory.start.astype(np.int64))
        assert counts.size == axon.size
        delay = np.repeat(delay, counts)
        delay[delay.size - memory.beside.size :] = memory.beside
        if self.layout == QUEUED:
            delay &= (1 << QUEUE_BITS) - 1
        target = (memory.words & np.uint32(0xFFFF)).astype(np.int64)
        weight = memory.words.view(np.int32).astype(np.int64) >> 16
        return np.stack([np.repeat(axon, counts), delay, target, weight], axis=1)

    def terminals(self) -> NDArray[np.int64]:
        """Return the terminal of every word, 0 where nothing says it."""
        codes = self.memory.beside.astype(np.int64)
        return codes >> QUEUE_BITS if self.layout == QUEUED else np.zeros(self.memory.words.size, np.int64)


def made_of(
    parts: Sequence[tuple[Case, tuple[int, int] | None]],
    *,
    numbers: Sequence[int] = (),
    layout: int = SEGMENTS,
    places: Sequence[tuple[int, int]] = (),
    n_slots: int = 0,
    threads: int = 1,
    **fields: Any,
) -> Made:
    """Return the memory of some cases, each onto a part of its targets.

    Block `numbers` tell which of them share axons (all have their own by default); `places` each one's first
    neuron within its bank and first slot: by default slices begin their bank and have their own slots. Queued
    ones have a terminal each, of the numbers that `terminal_of` gives.
    """
    numbers = numbers or range(len(parts))
    rows = [
        case.row(part, block=number, terminal=terminal_of(k, layout), slice_number=k, **fields)
        for k, ((case, part), number) in enumerate(zip(parts, numbers, strict=True))
    ]
    first = np.cumsum([0, *(row.ends.n for row in rows)]).tolist()
    blocks = [_block(parts, numbers, block, layout) for block in sorted(set(numbers))]
    targets = places or [(0, slot) for slot in first[:-1]]
    n_slots = n_slots or first[-1]
    return Made(build(rows, blocks=blocks, targets=targets, n_slots=n_slots, threads=threads), blocks, layout)


def terminal_of(k: int, layout: int) -> int:
    """Return the terminal of case `k`: up to 255 if it is queued."""
    return (255 - k) % 256 if layout == QUEUED else 0


def _block(parts: Sequence[Any], numbers: Sequence[int], block: int, layout: int) -> BlockSpec:
    mine = [(k, parts[k][0]) for k, number in enumerate(numbers) if number == block]
    delays = np.unique(np.concatenate([case.delays() for _, case in mine]))
    delays = delays if delays.size else np.ones(1, np.int64)
    terminals = sorted({terminal_of(k, layout) for k, _ in mine})
    codes = np.concatenate([delays + beside(terminal, 0) for terminal in terminals])
    return BlockSpec(mine[0][1].sizes[0], codes, layout == SEGMENTS)
