"""Rules that draw, against theory: degrees, repeated pairs, what is uniform, what is independent."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from network import (
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    Normal,
    SmallWorld,
    Uniform,
)
from tests.chip.cases import drawing
from tests.chip.expansion import hypergeometric_chance
from tests.chip.expansion.counts import binomial_chance
from tests.chip.goodness import DEVIATE, chi_square, moments, pooled
from tests.chip.synapses import Case

Integers = NDArray[np.int64]


def matrix_of(case: Case) -> Integers:
    """Return how often each pair is joined: (n_sources, n_targets)."""
    table, (n_sources, n_targets) = case.made().table(), case.sizes
    pairs = np.bincount(table[:, 0] * n_targets + table[:, 2], minlength=n_sources * n_targets)
    return pairs.reshape(n_sources, n_targets)


def binomial_law(n: int, p: float) -> NDArray[np.float64]:
    return np.array([binomial_chance(n, p, k) for k in range(n + 1)])


def hypergeometric_law(count: int, left: int, right: int) -> NDArray[np.float64]:
    least = max(0, count - right)
    chances = [hypergeometric_chance(count, left, right, k) for k in range(least, min(count, left) + 1)]
    return np.array([0.0] * least + chances)


def follows(counts: Any, law: NDArray[np.float64]) -> bool:
    """Return whether independent (or nearly independent) counts follow a law of 0, 1, 2..."""
    counts = np.ravel(counts)
    size = max(law.size, int(counts.max()) + 1)
    expected = np.pad(law, (0, size - law.size)) * counts.size
    observed, expected = pooled(np.bincount(counts, minlength=size), expected)
    return abs(chi_square(observed, expected)) < DEVIATE


# Numbers of sources and targets: blocks of 128, of which the last is short.
N_SOURCES, N_TARGETS = 600, 1000


class TestFixedInDegree:
    """Each of 1,000 targets draws 30 of 600 sources."""

    rule = FixedInDegree(n=30)

    def test_with_replacement_out_degrees_and_multiplicities_are_binomial(self) -> None:
        matrix = matrix_of(Case(self.rule, (N_SOURCES, N_TARGETS)))
        assert set(matrix.sum(axis=0).tolist()) == {30}
        assert follows(matrix.sum(axis=1), binomial_law(30 * N_TARGETS, 1 / N_SOURCES)[:200])
        assert follows(matrix, binomial_law(30, 1 / N_SOURCES))

    def test_without_replacement_each_target_has_each_source_with_one_chance(self) -> None:
        matrix = matrix_of(Case(drawing(self.rule, multapses=False), (N_SOURCES, N_TARGETS)))
        assert matrix.max() == 1
        assert set(matrix.sum(axis=0).tolist()) == {30}
        assert follows(matrix.sum(axis=1), binomial_law(N_TARGETS, 30 / N_SOURCES))

    def test_blocks_share_a_target_as_an_urn_does(self) -> None:
        """The first block of 128 sources, of 600, has a hypergeometric (or binomial) share."""
        for multapses, law in (
            (False, hypergeometric_law(30, 128, N_SOURCES - 128)),
            (True, binomial_law(30, 128 / N_SOURCES)),
        ):
            matrix = matrix_of(Case(drawing(self.rule, multapses=multapses), (N_SOURCES, N_TARGETS)))
            assert follows(matrix[:128].sum(axis=0), law)
            last = hypergeometric_law(30, 88, 512) if not multapses else binomial_law(30, 88 / N_SOURCES)
            assert follows(matrix[512:].sum(axis=0), last)

    @pytest.mark.parametrize("multapses", [True, False])
    def test_without_autapses_the_others_are_alike(self, multapses: bool) -> None:
        rule = drawing(self.rule, autapses=False, multapses=multapses)
        matrix = matrix_of(Case(rule, (N_SOURCES, N_SOURCES), recurrent=True))
        assert not np.trace(matrix)
        n, p = (30 * N_SOURCES, 1 / N_SOURCES) if multapses else (N_SOURCES - 1, 30 / (N_SOURCES - 1))
        assert follows(matrix.sum(axis=1), binomial_law(n, p)[:200])
        # Neighbours in number, which the hole moves, are as likely as any.
        steps = [matrix.ravel()[k :: N_SOURCES + 1].sum() for k in range(1, N_SOURCES)]
        assert abs(chi_square(steps, 30 * N_SOURCES / (N_SOURCES - 1))) < DEVIATE


class TestFixedOutDegree:
    """Each of 1,000 sources draws 30 of 600 targets."""

    rule = FixedOutDegree(n=30)

    def test_with_replacement_in_degrees_and_multiplicities_are_binomial(self) -> None:
        matrix = matrix_of(Case(self.rule, (N_TARGETS, N_SOURCES)))
        assert set(matrix.sum(axis=1).tolist()) == {30}
        assert follows(matrix.sum(axis=0), binomial_law(30 * N_TARGETS, 1 / N_SOURCES)[:200])
        assert follows(matrix, binomial_law(30, 1 / N_SOURCES))

    def test_without_replacement_each_source_has_each_target_with_one_chance(self) -> None:
        matrix = matrix_of(Case(drawing(self.rule, multapses=False), (N_TARGETS, N_SOURCES)))
        assert matrix.max() == 1
        assert set(matrix.sum(axis=1).tolist()) == {30}
        assert follows(matrix.sum(axis=0), binomial_law(N_TARGETS, 30 / N_SOURCES))
        assert follows(matrix[:, :128].sum(axis=1), hypergeometric_law(30, 128, N_SOURCES - 128))

    @pytest.mark.parametrize("multapses", [True, False])
    def test_without_autapses_the_others_are_alike(self, multapses: bool) -> None:
        rule = drawing(self.rule, autapses=False, multapses=multapses)
        matrix = matrix_of(Case(rule, (N_SOURCES, N_SOURCES), recurrent=True))
        assert not np.trace(matrix)
        assert set(matrix.sum(axis=1).tolist()) == {30}
        steps = [matrix.ravel()[k :: N_SOURCES + 1].sum() for k in range(1, N_SOURCES)]
        assert abs(chi_square(steps, 30 * N_SOURCES / (N_SOURCES - 1))) < DEVIATE


class TestFixedTotalNumber:
    """Of 600 times 1,000 pairs, 30,000 are drawn."""

    n = 30_000
    rule = FixedTotalNumber(n=n)

    def test_with_replacement_degrees_and_multiplicities_are_binomial(self) -> None:
        matrix = matrix_of(Case(self.rule, (N_SOURCES, N_TARGETS)))
        assert matrix.sum() == self.n
        assert follows(matrix.sum(axis=0), binomial_law(self.n, 1 / N_TARGETS)[:200])
        assert follows(matrix.sum(axis=1), binomial_law(self.n, 1 / N_SOURCES)[:200])
        assert follows(matrix, binomial_law(self.n, 1 / N_SOURCES / N_TARGETS)[:20])

    def test_without_replacement_degrees_are_hypergeometric(self) -> None:
        rule = drawing(self.rule.model_copy(update={"n": 200_000}), multapses=False)
        matrix = matrix_of(Case(rule, (N_SOURCES, N_TARGETS)))
        assert (matrix.max(), matrix.sum()) == (1, 200_000)
        pairs = N_SOURCES * N_TARGETS
        assert follows(matrix.sum(axis=0), hypergeometric_law(200_000, N_SOURCES, pairs - N_SOURCES))
        assert follows(matrix.sum(axis=1), hypergeometric_law(200_000, N_TARGETS, pairs - N_TARGETS))

    def test_without_autapses_the_others_are_alike(self) -> None:
        rule = drawing(self.rule, autapses=False, multapses=False)
        matrix = matrix_of(Case(rule, (N_SOURCES, N_SOURCES), recurrent=True))
        assert not np.trace(matrix)
        assert (matrix.max(), matrix.sum()) == (1, self.n)
        steps = [matrix.ravel()[k :: N_SOURCES + 1].sum() for k in range(1, N_SOURCES)]
        assert abs(chi_square(steps, self.n / (N_SOURCES - 1))) < DEVIATE


class TestFixedProbability:
    """Each of 600 times 1,000 pairs with a chance of its own."""

    @pytest.mark.parametrize("p", [0.001, 0.08, 0.5, 0.97])
    def test_degrees_are_binomial(self, p: float) -> None:
        matrix = matrix_of(Case(FixedProbability(p=p), (N_SOURCES, N_TARGETS)))
        assert matrix.max() == 1
        assert follows(matrix.sum(axis=0), binomial_law(N_SOURCES, p))
        assert follows(matrix.sum(axis=1), binomial_law(N_TARGETS, p))
        n = N_SOURCES * N_TARGETS
        assert abs(matrix.sum() - n * p) < DEVIATE * math.sqrt(n * p * (1.0 - p))

    def test_without_autapses_the_others_keep_their_chance(self) -> None:
        rule = FixedProbability(p=0.3, allow_autapses=False)
        matrix = matrix_of(Case(rule, (N_SOURCES, N_SOURCES), recurrent=True))
        assert not np.trace(matrix)
        assert follows(matrix.sum(axis=0), binomial_law(N_SOURCES - 1, 0.3))
        assert follows(matrix.sum(axis=1), binomial_law(N_SOURCES - 1, 0.3))

    def test_neighbouring_pairs_are_independent(self) -> None:
        matrix = matrix_of(Case(FixedProbability(p=0.5), (N_SOURCES, N_TARGETS)))
        for one, other in (
            (matrix[1:], matrix[:-1]),
            (matrix[:, 1:], matrix[:, :-1]),
            (matrix[128:], matrix[:-128]),
        ):
            observed = np.bincount((2 * one + other).ravel(), minlength=4)
            assert abs(chi_square(observed, one.size / 4)) < DEVIATE


class TestSmallWorld:
    """A ring of 997 with 20 neighbours each."""

    @pytest.mark.parametrize("p", [0.05, 0.5, 1.0])
    def test_the_share_of_rewired_synapses(self, p: float) -> None:
        n, k = 997, 20
        matrix = matrix_of(Case(SmallWorld(k=k, p_rewire=p), (n, n), recurrent=True))
        assert not np.trace(matrix)
        assert set(matrix.sum(axis=0).tolist()) == {k}
        steps = np.array([matrix[(np.arange(n) + step) % n, np.arange(n)].sum() for step in range(1, n)])
        near = np.r_[0 : k // 2, n - 1 - k // 2 : n - 1]
        far = np.delete(steps, near)
        # A rewired synapse goes to any of the n - 1 others, near ones too.
        chance = p * (n - 1 - k) / (n - 1)
        assert abs(far.sum() - k * n * chance) < DEVIATE * math.sqrt(k * n * chance)
        assert abs(chi_square(far.reshape(16, -1).sum(axis=1), far.sum() / 16)) < DEVIATE
        kept = (1.0 - p) * n + p * k * n / (n - 1)
        spread = n * p * (1.0 - p) + p * k * n / (n - 1)
        assert np.abs(steps[near] - kept).max() < DEVIATE * math.sqrt(spread)


RANDOM = {
    "in": FixedInDegree(n=30),
    "in once": FixedInDegree(n=30, allow_multapses=False),
    "out": FixedOutDegree(n=50),
    "total": FixedTotalNumber(n=30_000),
    "p": FixedProbability(p=0.05),
}


@pytest.mark.parametrize("rule", RANDOM.values(), ids=RANDOM)
def test_sources_and_targets_are_independent(rule: Any) -> None:
    matrix = matrix_of(Case(rule, (N_SOURCES, N_TARGETS)))
    cells = matrix.reshape(20, 30, 20, 50).sum(axis=(1, 3))
    share = matrix.sum() / 400
    assert np.abs(cells - share).max() < 6.0 * math.sqrt(share)
    # Rows or columns are fixed by some rules, which takes degrees of freedom: of 399, 19 at most.
    statistic = ((cells - share) ** 2 / share).sum()
    assert 380 - DEVIATE * math.sqrt(2 * 380) < statistic < 399 + DEVIATE * math.sqrt(2 * 399)


@pytest.mark.parametrize("rule", RANDOM.values(), ids=RANDOM)
@pytest.mark.parametrize("change", [{"number": 1}, {"seed": 8}], ids=["projection", "seed"])
def test_two_projections_are_independent(rule: Any, change: dict[str, int]) -> None:
    """The pairs that both have are as many as chance brings together."""
    one = matrix_of(Case(rule, (N_SOURCES, N_TARGETS)))
    other = matrix_of(Case(rule, (N_SOURCES, N_TARGETS), **change))
    common = int((one * other).sum())
    expected = one.sum() * other.sum() / one.size
    assert abs(common - expected) < DEVIATE * math.sqrt(expected)
    for axis in (0, 1):
        a, b = one.sum(axis=axis), other.sum(axis=axis)
        if a.std() and b.std():
            assert abs(np.corrcoef(a, b)[0, 1]) < DEVIATE / math.sqrt(a.size)


@pytest.mark.parametrize("rule", RANDOM.values(), ids=RANDOM)
def test_weights_delays_and_pairs_are_independent(rule: Any) -> None:
    weight, delay = Uniform(low=0.0, high=8.0), Uniform(low=0.0501, high=0.8499)
    case = Case(rule, (N_SOURCES, N_TARGETS), weight, delay, Uniform(low=0.0501, high=0.8499))
    source, ticks, target, steps = replace(case, axonal_delay_ms=None).made(step=2.0**-10).table().T
    ticks, eighth = ticks - 1, np.minimum(steps // 1024, 7)
    assert set(ticks.tolist()) == set(range(8))
    n = source.size
    for one, other in (
        (source // 75, ticks),
        (source // 75, eighth),
        (target // 125, ticks),
        (target // 125, eighth),
    ):
        observed = np.bincount(8 * one + other, minlength=64).reshape(8, 8)
        expected = observed.sum(axis=1, keepdims=True) / 8
        assert abs(chi_square(observed, np.broadcast_to(expected, (8, 8)).ravel())) < DEVIATE
    assert abs(chi_square(np.bincount(8 * eighth + ticks, minlength=64), n / 64)) < DEVIATE
    # Axonal and dendritic parts: their sum of two dice is a triangle.
    both = case.made().table()[:, 1]
    triangle = np.array([*range(1, 9), *range(7, 0, -1)]) / 64
    assert abs(chi_square(np.bincount(both, minlength=17)[2:], n * triangle)) < DEVIATE


def test_synapses_of_one_pair_have_values_of_their_own() -> None:
    """Fifty synapses of each pair, whose weights are those of a normal and do not follow one another."""
    weight = Normal(mean=0.0, sd=1.0)
    table = Case(FixedInDegree(n=2000), (40, 30), weight).made(step=2.0**-13).table()
    assert np.unique(table[:, 3]).size > 20_000
    order = np.lexsort((table[:, 0], table[:, 2]))
    sorted_weights = table[order][:, 3] * 2.0**-13
    n = sorted_weights.size
    assert max(map(abs, moments(sorted_weights, 0.0, 1.0))) < DEVIATE
    assert abs(np.mean(sorted_weights[1:] * sorted_weights[:-1])) < DEVIATE / math.sqrt(n)
