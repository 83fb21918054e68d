"""How hypothesis runs here, and random ways to cut a population into slices."""

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st

# The same examples in every run, and few enough for a quarter of a second.
fixed = settings(derandomize=True, database=None, deadline=None, max_examples=25)
few = settings(fixed, max_examples=6)
"""For examples that run a chip."""


def cuts(n: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Return ways to cut 0 ... n - 1 into consecutive ranges [low, high), none empty."""
    marks = st.sets(st.integers(1, n - 1), max_size=5) if n > 1 else st.just(set())
    return marks.map(lambda inner: list(pairwise(sorted({0, n} | inner))))
