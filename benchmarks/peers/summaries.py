"""The statistics of a peer's spikes, by the functions that ours pass through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikerack.reference.spike_statistics import SpikeWindow, Summary, summarise


def statistics_of(
    network: Mapping[str, Any], tick: np.ndarray, neuron: np.ndarray, first_ms: float, stop_ms: float
) -> dict[str, Summary]:
    """Return the statistics of each population of a description.

    Parameters
    ----------
    tick, neuron : (n_spikes,) integer arrays
        In any order; neurons are counted over all populations.
    first_ms, stop_ms : float
        The window; spikes beyond it are left out.
    """
    order = np.lexsort((neuron, tick))
    first, stop = (round(ms / network["timestep_ms"]) for ms in (first_ms, stop_ms))
    window = SpikeWindow(tick[order], neuron[order], first, stop, network["timestep_ms"])
    return summarise(window, {each["name"]: each["size"] for each in network["populations"]})
