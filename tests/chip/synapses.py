"""Projections between two populations as cases: as rows of a chip, as memory, and as what is described."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.codes import NO_CODES, Codes
from chip.delays import possible_delays
from chip.memory import SynapseMemory, build
from chip.positions import period_of, positions_of
from chip.rows import BlockSpec, RowSpec
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
        fields: dict[str, Any] = {"block": 0, "slice_number": 0, "receptor": 0, "step": STEP, "shift": 0}
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
    """A memory, and the blocks of its axons."""

    memory: SynapseMemory
    blocks: list[BlockSpec]

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
        delay[delay.size - memory.late.size :] = memory.late
        target = (memory.words & np.uint32(0xFFFF)).astype(np.int64)
        weight = memory.words.view(np.int32).astype(np.int64) >> 16
        return np.stack([np.repeat(axon, counts), delay, target, weight], axis=1)


def made_of(
    parts: Sequence[tuple[Case, tuple[int, int] | None]],
    *,
    numbers: Sequence[int] = (),
    in_rows: bool = False,
    places: Sequence[tuple[int, int]] = (),
    n_slots: int = 0,
    threads: int = 1,
    **fields: Any,
) -> Made:
    """Return the memory of some cases, each onto a part of its targets.

    Block `numbers` tell which of them share axons (all have their own by default); `places` each one's first
    neuron within its bank and first slot: by default slices begin their bank and have their own slots.
    """
    numbers = numbers or range(len(parts))
    rows = [
        case.row(part, block=number, **fields) for (case, part), number in zip(parts, numbers, strict=True)
    ]
    first = np.cumsum([0, *(row.ends.n for row in rows)]).tolist()
    blocks = [_block(parts, numbers, block, not in_rows) for block in sorted(set(numbers))]
    targets = places or [(0, slot) for slot in first[:-1]]
    n_slots = n_slots or first[-1]
    return Made(build(rows, blocks=blocks, targets=targets, n_slots=n_slots, threads=threads), blocks)


def _block(parts: Sequence[Any], numbers: Sequence[int], block: int, segments: bool) -> BlockSpec:
    cases = [case for (case, _), number in zip(parts, numbers, strict=True) if number == block]
    delays = np.unique(np.concatenate([case.delays() for case in cases]))
    return BlockSpec(cases[0].sizes[0], delays if delays.size else np.ones(1, np.int64), segments)
