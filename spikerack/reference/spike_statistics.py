"""What is compared of two simulators' spikes: rates, irregularity, correlation. Needs numpy only.

NEST's side and ours pass their spikes through the same functions, so that a difference is one of the spikes.
Of each distribution `N_QUANTILES` values are kept, which are enough for Kolmogorov-Smirnov distances of
1 / `N_QUANTILES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["SpikeWindow", "Summary", "isi_cvs", "ks_distance", "pair_correlations", "rates_hz", "summarise"]

N_QUANTILES = 200
MIN_INTERVALS = 3
"""Intervals that a neuron must have for its coefficient of variation to count."""
N_CORRELATED = 200
"""Neurons of a population whose pairs are correlated: spread evenly over it."""
BIN_MS = 2.0

Floats: TypeAlias = NDArray[np.float64]
Summary: TypeAlias = dict[str, Any]
"""Of one population: ``rate_hz``, and ``rates_hz``, ``isi_cv``, ``correlation`` as distributions."""


@dataclass(frozen=True, eq=False)
class SpikeWindow:
    """A run's spikes within a window.

    Attributes
    ----------
    tick, neuron : (n_spikes,) integer
        Sorted by tick; neurons are counted over all populations.
    first_tick, stop_tick : int
        The window; spikes beyond it are left out.
    timestep_ms : float
    """

    tick: NDArray[Any]
    neuron: NDArray[Any]
    first_tick: int
    stop_tick: int
    timestep_ms: float

    @property
    def seconds(self) -> float:
        """The window's length."""
        return (self.stop_tick - self.first_tick) * self.timestep_ms * 1e-3

    def of(self, first: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ticks from the window's begin and neurons from `first`, of a population's spikes."""
        inside = (self.tick >= self.first_tick) & (self.tick < self.stop_tick)
        inside &= (self.neuron >= first) & (self.neuron < first + size)
        tick, neuron = self.tick[inside].astype(np.int64), self.neuron[inside].astype(np.int64)
        return tick - self.first_tick, neuron - first


def summarise(window: SpikeWindow, sizes: Mapping[str, int]) -> dict[str, Summary]:
    """Return the statistics of each population; `sizes` names them in the order of their neurons."""
    summaries, first = {}, 0
    for name, size in sizes.items():
        rates = rates_hz(window, first, size)
        summaries[name] = {
            "rate_hz": round(float(rates.mean()), 5),
            "rates_hz": _distribution(rates, decimals=3),
            "isi_cv": _distribution(isi_cvs(window, first, size), decimals=3),
            "correlation": _distribution(pair_correlations(window, first, size), decimals=4),
        }
        first += size
    return summaries


def rates_hz(window: SpikeWindow, first: int, size: int) -> Floats:
    """(size,) float64, the mean rate of each neuron."""
    _, neuron = window.of(first, size)
    return np.bincount(neuron, minlength=size) / window.seconds


def isi_cvs(window: SpikeWindow, first: int, size: int) -> Floats:
    """(n,) float64, coefficient of variation of the intervals of each neuron that has `MIN_INTERVALS`."""
    tick, neuron = window.of(first, size)
    order = np.argsort(neuron, kind="stable")
    tick, neuron = tick[order], neuron[order]
    same = neuron[1:] == neuron[:-1]
    interval, owner = np.diff(tick)[same], neuron[1:][same]
    n = np.bincount(owner, minlength=size)
    enough = n >= MIN_INTERVALS
    mean = np.bincount(owner, interval, minlength=size)[enough] / n[enough]
    square = (interval - np.bincount(owner, interval, minlength=size)[owner] / n[owner]) ** 2
    variance = np.bincount(owner, square, minlength=size)[enough] / n[enough]
    return np.asarray(np.sqrt(variance) / mean, np.float64)


def pair_correlations(window: SpikeWindow, first: int, size: int) -> Floats:
    """(n_pairs,) float64, correlation coefficients of spike counts in bins of `BIN_MS`.

    Of the pairs of `N_CORRELATED` neurons, numbers k size / `N_CORRELATED` rounded down, or of all neurons if
    they are fewer; a neuron whose count never changes has no correlation and is left out.
    """
    tick, neuron = window.of(first, size)
    chosen = np.unique(np.arange(N_CORRELATED) * size // N_CORRELATED)
    row = np.full(size, -1)
    row[chosen] = np.arange(chosen.size)
    ticks_per_bin = round(BIN_MS / window.timestep_ms)
    n_bins = (window.stop_tick - window.first_tick) // ticks_per_bin
    counts = np.zeros((chosen.size, n_bins))
    kept = (row[neuron] >= 0) & (tick < n_bins * ticks_per_bin)
    np.add.at(counts, (row[neuron[kept]], tick[kept] // ticks_per_bin), 1)
    counts = counts[counts.min(axis=1) != counts.max(axis=1)]
    if len(counts) < 2:
        return np.zeros(0)
    return np.asarray(np.corrcoef(counts)[np.triu_indices(len(counts), 1)], np.float64)


def ks_distance(a: Summary, b: Summary) -> float:
    """Return the greatest difference of two distributions' cumulative shares, from their quantiles.

    A distribution of nothing is at distance 1 from any other, and at 0 from another of nothing.
    """
    one, two = np.array(a["quantiles"]), np.array(b["quantiles"])
    if one.size == 0 or two.size == 0:
        return float(one.size != two.size)
    at = np.union1d(one, two)
    shares = [np.searchsorted(each, at, side="right") / each.size for each in (one, two)]
    return float(np.abs(shares[0] - shares[1]).max())


def _distribution(values: Floats, *, decimals: int) -> Summary:
    """Return number, mean, standard deviation, and quantiles that are values themselves."""
    if values.size == 0:
        return {"n": 0, "mean": 0.0, "sd": 0.0, "quantiles": []}
    at = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    quantiles = np.quantile(np.round(values, decimals), at, method="inverted_cdf")
    return {
        "n": int(values.size),
        "mean": round(float(values.mean()), 6),
        "sd": round(float(values.std()), 6),
        "quantiles": quantiles.tolist(),
    }
