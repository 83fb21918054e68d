"""Spikes found in their file by tick, and read in parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster import spikefile
from cluster.spikefile import SpikeFile

SPIKES = [(0, 3), (0, 7), (4, 1), (12, 0), (12, 9), (19, 2), (2**32 - 1, 5)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spikes.bin"
    path.write_bytes(np.array(SPIKES, "<u4").tobytes())
    return path


@pytest.fixture
def file(path: Path) -> Iterator[SpikeFile]:
    with SpikeFile(path) as opened:
        yield opened


@pytest.mark.parametrize("tick", [0, 1, 4, 5, 12, 13, 19, 20, 2**32 - 1, 2**32])
@pytest.mark.parametrize(("begin", "end"), [(0, 7), (1, 7), (3, 5), (4, 4)])
def test_a_tick_is_found_where_counting_finds_it(file: SpikeFile, tick: int, begin: int, end: int) -> None:
    before = sum(spike[0] < tick for spike in SPIKES[begin:end])
    assert file.place(tick, begin, end) == begin + before


@pytest.mark.parametrize("part", [1, 2, 3, 7, 8])
@pytest.mark.parametrize(("begin", "end"), [(0, 7), (2, 5), (3, 3), (5, 2)])
def test_spikes_are_read_whatever_the_parts(
    file: SpikeFile, begin: int, end: int, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spikefile, "_PART", part)
    tick, neuron = file.read(begin, end)
    assert (tick.dtype, neuron.dtype) == (np.uint32, np.uint32)
    assert list(zip(tick.tolist(), neuron.tolist(), strict=True)) == SPIKES[begin:end]


def test_what_is_appended_changes_no_place(file: SpikeFile, path: Path) -> None:
    with path.open("ab") as more:
        more.write(np.array([(2**32 - 1, 6)], "<u4").tobytes())
    assert file.read(5, 8)[1].tolist() == [2, 5, 6]
    assert file.place(19, 0, 8) == 5


def test_a_file_that_was_cut_is_not_read(file: SpikeFile, path: Path) -> None:
    with pytest.raises(EOFError) as caught:
        file.read(6, 8)
    assert str(caught.value) == f"{path}: must hold 8 spikes, ends before; the file was cut"
