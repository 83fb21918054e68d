"""From a plan to one chip's axons: its input lines, and the synapses that each projection puts on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip import AxonBlock, SliceSpec, Terminal
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.codes import NO_CODES
from chip.positions import period_of, positions_of
from chip.rows import QUEUE_BITS, RowSpec
from chip.rules import Ends
from cluster.expectation import expected_synapses
from cluster.plan import Plan
from network import WeightRecording

_COLUMNS = 64
"""Delays that are worth a column each, however few synapses an axon has."""

_SHORT = 4
"""Synapses of a segment from which on fetching segments costs less than queues."""

_MOST_TERMINALS = 1 << 16 - QUEUE_BITS
_MOST_QUEUED_TICKS = (1 << QUEUE_BITS) - 1


@dataclass(frozen=True)
class Ending:
    """The synapses of one projection onto one slice, before their layout is known; `count` slices alike."""

    number: int
    slice_number: int
    source: int
    terminal: Terminal
    own: int
    """The projection if its axons must be its own, else -1."""
    delays: NDArray[np.int64]
    per_axon: float
    count: int = 1


class Axons:
    """The axons of one worker's chips.

    Attributes
    ----------
    blocks : tuple of AxonBlock
        Those in segments first. Projections share a block when source population, bank, receptor, shift and
        layout are the same, and queued ones when the source is; one whose weights are recorded has blocks of
        its own, so that its synapses can be told.
    """

    def __init__(self, plan: Plan, slices: tuple[SliceSpec, ...]) -> None:
        self._plan = plan
        self._places: dict[int, NDArray[np.float64]] = {}
        self._recorded = {r.projection for r in plan.network.recordings if isinstance(r, WeightRecording)}
        slices_of: dict[int, list[int]] = {}
        for k, part in enumerate(slices):
            slices_of.setdefault(part.number, []).append(k)
        endings = [
            self._ending(number, k, slices[k])
            for number in range(len(plan.network.projections))
            if plan.source_size(number)
            for k in slices_of.get(plan.target_of(number), ())
        ]
        self._laid_out = list(zip(endings, layouts_of(endings), strict=True))
        self._slices = slices
        joined: dict[Any, list[Ending]] = {}
        for ending, layout in self._laid_out:
            joined.setdefault(block_key(ending, layout), []).append(ending)
        self._order = sorted(joined, key=lambda key: key[0] != SEGMENTS)
        self.blocks = tuple(self._block(key[0], joined[key]) for key in self._order)

    @cached_property
    def rows(self) -> tuple[RowSpec, ...]:
        """The synapses of each projection onto each slice."""
        terminals = sorted({t for block in self.blocks if block.layout == QUEUED for t in block.terminals})
        places, numbers = ({key: k for k, key in enumerate(keys)} for keys in (self._order, terminals))
        slices = self._slices
        return tuple(
            self._row(ending, slices[ending.slice_number], places[block_key(ending, layout)], numbers, layout)
            for ending, layout in self._laid_out
        )

    def _ending(self, number: int, slice_number: int, part: SliceSpec) -> Ending:
        plan, projection = self._plan, self._plan.network.projections[number]
        shift = plan.quantised.projections[number].shift
        n_synapses = expected_synapses(plan.network, projection)
        return Ending(
            number=number,
            slice_number=slice_number,
            source=plan.source_of(number),
            terminal=Terminal(part.bank, plan.receptor_of(number), shift),
            own=number if projection.name in self._recorded else -1,
            delays=plan.delays_of(projection),
            per_axon=n_synapses * part.n / max(plan.target_size(number), 1) / plan.source_size(number),
        )

    def _block(self, layout: int, endings: Sequence[Ending]) -> AxonBlock:
        """Return the block that some endings share."""
        delays = np.unique(np.concatenate([ending.delays for ending in endings]))
        source = endings[0].source
        return AxonBlock(
            source=source,
            n=self._plan.network.members[source].size,
            terminals=tuple(sorted({ending.terminal for ending in endings})),
            delays=delays if delays.size else np.ones(1, np.int64),
            layout=layout,
        )

    def _row(
        self, ending: Ending, part: SliceSpec, block: int, numbers: Mapping[Terminal, int], layout: int
    ) -> RowSpec:
        number = ending.number
        plan, projection = self._plan, self._plan.network.projections[number]
        quantised = plan.quantised.projections[number]
        return RowSpec(
            projection=projection,
            ends=self._ends(number, part),
            block=block,
            terminal=numbers[ending.terminal] if layout == QUEUED else 0,
            slice_number=ending.slice_number,
            receptor=plan.receptor_of(number),
            step=quantised.step,
            shift=quantised.shift,
            timestep_ms=plan.network.timestep_ms,
            codes=quantised.codes or NO_CODES,
            columns=plan.columns_of(projection),
        )

    def _ends(self, number: int, part: SliceSpec) -> Ends:
        plan, projection = self._plan, self._plan.network.projections[number]
        source, target = plan.source_of(number), plan.target_of(number)
        sizes = plan.source_size(number), plan.target_size(number)
        ends = Ends(plan.network.seed, number, *sizes, part.first, part.n, recurrent=source == target)
        if not projection.depends_on_distance:
            return ends
        space = plan.network.members[source].positions
        assert space is not None
        target_um = self._positions(target)[part.first : part.first + part.n]
        return replace(
            ends, source_um=self._positions(source), target_um=target_um, period_um=period_of(space)
        )

    def _positions(self, member: int) -> NDArray[np.float64]:
        """Return the positions of all neurons of a member, computed once."""
        if member not in self._places:
            described = self._plan.network.members[member]
            assert described.positions is not None
            self._places[member] = positions_of(
                described.positions, self._plan.network.seed, member, 0, described.size
            )
        return self._places[member]


def block_key(ending: Ending, layout: int) -> tuple[Any, ...]:
    """Return what the endings that share a block have in common, the layout first."""
    terminal = None if layout == QUEUED else ending.terminal
    return layout, ending.source, terminal, ending.own


def layouts_of(endings: Sequence[Ending]) -> list[int]:
    """Return the layout of each ending of a worker's chips."""
    lengths: dict[tuple[Any, ...], NDArray[np.float64]] = {}
    for ending in endings:
        if not is_wide(ending.delays, ending.per_axon):
            own = lengths.setdefault(block_key(ending, SEGMENTS), np.zeros(_MOST_QUEUED_TICKS + 1))
            near = ending.delays[ending.delays <= _MOST_QUEUED_TICKS]
            own[near] += ending.count * ending.per_axon / max(ending.delays.size, 1)
    layouts = [
        layout_of(ending.delays, ending.per_axon, short=_is_short(ending, lengths)) for ending in endings
    ]
    queued = {e.terminal for e, layout in zip(endings, layouts, strict=True) if layout == QUEUED}
    if len(queued) <= _MOST_TERMINALS:
        return layouts
    return [ROWS if is_wide(ending.delays, ending.per_axon) else SEGMENTS for ending in endings]


def _is_short(ending: Ending, lengths: Mapping[tuple[Any, ...], NDArray[np.float64]]) -> bool:
    """Return whether most of an ending's segments would be short, with all that would share them."""
    own, delays = lengths.get(block_key(ending, SEGMENTS)), ending.delays
    if own is None or not delays.size or delays[-1] > _MOST_QUEUED_TICKS:
        return False
    return bool(np.median(own[delays]) < _SHORT)


def is_wide(delays: NDArray[np.int64], per_axon: float) -> bool:
    """Return whether a column for each delay costs more than a number beside each of an axon's synapses."""
    return delays.size > max(_COLUMNS, 2 * per_axon)


def layout_of(delays: NDArray[np.int64], per_axon: float, *, short: bool) -> int:
    """Return the layout of synapses with these possible delays, whose segments would be `short` or not."""
    if delays.size and delays[-1] > _MOST_QUEUED_TICKS:
        return ROWS if is_wide(delays, per_axon) else SEGMENTS
    return QUEUED if short or is_wide(delays, per_axon) else SEGMENTS
