"""Counter-based random numbers: every draw is a pure function of a key and a counter.

Theory of operation
-------------------
A *key* is a 64-bit hash of the network's seed, a purpose and the numbers that name what is drawn for (a
projection, a population, a tick). Draw *c* of a key is ``mix64(key + (c + 1) * GOLDEN)``, which is
SplitMix64 (Steele, Lea, Flood 2014, OOPSLA, with Stafford's variant 13 of the finaliser) entered at step
*c*. Because there is no stream to advance, a chip draws just the numbers of its own neurons, in any order,
and the network does not depend on where anything was placed.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from chip.jit import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31, _S32 = (np.uint64(s) for s in (11, 27, 30, 31, 32))
_ONE = np.uint64(1)
_MASK = (1 << 64) - 1
_LARGEST_UNIT = 1.0 - 2.0**-53
"""Adding a half rounds from 2**52 on, and 53 ones would give 1."""


class Purpose(IntEnum):
    """What a number is drawn for; part of every key. Values are part of the promise: never renumber."""

    IN_DEGREE = 1
    SYNAPSE = 2
    PARAMETER = 3
    INITIAL = 4
    INPUT = 5
    SOURCE = 6
    PLACEMENT = 7
    POSITION = 8


@kernel
def mix64(z):
    """Return the SplitMix64 finaliser of the uint64 `z`."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def draw(key, counter):
    """Return 64 random bits: draw `counter` (uint64) of `key` (uint64)."""
    return mix64(key + (counter + _ONE) * GOLDEN)


@kernel
def unit(bits):
    """Turn 64 random bits into a float64 strictly inside (0, 1), of 53 bits less the ends."""
    value = (np.float64(np.int64(bits >> _S11)) + 0.5) * (1.0 / 9007199254740992.0)
    return min(value, _LARGEST_UNIT)


@kernel
def unit32(bits):
    """Turn the low 32 of `bits` into a float64 strictly inside (0, 1)."""
    return (np.float64(np.uint32(bits)) + 0.5) * (1.0 / 4294967296.0)


@kernel
def below(bits, n):
    """Turn 64 random bits into an int64 in [0, n), n < 2**32; no chance is off by more than n / 2**53."""
    return np.int64(np.float64(np.int64(bits >> _S11)) * (1.0 / 9007199254740992.0) * n)


def stream_key(seed: int, purpose: Purpose, *numbers: int) -> np.uint64:
    """Return the key of what `numbers` name, for `purpose`, in a network of seed `seed`."""
    key = seed & _MASK
    for number in (int(purpose), *numbers):
        key = _mix(key + (number + 1) * int(GOLDEN) & _MASK)
    return np.uint64(key)


def _mix(z: int) -> int:
    z = (z ^ z >> 30) * int(_M1) & _MASK
    z = (z ^ z >> 27) * int(_M2) & _MASK
    return z ^ z >> 31
