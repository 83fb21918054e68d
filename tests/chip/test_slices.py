"""A synapse does not depend on the slices that the populations are cut into: digests add up over them."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chip.arrays import QUEUED, ROWS
from network import (
    AllToAll,
    Convolution,
    DistanceDependent,
    DistanceGaussian,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    GridPositions,
    OneToOne,
    Pooling,
    SmallWorld,
    Uniform,
)
from tests.chip.cases import LISTS, RULES, VALUES, WEIGHT, of_value
from tests.chip.expansion import same
from tests.chip.strategies import cuts, fixed
from tests.chip.synapses import STEP, Case

DRAWN = RULES | LISTS | {f"weight {name}": of_value(value) for name, value in VALUES.items()}


def adds_up(case: Case, parts: list[tuple[int, int]], **how: Any) -> bool:
    """Return whether the memories of all parts hold what the memory of the whole holds."""
    whole, own = case.made(**how).memory, [case.made(part, **how).memory for part in parts]
    return (
        np.array_equal(sum((memory.digest for memory in own), np.zeros(2, np.uint64)), whole.digest)
        and np.array_equal(np.concatenate([memory.load for memory in own]), whole.load)
        and sum(memory.words.size for memory in own) == whole.words.size
        and sum(memory.n_saturated for memory in own) == whole.n_saturated
    )


@pytest.mark.parametrize("case", DRAWN.values(), ids=DRAWN)
@settings(fixed, max_examples=8)
@given(data=st.data())
def test_any_slicing_gives_the_same_synapses(case: Case, data: st.DataObject) -> None:
    assert adds_up(case, data.draw(cuts(case.sizes[1])), layout=data.draw(st.sampled_from(case.layouts)))


@pytest.mark.parametrize("case", DRAWN.values(), ids=DRAWN)
def test_layouts_have_the_same_digest(case: Case) -> None:
    segments, *others = (case.made(layout=layout).memory for layout in case.layouts)
    assert len(others) >= 1
    assert segments.digest.all()
    for other in others:
        assert np.array_equal(segments.digest, other.digest)
        assert np.array_equal(np.sort(segments.words), np.sort(other.words))
        assert np.array_equal(segments.load, other.load)


def test_most_of_these_can_be_queued() -> None:
    assert sum(QUEUED in case.layouts for case in DRAWN.values()) > 0.8 * len(DRAWN)


def sized(n: int) -> dict[str, Case]:
    """Return every rule between populations of `n` neurons, or of images of `n` columns."""
    grid = GridPositions(extent_um=(float(n or 1),), shape=(n,), periodic=True)
    joined = DistanceDependent(p=DistanceGaussian(scale=0.9, sd_um=2.0), allow_autapses=False)
    some = min(n, 4)
    cases = {
        "one_to_one": Case(OneToOne(), (n, n)),
        "fixed_in_degree": Case(FixedInDegree(n=some), (n, n)),
        "fixed_out_degree": Case(FixedOutDegree(n=some, allow_multapses=False), (n, n)),
        "fixed_total_number": Case(FixedTotalNumber(n=3 * n), (n, n)),
        "fixed_probability": Case(FixedProbability(p=min(1.0, 4 / (n or 1))), (n, n)),
        "distance_dependent": Case(joined, (n, n), recurrent=True, at=(grid, grid)),
        "small_world": Case(SmallWorld(k=4 if n > 4 else 0, p_rewire=0.5), (n, n), recurrent=True),
        "explicit": Case(Explicit(sources=(0, n - 1)[: 2 * some], targets=(n - 1, 0)[: 2 * some]), (n, n)),
    }
    if n <= 20:
        cases["all_to_all"] = Case(AllToAll(allow_autapses=False), (n, n), recurrent=True)
        cases["to one"] = Case(FixedInDegree(n=some), (n, 1))
        cases["from one"] = Case(FixedOutDegree(n=some), (1, n))
    if n:
        image = {"source_shape": (1, 1, n), "padding": (0, 1)}
        convolution = Convolution(kernel_shape=(1, 1, 1, 3), kernel=(1.0, 2.0, 3.0), **image)
        cases["convolution"] = Case(convolution, (n, n), None)
        cases["pooling"] = Case(Pooling(window=(1, 3), **image), (n, n))
    weight, delay = Uniform(low=-9.0, high=9.0), Uniform(low=0.1, high=1.2)
    return {
        name: replace(case, weight=None if case.weight is None else weight, delay_ms=delay)
        for name, case in cases.items()
    }


SMALL = {f"{name}, {n}": case for n in (0, 1, 2, 3, 127, 128, 129, 257) for name, case in sized(n).items()}


@pytest.mark.parametrize("case", SMALL.values(), ids=SMALL)
def test_populations_may_be_empty_one_or_prime(case: Case) -> None:
    assert same(case.synapses(), case.expected(), STEP)
    n = case.sizes[1]
    assert adds_up(case, list(pairwise(sorted({0, n // 3, n // 2, n}))) or [(0, 0)])


LARGE = sized(65_537)


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE.values(), ids=LARGE)
def test_populations_may_be_larger_than_a_bank(case: Case) -> None:
    """The whole does not fit a bank: halves and quarters are compared, with threads and in rows."""
    quarters = [case.made(part).memory for part in pairwise((0, 16_384, 32_768, 40_009, 65_537))]
    halves = [case.made(part, layout=ROWS, threads=2).memory for part in pairwise((0, 32_769, 65_537))]
    digests = [np.sum([memory.digest for memory in own], axis=0) for own in (quarters, halves)]
    assert np.array_equal(*digests)
    assert np.array_equal(*(np.concatenate([memory.load for memory in own]) for own in (quarters, halves)))
    assert sum(memory.words.size for memory in halves) > 0


@pytest.mark.slow
def test_synapses_of_a_large_population_are_those_of_plain_python() -> None:
    """Targets of 66,000 sources, in 65 blocks of 1,024."""
    for rule in (FixedInDegree(n=40, allow_multapses=False), FixedProbability(p=0.0005)):
        case = Case(rule, (66_000, 100), WEIGHT)
        assert same(case.synapses(), case.expected(), STEP)
