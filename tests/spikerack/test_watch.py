from __future__ import annotations

import numpy as np
from rich.console import Console

from spikerack.stream import SpikeBatch
from spikerack.watch import LiveRaster, braille, share_lines

POPULATIONS = [
    {"name": "exc", "first": 0, "size": 8},
    {"name": "none", "first": 8, "size": 0},
    {"name": "inh", "first": 8, "size": 4},
]


def batch(tick0: int, n_ticks: int, *pairs: tuple[int, int]) -> SpikeBatch:
    tick, neuron = np.array(pairs, np.uint32).reshape(-1, 2).T
    return SpikeBatch(tick0, n_ticks, tick, neuron)


def text(raster: LiveRaster) -> list[str]:
    console = Console(width=60, color_system=None)
    with console.capture() as capture:
        console.print(raster.render())
    return [line.rstrip() for line in capture.get().splitlines()]


def live() -> LiveRaster:
    return LiveRaster(POPULATIONS, timestep_ms=1.0, n_lines=3, n_columns=4, window_ms=8.0)


def test_every_dot_has_its_place_in_braille() -> None:
    dots = np.zeros((4, 2), np.bool_)
    seen = set()
    for row in range(4):
        for column in range(2):
            dots[:] = False
            dots[row, column] = True
            seen |= set(braille(dots))
    assert seen == {chr(0x2800 + (1 << bit)) for bit in range(8)}
    assert braille(np.ones((4, 2), np.bool_)) == ["⣿"]
    assert braille(np.eye(4, 2, dtype=np.bool_)) == ["⠑"]


def test_lines_are_shared_in_proportion_and_nobody_is_hidden() -> None:
    places = share_lines(POPULATIONS, 8)
    assert [(place.name, place.n_lines) for place in places] == [("exc", 5), ("inh", 3)]
    assert [place.n_lines for place in share_lines(POPULATIONS, 1)] == [1, 1]
    assert share_lines([], 5) == []


def test_spikes_appear_at_the_right_edge_and_scroll_left() -> None:
    raster = live()
    raster.add(batch(0, 1, (0, 0), (0, 11)))
    assert text(raster) == ["exc ⠀⠀⠀⠈     125.0/s", "inh ⠀⠀⠀⢀     250.0/s"]
    raster.add(batch(1, 2))
    assert text(raster) == ["exc ⠀⠀⠈⠀       0.0/s", "inh ⠀⠀⢀⠀       0.0/s"]
    raster.add(batch(100, 1))
    assert text(raster) == ["exc ⠀⠀⠀⠀       0.0/s", "inh ⠀⠀⠀⠀       0.0/s"]


def test_what_is_older_than_the_window_is_counted_but_not_drawn() -> None:
    raster = live()
    raster.add(batch(0, 100, (0, 0)))
    assert text(raster)[0] == "exc ⠀⠀⠀⠀       1.2/s"
