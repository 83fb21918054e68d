"""Populations with inputs that add them up, and the draws that their inputs must be made of."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chip.random import Purpose
from network import Network
from tests.chip.chips import LSB, Lone, spec_of
from tests.chip.networks import QUIET, delta, describe, everything
from tests.chip.oracle import GOLDEN, draws, finalise, key_of

SEED = 5


def poisson_input(rate_hz: Any, weight: float = LSB, **more: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate_hz": rate_hz, "weight": weight, **more}


def driven(*inputs: dict[str, Any], size: int = 20, parameters: Mapping[str, float] = QUIET) -> Network:
    """Return a network of two populations; the second has the inputs and adds them up."""
    cells = delta("cells", size, dict(parameters), inputs=list(inputs))
    return describe([delta("others", 3, QUIET), cells], recordings=[everything("cells", size)])


def potentials(network: Network, n_ticks: int) -> np.ndarray:
    """Return (n_ticks, n_neurons) potentials in LSBs; after 1e4 ticks the leak has taken 1e-6 of them."""
    (rows,) = Lone(spec_of(network)).states(n_ticks)
    return rows / LSB


def counts_of(network: Network, n_ticks: int) -> np.ndarray:
    """Return (n_ticks, n_neurons) how many events of weight LSB came."""
    exact = np.diff(potentials(network, n_ticks), axis=0, prepend=0.0)
    assert np.abs(exact - np.rint(exact)).max() < 1e-3
    return np.rint(exact).astype(np.int64)


def expected_bits(number: int, n_ticks: int, size: int) -> np.ndarray:
    """Return the (n_ticks, size) draws of one input of the second population."""
    of_tick = draws(key_of(SEED, Purpose.INPUT, 1, number), np.arange(n_ticks))
    return draws(of_tick[:, None], np.arange(size)[None, :])


def uniforms(key: np.uint64, size: int) -> np.ndarray:
    """Return what a uniform value draws for each neuron, from 0 to 1: its own bits, hashed on once."""
    bits = finalise(draws(key, np.arange(size)) + np.uint64(GOLDEN))
    return ((bits & np.uint64(0xFFFFFFFF)).astype(np.float64) + 0.5) / 2.0**32
