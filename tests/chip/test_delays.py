"""Delays: which ones a description allows, and that no others are drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.arrays import ROWS
from chip.delays import delay_range, delay_ticks, possible_delays
from chip.laws import law_of
from network import (
    Array,
    DistanceLinear,
    Explicit,
    Exponential,
    FixedInDegree,
    Gamma,
    Lognormal,
    Normal,
    OneToOne,
    Projection,
    Sum,
    Uniform,
    Value,
)
from tests.chip.cases import GRID
from tests.chip.strategies import fixed
from tests.chip.synapses import Case


def projection(delay_ms: Any, axonal: Any = None, rule: Any = None) -> Projection:
    return Projection(
        source="s",
        target="t",
        connectivity=rule or OneToOne(),
        weight=1.0,
        delay_ms=delay_ms,
        axonal_delay_ms=axonal,
    )


LAWS: list[tuple[Value, tuple[int, int]]] = [
    (1.5, (15, 15)),
    (Uniform(low=0.05, high=0.149), (1, 1)),
    (Uniform(low=0.05, high=0.151), (1, 2)),
    (Normal(mean=1.0, sd=0.1, low=0.1), (4, 16)),
    (Normal(mean=1.0, sd=0.1, low=0.951, high=1.149), (10, 11)),
    (Normal(mean=1.0, sd=0.01, low=2.0, bounds="clip"), (20, 20)),
    (Normal(mean=5.0, sd=0.01, high=0.7, bounds="clip"), (7, 7)),
    (Exponential(mean=1.0, low=0.3, high=2.0), (3, 20)),
    (Array(values=(0.4, 0.9, 0.2)), (2, 9)),
    (Sum(of=(1.0, Uniform(low=0.0, high=0.5))), (10, 15)),
]


@pytest.mark.parametrize(("law", "ticks"), LAWS)
def test_possible_delays_are_those_of_the_description(law: Value, ticks: tuple[int, int]) -> None:
    assert delay_ticks(law_of(law), 0.1) == ticks
    assert delay_range(projection(law), 0.1) == ticks
    assert possible_delays(projection(law), 0.1).tolist() == list(range(ticks[0], ticks[1] + 1))


def test_axonal_and_dendritic_parts_add_up() -> None:
    parts = projection(Uniform(low=0.2, high=0.3), Uniform(low=1.0, high=1.2))
    assert possible_delays(parts, 0.1).tolist() == [12, 13, 14, 15]
    assert delay_range(projection(0.0, 0.7), 0.1) == (7, 7)


def test_a_delay_is_at_least_one_tick() -> None:
    assert possible_delays(projection(Uniform(low=0.0, high=0.2)), 0.1).tolist() == [1, 2]
    made = Case(FixedInDegree(n=50), (9, 9), delay_ms=Uniform(low=0.0, high=0.2)).synapses()
    assert {s.delay for s in made} == {1, 2}


def test_delays_of_distance_reach_as_far_as_pairs() -> None:
    far = projection(DistanceLinear(at_zero=0.5, slope_per_um=0.01))
    assert possible_delays(far, 0.1, 100.0).tolist() == list(range(5, 16))


def test_listed_delays_are_only_those_that_are_listed() -> None:
    rule = Explicit(sources=(0, 1, 0), targets=(1, 1, 0), delays_ms=(100.0, 0.1, 100.0))
    assert possible_delays(projection(None, rule=rule), 0.1).tolist() == [1, 1000]
    with_axon = possible_delays(projection(None, 0.2, rule), 0.1)
    assert (with_axon[0], with_axon[-1]) == (3, 1002)
    assert set(with_axon.tolist()) >= {3, 1002}
    empty = Explicit(sources=(), targets=(), delays_ms=())
    assert possible_delays(projection(None, rule=empty), 0.1).size == 0


def test_an_upload_is_described_by_its_bounds() -> None:
    rule = SimpleNamespace(delays_ms=(0.3, 0.6), sha256="0" * 64)
    described = SimpleNamespace(connectivity=rule, delay_ms=None, axonal_delay_ms=None)
    assert possible_delays(described, 0.1).tolist() == [3, 4, 5, 6]  # type: ignore[arg-type]


DRAWN = st.sampled_from(
    [
        Uniform(low=0.0, high=3.0),
        Normal(mean=1.0, sd=2.0, low=0.0),
        Normal(mean=1.0, sd=2.0, low=0.3, high=2.0, bounds="clip"),
        Lognormal(log_mean=0.0, log_sd=1.0),
        Gamma(shape=0.3, scale=1.0),
        Exponential(mean=0.7, high=3.0),
        DistanceLinear(at_zero=0.1, slope_per_um=0.05),
    ]
)


@fixed
@given(DRAWN, st.one_of(st.none(), DRAWN), st.integers(0, 1000))
def test_no_other_delay_is_drawn(dendritic: Value, axonal: Value | None, seed: int) -> None:
    case = Case(
        FixedInDegree(n=20),
        (140, 140),
        delay_ms=dendritic,
        axonal_delay_ms=axonal,
        at=(GRID, GRID),
        seed=seed,
    )
    drawn = case.made(layout=ROWS).table()[:, 1]
    assert set(drawn.tolist()) <= set(case.delays().tolist())
    assert np.unique(drawn).size > 5
