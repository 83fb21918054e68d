"""Comparison with the spread of the reference's seeds: what agrees, and what it tells apart."""

import copy
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.microcircuit import Circuit
from benchmarks.one_run import run
from spikerack.examples.microcircuit import CELLS, n_synapses
from spikerack.reference import microcircuit_statistics
from spikerack.reference.comparison import CORRELATION_FLOOR, RATE_FLOOR, Comparison, compare
from spikerack.reference.spike_statistics import SpikeWindow, summarise

SEEDS_OF_SCALE = {0.1: 5, 1.0: 4}
SCALES = tuple(SEEDS_OF_SCALE)
SIZE, N_TICKS = 1500, 20_000


def summaries(
    seed: int, *, rate_hz: float = 5.0, together: float = 0.0, even: bool = False
) -> dict[str, Any]:
    """Statistics of made-up neurons: a share of spikes moves `together`, or all have `even` intervals."""
    rng = np.random.default_rng(seed)
    neuron = np.repeat(np.arange(SIZE), rng.poisson(rate_hz * N_TICKS * 1e-4, SIZE))
    tick = rng.integers(0, N_TICKS, neuron.size)
    if even:
        gap = round(1e4 / rate_hz)
        neuron, tick = np.nonzero((np.arange(N_TICKS) + rng.integers(0, gap, (SIZE, 1))) % gap == 0)
    tick = np.where(rng.random(tick.size) < together, tick // 200 * 200, tick)
    order = np.argsort(tick, kind="stable")
    return summarise(SpikeWindow(tick[order], neuron[order], 0, N_TICKS, 0.1), {"cells": SIZE})


SEEDS = [summaries(seed) for seed in range(1, 6)]


def differing(mine: dict[str, Any]) -> list[str]:
    return [each.statistic for each in compare(mine, SEEDS) if not each.holds]


def test_another_seed_agrees() -> None:
    assert [differing(summaries(seed)) for seed in range(6, 12)] == [[]] * 6


def test_a_rate_beyond_three_deviations_differs() -> None:
    rates = np.array([each["cells"]["rate_hz"] for each in SEEDS])
    found = next(compare(summaries(7, rate_hz=5.5), SEEDS))
    assert (found.population, found.statistic, found.holds) == ("cells", "rate_hz", False)
    assert found.reference == pytest.approx(rates.mean())
    assert found.limit == pytest.approx(max(3 * rates.std(ddof=1), RATE_FLOOR * rates.mean()))
    assert found.deviation == pytest.approx(abs(found.found - rates.mean()))


def test_distributions_differ_where_rates_do_not() -> None:
    assert differing(summaries(7, together=0.5)) == ["mean_correlation", "correlation"]
    assert set(differing(summaries(7, even=True))) >= {"isi_cv", "rates_hz"}


def test_silence_differs_in_all() -> None:
    assert differing(summaries(7, rate_hz=0.0)) == ["rate_hz", "rates_hz", "isi_cv", "correlation"]


def test_few_neurons_may_lie_further_apart_by_chance() -> None:
    seeds = copy.deepcopy(SEEDS)
    for each in seeds:
        each["cells"] = SEEDS[0]["cells"]
    limits = {each.statistic: each.limit for each in compare(SEEDS[0], seeds)}
    chance = 1.9495 * np.sqrt(2 / SIZE)
    assert limits["rates_hz"] == pytest.approx(chance, rel=1e-4)
    assert limits["isi_cv"] == pytest.approx(1.9495 * np.sqrt(2 / SEEDS[0]["cells"]["isi_cv"]["n"]), rel=1e-4)
    assert limits["correlation"] == pytest.approx(1.9495 * np.sqrt(2 / 200), rel=1e-4)
    assert limits["mean_correlation"] == CORRELATION_FLOOR


def test_what_is_compared_says_whether_it_holds() -> None:
    assert Comparison("a", "rate_hz", 5.0, 5.1, 0.1, 0.1).holds
    assert not Comparison("a", "rate_hz", 5.0, 5.1, 0.1, 0.099).holds


def test_two_seeds_are_too_few() -> None:
    message = "reference: must have at least 3 seeds, got 2; measure more"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(compare(SEEDS[0], SEEDS[:2]))


@pytest.mark.parametrize("scale", SCALES)
def test_the_committed_statistics_are_of_the_example(scale: float) -> None:
    table = microcircuit_statistics(scale)
    assert list(table["sizes"]) == [cell.name for cell in CELLS]
    assert table["simulator"] == "NEST 3.10.0"
    assert (table["window_ms"], len(table["seeds"])) == ([500.0, 2500.0], SEEDS_OF_SCALE[scale])
    assert table["n_neurons"] == sum(table["sizes"].values()) == sum(round(c.size * scale) for c in CELLS)
    synapses = (round(n_synapses(s, t) * scale * scale) for t in CELLS for s in CELLS)
    assert table["n_synapses"] == sum(synapses)


@pytest.mark.parametrize("scale", SCALES)
def test_reference_seeds_agree_with_each_other(scale: float) -> None:
    """Each seed beside the others: with so few, one in thirty may be out, but not more."""
    seeds = list(microcircuit_statistics(scale)["seeds"].values())
    held = [
        each.holds for k, seed in enumerate(seeds) for each in compare(seed, [*seeds[:k], *seeds[k + 1 :]])
    ]
    assert len(held) == len(seeds) * 8 * 5
    assert np.mean(held) > 1 - 1 / 30


@pytest.mark.parametrize("scale", SCALES)
def test_reference_tells_populations_apart(scale: float) -> None:
    """L4E as if it were another population of excitatory neurons, which are about as irregular."""
    seeds = list(microcircuit_statistics(scale)["seeds"].values())
    others = [{"L5E": seed["L5E"]} for seed in seeds]
    found = list(compare({"L5E": seeds[0]["L4E"]}, others))
    different = {each.statistic for each in found if not each.holds}
    assert different >= {"rate_hz", "rates_hz", "correlation"}


def test_statistics_that_were_not_measured_are_refused() -> None:
    message = (
        "microcircuit statistics: scale must be measured, got 0.3; "
        "add it to tests/reference/generate.py and run make reference"
    )
    with pytest.raises(LookupError, match=f"^{re.escape(message)}$"):
        microcircuit_statistics(0.3)


@pytest.mark.slow
def test_a_small_microcircuit_agrees_with_nest() -> None:
    circuit = Circuit(0.1, duration_ms=2400.0, peer_ms=300.0)
    measured = run(replace(circuit.one_run("poisson"), chips=3))
    assert measured.summary["state"] == "complete"
    comparisons = circuit.comparisons({"poisson": [measured]})
    assert len(comparisons) == 40
    assert [each.what for each in comparisons if not each.holds] == []
