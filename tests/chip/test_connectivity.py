from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.connectivity import RULES, Ends, rows_of
from network import AllToAll, Explicit, FixedInDegree, FixedTotalNumber, Normal, OneToOne, Uniform
from network.connectivity import Connectivity
from tests.chip.goodness import DEVIATE, chi_square
from tests.chip.strategies import cuts, fixed
from tests.chip.synapses import Synapse, decoded, memory_of, row, synapses_of

LISTED = Explicit(
    sources=(4, 0, 4, 2, 0, 4), targets=(1, 3, 1, 0, 3, 3), weights=(1.0, 2.0, -3.0, 4.0, 5.0, 6.0)
)
WEIGHT = Normal(mean=40.0, sd=8.0, low=0.0)
DELAY = Uniform(low=0.1, high=2.0)


def in_degrees(rule: Any, sizes: tuple[int, int], first: int, n: int) -> list[int]:
    return rows_of(rule, Ends(7, 0, *sizes, first, n)).in_degree.tolist()


def test_every_rule_of_the_language_has_rows() -> None:
    described = Connectivity.__args__[0].__args__  # type: ignore[attr-defined]
    assert set(RULES) == set(described)


def test_one_to_one_joins_equal_numbers() -> None:
    rule = OneToOne()
    assert in_degrees(rule, (9, 9), 3, 4) == [1] * 4
    assert [(s.source, s.target) for s in synapses_of(row(rule, sizes=(9, 9), part=(3, 7)))] == [
        (k, k) for k in range(3, 7)
    ]


def test_all_to_all_joins_each_with_each_once() -> None:
    rule = AllToAll()
    assert in_degrees(rule, (3, 5), 1, 2) == [3, 3]
    assert {(s.source, s.target): n for s, n in Counter(synapses_of(row(rule, sizes=(3, 5)))).items()} == {
        (source, target): 1 for source in range(3) for target in range(5)
    }


@pytest.mark.parametrize("n", [0, 1, 100])
def test_fixed_in_degree_gives_each_target_n(n: int) -> None:
    assert in_degrees(FixedInDegree(n=n), (3, 8), 2, 5) == [n] * 5
    made = Counter(s.target for s in synapses_of(row(FixedInDegree(n=n), sizes=(3, 8), part=(2, 7))))
    assert made == (dict.fromkeys(range(2, 7), n) if n else {})


def test_explicit_keeps_each_entry_with_its_weight_and_delay() -> None:
    rule = LISTED.model_copy(update={"delays_ms": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)})
    made = synapses_of(row(rule, sizes=(5, 4), weight=None, delay_ms=None))
    entries = zip(rule.sources, rule.targets, rule.weights or (), range(1, 7), strict=True)
    assert made == sorted(Synapse(s, t, d, int(w * 64)) for s, t, w, d in entries)


def test_explicit_draws_what_it_does_not_list() -> None:
    rule = Explicit(sources=(0, 1, 2, 0), targets=(5, 0, 5, 5))
    made = synapses_of(row(rule, sizes=(3, 6), weight=WEIGHT, delay_ms=DELAY))
    assert sorted((s.source, s.target) for s in made) == [(0, 5), (0, 5), (1, 0), (2, 5)]
    assert len({s.weight for s in made}) == 4


def test_empty_lists_make_nothing() -> None:
    assert synapses_of(row(Explicit(sources=(), targets=()), sizes=(3, 4))) == []


RANDOM_RULES = {"in-degree": FixedInDegree(n=100), "total": FixedTotalNumber(n=40_000)}


@pytest.mark.parametrize("rule", RANDOM_RULES.values(), ids=RANDOM_RULES)
@pytest.mark.parametrize("n_sources", [7, 400])
def test_sources_are_drawn_alike(rule: Any, n_sources: int) -> None:
    made = decoded(memory_of(row(rule, sizes=(n_sources, 400))))
    assert made.shape[0] == 40_000
    assert abs(chi_square(np.bincount(made[:, 0], minlength=n_sources), 40_000 / n_sources)) < DEVIATE


@pytest.mark.parametrize("rule", RANDOM_RULES.values(), ids=RANDOM_RULES)
def test_sources_and_targets_are_independent(rule: Any) -> None:
    made = decoded(memory_of(row(rule, sizes=(20, 20 * 20))))
    pairs = np.bincount(20 * made[:, 0] + made[:, 2] // 20, minlength=400)
    assert abs(chi_square(pairs, 100.0)) < DEVIATE


def test_weights_and_delays_and_sources_are_independent() -> None:
    weight, delay_ms = Uniform(low=0.0, high=8.0), Uniform(low=0.06, high=0.849)
    spec = row(FixedInDegree(n=100), sizes=(8, 400), weight=weight, delay_ms=delay_ms, step=2.0**-10)
    source, delay, _, steps = decoded(memory_of(spec)).T
    delay, eighth = delay - 1, np.minimum(steps // 1024, 7)
    assert set(delay.tolist()) == set(range(8))
    # Delay 1 stands for 0.06 to 0.15 ms, 8 for 0.75 to 0.849, the others for 0.1 each.
    of_delay = np.diff([0.06, *(0.15 + 0.1 * np.arange(7)), 0.849]) / 0.789
    for one in (source, eighth):
        observed = np.bincount(8 * one + delay, minlength=64)
        assert abs(chi_square(observed, np.tile(40_000 / 8 * of_delay, 8))) < DEVIATE
    pairs = np.bincount(8 * source + eighth, minlength=64)
    assert abs(chi_square(pairs, 40_000 / 64)) < DEVIATE


RULES_FOR_SLICES = {
    "one_to_one": (OneToOne(), (12, 12)),
    "all_to_all": (AllToAll(), (5, 12)),
    "fixed_in_degree": (FixedInDegree(n=9), (5, 12)),
    "fixed_total_number": (FixedTotalNumber(n=100), (5, 12)),
    "explicit": (Explicit(sources=(1, 0, 3, 4, 4), targets=(11, 2, 11, 0, 2)), (5, 12)),
    "explicit weights": (LISTED, (5, 4)),
}


@pytest.mark.parametrize(("rule", "sizes"), RULES_FOR_SLICES.values(), ids=RULES_FOR_SLICES)
@fixed
@given(data=st.data())
def test_any_slicing_gives_the_same_synapses(rule: Any, sizes: tuple[int, int], data: st.DataObject) -> None:
    weight = None if rule is LISTED else WEIGHT
    whole = synapses_of(row(rule, sizes=sizes, weight=weight, delay_ms=DELAY))
    parts = [
        synapse
        for part in data.draw(cuts(sizes[1]))
        for synapse in synapses_of(row(rule, sizes=sizes, part=part, weight=weight, delay_ms=DELAY))
    ]
    assert sorted(parts) == whole


@pytest.mark.parametrize("change", [{"seed": 8}, {"projection": 1}])
def test_seeds_and_projections_draw_differently(change: dict[str, int]) -> None:
    one = synapses_of(row(FixedInDegree(n=9), sizes=(1000, 12)))
    other = synapses_of(row(FixedInDegree(n=9), sizes=(1000, 12), **change))
    assert len(set(one) & set(other)) < 10
