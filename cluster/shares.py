"""What the chips of a placement hold, each and alike: for estimates before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chip import BANK_NEURONS
from cluster.options import Placement
from cluster.placement import consecutive
from network import Network


class Held(NamedTuple):
    """The neurons of a population that a chip holds, and the banks that they stand in."""

    n: int
    banks: range


@dataclass(frozen=True)
class Share:
    """What `n_chips` chips hold each.

    Attributes
    ----------
    held : mapping from str to Held
        For each population that the chip holds neurons of, by its name.
    """

    n_chips: int
    held: Mapping[str, Held]

    @property
    def n_neurons(self) -> int:
        """Neurons of one of the chips."""
        return sum(held.n for held in self.held.values())


def shares(network: Network, n_chips: int, placement: Placement) -> tuple[Share, ...]:
    """Return what the chips hold.

    One share stands for all chips of the placement `default`, which differ by one neuron of each population
    at most: it is the largest. It stands for those of `shuffled` too, which hold as much on average.
    """
    names = [population.name for population in network.populations]
    if placement != "consecutive":
        sizes = (-(-population.size // n_chips) for population in network.populations)
        return (Share(n_chips, _held(zip(names, sizes, strict=True))),)
    return tuple(
        Share(1, _held((names[part.member], part.n) for part in own if part.member < len(names)))
        for own in consecutive(network, n_chips)
    )


def _held(sizes: Iterable[tuple[str, int]]) -> Mapping[str, Held]:
    """Fill banks in order, as `cluster.lowering.bank_pieces` does."""
    held, first = {}, 0
    for name, n in sizes:
        if n:
            held[name] = Held(n, range(first // BANK_NEURONS, -(-(first + n) // BANK_NEURONS)))
        first += n
    return held
