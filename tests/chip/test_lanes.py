"""Lanes: blocks of a bank with the same delays share a ring."""

from typing import Any

import numpy as np

from chip.arrays import (
    ARRIVED,
    BANK,
    DELAY,
    DELAY_END,
    HISTORY,
    LANE_SHIFT,
    LANE_SLOT,
    N_LANE_COLUMNS,
    QUEUED,
    RING,
    ROWS,
    SEGMENTS,
    WIDTH,
)
from chip.lanes import LaneTable, pushes_at_once, wheel_size
from chip.spec import AxonBlock, ChipSpec, Terminal

Block = tuple[int, int, tuple[int, ...], int]
"""Axons, bank, delays, layout."""


def chip_of(*blocks: Block, epoch_ticks: int = 1, receptor: int = 0, shift: int = 0) -> ChipSpec:
    """Return a chip of blocks; the last has the receptor and shift, the others 0."""
    given: Any = {"name": "", "seed": 0, "timestep_ms": 1.0, "precision": "float32", "n_banks": 2}
    ends = [(0, 0)] * (len(blocks) - 1) + [(receptor, shift)]
    axons = tuple(
        AxonBlock(0, n, (Terminal(bank, *end),), np.array(delays, np.int64), layout)
        for (n, bank, delays, layout), end in zip(blocks, ends, strict=True)
    )
    return ChipSpec(**given, slices=(), blocks=axons, rows=(), probes=(), epoch_ticks=epoch_ticks)


def slot_of(bank: int, receptor: int) -> int:
    return 1000 * bank + 100 * receptor


def table_of(*blocks: Block, **how: Any) -> LaneTable:
    return LaneTable.of(chip_of(*blocks, **how), slot_of)


def test_blocks_with_the_same_delays_share_a_lane_in_each_bank() -> None:
    blocks = (
        (4, 1, (1, 5), SEGMENTS),
        (3, 0, (2,), SEGMENTS),
        (6, 1, (1, 5), SEGMENTS),
        (9, 0, (1, 5), SEGMENTS),
    )
    lanes = table_of(*blocks, (7, 0, (1, 900), ROWS), (8, 0, (1, 5), QUEUED))
    assert lanes.of_block[0] == lanes.of_block[2]
    assert len(set(lanes.of_block[:4])) == 3
    assert lanes.of_block[4:] == [-1, -1]
    table = lanes.table
    assert table[:, BANK].tolist() == [0, 0, 1]
    width = {int(lane): int(table[lane, WIDTH]) for lane in lanes.of_block[:4]}
    assert [width[lane] for lane in lanes.of_block[:4]] == [10, 3, 10, 9]
    for (_, _, delays, _), lane in zip(blocks, lanes.of_block, strict=False):
        line = table[lane]
        assert lanes.delays[line[DELAY] : line[DELAY_END]].tolist() == list(delays)
        assert line[HISTORY] == delays[-1] + 1
        assert (line[LANE_SLOT], line[LANE_SHIFT]) == (slot_of(line[BANK], 0), 0)


def test_blocks_of_different_receptors_or_steps_share_none() -> None:
    blocks = (4, 1, (1, 5), SEGMENTS), (6, 1, (1, 5), SEGMENTS)
    assert table_of(*blocks).of_block == [0, 0]
    for receptor, shift in ((1, 0), (0, 3), (1, 3)):
        lanes = table_of(*blocks, receptor=receptor, shift=shift)
        assert lanes.of_block == [0, 1]
        assert lanes.table[:, LANE_SLOT].tolist() == [1000, 1000 + 100 * receptor]
        assert lanes.table[:, LANE_SHIFT].tolist() == [0, shift]


def test_rings_do_not_overlap() -> None:
    table = table_of((4, 1, (1, 5), SEGMENTS), (3, 0, (2,), SEGMENTS), (9, 0, (1, 5), SEGMENTS)).table
    sizes = table[:, WIDTH] * table[:, HISTORY]
    assert table[:, RING].tolist() == [0, *np.cumsum(sizes)[:-1]]
    assert table[:, ARRIVED].tolist() == [0, *np.cumsum(table[:, HISTORY])[:-1]]


def test_an_epoch_is_remembered_even_if_delays_are_shorter() -> None:
    table = table_of((4, 0, (2, 5), SEGMENTS), epoch_ticks=40).table
    assert table[:, HISTORY].tolist() == [41]


def test_without_segments_there_are_no_lanes() -> None:
    lanes = table_of((7, 0, (1, 900), ROWS))
    assert lanes.table.shape == (0, N_LANE_COLUMNS)
    assert lanes.delays.size == 0
    assert lanes.of_block == [-1]


def test_all_axons_in_rows_may_spike_in_each_tick_of_an_epoch_and_in_the_next() -> None:
    blocks = (7, 0, (1, 900), ROWS), (4, 0, (1,), SEGMENTS), (2, 1, (9,), ROWS), (5, 1, (9,), QUEUED)
    spec = chip_of(*blocks, epoch_ticks=3)
    assert pushes_at_once(spec) == 9 * 4
    assert pushes_at_once(spec, QUEUED) == 5 * 4
    assert wheel_size(spec) == 2 * 9 * 4
