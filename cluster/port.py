"""From a plan to a worker's port: what turns spikes into axons here and keys for others, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chip import ChipSpec
from chip.arrays import first_of, integers
from chip.lanes import pushes_at_once
from cluster.exchange import spins_of
from cluster.loop import Port
from cluster.plan import Plan
from router import Table, find_entries


def port_of(plan: Plan, spec: ChipSpec, chips: Sequence[range], me: int) -> Port:
    """Return the port of worker `me`.

    Parameters
    ----------
    spec : ChipSpec
        Its chips.
    chips : sequence of range
        Those of each worker.
    """
    tables = [plan.tables[chip] for chip in chips[me]]
    first_entry = dict(zip(chips[me], first_of([table.n_entries for table in tables]).tolist(), strict=False))
    entries = [
        first_entry[part.chip] + int(find_entries(plan.tables[part.chip], np.array([part.first_global]))[0])
        for part in spec.slices
    ]
    worker_of = {chip: worker for worker, mine in enumerate(chips) for chip in mine}
    ways = [_ways(table, entry, worker_of) for table in tables for entry in range(table.n_entries)]
    others = [[(worker, n) for worker, n in sorted(way.items()) if worker != me] for way in ways]
    receiving = _receiving(spec)
    own = [int((part.number, part.chip) in receiving) for part in spec.slices]
    blocks: list[list[int]] = [[] for _ in plan.network.members]
    for number, block in enumerate(spec.blocks):
        blocks[block.source].append(number)
    return Port(
        me=me,
        n_workers=len(chips),
        spins=spins_of(len(chips)),
        epoch_ticks=plan.epoch_ticks,
        n_neurons=spec.n_neurons,
        n_pushes=pushes_at_once(spec),
        member_first=np.array([*plan.member_first, plan.network.n_neurons], np.int64),
        block_first=first_of([len(mine) for mine in blocks]),
        block=integers(number for mine in blocks for number in mine),
        slice_member=integers(part.number for part in spec.slices),
        slice_entry=integers(entries),
        slice_here=integers(n + ways[entry][me] for n, entry in zip(own, entries, strict=True)),
        slice_own=integers(own),
        way_first=first_of([len(way) for way in others]),
        way_worker=integers(worker for way in others for worker, _ in way),
        way_chips=integers(n for way in others for _, n in way),
        entry_events=np.zeros(len(ways), np.int64),
        lengths=np.zeros(len(chips), np.int64),
        addressed=np.zeros(len(chips), np.int64),
        received=np.zeros(2, np.int64),
        begun=np.full(1, -1, np.int64),
    )


def split_entries(plan: Plan, chips: range, events: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the counts of each chip's table entries, from those of all chips of a worker."""
    cuts = np.cumsum([plan.tables[chip].n_entries for chip in chips])[:-1]
    return [part.copy() for part in np.split(events, cuts)]


def _ways(table: Table, entry: int, worker_of: Mapping[int, int]) -> Counter[int]:
    """Return how many chips of each worker an entry's spikes go to, the table's own chip apart."""
    destinations = table.dest[table.dest_start[entry] : table.dest_start[entry + 1]].tolist()
    return Counter(worker_of[chip] for chip in destinations)


def _receiving(spec: ChipSpec) -> set[tuple[int, int]]:
    """Return the members and chips of a worker of which the chip holds synapses of the member."""
    return {(spec.blocks[row.block].source, spec.slices[row.slice_number].chip) for row in spec.rows}
