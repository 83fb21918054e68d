"""The cases' format, and that the language says the same as the case."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from network import Network, parse_network
from tests.reference import cases
from tests.reference.builder import CaseBuilder
from tests.reference.cases import DELTA, ReferenceCase, case_names

LONG = {"delta_recurrent", "exp_recurrent", "exp_time_constants"}
CASES = [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in case_names()]


def small_case() -> ReferenceCase:
    builder = CaseBuilder("small", DELTA, "for this test", n_ticks=20, lsb=0.25)
    first, second = builder.population("pair", 2, {"v_threshold_mv": 2.0}, v_mv=0.5)
    builder.synapse(second, first, -0.75, 3)
    builder.arrive(first, 8, 2.0, delay_ticks=5)
    builder.arrive_together(second, 9, [1.0, 1.0])
    spikes = {"spike_tick": np.array([8, 9]), "spike_neuron": np.array([0, 1])}
    return replace(builder.build(), **spikes)


def test_all_cases_are_committed() -> None:
    assert case_names() == [
        "delta_currents",
        "delta_last_bit",
        "delta_long_delays",
        "delta_recurrent",
        "delta_refractory",
        "delta_ties",
        "exp_currents",
        "exp_last_bit",
        "exp_recurrent",
        "exp_refractory",
        "exp_ties",
        "exp_time_constants",
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_language_says_the_same(name: str) -> None:
    case = ReferenceCase.load(name)
    network = parse_network(case.to_network())
    assert network.n_neurons == case.n_neurons + case.n_sources
    assert list(network.offsets.values()) == case.offsets.tolist()
    assert np.array_equal(synapses_of(network), synapses_of_case(case))
    times_ms = network.sources[0].times_ms
    ticks = [(network.ticks(t) - 1, case.n_neurons + i) for i, times in enumerate(times_ms) for t in times]
    assert sorted(ticks) == list(zip(case.input_tick.tolist(), case.input_neuron.tolist(), strict=True))


def synapses_of(network: Network) -> np.ndarray:
    """(4, n_synapses) source, target, weight, delay in ticks; sorted."""
    parts = []
    for projection in network.projections:
        explicit = projection.connectivity
        source = np.array(explicit.sources) + network.offsets[projection.source]
        target = np.array(explicit.targets) + network.offsets[projection.target]
        assert projection.receptor == "delta" or (projection.receptor == "excitatory") == (
            min(explicit.weights) > 0
        )
        ticks = [network.ticks(delay) for delay in explicit.delays_ms]
        parts.append(np.stack([source, target, np.array(explicit.weights), np.array(ticks)]))
    return in_order(np.concatenate(parts, axis=1))


def synapses_of_case(case: ReferenceCase) -> np.ndarray:
    return in_order(np.stack([case.source, case.target, case.weights, case.delay_ticks]).astype(float))


def in_order(rows: np.ndarray) -> np.ndarray:
    return rows[:, np.lexsort(rows)]


@pytest.mark.parametrize("name", case_names())
def test_spikes_are_in_order_within_the_run_and_once_only(name: str) -> None:
    case = ReferenceCase.load(name)
    tick, neuron = case.all_spikes()
    key = tick * (case.n_neurons + case.n_sources) + neuron
    assert np.all(np.diff(key) > 0)
    assert tick[-1] < case.n_ticks
    assert case.spike_tick.size > 0
    assert case.spike_neuron.max() < case.n_neurons <= case.input_neuron.min()


def test_a_saved_case_loads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "DATA", tmp_path)
    case = small_case()
    case.save()
    loaded = ReferenceCase.load("small")
    assert repr(loaded) == repr(case)
    assert loaded.populations == case.populations
    for key in ("weights", "source", "target", "delay_ticks", "input_tick", "input_neuron", "spike_tick"):
        assert np.array_equal(getattr(loaded, key), getattr(case, key))
    assert case_names() == ["small"]


def test_the_builder_sends_what_has_to_arrive() -> None:
    case = small_case()
    sent = dict(zip(case.input_neuron.tolist(), case.input_tick.tolist(), strict=True))
    arrivals = [
        (sent[source] + delay, target, weight)
        for source, target, weight, delay in zip(
            case.source.tolist(),
            case.target.tolist(),
            case.weights.tolist(),
            case.delay_ticks.tolist(),
            strict=True,
        )
        if source in sent
    ]
    assert sorted(arrivals) == [(8, 0, 2.0), (9, 1, 1.0), (9, 1, 1.0)]
    assert repr(case) == (
        "<ReferenceCase small: 2 neurons of lif_curr_delta, 4 synapses, 3 inputs, 20 ticks, 2 spikes>"
    )


def test_input_before_tick_0_is_refused() -> None:
    builder = CaseBuilder("early", DELTA, "for this test", n_ticks=20, lsb=0.25)
    message = "arrival in tick 2: must be sent in tick 0 or later, delay is 3; lower the delay"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        builder.arrive(0, 2, 1.0, delay_ticks=3)


def test_numbers_that_do_not_fit_the_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "DATA", tmp_path)
    wide = replace(small_case(), weight_lsb=2.0**-20, weight_step=np.array([1, 40000, 3, 4]))
    message = "case: an array must fit int16, got values from 1 to 40000; choose smaller numbers"
    with pytest.raises(OverflowError, match=f"^{re.escape(message)}$"):
        wide.save()
    assert case_names() == []
