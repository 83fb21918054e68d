"""A live raster in the terminal: each line of text is four rows of dots, each column two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from spikerack.stream import SpikeBatch

COLOURS = ("cyan", "red", "bright_blue", "yellow", "blue", "magenta", "bright_cyan", "bright_red")
_DOT_ROWS, _DOT_COLUMNS = 4, 2
# Unicode numbers a Braille cell's dots down the left column, then down the right, but for the lowest two.
_BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.int64)


@dataclass(frozen=True)
class Place:
    """Where a population's neurons are in the picture."""

    name: str
    first: int
    size: int
    n_lines: int


class LiveRaster:
    """The last moments of a run, as text.

    Parameters
    ----------
    populations : sequence of mappings
        name, first and size of each, as a stream's hello lists them.
    timestep_ms : float
        Duration of a tick.
    n_lines, n_columns : int
        Room in the terminal, in characters.
    window_ms : float
        Biological time that fits into the width.
    """

    def __init__(
        self,
        populations: Sequence[Mapping[str, Any]],
        *,
        timestep_ms: float,
        n_lines: int,
        n_columns: int,
        window_ms: float,
    ) -> None:
        self.timestep_ms = timestep_ms
        self.places = share_lines(populations, n_lines)
        self.n_columns = n_columns
        self._ticks_a_dot = max(1, round(window_ms / timestep_ms / (n_columns * _DOT_COLUMNS)))
        shape = (sum(place.n_lines for place in self.places) * _DOT_ROWS, n_columns * _DOT_COLUMNS)
        self._dots: NDArray[np.bool_] = np.zeros(shape, np.bool_)
        self._newest = 0
        self._n_spikes = np.zeros(len(self.places), np.int64)
        self._n_ticks = 0

    def add(self, batch: SpikeBatch) -> None:
        """Take the next batch in; what is older than the window falls out on the left."""
        self._scroll((batch.tick0 + batch.n_ticks - 1) // self._ticks_a_dot)
        column = batch.tick.astype(np.int64) // self._ticks_a_dot - self._newest + self._dots.shape[1] - 1
        self._n_spikes[:], self._n_ticks = 0, batch.n_ticks
        top = 0
        for k, place in enumerate(self.places):
            index = batch.neuron.astype(np.int64) - place.first
            mine = (index >= 0) & (index < place.size)
            self._n_spikes[k] = np.count_nonzero(mine)
            shown = mine & (column >= 0)
            row = index[shown] * (place.n_lines * _DOT_ROWS) // max(place.size, 1)
            self._dots[top + row, column[shown]] = True
            top += place.n_lines * _DOT_ROWS

    def render(self) -> Table:
        """Return the picture: name, dots, and the newest batch's mean rate of each population."""
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right")
        table.add_column(width=self.n_columns, no_wrap=True)
        table.add_column(justify="right", width=11)
        lines = braille(self._dots)
        seconds = max(self._n_ticks, 1) * self.timestep_ms / 1000
        for k, place in enumerate(self.places):
            colour = COLOURS[k % len(COLOURS)]
            rate = self._n_spikes[k] / max(place.size, 1) / seconds
            picture = "\n".join(lines[: place.n_lines])
            table.add_row(
                Text(place.name, style=f"bold {colour}"), Text(picture, style=colour), f"{rate:.1f}/s"
            )
            lines = lines[place.n_lines :]
        return table

    def _scroll(self, newest: int) -> None:
        shift = min(newest - self._newest, self._dots.shape[1])
        if shift > 0:
            self._dots = np.roll(self._dots, -shift, axis=1)
            self._dots[:, -shift:] = False
            self._newest = newest


def share_lines(populations: Sequence[Mapping[str, Any]], n_lines: int) -> list[Place]:
    """Return how many lines each population with neurons gets: in proportion, but at least one."""
    filled = [population for population in populations if population["size"]]
    total = sum(population["size"] for population in filled)
    spare = max(n_lines - len(filled), 0)
    return [Place(p["name"], p["first"], p["size"], 1 + int(spare * p["size"] / total)) for p in filled]


def braille(dots: NDArray[np.bool_]) -> list[str]:
    """Return dots as lines of Braille characters.

    Parameters
    ----------
    dots : (4 * n_lines, 2 * n_columns) bool array
        Where there is a dot; lines from the top, columns from the left.
    """
    rows, columns = dots.shape
    cells = dots.reshape(rows // _DOT_ROWS, _DOT_ROWS, columns // _DOT_COLUMNS, _DOT_COLUMNS)
    codes = 0x2800 + np.einsum("lrcd,rd->lc", cells.astype(np.int64), _BRAILLE_BITS)
    return ["".join(map(chr, line)) for line in codes.tolist()]
