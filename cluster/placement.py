"""Partition and placement: which part of each population stands on which chip.

Every placer is a plain function ``placer(network, n_chips) -> Placement``; the spikes do not depend on
which is chosen, only speed and traffic do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from chip.random import Purpose, draw, stream_key
from network import Network

_SHUFFLED_PIECES = 3


@dataclass(frozen=True, order=True)
class Slice:
    """The neurons ``first ... first + n - 1`` of the network's member number `member`."""

    member: int
    first: int
    n: int


Placement = tuple[tuple[Slice, ...], ...]
"""The slices of each chip, in order of members, none empty."""


def even(network: Network, n_chips: int) -> Placement:
    """Give each chip an equal share of every population: each chip does the same work every tick."""
    chips: list[list[Slice]] = [[] for _ in range(n_chips)]
    for number, member in enumerate(network.members):
        cuts = [member.size * k // n_chips for k in range(n_chips + 1)]
        for chip, (low, high) in enumerate(pairwise(cuts)):
            if high > low:
                chips[chip].append(Slice(number, low, high - low))
    return tuple(map(tuple, chips))


def consecutive(network: Network, n_chips: int) -> Placement:
    """Give chip k the k-th equal share of all neurons in order of declaration; and of the sources' likewise.

    Populations that are declared one after the other stand together, so that a network of parts with most
    of its synapses within a part sends few spikes far. That the shares do equal work is up to the network.
    """
    n_populations = len(network.populations)
    chips: list[list[Slice]] = [[] for _ in range(n_chips)]
    for numbers in (range(n_populations), range(n_populations, len(network.members))):
        total, begin = sum(network.members[number].size for number in numbers), 0
        cuts = [total * k // n_chips for k in range(n_chips + 1)]
        for number in numbers:
            end = begin + network.members[number].size
            for chip in range(max(bisect_right(cuts, begin) - 1, 0), n_chips):
                low, high = max(begin, cuts[chip]), min(end, cuts[chip + 1])
                if low >= end:
                    break
                if high > low:
                    chips[chip].append(Slice(number, low - begin, high - low))
            begin = end
    return tuple(map(tuple, chips))


def shuffled(network: Network, n_chips: int) -> Placement:
    """Cut every population at random places and deal the slices to chips at random, keyed by the seed."""
    slices = [
        Slice(number, low, high - low)
        for number, member in enumerate(network.members)
        for low, high in _random_pieces(network.seed, number, member.size, _SHUFFLED_PIECES * n_chips)
    ]
    key = stream_key(network.seed, Purpose.PLACEMENT)
    order = np.argsort([int(draw(key, np.uint64(k))) >> 1 for k in range(len(slices))], kind="stable")
    chips: list[list[Slice]] = [[] for _ in range(n_chips)]
    load = [0] * n_chips
    for k in order.tolist():
        chip = min(range(n_chips), key=lambda c: (load[c], c))
        chips[chip].append(slices[k])
        load[chip] += slices[k].n
    return tuple(tuple(sorted(own)) for own in chips)


def _random_pieces(seed: int, member: int, size: int, n: int) -> list[tuple[int, int]]:
    key = stream_key(seed, Purpose.PLACEMENT, member + 1)
    marks = {int(draw(key, np.uint64(k))) % size for k in range(n - 1)} if size else set()
    cuts = sorted({0, size} | marks)
    return list(pairwise(cuts))


PLACERS: dict[str, Callable[[Network, int], Placement]] = {
    "default": even,
    "consecutive": consecutive,
    "shuffled": shuffled,
}
