"""The conservation certificate: every event that was sent is accounted for.

What was sent follows from the description alone, the spikes of each population times the chips that
their projections reach; the tables have no say in it. What was delivered is counted by the chips that got
it. So an event that a table forgets, that a link loses or that is delivered twice breaks the balance.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.balance import ADDRESS_EVENTS, Balance, check_count, merge_balances
from router.errors import CountError
from router.tables import KeyRange
from router.traffic import Traffic, merge_traffic
from router.tree import Tree


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """The account of a run: address events, synaptic events, and how far the former went.

    Prints as the two balances in one line.

    Parameters
    ----------
    tree : Tree
        The system.
    address_events : Balance
        Spikes times destination chips.
    synaptic_events : Balance
        Spikes times synapses.
    by_level : tuple of int
        Address events sent, by how far their destination is: 0 the own chip, 1 another on the board, ...
    traffic : Traffic or None
        What crossed each link, where it was counted.

    Raises
    ------
    CountError
        If the levels are not those of the tree or do not add up to the address events sent.
    """

    tree: Tree
    address_events: Balance
    synaptic_events: Balance
    by_level: tuple[int, ...]
    traffic: Traffic | None = None

    def __post_init__(self) -> None:
        if len(self.by_level) != self.tree.depth + 1:
            rule = f"by_level has {self.tree.depth + 1} counts"
            raise CountError("certificate", rule, len(self.by_level), "count each level and the own chip")
        if sum(self.by_level) != self.address_events.sent:
            rule = f"by_level adds up to {self.address_events.sent} sent"
            raise CountError("certificate", rule, sum(self.by_level), "count both from the same spikes")

    @property
    def holds(self) -> bool:
        """Whether every event sent, of both kinds, is accounted for."""
        return self.address_events.holds and self.synaptic_events.holds

    @property
    def lossless(self) -> bool:
        """Whether every event sent, of both kinds, was delivered or still will be."""
        return self.address_events.lossless and self.synaptic_events.lossless

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate for JSON.

        Returns
        -------
        dict
            ``holds``, ``lossless``, ``address_events`` and ``synaptic_events`` (see `Balance.to_dict`),
            ``by_level``: a list of ``{level, name, address_events}``, and ``traffic`` (see
            `Traffic.to_dict`) or None.
        """
        names = map(self.tree.level_name, range(len(self.by_level)))
        levels = enumerate(zip(names, self.by_level, strict=True))
        return {
            "holds": self.holds,
            "lossless": self.lossless,
            "address_events": self.address_events.to_dict(),
            "synaptic_events": self.synaptic_events.to_dict(),
            "by_level": [{"level": i, "name": name, "address_events": n} for i, (name, n) in levels],
            "traffic": self.traffic.to_dict() if self.traffic else None,
        }

    def __repr__(self) -> str:
        return f"{self.address_events}; {self.synaptic_events}"


def certify(
    tree: Tree,
    ranges: Sequence[KeyRange],
    *,
    destinations: Sequence[Set[int]],
    spikes_per_range: Sequence[int] | NDArray[np.int64],
    delivered: int,
    in_flight: int,
    dropped: Mapping[str, int],
    synaptic_events: Balance,
    traffic: Traffic | None = None,
) -> Certificate:
    """Return the certificate of a run, with what was sent taken from the description.

    Parameters
    ----------
    tree, ranges, destinations
        What `router.build_tables` was given.
    spikes_per_range : (n_ranges,) int64
        Spikes of each range's neurons.
    delivered : int
        Address events counted by the chips that got them, those from their own neurons included.
    in_flight : int
        Address events emitted but not yet received.
    dropped : mapping of str to int
        Address events dropped, by reason.
    synaptic_events : Balance
        The account of the synaptic events.
    traffic : Traffic or None
        What crossed each link.

    Raises
    ------
    CountError
        If a count is negative, or the sequences differ in length.
    TreeError
        If a chip is not in the tree.
    """
    levels = expected_by_level(tree, ranges, destinations=destinations, spikes_per_range=spikes_per_range)
    sent = expected_address_events(spikes_per_range, destinations)
    address_events = Balance(ADDRESS_EVENTS, sent, delivered, in_flight, dropped)
    return Certificate(tree, address_events, synaptic_events, levels, traffic)


def expected_address_events(
    spikes_per_range: Sequence[int] | NDArray[np.int64], destinations: Sequence[Set[int]]
) -> int:
    """Return the address events that a description calls for: spikes times destination chips.

    The own chip, where it is a destination, counts as one.

    Raises
    ------
    CountError
        If a count is negative, or the sequences differ in length.
    """
    spikes = _spikes(spikes_per_range, destinations)
    return sum(n * len(chips) for n, chips in zip(spikes, destinations, strict=True))


def expected_by_level(
    tree: Tree,
    ranges: Sequence[KeyRange],
    *,
    destinations: Sequence[Set[int]],
    spikes_per_range: Sequence[int] | NDArray[np.int64],
) -> tuple[int, ...]:
    """Return `expected_address_events` by how far the destination is: (depth + 1,), the own chip first.

    Raises
    ------
    CountError
        If a count is negative, or the sequences differ in length.
    TreeError
        If a chip is not in the tree.
    """
    if len(ranges) != len(destinations):
        rule = f"destinations for each of {len(ranges)} key ranges"
        raise CountError(ADDRESS_EVENTS, rule, len(destinations), "pass what build_tables was given")
    spikes = _spikes(spikes_per_range, destinations)
    by_level = [0] * (tree.depth + 1)
    for keys, chips, n in zip(ranges, destinations, spikes, strict=True):
        for chip in (keys.chip, min(chips, default=0), max(chips, default=0)):
            tree.check_chip(chip)
        levels = tree.levels_from(keys.chip, np.fromiter(chips, dtype=np.int32))
        for level, n_chips in enumerate(np.bincount(levels).tolist()):
            by_level[level] += n * n_chips
    return tuple(by_level)


def merge(certificates: Iterable[Certificate]) -> Certificate:
    """Return the certificate of several runs on one system together.

    Traffic is added up where all have it.

    Raises
    ------
    CountError
        If there are none, or they are of several systems.
    """
    parts = list(certificates)
    trees = {part.tree for part in parts}
    if len(trees) != 1:
        raise CountError(
            "certificate", "a sum is of one system", len(trees), "merge certificates of the same tree"
        )
    traffic = [part.traffic for part in parts if part.traffic is not None]
    return Certificate(
        tree=parts[0].tree,
        address_events=merge_balances([part.address_events for part in parts]),
        synaptic_events=merge_balances([part.synaptic_events for part in parts]),
        by_level=tuple(sum(counts) for counts in zip(*(part.by_level for part in parts), strict=True)),
        traffic=merge_traffic(traffic) if len(traffic) == len(parts) else None,
    )


def _spikes(
    spikes_per_range: Sequence[int] | NDArray[np.int64], destinations: Sequence[Set[int]]
) -> list[int]:
    """Return the spikes of each range as plain integers, which do not overflow."""
    if len(spikes_per_range) != len(destinations):
        rule = f"spikes for each of {len(destinations)} key ranges"
        raise CountError(ADDRESS_EVENTS, rule, len(spikes_per_range), "give 0 to a range that kept silent")
    return [check_count(ADDRESS_EVENTS, f"spikes of range {i}", n) for i, n in enumerate(spikes_per_range)]
