"""Networks of one projection each, by every rule of connectivity, with about as many synapses each."""

from __future__ import annotations

import math
from math import isqrt
from typing import Any

import numpy as np

from network import Connectivity, Network
from spikerack.builder import (
    NetworkBuilder,
    all_to_all,
    convolution,
    distance_dependent,
    distance_gaussian,
    explicit,
    fixed_in_degree,
    fixed_out_degree,
    fixed_probability,
    fixed_total_number,
    grid_positions,
    normal,
    one_to_one,
    pooling,
    small_world,
)

SYNAPSES_A_NEURON = 1_000
NEIGHBOURS = 100
PROBABILITY = 0.1
CHANNELS, WINDOW = 32, 3
PEAK, SD_UM, SHEET_UM = 0.9, 50.0, 1000.0
CONSTANT = {"weight": 1.0, "delay_ms": 1.5}
DRAWN = {"weight": normal(87.8, 8.78, low=0.0), "delay_ms": normal(1.5, 0.75, low=0.05)}


def rule_networks(n: int) -> dict[str, Network]:
    """Return the networks by the names of their rules.

    Parameters
    ----------
    n : int
        The synapses of each; but a tenth where every neuron has few (`one_to_one`, `pooling`), and a fiftieth
        of the list that stands in the description.
    """
    size = max(n // SYNAPSES_A_NEURON, 1)
    share = max(n // size, 1)
    return {
        "one_to_one": joined(max(n // 10, 1), one_to_one(), **CONSTANT),
        "all_to_all": joined(isqrt(n), all_to_all(), **CONSTANT),
        "fixed_in_degree": joined(size, fixed_in_degree(share), **CONSTANT),
        "fixed_out_degree": joined(size, fixed_out_degree(share), **CONSTANT),
        "fixed_total_number": joined(size, fixed_total_number(n), **CONSTANT),
        "fixed_total_number, normal weights and delays": joined(size, fixed_total_number(n), **DRAWN),
        "fixed_probability": joined(
            isqrt(round(n / PROBABILITY)), fixed_probability(PROBABILITY), **CONSTANT
        ),
        "distance_dependent": _sheet(n),
        "small_world": joined(max(n // NEIGHBOURS, NEIGHBOURS + 1), small_world(NEIGHBOURS, 0.1), **CONSTANT),
        "convolution": _convolution(n),
        "pooling": _pooling(n // 10),
        "explicit": _explicit(max(n // 50, 1)),
    }


def joined(size: int, rule: Connectivity, *, positions: Any = None, **values: Any) -> Network:
    """Return a population that projects to itself by a rule."""
    net = NetworkBuilder("build", timestep_ms=0.1, seed=1)
    neurons = net.population("neurons", size, "lif_curr_exp", positions=positions)
    net.connect(neurons, neurons, rule, receptor="excitatory", **values)
    return net.build()


def _sheet(n: int) -> Network:
    """Join neurons on a sheet without edges: a pair in 70, most of them within 100 um."""
    mean = PEAK * 2.0 * math.pi * (SD_UM / SHEET_UM) ** 2
    side = max(isqrt(isqrt(round(n / mean))), 1)
    positions = grid_positions((side, side), (SHEET_UM, SHEET_UM), periodic=True)
    rule = distance_dependent(distance_gaussian(PEAK, SD_UM))
    return joined(side * side, rule, positions=positions, **CONSTANT)


def _convolution(n: int) -> Network:
    """Convolve an image of 32 channels onto one of the same size, by a window of 3 x 3."""
    side = max(isqrt(n // (CHANNELS**2 * WINDOW**2)), WINDOW)
    kernel = np.random.default_rng(1).normal(0.0, 1.0, (CHANNELS, CHANNELS, WINDOW, WINDOW))
    rule = convolution(kernel, (CHANNELS, side, side), padding=(1, 1))
    return joined(CHANNELS * side * side, rule, delay_ms=1.5)


def _pooling(n: int) -> Network:
    side = max(isqrt(n // WINDOW**2), WINDOW)
    rule = pooling((WINDOW, WINDOW), (1, side, side), stride=(1, 1), padding=(1, 1))
    return joined(side * side, rule, **CONSTANT)


def _explicit(n: int) -> Network:
    size = max(n // NEIGHBOURS, 1)
    sources, targets = np.random.default_rng(1).integers(0, size, (2, n))
    return joined(size, explicit(sources, targets), **CONSTANT)
