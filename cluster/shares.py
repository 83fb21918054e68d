"""What the chips of a placement hold, each and alike: for estimates before anything is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from cluster.lowering import bank_pieces
from cluster.options import Placement
from cluster.placement import Slice, consecutive
from network import Network


@dataclass(frozen=True)
class Piece:
    """Slices alike: `count` of `n` neurons each, of the population number `member`, in one bank."""

    member: int
    n: int
    bank: int
    count: int


@dataclass(frozen=True)
class Share:
    """What some workers hold each, on all their chips.

    Attributes
    ----------
    count : int
        Workers that hold this.
    pieces : tuple of Piece
    """

    count: int
    pieces: tuple[Piece, ...]

    @property
    def n_neurons(self) -> int:
        """Neurons of one of the workers."""
        return sum(self.held.values())

    @property
    def n_banks(self) -> int:
        """Banks that they stand in."""
        return 1 + max((piece.bank for piece in self.pieces), default=-1)

    @cached_property
    def held(self) -> Counter[int]:
        """Neurons of each population, by its number."""
        held: Counter[int] = Counter()
        for piece in self.pieces:
            held[piece.member] += piece.n * piece.count
        return held


def shares(network: Network, chips: Sequence[range], placement: Placement) -> tuple[Share, ...]:
    """Return what workers hold.

    One share stands for all workers of as many chips of the placement `default`, which differ by one neuron
    of each population and chip at most: it is the largest. It stands for those of `shuffled` too, which hold
    as much on average.

    Parameters
    ----------
    chips : sequence of range
        Those of each worker.
    """
    n_chips, sizes = sum(map(len, chips)), [population.size for population in network.populations]
    if placement != "consecutive":
        one = [Slice(member, 0, -(-size // n_chips)) for member, size in enumerate(sizes) if size]
        alike = Counter(map(len, chips))
        return tuple(Share(count, _pieces(one * n, len(sizes))) for n, count in sorted(alike.items()))
    placed = consecutive(network, n_chips)
    return tuple(
        Share(1, _pieces((part for chip in own for part in placed[chip]), len(sizes))) for own in chips
    )


def _pieces(slices: Iterable[Slice], n_populations: int) -> tuple[Piece, ...]:
    """Put slices into banks as `cluster.lowering` does, and join those that are alike."""
    own = [part for part in slices if part.member < n_populations]
    alike = Counter((piece.member, piece.n, bank) for piece, bank, _ in bank_pieces(own, n_populations))
    return tuple(Piece(*where, count) for where, count in alike.items())
