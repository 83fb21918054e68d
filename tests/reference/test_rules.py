"""The connection rules make on chips what NEST's `Connect` makes: same histograms, no synapse by chance.

NEST's side is 40 seeds of each case, ours `N_SEEDS`; each histogram is compared at p = 1e-4.
"""

from statistics import NormalDist

import numpy as np
import pytest

from tests.reference.expanding import expand
from tests.reference.rules import CASES, LIMIT, Histograms, RuleCase, added, deviate, histograms, load

N_SEEDS = 10
TABLE = load()


def found(case: RuleCase, seed: int, n_chips: int) -> dict[str, np.ndarray]:
    (columns,) = expand(case.to_network(seed), n_chips).values()
    if case.grid:
        at = case.positions_um()
        columns["distance_um"] = case.distance_um(at[columns["source"]], at[columns["target"]])
    return columns


def made(case: RuleCase) -> Histograms:
    return added([histograms(case, found(case, seed, n_chips=1)) for seed in range(1, N_SEEDS + 1)])


def test_all_cases_are_committed() -> None:
    assert list(TABLE["cases"]) == list(CASES)
    assert (TABLE["simulator"], TABLE["n_seeds"]) == ("NEST 3.10.0", 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_rule_makes_what_nest_makes(name: str) -> None:
    ours, nests = made(CASES[name]), TABLE["cases"][name]
    assert ours.keys() == nests.keys()
    deviates = {key: deviate(ours[key], nests[key]) for key in ours}
    assert {key: x for key, x in deviates.items() if x > LIMIT} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_three_chips_make_the_same(name: str) -> None:
    one, three = (found(CASES[name], 1, n_chips) for n_chips in (1, 3))
    assert all(np.array_equal(one[key], three[key]) for key in one)


def test_another_rule_is_told_apart() -> None:
    for one, two, key in (
        ("in_degree", "total_number", "in_degree"),
        ("in_degree", "out_degree", "out_degree"),
        ("in_degree recurrent", "in_degree recurrent others", "autapses"),
        ("in_degree recurrent", "in_degree recurrent single", "multiplicity"),
        ("probability recurrent", "probability recurrent others", "autapses"),
        ("gaussian open", "gaussian periodic", "distance"),
        ("gaussian open", "gaussian within 30 open", "distance"),
        ("weight normal", "weight lognormal", "weight"),
        ("delay normal", "delay uniform", "delay_ticks"),
    ):
        assert deviate(TABLE["cases"][one][key], TABLE["cases"][two][key]) > 2 * LIMIT


def test_deviate_of_samples_of_one_law_is_a_standard_normal_deviate() -> None:
    rng = np.random.default_rng(1)
    draws = [
        deviate(np.bincount(rng.poisson(20, 6000)).tolist(), np.bincount(rng.poisson(20, 1500)).tolist())
        for _ in range(2000)
    ]
    below = [np.mean(np.array(draws) < NormalDist().inv_cdf(share)) for share in (0.1, 0.5, 0.9, 0.99)]
    assert below == pytest.approx([0.1, 0.5, 0.9, 0.99], abs=0.025)


def test_deviate_of_one_cell_asks_for_the_same_cell() -> None:
    assert deviate([0, 0, 7], [0, 0, 900]) == 0.0
    assert deviate([0, 0, 7], [0, 900]) == np.inf
    assert deviate([0, 3, 7], [0, 900]) == np.inf
    assert deviate([0, 900], [0, 900, 3]) < LIMIT
    assert deviate([0, 900], [0, 900, 90]) > LIMIT


def test_histograms_of_a_network_on_paper() -> None:
    case = RuleCase("paper", {"rule": "explicit"}, (3, 3), recurrent=True)
    columns = {"source": np.array([0, 0, 2, 2]), "target": np.array([1, 1, 2, 0])}
    assert histograms(case, columns) == {
        "in_degree": [0, 2, 1],
        "out_degree": [1, 0, 2],
        "multiplicity": [6, 2, 1],
        "autapses": [3, 1],
    }


def test_distances_go_the_short_way_round_a_periodic_grid() -> None:
    grid = ((4, 2), (40.0, 10.0), True)
    case = RuleCase("paper", {"rule": "explicit"}, (8, 8), grid=grid)
    at = case.positions_um()
    assert at[:3].tolist() == [[5.0, 2.5], [5.0, 7.5], [15.0, 2.5]]
    assert case.distance_um(at[[0, 0, 0]], at[[6, 4, 1]]).tolist() == [10.0, 20.0, 5.0]
    opened = RuleCase("paper", {"rule": "explicit"}, (8, 8), grid=(*grid[:2], False))
    assert opened.distance_um(at[[0]], at[[6]]).tolist() == [30.0]
