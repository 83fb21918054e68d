"""Routing tables: for each chip, which keys go where.

The key of an address event is the global number of the neuron that fired. Neurons with the same
destinations are usually neighbours, so an entry holds a range of keys, not one.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.errors import NoRouteError, TableError
from router.routes import Masks, Route, decode_masks, encode_masks
from router.tree import Tree

N_KEYS = 2**32 - 1
"""Keys are uint32, and so is the length of a range: the last key stays unused."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRange:
    """The keys ``first`` to ``first + n - 1``, sent by one chip. Prints as ``0x00000000+800``.

    Parameters
    ----------
    first : int
        The first key.
    n : int
        Number of keys; 0 is allowed.
    chip : int
        The chip whose neurons have these keys.

    Raises
    ------
    TableError
        If the keys do not fit.
    """

    first: int
    n: int
    chip: int

    def __post_init__(self) -> None:
        if self.first < 0 or self.n < 0 or self.first + self.n > N_KEYS:
            rule = f"keys are 0 to {N_KEYS - 1}"
            raise TableError("key range", rule, f"{self.n} from {self.first} on", "number fewer neurons")

    def __repr__(self) -> str:
        return f"0x{self.first:08x}+{self.n}"


_Pair = tuple[KeyRange, frozenset[int]]


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """The routing table of one chip: structure of arrays, C-contiguous, ready for a kernel.

    Entries are in ascending order of `first` and do not overlap. Made by `build_tables`; not to be written.

    Parameters
    ----------
    tree : Tree
        The system.
    chip : int
        The chip that sends.
    first : (n_entries,) uint32
        First key of each entry.
    n : (n_entries,) uint32
        Number of keys of each entry, at least 1.
    here : (n_entries,) bool
        Whether the entry's spikes are delivered on the own chip too.
    level : (n_entries,) int8
        How far the entry's events climb; 0 when they leave no chip.
    mask_start : (n_entries + 1,) int32
        The masks of entry *i* are ``mask[mask_start[i]:mask_start[i + 1]]``.
    mask : (n_masks,) uint64
        Masks of the routers on the way, breadth first (see `router.routes`).
    dest_start : (n_entries + 1,) int32
        The destinations of entry *i* are ``dest[dest_start[i]:dest_start[i + 1]]``.
    dest : (n_dest,) int32
        Destination chips, decoded from the masks; ascending within an entry, never the own chip.
    """

    tree: Tree
    chip: int
    first: NDArray[np.uint32]
    n: NDArray[np.uint32]
    here: NDArray[np.bool_]
    level: NDArray[np.int8]
    mask_start: NDArray[np.int32]
    mask: Masks
    dest_start: NDArray[np.int32]
    dest: NDArray[np.int32]

    @property
    def n_entries(self) -> int:
        """Number of entries."""
        return len(self.first)

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays in bytes."""
        values = (getattr(self, f.name) for f in fields(self))
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))

    def route(self, entry: int) -> Route:
        """Return the route of an entry."""
        masks = self.mask[self.mask_start[entry] : self.mask_start[entry + 1]]
        return Route(
            self.tree, self.chip, bool(self.here[entry]), int(self.level[entry]), tuple(masks.tolist())
        )

    def format(self, entry: int) -> str:
        """Return the notation of an entry, such as ``0x00000000+800 -> here, up 1 {board 0: 11}``."""
        keys = KeyRange(int(self.first[entry]), int(self.n[entry]), self.chip)
        return f"{keys} -> {self.route(entry).notation}"

    def __repr__(self) -> str:
        return (
            f"table of chip {self.tree.format(self.chip)}: {self.n_entries} entries, {len(self.mask)} masks"
        )

    @property
    def notation(self) -> str:
        """The whole table, an entry a line; long where many routers multicast."""
        return "\n  ".join([repr(self)] + [self.format(entry) for entry in range(self.n_entries)])


def build_tables(
    tree: Tree, ranges: Sequence[KeyRange], destinations: Sequence[Set[int]]
) -> tuple[Table, ...]:
    """Return the routing tables that carry each range's address events to its destinations.

    Every range gets an entry, even one that leaves no chip: a key without entry is an error, never a
    spike that silently stays where it is. Neighbouring ranges of one chip with the same destinations share
    an entry.

    Parameters
    ----------
    tree : Tree
        The system.
    ranges : sequence of KeyRange
        The keys of every chip, in any order; empty ones are skipped.
    destinations : sequence of sets of int
        Destination chips of each range; the range's own chip is delivered locally.

    Returns
    -------
    tuple of Table
        One for each chip of the tree.

    Raises
    ------
    TableError
        If two ranges overlap, or the sequences differ in length.
    TreeError
        If a chip is not in the tree.
    """
    if len(ranges) != len(destinations):
        rule = f"one set of destinations for each of {len(ranges)} key ranges"
        raise TableError(
            "routing tables", rule, len(destinations), "give an empty set to a range without target"
        )
    pairs = [(r, frozenset(d)) for r, d in zip(ranges, destinations, strict=True) if r.n]
    pairs.sort(key=lambda pair: pair[0].first)
    _check(tree, pairs)
    of_chip: list[list[_Pair]] = [[] for _ in range(tree.n_chips)]
    for pair in pairs:
        of_chip[pair[0].chip].append(pair)
    return tuple(_build(tree, chip, pairs=_merge_neighbours(own)) for chip, own in enumerate(of_chip))


def lookup(table: Table, key: int) -> int:
    """Return the entry of a key.

    Raises
    ------
    NoRouteError
        If no entry holds the key.
    """
    return int(find_entries(table, np.array([key], dtype=np.int64))[0])


def find_entries(table: Table, keys: NDArray[np.unsignedinteger | np.signedinteger]) -> NDArray[np.int64]:
    """Return the entries of many keys.

    Parameters
    ----------
    table : Table
        The table of the chip that sends.
    keys : (n,) integer
        Keys, in any order.

    Returns
    -------
    (n,) int64
        Entry of each.

    Raises
    ------
    NoRouteError
        If no entry holds one of the keys.
    """
    wide = keys.astype(np.int64)
    entries = np.searchsorted(table.first.astype(np.int64), wide, side="right") - 1
    # Entry -1, of keys before the first, gets an end that is below every key.
    ends = np.append(table.first.astype(np.int64) + table.n, np.iinfo(np.int64).min)
    strays = wide[wide >= ends[entries]]
    if len(strays):
        where = f"table of chip {table.tree.format(table.chip)}"
        rule = f"every key is in one of its {table.n_entries} entries"
        raise NoRouteError(
            where, rule, f"{int(strays[0]):#010x}", "build the tables with the range of this key"
        )
    return entries


class _Entry(NamedTuple):
    """An entry before it is flattened into the table: `masks` (n_masks,) and `chips` (n_dest,)."""

    keys: KeyRange
    here: bool
    level: int
    masks: Masks
    chips: NDArray[np.int32]


def _check(tree: Tree, pairs: Iterable[_Pair]) -> None:
    """Refuse chips that are not in the tree and ranges, sorted, that overlap."""
    pairs = list(pairs)
    for keys, destinations in pairs:
        for chip in (keys.chip, min(destinations, default=0), max(destinations, default=0)):
            tree.check_chip(chip)
    for (keys, _), (following, _) in pairwise(pairs):
        if keys.first + keys.n > following.first:
            rule = "every key belongs to one range"
            got = " and ".join(f"{r} on chip {tree.format(r.chip)}" for r in (keys, following))
            raise TableError("routing tables", rule, got, "give each neuron a number of its own")


def _merge_neighbours(pairs: Iterable[_Pair]) -> list[_Pair]:
    """Join ranges of one chip, sorted, that follow each other and have the same destinations."""
    merged: list[_Pair] = []
    for keys, destinations in pairs:
        if merged:
            before, targets = merged[-1]
            if before.first + before.n == keys.first and targets == destinations:
                merged[-1] = (KeyRange(before.first, before.n + keys.n, keys.chip), targets)
                continue
        merged.append((keys, destinations))
    return merged


def _build(tree: Tree, chip: int, *, pairs: Iterable[_Pair]) -> Table:
    entries = [_entry(tree, keys, destinations=destinations) for keys, destinations in pairs]
    where = f"table of chip {tree.format(chip)}"
    return Table(
        tree=tree,
        chip=chip,
        first=np.array([entry.keys.first for entry in entries], dtype=np.uint32),
        n=np.array([entry.keys.n for entry in entries], dtype=np.uint32),
        here=np.array([entry.here for entry in entries], dtype=np.bool_),
        level=np.array([entry.level for entry in entries], dtype=np.int8),
        mask_start=_starts([len(entry.masks) for entry in entries], where=where),
        mask=np.concatenate([np.empty(0, dtype=np.uint64), *(entry.masks for entry in entries)]),
        dest_start=_starts([len(entry.chips) for entry in entries], where=where),
        dest=np.concatenate([np.empty(0, dtype=np.int32), *(entry.chips for entry in entries)]),
    )


def _entry(tree: Tree, keys: KeyRange, *, destinations: frozenset[int]) -> _Entry:
    away = np.fromiter(destinations - {keys.chip}, dtype=np.int32)
    away.sort()
    level, masks = encode_masks(tree, keys.chip, chips=away)
    chips = decode_masks(tree, keys.chip, level=level, masks=masks)
    return _Entry(keys, keys.chip in destinations, level, masks, chips)


def _starts(counts: Sequence[int], *, where: str) -> NDArray[np.int32]:
    """Return where each entry's part of a flat array starts, and where the last one ends: (n + 1,) int32."""
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if starts[-1] >= 2**31:
        rule = f"at most {2**31 - 1} masks or destinations"
        raise TableError(where, rule, int(starts[-1]), "put fewer populations on this chip")
    return starts.astype(np.int32)
