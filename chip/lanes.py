"""Lanes: which axons share a ring of recent spikes, and how much room spikes in flight are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chip.arrays import N_LANE_COLUMNS, Integers
from chip.spec import AxonBlock, ChipSpec


@dataclass(frozen=True)
class Lanes:
    """The lanes of a chip.

    Attributes
    ----------
    table : (n_lanes, N_LANE_COLUMNS) int64 array
        See `chip.arrays`.
    delays : int64 array
        The delays of all lanes, one after the other.
    of_block : list of int
        The lane of each block of axons; -1 where its layout is in rows.
    """

    table: Integers
    delays: Integers
    of_block: list[int]

    @classmethod
    def of(cls, spec: ChipSpec) -> Lanes:
        """Join the blocks of each bank that have the same delays."""
        lanes: dict[tuple[int, bytes], list[AxonBlock]] = {}
        for block in spec.blocks:
            if block.segments:
                lanes.setdefault((block.bank, block.delays.tobytes()), []).append(block)
        keys = sorted(lanes)
        delays = [lanes[key][0].delays for key in keys]
        ends = np.cumsum([0, *(own.size for own in delays)])
        table = np.zeros((len(keys), N_LANE_COLUMNS), np.int64)
        ring = arrived = 0
        for k, key in enumerate(keys):
            width = sum(block.n for block in lanes[key])
            history = max(int(delays[k][-1]), spec.epoch_ticks) + 1
            table[k] = key[0], ends[k], ends[k + 1], ring, width, history, arrived
            ring, arrived = ring + width * history, arrived + history
        numbers = {key: k for k, key in enumerate(keys)}
        of_block = [numbers.get((b.bank, b.delays.tobytes()), -1) if b.segments else -1 for b in spec.blocks]
        return cls(table, np.concatenate([np.zeros(0, np.int64), *delays]), of_block)


def pushes_at_once(spec: ChipSpec) -> int:
    """Return how many spikes can reach the chip's rows between two looks at their room."""
    return sum(block.n for block in spec.blocks if not block.segments) * (spec.epoch_ticks + 1)


def wheel_size(spec: ChipSpec) -> int:
    """Return the entries that the wheel begins with."""
    return 2 * pushes_at_once(spec)
