"""Every synapse of a network in plain Python, one after the other: what the chips are held against.

Written from what the language and the chip's docstrings say, with the same keyed draws, and nothing of
`chip`: exact chances instead of recurrences, sets instead of bit marks, recursion instead of stacks,
`statistics.NormalDist` instead of tables. It takes some 10 us a synapse. Start reading at `expand`.
"""

from tests.chip.expansion.counts import binomial, hypergeometric, hypergeometric_chance, split, successes
from tests.chip.expansion.laws import drawn
from tests.chip.expansion.places import apart, positions
from tests.chip.expansion.projections import Described, Synapse, described, expand, held, same

__all__ = [
    "Described",
    "Synapse",
    "apart",
    "binomial",
    "described",
    "drawn",
    "expand",
    "held",
    "hypergeometric",
    "hypergeometric_chance",
    "positions",
    "same",
    "split",
    "successes",
]
