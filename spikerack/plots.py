"""The raster of a run as a picture: one band a population, its mean rate beside it.

Deterministic: the same spikes give the same file, byte for byte, with the same version of matplotlib.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from network import Network, Projection, bounds_of
from spikerack.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXCITATORY = ("#0b3954", "#1f6f8b", "#2f8f9d", "#3b6ea5")
INHIBITORY = ("#c8553d", "#e09f3e", "#b23a48", "#d08c60")
# A dot is about 2 pixels wide: more dots than this only make the picture slower and darker.
MAX_DOTS = 40_000
# Bands are as high as their population is large, but never too thin to see.
MIN_BAND = 0.05


@dataclass(frozen=True)
class Band:
    """Where a population is drawn: its place from the top, 0 to 1, and its colour."""

    name: str
    first: int
    size: int
    top: float
    height: float
    colour: str

    @property
    def middle(self) -> float:
        """The band's middle, from the top."""
        return self.top + self.height / 2


def raster(
    spikes: Spikes,
    path: Path,
    *,
    duration_ms: float,
    title: str,
    inhibitory: Collection[str] = (),
    max_dots: int = MAX_DOTS,
) -> None:
    """Draw a raster into a PNG file.

    Parameters
    ----------
    spikes : Spikes
        All spikes of a run; each population that they name gets a band, in that order from the top.
    path : Path
        The file to write; its folder is made when it is missing.
    duration_ms : float
        Biological duration of the run.
    title : str
        Stands above the picture.
    inhibitory : collection of str
        Populations in the warm colours.
    max_dots : int
        Spikes drawn at most; beyond it only every k-th neuron of each population is drawn. Rates count all.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.4), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bands = bands_of(spikes, inhibitory)
    dots, bars = figure.subplots(1, 2, width_ratios=(5, 1), sharey=True)
    thinning = max(1, -(-len(spikes) // max_dots))
    for band in bands:
        _draw_dots(dots, spikes, band, thinning)
    _draw_rates(bars, spikes.rates_hz(duration_ms), bands)
    _dress(
        figure,
        dots,
        bands,
        duration_ms,
        title if thinning == 1 else f"{title} (1 in {thinning} neurons shown)",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})


def bands_of(spikes: Spikes, inhibitory: Collection[str] = ()) -> list[Band]:
    """Return a band for each population that has neurons, from the top."""
    places = [(name, first, size) for name, (first, size) in spikes.populations.items() if size]
    sizes = np.array([size for _, _, size in places], np.float64)
    heights = np.maximum(sizes / max(sizes.sum(), 1.0), MIN_BAND)
    heights /= heights.sum() or 1.0
    tops = np.cumsum(heights) - heights
    cool = warm = 0
    bands = []
    for (name, first, size), top, height in zip(places, tops.tolist(), heights.tolist(), strict=True):
        if name in inhibitory:
            colour, warm = INHIBITORY[warm % len(INHIBITORY)], warm + 1
        else:
            colour, cool = EXCITATORY[cool % len(EXCITATORY)], cool + 1
        bands.append(Band(name, first, size, top, height, colour))
    return bands


def inhibitory_populations(network: Network) -> frozenset[str]:
    """Return the populations that have projections, all of them with weights mostly below 0."""
    signs: dict[str, set[bool]] = {}
    for projection in network.projections:
        signs.setdefault(projection.source, set()).add(_middle_weight(projection) < 0)
    return frozenset(name for name, negative in signs.items() if negative == {True})


def _middle_weight(projection: Projection) -> float:
    """Return the middle of the weights that a projection can have."""
    rule = projection.connectivity
    listed = getattr(rule, "weights", None) or getattr(rule, "kernel", None)
    if projection.weight is None:
        return (min(listed) + max(listed)) / 2 if listed else 0.0
    low, high = bounds_of(projection.weight)
    return (low + high) / 2


def _draw_dots(axes: Axes, spikes: Spikes, band: Band, thinning: int) -> None:
    index = spikes.neuron.astype(np.int64) - band.first
    shown: NDArray[np.bool_] = (index >= 0) & (index < band.size) & (index % thinning == 0)
    times_s = (spikes.tick[shown] + 1.0) * spikes.timestep_ms / 1000
    heights = band.top + band.height * (index[shown] + 0.5) / band.size
    axes.plot(
        times_s, heights, linestyle="none", marker=".", markersize=1.6, color=band.colour, markeredgewidth=0
    )


def _draw_rates(axes: Axes, rates_hz: dict[str, float], bands: list[Band]) -> None:
    top = max((rates_hz[band.name] for band in bands), default=0.0) or 1.0
    for band in bands:
        rate = rates_hz[band.name]
        axes.barh(band.middle, rate, height=min(band.height * 0.7, 0.06), color=band.colour)
        axes.text(rate + 0.04 * top, band.middle, f"{rate:.2f}", va="center", fontsize=8, color="#333333")
    axes.set_xlim(0, top * 1.35)
    axes.set_xlabel("mean rate (spikes/s)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(left=False)


def _dress(figure: Figure, axes: Axes, bands: list[Band], duration_ms: float, title: str) -> None:
    axes.set_yticks([band.middle for band in bands], [band.name for band in bands])
    for label, band in zip(axes.get_yticklabels(), bands, strict=True):
        label.set_color(band.colour)
    for band in bands[1:]:
        axes.axhline(band.top, color="#dddddd", linewidth=0.6)
    axes.set_xlim(0, duration_ms / 1000)
    axes.set_ylim(1, 0)
    axes.set_xlabel("biological time (s)")
    axes.tick_params(axis="y", left=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
