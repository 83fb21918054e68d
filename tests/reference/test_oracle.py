"""The oracle fires what NEST fires, and the cases show what they are meant to show."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.reference.cases import ReferenceCase, case_names
from tests.reference.generate_delta_edges import LONG_DELAYS, REFRACTORY_TICKS, TIE_SPLITS
from tests.reference.oracle import exp, expm1, p21, simulate

RECURRENT = ["delta_recurrent", "exp_recurrent"]
LONG = {*RECURRENT, "exp_time_constants", "delta_long_delays", "exp_currents", "delta_currents"}
CASES = [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in case_names()]


def counts(case: ReferenceCase) -> dict[str, list[int]]:
    """Spikes of each neuron, by population."""
    n_spikes = np.bincount(case.spike_neuron, minlength=case.n_neurons)
    parts = np.split(n_spikes, case.offsets[1:-1])
    return {population.name: part.tolist() for population, part in zip(case.populations, parts, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_oracle_fires_the_spikes_of_nest(name: str) -> None:
    case = ReferenceCase.load(name)
    result = simulate(case)
    assert np.array_equal(result.tick, case.spike_tick)
    assert np.array_equal(result.neuron, case.spike_neuron)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_cases_do_not_hang_on_rounding(name: str) -> None:
    assert simulate(ReferenceCase.load(name)).margin_mv > 1e-8


@pytest.mark.slow
def test_one_tick_of_delay_fires_other_spikes() -> None:
    case = ReferenceCase.load("delta_recurrent")
    late = simulate(replace(case, delay_ticks=case.delay_ticks + 1))
    assert not np.array_equal(late.neuron, case.spike_neuron)


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_cases_are_large_active_and_irregular(name: str) -> None:
    case = ReferenceCase.load(name)
    rate_hz = case.spike_tick.size / case.n_neurons / (case.n_ticks * case.timestep_ms * 1e-3)
    assert case.n_neurons == 1200
    assert case.n_ticks * case.timestep_ms == 1000.0
    assert np.array_equal(np.unique(case.delay_ticks), np.arange(1, 41))
    assert 5.0 < rate_hz < 30.0
    assert 0.4 < variation_of_intervals(case) < 1.0


def variation_of_intervals(case: ReferenceCase) -> float:
    """Mean over neurons of sd / mean of their inter-spike intervals; 0 is a clock, 1 is Poisson."""
    order = np.lexsort((case.spike_tick, case.spike_neuron))
    ticks = np.split(case.spike_tick[order], np.flatnonzero(np.diff(case.spike_neuron[order])) + 1)
    intervals = [np.diff(each) for each in ticks if each.size > 4]
    return float(np.mean([each.std() / each.mean() for each in intervals]))


def test_delta_neurons_fire_at_the_threshold_and_not_one_lsb_below() -> None:
    fired = counts(ReferenceCase.load("delta_ties"))
    for rest in ("rest0", "rest-70"):
        assert fired[f"{rest} miss-1"] == [0] * len(TIE_SPLITS)
        assert fired[f"{rest} miss+0"] == [1] * len(TIE_SPLITS)
        assert fired[f"{rest} miss+1"] == [1] * len(TIE_SPLITS)
    assert fired["threshold at rest"] == [1, 1]
    assert min(fired["ring miss+0"]) >= 5
    assert fired["ring miss-1"] == [0] * 10 + [1, 1]


def test_delta_input_counts_from_the_first_tick_after_refractoriness() -> None:
    fired = counts(ReferenceCase.load("delta_refractory"))
    for n_ref in REFRACTORY_TICKS:
        assert fired[f"full ref{n_ref}"] == [1] * n_ref + [2] * 4
        assert fired[f"half ref{n_ref}"] == [1] * n_ref + [2] * 4
        periods = range(1, n_ref + 5)
        assert fired[f"autapse ref{n_ref}"] == [1 if p <= n_ref else math.ceil(480 / p) for p in periods]


def test_delta_spikes_arrive_after_long_delays() -> None:
    case = ReferenceCase.load("delta_long_delays")
    tick, neuron = case.spike_tick, case.spike_neuron
    hub = tick[neuron == 0]
    assert hub.tolist() == [5, 40, 1500, 6000]
    for target, delay in enumerate(LONG_DELAYS[1:], start=2):
        assert np.array_equal(tick[neuron == target], hub + delay)


def test_exp_integrators_fire_in_the_tick_of_the_threshold_or_one_later() -> None:
    case = ReferenceCase.load("exp_ties")
    fired = counts(case)
    firsts = {n: case.spike_tick[case.spike_neuron == n].min(initial=999) for n in range(case.n_neurons)}
    for index, population in enumerate(case.populations):
        first = [firsts[n] for n in range(case.offsets[index], case.offsets[index + 1])]
        if population.name == "threshold at rest":
            assert fired[population.name] == [1, 1]
        elif population.name.startswith("switched"):
            assert first == ([999] if population.name.endswith("miss-1") else [62])
        else:
            assert first == [55 if population.name.endswith("miss-1") else 54] * len(TIE_SPLITS)


@pytest.mark.parametrize("name", ["exp_last_bit", "delta_last_bit"])
def test_last_bit_of_the_threshold_decides(name: str) -> None:
    case = ReferenceCase.load(name)
    assert [n for each in counts(case).values() for n in each] == [1, 0] * 6
    thresholds = case.per_neuron("v_threshold_mv")
    assert np.array_equal(np.nextafter(thresholds[::2], np.inf), thresholds[1::2])


def test_input_meanwhile_moves_the_spikes_after_refractoriness() -> None:
    case = ReferenceCase.load("exp_refractory")
    for first, end in zip(case.offsets, case.offsets[1:], strict=False):
        trains = [case.spike_tick[case.spike_neuron == neuron].tolist() for neuron in range(first, end)]
        # The input of the first neuron arrives together with the current that makes it fire.
        assert [train[0] for train in trains[1:]] == [21] * (len(trains) - 1)
        assert len({tuple(train) for train in trains}) > len(trains) / 2


@pytest.mark.parametrize("x", [-3.0, -0.7, -0.5, -1e-9, 0.0, 1e-300, 1e-9, 0.3, 0.6931, 2.0])
def test_expm1_agrees_with_the_library(x: float) -> None:
    assert expm1(x) == pytest.approx(math.expm1(x), rel=1e-15, abs=0.0)
    assert exp(x) == pytest.approx(math.exp(x), rel=2.3e-16, abs=0.0)


def test_p21_is_continuous_where_the_time_constants_meet() -> None:
    exact = p21(0.1, 10.0, 10.0, 250.0)
    assert exact == 0.1 * (1 / 250.0) * exp(-0.1 * (1 / 10.0))
    for tau in (10.0 * (1 - 2**-40), 10.0 * (1 + 2**-40), math.nextafter(10.0, 11.0)):
        assert p21(0.1, tau, 10.0, 250.0) == pytest.approx(exact, rel=1e-12)


def test_p21_is_the_integral_of_a_decaying_current() -> None:
    h, tau_syn, tau_m, c_m = 0.1, 0.5, 10.0, 250.0
    paper = (math.exp(-h / tau_m) - math.exp(-h / tau_syn)) / (1 / tau_syn - 1 / tau_m) / c_m
    assert p21(h, tau_syn, tau_m, c_m) == pytest.approx(paper, rel=1e-14)
