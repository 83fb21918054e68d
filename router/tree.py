"""Addresses: the tree whose leaves are the chips of a system.

A *node* is a place in the tree, given by its height (0 is a chip, `Tree.depth` the root) and its index
among the nodes of that height, from left to right. The nodes above the chips are where routers sit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from router.errors import TreeError

MAX_FAN_OUT = 64
"""Children of one node: a mask is one 64-bit word."""

MAX_DEPTH = 127
"""Levels of a tree: the tables hold a level as an int8."""

MAX_CHIPS = 65_536
"""Chips of a tree; the largest neuromorphic machine so far, SpiNNaker, has 57,600."""


@dataclass(frozen=True, slots=True, repr=False)
class Level:
    """A level of the tree, such as ``Level("board", 8)``: a board has 8 chips.

    Parameters
    ----------
    name : str
        What a node of this level is called.
    fan_out : int
        Children of a node, 1 to 64.

    Raises
    ------
    TreeError
        If the name is empty or ``chip``, or the fan-out is out of range.
    """

    name: str
    fan_out: int

    def __post_init__(self) -> None:
        if self.name in ("", "chip"):
            rule = "the name of a level is neither empty nor that of the leaves"
            raise TreeError("tree", rule, repr(self.name), "name the level, for example 'board'")
        if not 1 <= self.fan_out <= MAX_FAN_OUT:
            rule = f"fan_out is 1 to {MAX_FAN_OUT}"
            raise TreeError(f"level '{self.name}'", rule, self.fan_out, "split the level in two")

    def __repr__(self) -> str:
        return f"{self.name}[{self.fan_out}]"


@dataclass(frozen=True, repr=False)
class Tree:
    """The tree of a system, given by its levels from the leaves up.

    ``Tree((Level("board", 2), Level("rack", 3)))`` is a rack of three boards of two chips each and prints
    as ``rack[3] > board[2] > chip``. Chips are numbered from left to right, so a board holds
    consecutive numbers.

    Raises
    ------
    TreeError
        If there is no level or too many, two share a name, or the chips are too many.
    """

    levels: tuple[Level, ...]
    _strides: tuple[int, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        names = [level.name for level in self.levels]
        if not 1 <= len(names) <= MAX_DEPTH:
            raise TreeError(
                "tree", f"a tree has 1 to {MAX_DEPTH} levels", len(names), "give it a level, such as a board"
            )
        if len(set(names)) < len(names):
            raise TreeError("tree", "the names of its levels differ", ", ".join(names), "rename a level")
        strides = [1]
        for level in self.levels:
            strides.append(strides[-1] * level.fan_out)
        if strides[-1] > MAX_CHIPS:
            raise TreeError(f"tree {self}", f"at most {MAX_CHIPS} chips", strides[-1], "lower a fan_out")
        object.__setattr__(self, "_strides", tuple(strides))

    def __repr__(self) -> str:
        return " > ".join([repr(level) for level in reversed(self.levels)] + ["chip"])

    @property
    def depth(self) -> int:
        """Number of levels, which is the height of the root."""
        return len(self.levels)

    @property
    def n_chips(self) -> int:
        """Number of leaves."""
        return self._strides[-1]

    def stride(self, height: int) -> int:
        """Return the chips below one node of a height; ``chip // stride`` is the node above a chip."""
        return self._strides[height]

    def n_nodes(self, height: int) -> int:
        """Return the number of nodes of a height."""
        return self.n_chips // self._strides[height]

    def level_name(self, level: int) -> str:
        """Return ``chip`` for 0, else the name of the level, counted from 1 at the leaves."""
        return self.levels[level - 1].name if level else "chip"

    def check_chip(self, chip: int) -> None:
        """Refuse a chip that is not in the tree.

        Raises
        ------
        TreeError
            If the number is negative or not below `n_chips`.
        """
        if not 0 <= chip < self.n_chips:
            rule = f"chips are numbered 0 to {self.n_chips - 1}"
            raise TreeError(f"tree {self}", rule, chip, "use a chip of this tree, or a larger one")

    def address(self, chip: int) -> tuple[int, ...]:
        """Return where a chip is, from the top down, such as ``(board, chip)``.

        Raises
        ------
        TreeError
            If the chip is not in the tree.
        """
        self.check_chip(chip)
        return self._digits(chip, height=0)

    def chip(self, address: Sequence[int]) -> int:
        """Return the number of the chip at an address, the inverse of `address`.

        Raises
        ------
        TreeError
            If the address has another length than the tree has levels, or leaves a fan-out.
        """
        fan_outs = [level.fan_out for level in reversed(self.levels)]
        fits = len(address) == self.depth and all(0 <= i < n for i, n in zip(address, fan_outs, strict=True))
        if not fits:
            rule = f"an address is {self.depth} numbers below {tuple(fan_outs)}"
            raise TreeError(f"tree {self}", rule, tuple(address), "use an address of this tree")
        return sum(i * stride for i, stride in zip(address, self._strides[-2::-1], strict=True))

    def format(self, node: int, height: int = 0) -> str:
        """Return the notation of a chip, such as ``(board 0, chip 3)``, or of a node higher up."""
        return f"({', '.join(self.path(node, height))})"

    def path(self, node: int, height: int = 0) -> tuple[str, ...]:
        """Return the names on the way down to a node, such as ``("board 0", "chip 3")``."""
        if height == self.depth:
            return (self.levels[-1].name,)
        digits = self._digits(node, height=height)
        names = [self.level_name(h) for h in range(self.depth - 1, height - 1, -1)]
        return tuple(f"{name} {digit}" for name, digit in zip(names, digits, strict=True))

    def level_between(self, chip: int, other: int) -> int:
        """Return how far an address event climbs: 0 on one chip, 1 on one board, 2 on one rack of boards, ...

        Raises
        ------
        TreeError
            If a chip is not in the tree.
        """
        self.check_chip(chip)
        self.check_chip(other)
        return sum(chip // stride != other // stride for stride in self._strides)

    def levels_from(self, chip: int, chips: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return `level_between` one chip and many, unchecked.

        Parameters
        ----------
        chip : int
            The one.
        chips : (n,) int32
            The many.

        Returns
        -------
        (n,) int64
            Level of each.
        """
        levels = np.zeros(len(chips), dtype=np.int64)
        for stride in self._strides:
            levels += chips // stride != chip // stride
        return levels

    def _digits(self, node: int, *, height: int) -> tuple[int, ...]:
        """Return the index of each node among its siblings, on the way down from below the root."""
        below = self._strides[height]
        digits = [
            node // (self._strides[h] // below) % self.levels[h].fan_out for h in range(height, self.depth)
        ]
        return tuple(reversed(digits))
