"""Connectivity rules, target by target: how many synapses a neuron receives, and where each comes from.

Each rule is a pure function of (seed, projection, target neuron): the chip that owns a target generates its
synapses, and nobody needs the others'. Rules with a global count split it over the targets by a binary tree
of keyed binomial draws, of which a chip visits only the branches that lead to its own targets.

A new rule is one entry in `RULES`: its in-degrees, and how the i-th source of a target is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chip.binomial import binomial
from chip.jit import kernel
from chip.random import Purpose, below, draw, stream_key, unit
from network import AllToAll, Explicit, FixedInDegree, FixedTotalNumber, OneToOne

UNIFORM_SOURCE, EACH_SOURCE, SAME_SOURCE, LISTED_SOURCE = range(4)


def _no_integers() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _no_floats() -> NDArray[np.float64]:
    return np.zeros(0, np.float64)


@dataclass(frozen=True)
class Rows:
    """The synapses of consecutive targets, still as rules.

    Attributes
    ----------
    kind : int
        How the i-th source of a target is found: drawn, the i-th, the same number, or listed.
    in_degree : (n_targets,) int64 array
    listed_first : (n_targets,) int64 array
        Where each target's entries in the lists begin; empty unless listed.
    listed_source : int64 array
    listed_weight, listed_delay_ms : float64 arrays, empty when drawn
    """

    kind: int
    in_degree: NDArray[np.int64]
    listed_first: NDArray[np.int64] = field(default_factory=_no_integers)
    listed_source: NDArray[np.int64] = field(default_factory=_no_integers)
    listed_weight: NDArray[np.float64] = field(default_factory=_no_floats)
    listed_delay_ms: NDArray[np.float64] = field(default_factory=_no_floats)


@dataclass(frozen=True)
class Ends:
    """Which projection, and which of its targets: `n` from `first`, of populations of the given sizes."""

    seed: int
    projection: int
    n_sources: int
    n_targets: int
    first: int
    n: int


def _one_to_one(rule: OneToOne, ends: Ends) -> Rows:
    return Rows(SAME_SOURCE, np.ones(ends.n, np.int64))


def _all_to_all(rule: AllToAll, ends: Ends) -> Rows:
    return Rows(EACH_SOURCE, np.full(ends.n, ends.n_sources, np.int64))


def _fixed_in_degree(rule: FixedInDegree, ends: Ends) -> Rows:
    return Rows(UNIFORM_SOURCE, np.full(ends.n, rule.n, np.int64))


def _fixed_total_number(rule: FixedTotalNumber, ends: Ends) -> Rows:
    key = stream_key(ends.seed, Purpose.IN_DEGREE, ends.projection)
    out = np.zeros(ends.n, np.int64)
    _split(key, rule.n, ends.n_targets, ends.first, out)
    return Rows(UNIFORM_SOURCE, out)


def _explicit(rule: Explicit, ends: Ends) -> Rows:
    targets = np.asarray(rule.targets, np.int64)
    order = np.argsort(targets, kind="stable")
    low, high = np.searchsorted(targets[order], [ends.first, ends.first + ends.n])
    order = order[low:high]
    in_degree = np.bincount(targets[order] - ends.first, minlength=ends.n).astype(np.int64)
    return Rows(
        LISTED_SOURCE,
        in_degree,
        np.cumsum(in_degree) - in_degree,
        np.asarray(rule.sources, np.int64)[order],
        _no_floats() if rule.weights is None else np.asarray(rule.weights, np.float64)[order],
        _no_floats() if rule.delays_ms is None else np.asarray(rule.delays_ms, np.float64)[order],
    )


RULES: dict[type, Callable[..., Rows]] = {
    OneToOne: _one_to_one,
    AllToAll: _all_to_all,
    FixedInDegree: _fixed_in_degree,
    FixedTotalNumber: _fixed_total_number,
    Explicit: _explicit,
}


def rows_of(connectivity: object, ends: Ends) -> Rows:
    """Return the rows that `connectivity` gives to the targets that `ends` names."""
    return RULES[type(connectivity)](connectivity, ends)


@kernel
def _split(key, total, n_targets, first, out):
    """Write the multinomial shares, of `total` over `n_targets`, of targets from `first` on."""
    stack = np.empty((128, 3), np.int64)
    stack[0] = (0, n_targets, total)
    depth = 1
    while depth > 0:
        depth -= 1
        low, high, count = stack[depth]
        if count == 0 or high <= first or low >= first + out.size:
            continue
        if high - low == 1:
            out[low - first] = count
            continue
        middle = (low + high) // 2
        bits = draw(draw(key, np.uint64(low)), np.uint64(high))
        left = binomial(count, (middle - low) / (high - low), unit(bits))
        stack[depth] = (low, middle, left)
        stack[depth + 1] = (middle, high, count - left)
        depth += 2


@kernel
def source_of(kind, bits, n_sources, target, i, listed):
    """Return the number, within its population, of the i-th source of `target`.

    `bits` are the synapse's own 64 random bits; `listed` is where the lists hold this synapse.
    """
    if kind == UNIFORM_SOURCE:
        return below(bits, n_sources)
    if kind == EACH_SOURCE:
        return np.int64(i)
    if kind == SAME_SOURCE:
        return np.int64(target)
    return np.int64(listed)
