"""Traffic: how many address events crossed each link, and how far they went.

A link joins a node of the tree to the node above it and is counted in both directions. It belongs to the
level of the node above: the links of level 1, the board, are those between chips and their board.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.errors import CountError
from router.tables import Table
from router.tree import Tree

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Traffic:
    """Address events counted at every link, in both directions.

    Prints as ``traffic: board 30 up 45 down, rack 12 up 12 down``.

    Parameters
    ----------
    tree : Tree
        The system.
    up, down : tuple of (n_nodes,) int64, one for each level
        ``up[height][node]`` events went from a node of that height to the one above it, ``down`` back.
        A multicast event counts once at each link that it crosses.
    by_level : (depth + 1,) int64
        Events by how far their destination is: 0 the own chip, 1 another on the board, ... A multicast
        event counts once for each destination.
    """

    tree: Tree
    up: tuple[Counts, ...]
    down: tuple[Counts, ...]
    by_level: Counts

    def __repr__(self) -> str:
        parts = [f"{level['name']} {level['up']} up {level['down']} down" for level in self._levels()]
        return f"traffic: {', '.join(parts)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the counters for JSON; links that carried nothing are left out.

        Returns
        -------
        dict
            ``levels``: a list of ``{level, name, up, down}``, from the leaves up; ``links``: a list of
            ``{level, name, node, up, down}``, one for each link, named by the node below it.
        """
        links = []
        for height, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            level = {"level": height + 1, "name": self.tree.level_name(height + 1)}
            for node in np.flatnonzero(up + down).tolist():
                place = {"node": self.tree.format(node, height)}
                links.append({**level, **place, "up": int(up[node]), "down": int(down[node])})
        return {"levels": self._levels(), "links": links}

    def _levels(self) -> list[dict[str, Any]]:
        names = [level.name for level in self.tree.levels]
        totals = enumerate(zip(names, self.up, self.down, strict=True), start=1)
        return [{"level": i, "name": n, "up": int(u.sum()), "down": int(d.sum())} for i, (n, u, d) in totals]


def link_traffic(tree: Tree, tables: Sequence[Table], events_per_entry: Sequence[Counts]) -> Traffic:
    """Return what crossed each link, from what each table entry sent.

    Parameters
    ----------
    tree : Tree
        The system.
    tables : sequence of Table
        Tables of chips of this tree, each at most once.
    events_per_entry : sequence of (n_entries,) int64
        For each table, the spikes of each entry's neurons.

    Raises
    ------
    CountError
        If a table has another tree, or its counts are missing, negative or of another number of entries.
    """
    if len(tables) != len(events_per_entry):
        rule = f"one array of counts for each of {len(tables)} tables"
        raise CountError("traffic", rule, len(events_per_entry), "give zeros to a chip that sent nothing")
    for table, events in zip(tables, events_per_entry, strict=True):
        _check(tree, table, events=events)
    traffic = _zeros(tree)
    for table, events in zip(tables, events_per_entry, strict=True):
        _add(traffic, table, events=events)
    return traffic


def merge_traffic(parts: Sequence[Traffic]) -> Traffic:
    """Return the sum of the counters of one system, for example of several stretches of a run.

    Raises
    ------
    CountError
        If there are none, or they are of several systems.
    """
    trees = {part.tree for part in parts}
    if len(trees) != 1:
        raise CountError("traffic", "a sum is of one system", len(trees), "add counters of the same tree")
    up, down = (
        tuple(np.sum(counts, axis=0) for counts in zip(*sides, strict=True))
        for sides in ([part.up for part in parts], [part.down for part in parts])
    )
    return Traffic(parts[0].tree, up, down, np.sum([part.by_level for part in parts], axis=0))


def _zeros(tree: Tree) -> Traffic:
    """Return counters that stand at 0."""
    up, down = (tuple(np.zeros(tree.n_nodes(h), dtype=np.int64) for h in range(tree.depth)) for _ in range(2))
    return Traffic(tree, up, down, np.zeros(tree.depth + 1, dtype=np.int64))


def _check(tree: Tree, table: Table, *, events: Counts) -> None:
    where = f"table of chip {table.tree.format(table.chip)}"
    if table.tree != tree:
        raise CountError(
            where, f"it is of the tree {tree}", table.tree, "pass the tree that it was built for"
        )
    if events.shape != (table.n_entries,):
        rule = f"counts have the shape {(table.n_entries,)}"
        raise CountError(where, rule, events.shape, "count the events of each entry")
    if events.min(initial=0) < 0:
        raise CountError(where, "counts start at 0", int(events.min()), "check for an overflow")


def _add(traffic: Traffic, table: Table, *, events: Counts) -> None:
    """Count the events of one table; writes into the counters."""
    tree, chip = traffic.tree, table.chip
    entry = np.repeat(np.arange(table.n_entries), np.diff(table.dest_start))
    traffic.by_level[0] += events[table.here].sum()
    np.add.at(traffic.by_level, tree.levels_from(chip, table.dest), events[entry])
    for height in range(tree.depth):
        own = chip // tree.stride(height)
        traffic.up[height][own] += events[table.level > height].sum()
        nodes = table.dest // tree.stride(height)
        # Destinations ascend within an entry, so those below one node stand together: the first counts.
        again = np.zeros(len(nodes), dtype=np.bool_)
        again[1:] = (nodes[1:] == nodes[:-1]) & (entry[1:] == entry[:-1])
        crossed = ~again & (nodes != own)
        np.add.at(traffic.down[height], nodes[crossed], events[entry[crossed]])
