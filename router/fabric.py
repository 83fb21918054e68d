"""Fabrics: what carries address events from chip to chip.

A fabric is a pure function from tables and events to arrivals, so any two can be compared on the same
events. `ideal` adds no delay and drops nothing. One whose links have a latency, a rate and a queue takes them
as keyword arguments and gives arrivals of the same form, later than they were sent, with its drops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from router.errors import CountError, TableError
from router.tables import Table, find_entries


@dataclass(frozen=True, eq=False)
class Events:
    """Address events as they are sent.

    Parameters
    ----------
    tick : (n,) uint32
        When each was emitted.
    key : (n,) uint32
        Global number of the neuron that fired.
    chip : (n,) int32
        The chip that it is on.

    Raises
    ------
    CountError
        If the arrays differ in length.
    """

    tick: NDArray[np.uint32]
    key: NDArray[np.uint32]
    chip: NDArray[np.int32]

    def __post_init__(self) -> None:
        lengths = (len(self.tick), len(self.key), len(self.chip))
        if len(set(lengths)) > 1:
            raise CountError(
                "events", "tick, key and chip have one length", lengths, "give each event all three"
            )


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Address events as they arrive: one row for each event and destination, by event, then by chip.

    Parameters
    ----------
    event : (m,) int64
        Index into the events sent.
    chip : (m,) int32
        The chip that gets it; the own chip too where the entry says *here*.
    tick : (m,) uint32
        When it arrives, not before it was sent.
    events_per_entry : tuple of (n_entries,) int64, one for each table
        Events that each entry sent: what `router.link_traffic` takes.
    dropped : mapping of str to int
        Arrivals that did not come to be, by reason.
    """

    event: NDArray[np.int64]
    chip: NDArray[np.int32]
    tick: NDArray[np.uint32]
    events_per_entry: tuple[NDArray[np.int64], ...]
    dropped: Mapping[str, int] = field(default_factory=dict)

    def by_chip(self, n_chips: int) -> NDArray[np.int64]:
        """Return how many events each chip got: (n_chips,) int64."""
        return np.bincount(self.chip, minlength=n_chips)


class Fabric(Protocol):
    """What every fabric is once its links are given, such as by `functools.partial`."""

    def __call__(self, tables: Sequence[Table], events: Events) -> Arrivals:
        """Carry events to the chips that their tables name."""
        ...


def ideal(tables: Sequence[Table], events: Events) -> Arrivals:
    """Carry events without delay or loss: each arrives in the tick in which it was emitted.

    Parameters
    ----------
    tables : sequence of Table
        The table of every chip, in order of their numbers.
    events : Events
        Address events, in any order.

    Returns
    -------
    Arrivals
        One for each event and destination; nothing is dropped.

    Raises
    ------
    NoRouteError
        If a chip sends a key that its table does not hold.
    TableError
        If the tables are not those of all chips in order.
    TreeError
        If an event comes from a chip that is not in the tree.
    """
    _check(tables, events)
    indices, chips, counts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)], []
    for table in tables:
        index = np.flatnonzero(events.chip == table.chip)
        entry = find_entries(table, events.key[index])
        at_home = index[table.here[entry]]
        event, dest = _fan_out(table, index, entry=entry)
        indices += [at_home, event]
        chips += [np.full(len(at_home), table.chip, dtype=np.int32), dest]
        counts.append(np.bincount(entry, minlength=table.n_entries))
    event, dest = np.concatenate(indices), np.concatenate(chips)
    order = np.lexsort((dest, event))
    event, dest = event[order], dest[order]
    return Arrivals(event, dest, events.tick[event], tuple(counts))


def _check(tables: Sequence[Table], events: Events) -> None:
    chips = [table.chip for table in tables]
    if not chips or chips != list(range(tables[0].tree.n_chips)):
        raise TableError(
            "fabric", "it takes the tables of all chips in order", chips, "pass all of build_tables"
        )
    for chip in (int(events.chip.min(initial=0)), int(events.chip.max(initial=0))):
        tables[0].tree.check_chip(chip)


def _fan_out(
    table: Table, index: NDArray[np.int64], *, entry: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Repeat each event for each destination of its entry, the own chip aside."""
    n_dest = np.diff(table.dest_start)[entry]
    before = np.cumsum(n_dest, dtype=np.int64) - n_dest
    position = np.arange(n_dest.sum()) + np.repeat(table.dest_start[entry] - before, n_dest)
    return np.repeat(index, n_dest), table.dest[position]
