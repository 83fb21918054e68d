"""Random trees and sets of chips, and the tree as a picture of its own: nodes are address prefixes."""

from itertools import product

from hypothesis import settings
from hypothesis import strategies as st

from router import KeyRange, Level, Tree

NAMES = ("board", "rack", "hall", "site")

# The same examples in every run, and few enough for a quarter of a second.
fixed = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def trees(*, depth: int = 4) -> st.SearchStrategy[Tree]:
    """Return trees of up to `depth` levels."""
    return st.lists(st.integers(1, 5), min_size=1, max_size=depth).map(
        lambda fan_outs: Tree(tuple(Level(name, n) for name, n in zip(NAMES, fan_outs, strict=False)))
    )


@st.composite
def routes(draw: st.DrawFn) -> tuple[Tree, int, frozenset[int]]:
    """Draw a tree, a chip that sends and a set of destinations, near and far."""
    tree = draw(trees())
    chips = st.integers(0, tree.n_chips - 1)
    return tree, draw(chips), draw(st.frozensets(chips, max_size=20))


Prefix = tuple[int, ...]
DirectedLink = tuple[str, Prefix]


def addresses(tree: Tree) -> list[Prefix]:
    """Return the address of each chip by counting through them."""
    return list(product(*(range(level.fan_out) for level in reversed(tree.levels))))


def prefixes(tree: Tree, height: int) -> list[Prefix]:
    """Return the nodes of a height in order."""
    return list(product(*(range(level.fan_out) for level in reversed(tree.levels[height:]))))


def path(source: Prefix, target: Prefix) -> set[DirectedLink]:
    """Return the links between two chips, each named by the node below it."""
    shared = 0
    while shared < len(source) and source[shared] == target[shared]:
        shared += 1
    lengths = range(shared + 1, len(source) + 1)
    return {("up", source[:n]) for n in lengths} | {("down", target[:n]) for n in lengths}


@st.composite
def mappings(draw: st.DrawFn) -> tuple[Tree, list[KeyRange], list[frozenset[int]]]:
    """Draw a tree, key ranges with gaps and empty ones, and their destinations, often the same."""
    tree = draw(trees(depth=3))
    chips = st.integers(0, tree.n_chips - 1)
    targets = draw(st.lists(st.frozensets(chips, max_size=8), min_size=1, max_size=3))
    homes = draw(st.lists(chips, min_size=1, max_size=2))
    slices = draw(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 3])), max_size=12))
    ranges, destinations, first = [], [], 0
    for n, gap in slices:
        first += gap
        ranges.append(KeyRange(first, n, draw(st.sampled_from(homes))))
        destinations.append(draw(st.sampled_from(targets)))
        first += n
    return tree, ranges, destinations
