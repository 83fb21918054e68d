"""Where spikes in flight are kept: lanes for segments, the wheel for rows, queues for queued rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chip.arrays import (
    BANK,
    HISTORY,
    N_LANE_COLUMNS,
    QUEUED,
    ROWS,
    SEGMENTS,
    WIDTH,
    Flight,
    Integers,
    Lanes,
    Queues,
    Wheel,
    integers,
)
from chip.queues import CHUNK
from chip.spec import AxonBlock, ChipSpec

SlotOf = Callable[[int, int], int]
"""The slot of neuron 0 of a bank, for a receptor."""

_LISTED = 4096
"""Pieces of segments that are listed before they are walked."""

CHUNKS_OF_QUEUE = 4
"""Chunks for each queue at first; there will be more when they do not last."""


@dataclass(frozen=True)
class LaneTable:
    """The lanes of a chip: blocks of axons that share a ring of recent spikes.

    Attributes
    ----------
    table : (n_lanes, N_LANE_COLUMNS) int64 array
        See `chip.arrays`.
    delays : int64 array
        The delays of all lanes, one after the other.
    of_block : list of int
        The lane of each block of axons; -1 where it is not in segments.
    """

    table: Integers
    delays: Integers
    of_block: list[int]

    @classmethod
    def of(cls, spec: ChipSpec, slot_of: SlotOf) -> LaneTable:
        """Join the blocks that have the same bank, receptor, weight step and delays."""
        lanes: dict[tuple[int, int, int, bytes], list[AxonBlock]] = {}
        for block in spec.blocks:
            if block.layout == SEGMENTS:
                lanes.setdefault(_key(block), []).append(block)
        keys = sorted(lanes)
        delays = [lanes[key][0].delays for key in keys]
        ends = np.cumsum([0, *(own.size for own in delays)])
        table = np.zeros((len(keys), N_LANE_COLUMNS), np.int64)
        ring = arrived = 0
        for k, key in enumerate(keys):
            bank, receptor, shift, _ = key
            width = sum(block.n for block in lanes[key])
            history = max(int(delays[k][-1]), spec.epoch_ticks) + 1
            own = bank, ends[k], ends[k + 1], ring, width, history, arrived, slot_of(bank, receptor), shift
            table[k] = own
            ring, arrived = ring + width * history, arrived + history
        numbers = {key: k for k, key in enumerate(keys)}
        of_block = [numbers[_key(b)] if b.layout == SEGMENTS else -1 for b in spec.blocks]
        return cls(table, np.concatenate([np.zeros(0, np.int64), *delays]), of_block)

    def arrays(self, n_banks: int) -> Lanes:
        """Return the lanes without spikes."""
        table = self.table
        return Lanes(
            table=table,
            bank_first=np.searchsorted(table[:, BANK], np.arange(n_banks + 1)).astype(np.int64),
            delays=self.delays,
            ring=np.empty(int((table[:, WIDTH] * table[:, HISTORY]).sum()), np.uint32),
            arrived=np.zeros(int(table[:, HISTORY].sum()), np.int32),
            listed=np.empty((_LISTED, 4), np.uint32),
        )


def _key(block: AxonBlock) -> tuple[int, int, int, bytes]:
    bank, receptor, shift = block.terminals[0]
    return bank, receptor, shift, block.delays.tobytes()


def build_flight(spec: ChipSpec, lanes: LaneTable, slot_of: SlotOf) -> Flight:
    """Return arrays without spikes."""
    return Flight(lanes.arrays(spec.n_banks), _wheel(spec), _queues(spec, slot_of))


def _wheel(spec: ChipSpec) -> Wheel:
    n, longest = (
        wheel_size(spec),
        max((int(b.delays[-1]) for b in spec.blocks if b.layout == ROWS), default=0),
    )
    return Wheel(
        buckets=np.full(longest + 1, -1, np.int32),
        next=np.empty(n, np.int32),
        row=np.empty(n, np.uint32),
        block=np.empty(n, np.int32),
        place=np.empty(n, np.int64),
        sent=np.empty(n, np.int64),
        state=np.array([0, 0, -1], np.int64),
    )


def _queues(spec: ChipSpec, slot_of: SlotOf) -> Queues:
    terminals = spec.queued_terminals
    longest = max((int(b.delays[-1]) for b in spec.blocks if b.layout == QUEUED), default=0)
    ticks = 1 << longest.bit_length()
    n_rows = pushes_at_once(spec, QUEUED)
    n_chunks = CHUNKS_OF_QUEUE * len(terminals) * ticks
    return Queues(
        terminal_slot=integers(slot_of(bank, receptor) for bank, receptor, _ in terminals),
        terminal_shift=integers(shift for _, _, shift in terminals),
        bank_first=np.searchsorted([t.bank for t in terminals], np.arange(spec.n_banks + 1)).astype(np.int64),
        ticks=ticks,
        first=np.zeros(len(terminals) * ticks, np.int32),
        n_chunks=np.zeros(len(terminals) * ticks, np.int32),
        tail=np.zeros(len(terminals) * ticks, np.int64),
        chunks=np.empty(n_chunks * CHUNK, np.uint32),
        next=np.empty(n_chunks, np.int32),
        row=np.empty(n_rows, np.uint32),
        sent=np.empty(n_rows, np.int64),
        state=np.array([0, 0, -1, 0, 0, 0], np.int64),
    )


def pushes_at_once(spec: ChipSpec, layout: int = ROWS) -> int:
    """Return how many spikes can reach the axons of a layout between two looks at their room."""
    return sum(block.n for block in spec.blocks if block.layout == layout) * (spec.epoch_ticks + 1)


def wheel_size(spec: ChipSpec) -> int:
    """Return the entries that the wheel begins with."""
    return 2 * pushes_at_once(spec)
