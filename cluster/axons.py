"""From a plan to one chip's axons: its input lines, and the synapses that each projection puts on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chip import AxonBlock, SliceSpec
from chip.codes import NO_CODES
from chip.positions import period_of, positions_of
from chip.rows import RowSpec
from chip.rules import Ends
from cluster.expectation import expected_synapses
from cluster.plan import Plan
from network import WeightRecording

_COLUMNS = 64
"""Delays that are worth a column each, however few synapses an axon has."""

_Key = tuple[int, int, int, int, bool, int]
"""Source, bank, receptor, shift, whether in segments, and the projection that is alone or -1."""


class Axons:
    """The axons of one chip.

    Attributes
    ----------
    blocks : tuple of AxonBlock
        Those in segments first. Projections share a block when source population, bank, receptor, shift and
        layout are the same; one whose weights are recorded has a block of its own, so that its synapses can
        be told.
    rows : tuple of RowSpec
    """

    def __init__(self, plan: Plan, slices: tuple[SliceSpec, ...]) -> None:
        self._plan = plan
        self._places: dict[int, NDArray[np.float64]] = {}
        self._recorded = {r.projection for r in plan.network.recordings if isinstance(r, WeightRecording)}
        slices_of: dict[int, list[int]] = {}
        for k, part in enumerate(slices):
            slices_of.setdefault(part.number, []).append(k)
        pairs = [
            (self._key(number, slices[k]), number, k)
            for number in range(len(plan.network.projections))
            if plan.source_size(number)
            for k in slices_of.get(plan.target_of(number), ())
        ]
        joined: dict[_Key, dict[int, None]] = {}
        for key, number, _ in pairs:
            joined.setdefault(key, {})[number] = None
        order = sorted(joined, key=lambda key: not key[4])
        self.blocks = tuple(self._blocks((key, joined[key]) for key in order))
        places = {key: place for place, key in enumerate(order)}
        self.rows = tuple(self._row(number, k, slices[k], places[key]) for key, number, k in pairs)

    def _key(self, number: int, part: SliceSpec) -> _Key:
        """Return what the projections that share a block have in common."""
        plan, projection = self._plan, self._plan.network.projections[number]
        shift = plan.quantised.projections[number].shift
        own = number if projection.name in self._recorded else -1
        receptor = plan.receptor_of(number)
        return plan.source_of(number), part.bank, receptor, shift, self._in_segments(number, part.n), own

    def _in_segments(self, number: int, n: int) -> bool:
        """Return whether a column for each delay costs less than a number beside each word."""
        plan, projection = self._plan, self._plan.network.projections[number]
        n_synapses = expected_synapses(plan.network, projection)
        per_axon = n_synapses * n / max(plan.target_size(number), 1) / plan.source_size(number)
        return in_segments(plan.delays_of(projection).size, per_axon)

    def _blocks(self, joined: Iterable[tuple[_Key, Iterable[int]]]) -> Iterator[AxonBlock]:
        """Yield the blocks of keys and the projections that share each."""
        plan, first = self._plan, 0
        for key, numbers in joined:
            projections = (plan.network.projections[number] for number in numbers)
            delays = np.unique(np.concatenate([plan.delays_of(p) for p in projections]))
            source, bank, receptor, shift, segments, _ = key
            n = plan.network.members[source].size
            columns = delays if delays.size else np.ones(1, np.int64)
            yield AxonBlock(source, n, first, bank, receptor, shift, columns, segments)
            first += n

    def _row(self, number: int, slice_number: int, part: SliceSpec, block: int) -> RowSpec:
        plan, projection = self._plan, self._plan.network.projections[number]
        quantised = plan.quantised.projections[number]
        return RowSpec(
            projection=projection,
            ends=self._ends(number, part),
            block=block,
            slice_number=slice_number,
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


def in_segments(n_delays: int, per_axon: float) -> bool:
    """Return whether a column for each delay costs less than a number beside each of an axon's synapses."""
    return n_delays <= max(_COLUMNS, 2 * per_axon)
