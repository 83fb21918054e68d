"""Lanes: blocks of a bank with the same delays share a ring."""

from typing import Any

import numpy as np

from chip.arrays import ARRIVED, BANK, DELAY, DELAY_END, HISTORY, RING, WIDTH
from chip.lanes import Lanes, pushes_at_once, wheel_size
from chip.spec import AxonBlock, ChipSpec


def chip_of(*blocks: tuple[int, int, tuple[int, ...], bool], epoch_ticks: int = 1) -> ChipSpec:
    """Return a chip of blocks (axons, bank, delays, whether in segments)."""
    given: Any = {"name": "", "seed": 0, "timestep_ms": 1.0, "precision": "float32", "n_banks": 2}
    axons = tuple(
        AxonBlock(0, n, 0, bank, 0, 0, np.array(delays, np.int64), segments)
        for n, bank, delays, segments in blocks
    )
    return ChipSpec(**given, slices=(), blocks=axons, rows=(), probes=(), epoch_ticks=epoch_ticks)


def test_blocks_with_the_same_delays_share_a_lane_in_each_bank() -> None:
    blocks = ((4, 1, (1, 5), True), (3, 0, (2,), True), (6, 1, (1, 5), True), (9, 0, (1, 5), True))
    lanes = Lanes.of(chip_of(*blocks, (7, 0, (1, 900), False)))
    assert lanes.of_block[0] == lanes.of_block[2]
    assert len(set(lanes.of_block[:4])) == 3
    assert lanes.of_block[4] == -1
    table = lanes.table
    assert table[:, BANK].tolist() == [0, 0, 1]
    width = {int(lane): int(table[lane, WIDTH]) for lane in lanes.of_block[:4]}
    assert [width[lane] for lane in lanes.of_block[:4]] == [10, 3, 10, 9]
    for (_, _, delays, _), lane in zip(blocks, lanes.of_block, strict=False):
        line = table[lane]
        assert lanes.delays[line[DELAY] : line[DELAY_END]].tolist() == list(delays)
        assert line[HISTORY] == delays[-1] + 1


def test_rings_do_not_overlap() -> None:
    table = Lanes.of(chip_of((4, 1, (1, 5), True), (3, 0, (2,), True), (9, 0, (1, 5), True))).table
    sizes = table[:, WIDTH] * table[:, HISTORY]
    assert table[:, RING].tolist() == [0, *np.cumsum(sizes)[:-1]]
    assert table[:, ARRIVED].tolist() == [0, *np.cumsum(table[:, HISTORY])[:-1]]


def test_an_epoch_is_remembered_even_if_delays_are_shorter() -> None:
    table = Lanes.of(chip_of((4, 0, (2, 5), True), epoch_ticks=40)).table
    assert table[:, HISTORY].tolist() == [41]


def test_without_segments_there_are_no_lanes() -> None:
    lanes = Lanes.of(chip_of((7, 0, (1, 900), False)))
    assert lanes.table.shape == (0, 7)
    assert lanes.delays.size == 0
    assert lanes.of_block == [-1]


def test_all_axons_in_rows_may_spike_in_each_tick_of_an_epoch_and_in_the_next() -> None:
    spec = chip_of((7, 0, (1, 900), False), (4, 0, (1,), True), (2, 1, (9,), False), epoch_ticks=3)
    assert pushes_at_once(spec) == 9 * 4
    assert wheel_size(spec) == 2 * 9 * 4
