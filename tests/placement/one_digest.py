"""The combinations of placements that a test runs, and whether they meet each pair of choices."""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple


class Combination(NamedTuple):
    """One way to run one network."""

    drive: str
    chips: int
    backend: str
    placement: str

    def __str__(self) -> str:
        return "-".join(map(str, self))


CHOICES = {
    "drive": ("dc", "poisson"),
    "chips": (1, 2, 3, 8),
    "backend": ("local", "ray"),
    "placement": ("default", "shuffled"),
}

PAIRWISE = (
    Combination("dc", 1, "local", "default"),
    Combination("poisson", 1, "ray", "shuffled"),
    Combination("dc", 2, "ray", "shuffled"),
    Combination("poisson", 2, "local", "default"),
    Combination("dc", 3, "ray", "default"),
    Combination("poisson", 3, "local", "shuffled"),
    Combination("dc", 8, "local", "shuffled"),
    Combination("poisson", 8, "ray", "default"),
)
"""Eight of the 32 combinations: any two choices of different kinds meet in one of them."""


def pairs_left_out() -> set[tuple[str, object, str, object]]:
    """Return the pairs of choices that no combination of `PAIRWISE` has."""
    wanted = {
        (first, a, second, b)
        for first, second in combinations(CHOICES, 2)
        for a, b in product(CHOICES[first], CHOICES[second])
    }
    found = {
        (first, getattr(chosen, first), second, getattr(chosen, second))
        for chosen in PAIRWISE
        for first, second in combinations(CHOICES, 2)
    }
    return wanted - found
