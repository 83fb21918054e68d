r"""Routes: from a set of destination chips to masks, and back.

Theory of operation
-------------------
Chips are the leaves of a tree, and a router sits at every node above them. An address event carries only
its key, the global number of the neuron that fired; weights live at the destination. The table of the
source chip says how far the event climbs (its *level*) and which branches it takes on the way down: one
*mask* for each router that it is multicast by, with a bit for each child.

A router that gets an event sends one copy to every child in its mask, except back to where it came from;
and, while the event climbs and has not reached its level, one copy up. So the copies cross exactly the
union of the paths from the source to each destination, and no link twice. The event's own chip is no
destination: what stays there is delivered before anything is sent, and marked *here*.

::

                    rack            chip 0 sends to itself and to chips 1, 2 and 3:
                  /      \
            board 0      board 1    here, up 2 {rack: 11, board 0: 10, board 1: 11}
             /   \        /   \
            0     1      2     3    links: 0 up, board 0 up; down to 1, board 1, 2, 3

Masks are kept breadth first from the router at the route's level down. The bits of one mask say to which
nodes the following masks belong, so a route needs no node numbers: with one word a router it is as short
as the set of destinations is clustered. Printed masks are binary numbers: child 0 is the rightmost bit.

The level is the smallest that reaches all destinations. Routes are made by `encode_route` and read by
`decode_route`; the array forms `encode_masks` and `decode_masks` serve tables.

References
----------
Joshi, Deiss, Arnold, Park, Yu, Cauwenberghs, "Scalable event routing in hierarchical neural array
architecture with global synaptic connectivity", CNNA 2010, 10.1109/CNNA.2010.5430296: climb to the level
needed, then fan out downwards.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.errors import RouteError
from router.tree import Tree

Masks = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """The way of an address event from one chip to its destinations.

    Prints as ``(board 0, chip 0) -> here, up 2 {rack: 11, board 0: 10, board 1: 11}``.

    Parameters
    ----------
    tree : Tree
        The system.
    source : int
        The chip that sends.
    here : bool
        Whether the chip that sends is a destination too.
    level : int
        How far the event climbs; 0 when it leaves no chip.
    masks : tuple of int
        One mask for each router on the way down, breadth first; bit *i* is child *i*.

    Raises
    ------
    TreeError
        If the source is not in the tree.
    RouteError
        If the masks describe no route (see `decode_masks`).
    """

    tree: Tree
    source: int
    here: bool
    level: int
    masks: tuple[int, ...]

    def __post_init__(self) -> None:
        self.tree.check_chip(self.source)
        for mask in self.masks:
            if not 0 <= mask < 2**64:
                rule = "a mask is a 64-bit word"
                raise RouteError(_where(self.tree, self.source), rule, f"{mask:#x}", "use encode_route")
        decode_route(self)

    def __repr__(self) -> str:
        return f"{self.tree.format(self.source)} -> {self.notation}"

    @property
    def notation(self) -> str:
        """The targets in the notation of docs, tests and tables."""
        parts = ["here"] if self.here else []
        if self.level:
            parts.append(f"up {self.level} {{{', '.join(self._mask_notations())}}}")
        return ", ".join(parts) or "nowhere"

    def _mask_notations(self) -> list[str]:
        stages = _stages(
            self.tree, self.source, level=self.level, masks=np.array(self.masks, dtype=np.uint64)
        )
        notations = []
        for stage in stages:
            fan_out = self.tree.levels[stage.height - 1].fan_out
            for node, mask in zip(stage.nodes.tolist(), stage.masks.tolist(), strict=True):
                notations.append(f"{' '.join(self.tree.path(node, stage.height))}: {mask:0{fan_out}b}")
        return notations


def encode_route(tree: Tree, source: int, *, destinations: Set[int]) -> Route:
    """Return the route from a chip to a set of chips.

    Parameters
    ----------
    tree : Tree
        The system.
    source : int
        The chip that sends.
    destinations : set of int
        Chips that get the event; the source may be among them, and there may be none.

    Raises
    ------
    TreeError
        If a chip is not in the tree.
    """
    tree.check_chip(source)
    for chip in destinations:
        tree.check_chip(chip)
    away = np.array(sorted(set(destinations) - {source}), dtype=np.int32)
    level, masks = encode_masks(tree, source, chips=away)
    return Route(tree, source, source in destinations, level, tuple(masks.tolist()))


def decode_route(route: Route) -> frozenset[int]:
    """Return the destination chips of a route, the inverse of `encode_route`."""
    masks = np.array(route.masks, dtype=np.uint64)
    away = decode_masks(route.tree, route.source, level=route.level, masks=masks)
    return frozenset(away.tolist()) | ({route.source} if route.here else set())


def encode_masks(tree: Tree, source: int, *, chips: NDArray[np.int32]) -> tuple[int, Masks]:
    """Return the level and the masks that reach some chips.

    Parameters
    ----------
    tree : Tree
        The system.
    source : int
        The chip that sends.
    chips : (n,) int32
        Destinations in ascending order, each once, without the source. Not checked.

    Returns
    -------
    level : int
        How far the event climbs.
    masks : (n_masks,) uint64
        Masks, breadth first from the top.
    """
    level = int(tree.levels_from(source, chips).max(initial=0))
    stages: list[Masks] = [np.empty(0, dtype=np.uint64)]
    nodes = chips.astype(np.int64)
    for height in range(level):
        fan_out = tree.levels[height].fan_out
        bits = np.uint64(1) << (nodes % fan_out).astype(np.uint64)
        parents, starts = np.unique(nodes // fan_out, return_index=True)
        stages.append(np.bitwise_or.reduceat(bits, starts))
        nodes = parents
    return level, np.concatenate(stages[::-1])


def decode_masks(tree: Tree, source: int, *, level: int, masks: Masks) -> NDArray[np.int32]:
    """Return the chips that a level and masks reach, the inverse of `encode_masks`.

    Parameters
    ----------
    tree : Tree
        The system.
    source : int
        The chip that sends.
    level : int
        How far the event climbs.
    masks : (n_masks,) uint64
        Masks, breadth first from the top.

    Returns
    -------
    (n,) int32
        Destinations in ascending order, each once.

    Raises
    ------
    RouteError
        If the level is not in the tree, a mask is empty or wider than its router, there are more or fewer
        masks than routers on the way, or the source sends to itself.
    """
    stages = _stages(tree, source, level=level, masks=masks)
    if not stages:
        return np.empty(0, dtype=np.int32)
    chips = _children(stages[-1], tree.levels[0].fan_out)
    if source in chips:
        raise RouteError(
            _where(tree, source), "the masks leave out the chip itself", source, "mark it as here"
        )
    return chips.astype(np.int32)


class _Stage(NamedTuple):
    """The routers of one height that multicast an event: their indices and masks, both (n,)."""

    height: int
    nodes: NDArray[np.int64]
    masks: Masks


def _stages(tree: Tree, source: int, *, level: int, masks: Masks) -> list[_Stage]:
    """Walk down from the top of a route; checks everything but the chips at the end."""
    if not 0 <= level <= tree.depth:
        raise RouteError(
            _where(tree, source), f"a route climbs 0 to {tree.depth} levels", level, "use encode_route"
        )
    stages: list[_Stage] = []
    nodes, start = np.array([source // tree.stride(level)]), 0
    for height in range(level, 0, -1):
        stage = _Stage(height, nodes, masks[start : start + len(nodes)])
        _check_stage(tree, source, stage)
        stages.append(stage)
        start += len(nodes)
        nodes = _children(stage, tree.levels[height - 1].fan_out)
    if start != len(masks):
        rule = f"the bits set call for {start} masks"
        raise RouteError(_where(tree, source), rule, len(masks), "give one mask a router, breadth first")
    return stages


def _check_stage(tree: Tree, source: int, stage: _Stage) -> None:
    if len(stage.masks) < len(stage.nodes):
        rule = f"{len(stage.nodes)} masks at level '{tree.level_name(stage.height)}'"
        raise RouteError(
            _where(tree, source), rule, len(stage.masks), "give one mask a router, breadth first"
        )
    widest = (1 << tree.levels[stage.height - 1].fan_out) - 1
    for mask in (int(stage.masks.min()), int(stage.masks.max())):
        if not 1 <= mask <= widest:
            rule = f"a mask of level '{tree.level_name(stage.height)}' is 1 to {widest:#b}"
            raise RouteError(
                _where(tree, source), rule, f"{mask:#b}", "set a bit for each child that has destinations"
            )


def _children(stage: _Stage, fan_out: int) -> NDArray[np.int64]:
    """Return the nodes that the bits of a stage stand for, in ascending order."""
    octets = stage.masks.astype("<u8").view(np.uint8).reshape(-1, 8)
    rows, bits = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))
    return stage.nodes[rows] * fan_out + bits


def _where(tree: Tree, source: int) -> str:
    return f"route from chip {tree.format(source)}"
