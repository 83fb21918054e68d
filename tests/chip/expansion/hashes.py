"""SplitMix64 in Python's integers (Steele, Lea, Flood 2014): keys, draws, and uniforms from draws."""

GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1

IN_DEGREE, SYNAPSE, POSITION = 1, 2, 8
"""Purposes."""


def draw(key: int, counter: int) -> int:
    """Draw `counter` of `key`, 64 bits."""
    z = (key + (counter + 1) * GOLDEN) & _MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
    return z ^ z >> 31


def key_of(seed: int, *numbers: int) -> int:
    """A key: the seed, then each number in turn as the counter of a draw."""
    key = seed & _MASK
    for number in numbers:
        key = draw(key, number)
    return key


def other(key: int) -> int:
    """The key of the bits of the synapses whose places `key` draws."""
    return ~key & _MASK


def unit(bits: int) -> float:
    """The middle of one of 2**53 intervals of (0, 1)."""
    return min(((bits >> 11) + 0.5) / 2.0**53, 1.0 - 2.0**-53)


def unit32(bits: int) -> float:
    """The middle of one of 2**32 intervals of (0, 1), by the low half of the bits."""
    return ((bits & 0xFFFFFFFF) + 0.5) / 2.0**32


def below(bits: int, n: int) -> int:
    """A number in [0, n)."""
    return int((bits >> 11) / 2.0**53 * n)
