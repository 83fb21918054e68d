"""The chip's random numbers once more, in plain NumPy, from the papers: what the kernels are held against."""

from math import exp, lgamma, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1

Words = NDArray[np.uint64]


def finalise(z: Words) -> Words:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014, figure 17), of any shape."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws(key: ArrayLike, counter: ArrayLike) -> Words:
    """Draws `counter` of `key`, broadcast against each other: the counter-th step of SplitMix64."""
    keys, counters = (np.atleast_1d(np.asarray(words, np.uint64)) for words in (key, counter))
    return finalise(keys + (counters + np.uint64(1)) * np.uint64(GOLDEN))


def key_of(seed: int, *numbers: int) -> np.uint64:
    """A key: the seed, then each number in turn as the counter of a draw."""
    key = np.uint64(seed & _MASK)
    for number in numbers:
        key = draws(key, number)[0]
    return key


def poisson_masses(mean: float, n: int) -> NDArray[np.float64]:
    """(n,) chances of 0 ... n - 1 events."""
    return np.array([exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(n)])


def poisson_counts(bits: Words, mean: float) -> NDArray[np.int64]:
    """Counts that the uniforms (bits >> 32 + 1/2) / 2**32 name, by inversion of the exact distribution."""
    cumulative = np.cumsum(poisson_masses(mean, int(mean + 12.0 * mean**0.5 + 40.0)))
    uniform = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) / 2.0**32
    return np.searchsorted(cumulative, uniform, "left")
