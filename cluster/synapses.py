"""Reading synapses back: which of them are asked for, and those in order, part by part.

Theory of operation
-------------------
Synapses stand in the memories of the chips of their targets, sorted by source. A `Selection` is what a query
asks for, as pairs of a source member and a population with the neurons of each. It is read in windows of
consecutive source neurons, so large that about so many synapses are found as are wanted; all chips list those
of a window (`list_window`), they are sorted together, and reading stops when there are enough. The next part
goes on from a source neuron and the number of its synapses that were given already.

Memories say source, target, delay, receptor and weight of a synapse, not its projection: projections of the
same source, target and receptor are named together, as a *group*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip import Chip
from cluster.plan import Plan
from cluster.synapsequery import Pair, Selection, SynapseGroup, SynapseQuery, select
from cluster.weightprobes import between

_WINDOW = 1 << 20
"""Synapses that chips should find in a window: about 40 MiB."""

Window = tuple[tuple[int, Pair], ...]
"""Some sources of some pairs of a selection, each with the pair's number."""


class Synapses(NamedTuple):
    """Synapses, (n,) arrays. Neurons by their global numbers; weights in the described unit.

    `kind` is the pair's number and the receptor's, as ``pair << 8 | receptor``; in an answer it is the group.
    """

    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    delay_ticks: NDArray[np.uint16]
    weight: NDArray[np.float64]
    kind: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[Synapses]) -> Synapses:
        """Return the synapses of all parts, one after the other."""
        columns = zip(_NONE, *parts, strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Synapses:
        """Return the entries at `places`."""
        return Synapses(*(column[places] for column in self))  # type: ignore[arg-type]


_NONE = Synapses(
    source=np.zeros(0, np.uint32),
    target=np.zeros(0, np.uint32),
    delay_ticks=np.zeros(0, np.uint16),
    weight=np.zeros(0),
    kind=np.zeros(0, np.int64),
)


@dataclass(frozen=True)
class SynapsePage:
    """A part of an answer.

    Attributes
    ----------
    groups : tuple of SynapseGroup
    synapses : Synapses
        Sorted by source, target, delay, receptor, weight; `kind` is the place among `groups`.
    following : (int, int) or None
        Where the next part begins: a source neuron, and how many of its synapses were given.
    """

    groups: tuple[SynapseGroup, ...]
    synapses: Synapses
    following: tuple[int, int] | None


def list_window(plan: Plan, chip: Chip, window: Window) -> Synapses:
    """Return the synapses of a window that stand on a chip, in the order of its memory."""
    parts = []
    for number, pair in window:
        table = between(chip, (pair.source, pair.sources), (pair.target, pair.targets))
        parts.append(
            Synapses(
                source=table.source + np.uint32(plan.member_first[pair.source]),
                target=table.target + np.uint32(plan.member_first[pair.target]),
                delay_ticks=table.delay_ticks,
                weight=table.weight,
                kind=table.receptor.astype(np.int64) | number << 8,
            )
        )
    return Synapses.joined(parts)


def read_page(
    plan: Plan,
    query: SynapseQuery,
    list_all: Callable[[Window], Sequence[Synapses]],
    *,
    limit: int,
    begin: tuple[int, int] = (0, 0),
) -> SynapsePage:
    """Return at most `limit` synapses.

    Parameters
    ----------
    list_all : callable
        Lets all chips list a window.
    begin : (int, int)
        `following` of the part before.

    Raises
    ------
    RefusedQuery
        The query names what there is not, or asks for too much.
    """
    selection = select(plan.network, query)
    parts, n, skip = [], 0, begin[1]
    for window in windows(selection, plan.member_first, first=begin[0], limit=limit):
        found = _ordered(selection, Synapses.joined(list_all(window)))
        if skip and found.source.size and found.source[0] == begin[0]:
            found = found.at(slice(skip, None))
        skip = 0
        parts.append(found)
        n += found.source.size
        if n > limit:
            break
    whole = Synapses.joined(parts)
    return SynapsePage(selection.groups, whole.at(slice(limit)), _following(whole, limit, begin))


def windows(
    selection: Selection, firsts: Sequence[int], *, first: int = 0, limit: int = _WINDOW
) -> Iterator[Window]:
    """Cut the sources of a selection, from the neuron `first` on, into windows in ascending order.

    In a window about `limit` of the synapses are to be expected, and no more than chips should look at.
    """
    pairs = list(enumerate(selection.pairs))
    for member, own in groupby(pairs, key=lambda entry: entry[1].source):
        mine = list(own)
        sources = mine[0][1].sources
        seen, wanted = (sum(selection.expected[k][which] for k, _ in mine) for which in (0, 1))
        size = int(min(_WINDOW / max(seen * sources.step, 1e-9), limit / max(wanted, 1e-9), 2**32)) + 1
        low = max(-(-(first - firsts[member] - sources.start) // sources.step), 0)
        for at in range(low, len(sources), size):
            yield tuple((k, pair._replace(sources=sources[at : at + size])) for k, pair in mine)


def _ordered(selection: Selection, found: Synapses) -> Synapses:
    """Return those that are asked for, in order, with their group for their kind."""
    groups = np.full(len(selection.pairs) << 8, -1, np.int64)
    groups[list(selection.group_of)] = list(selection.group_of.values())
    asked = found.at(groups[found.kind] >= 0)
    receptor = asked.kind & 0xFF
    order = np.lexsort((asked.weight, receptor, asked.delay_ticks, asked.target, asked.source))
    ordered = asked.at(order)
    return ordered._replace(kind=groups[ordered.kind])


def _following(whole: Synapses, limit: int, begin: tuple[int, int]) -> tuple[int, int] | None:
    if whole.source.size <= limit:
        return None
    source = int(whole.source[limit])
    given = limit - int(np.searchsorted(whole.source, source))
    return source, given + (begin[1] if source == begin[0] else 0)
