from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from network import Network, NetworkError, Normal, parse_network
from spikerack.builder import (
    NetworkBuilder,
    all_to_all,
    explicit,
    fixed_in_degree,
    fixed_total_number,
    normal,
    one_to_one,
    uniform,
)

HAND_WRITTEN = """
{"name": "methods", "timestep_ms": 0.1, "seed": 7,
 "populations": [
   {"name": "exc", "size": 800, "model": "lif_curr_exp",
    "parameters": {"tau_m_ms": 20, "t_ref_ms": {"kind": "uniform", "low": 1, "high": 2}},
    "initial": {"v_mv": {"kind": "normal", "mean": -58, "sd": 5}},
    "inputs": [{"kind": "poisson", "rate_hz": 12800, "weight": 87.81, "receptor": "excitatory"},
               {"kind": "dc", "current_pa": 100}]},
   {"name": "inh", "size": 200, "model": "lif_curr_exp"}],
 "sources": [
   {"kind": "poisson", "name": "drive", "size": 200, "rate_hz": 8},
   {"kind": "spike_times", "name": "probe", "size": 2, "times_ms": [[1.0, 2.5], []]}],
 "projections": [
   {"source": "exc", "target": "inh", "connectivity": {"rule": "fixed_in_degree", "n": 100},
    "weight": {"kind": "normal", "mean": 87.81, "sd": 8.781, "low": 0, "bounds": "redraw"},
    "delay_ms": {"kind": "uniform", "low": 1, "high": 2}, "receptor": "excitatory"},
   {"source": "inh", "target": "exc", "connectivity": {"rule": "fixed_total_number", "n": 5000},
    "weight": -300, "delay_ms": 0.8, "receptor": "inhibitory"},
   {"source": "inh", "target": "inh", "connectivity": {"rule": "all_to_all"},
    "weight": -1, "delay_ms": 0.8, "receptor": "inhibitory", "name": "lateral"},
   {"source": "drive", "target": "inh", "connectivity": {"rule": "one_to_one"},
    "weight": 50, "delay_ms": 1.5, "receptor": "excitatory"},
   {"source": "probe", "target": "exc",
    "connectivity": {"rule": "explicit", "sources": [0, 1], "targets": [4, 5],
                     "weights": [1.5, 2.5], "delays_ms": [0.1, 0.2]},
    "receptor": "excitatory"}],
 "recordings": [
   {"kind": "state", "population": "exc", "variables": ["v_mv", "i_ex_pa"],
    "neurons": {"start": 0, "stop": 10, "step": 2}, "interval_ms": 1},
   {"kind": "state", "population": "inh", "variables": ["v_mv"],
    "neurons": {"start": 0, "stop": 200}, "interval_ms": 0.5}]}
"""


def methods() -> NetworkBuilder:
    net = NetworkBuilder("methods", timestep_ms=0.1, seed=7)
    exc = net.population(
        "exc", 800, "lif_curr_exp", tau_m_ms=20, t_ref_ms=uniform(1, 2), initial={"v_mv": normal(-58, 5)}
    )
    inh = net.population("inh", 200, "lif_curr_exp")
    exc.receives_poisson(rate_hz=12_800, weight=87.81, receptor="excitatory").receives_current(100)
    drive = net.poisson_source("drive", 200, rate_hz=8)
    probe = net.spike_times_source("probe", [[1.0, 2.5], []])
    net.connect(
        exc,
        inh,
        fixed_in_degree(100),
        weight=normal(87.81, 8.781, low=0),
        delay_ms=uniform(1, 2),
        receptor="excitatory",
    )
    net.connect(inh, exc, fixed_total_number(5000), weight=-300, delay_ms=0.8, receptor="inhibitory")
    net.connect("inh", "inh", all_to_all(), weight=-1, delay_ms=0.8, receptor="inhibitory", name="lateral")
    net.connect(drive, inh, one_to_one(), weight=50, delay_ms=1.5, receptor="excitatory")
    net.connect(
        probe,
        exc,
        explicit([0, 1], [4, 5], weights=[1.5, 2.5], delays_ms=[0.1, 0.2]),
        receptor="excitatory",
    )
    net.record(exc, "v_mv", "i_ex_pa", every_ms=1, neurons=range(0, 10, 2))
    net.record(inh, "v_mv", every_ms=0.5)
    return net


def test_equals_the_json_written_by_hand() -> None:
    assert methods().build() == parse_network(HAND_WRITTEN)


def test_building_again_gives_the_same_and_the_builder_goes_on() -> None:
    net = methods()
    before = net.build()
    assert net.build() == before
    net.population("late", 1, "lif_curr_exp")
    assert [member.name for member in net.build().populations] == ["exc", "inh", "late"]
    assert [member.name for member in before.populations] == ["exc", "inh"]


def test_numpy_is_taken_as_it_is() -> None:
    def build(number: Callable[[Any], Any], array: Callable[[Any], Any]) -> Network:
        net = NetworkBuilder("numpy", timestep_ms=number(0.5), seed=number(3))
        exc = net.population("exc", number(5), "lif_curr_exp", tau_m_ms=number(10.5))
        probe = net.spike_times_source("probe", [array([0.5, 1.5]), array([1.0])])
        rule = explicit(array([0, 1]), [number(2), number(3)], delays_ms=array([0.5, 1.0]))
        net.connect(probe, exc, rule, weight=number(1.5))
        return net.build()

    def plain(value: Any) -> Any:
        return value

    def scalar(value: Any) -> Any:
        return np.asarray(value)[()]

    assert build(scalar, np.asarray) == build(plain, plain)
    assert build(scalar, np.asarray).model_dump_json() == build(plain, plain).model_dump_json()


def test_iterables_are_taken_as_they_are() -> None:
    assert explicit(range(3), (n + 1 for n in range(3))) == explicit([0, 1, 2], [1, 2, 3])


def test_values() -> None:
    assert normal(1, 2, high=3, bounds="clip") == Normal(mean=1, sd=2, high=3, bounds="clip")


def test_the_result_is_json() -> None:
    assert json.loads(methods().build().model_dump_json())["name"] == "methods"


def test_repr() -> None:
    net = methods()
    assert repr(net) == "NetworkBuilder('methods', 2 populations, 2 sources, 5 projections)"
    assert repr(net.population("a", 3, "m")) == "PopulationBuilder('a', 3)"
    assert repr(net.poisson_source("b", 4, rate_hz=1)) == "SourceBuilder('b', 4)"


REFUSED: list[tuple[Callable[[NetworkBuilder], object], str]] = [
    (lambda _: uniform(2, 1), "uniform.low must be <= high, 1, got 2; swap them"),
    (lambda _: normal(0, -1), "normal.sd must be >= 0, got -1; give the standard deviation"),
    (
        lambda _: fixed_in_degree(1.5),  # type: ignore[arg-type]
        "fixed_in_degree.n must be a whole number, got 1.5; give the synapses onto each neuron",
    ),
    (
        lambda _: explicit([0], [1, 2]),
        "explicit.targets must have as many entries as sources, 1, got 2; give one entry for each synapse",
    ),
    (
        lambda net: net.population("more", -1, "lif_curr_exp"),
        "populations[2].size must be >= 0, got -1; give the number of neurons",
    ),
    (
        lambda net: net.population("more", 1, "lif_curr_exp").receives_poisson(rate_hz=-1, weight=1),
        "populations[2].inputs[0].rate_hz must be >= 0, got -1; raise its lowest value",
    ),
    (
        lambda net: net.poisson_source("more", 1, rate_hz=-1),
        "sources[2].rate_hz must be >= 0, got -1; give the rate of each neuron in Hz",
    ),
    (
        lambda net: net.connect("exc", "exc", all_to_all(), weight=1),
        "projections[5].delay_ms must be given, got nothing; "
        "add delay_ms, or connectivity.delays_ms of the explicit rule",
    ),
    (
        lambda net: net.record(net.population("more", 3, "m"), "v_mv", every_ms=1, neurons=range(3, 0, -1)),
        "recordings[2].neurons.step must be >= 1, got -1; give the step from neuron to neuron",
    ),
]


@pytest.mark.parametrize(("statement", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_a_wrong_statement_is_refused_where_it_stands(
    statement: Callable[[NetworkBuilder], object], message: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        statement(methods())
    assert str(caught.value) == message


def test_a_refused_statement_changes_nothing() -> None:
    net = methods()
    before = net.build()
    for statement in (
        lambda: net.population("more", -1, "lif_curr_exp"),
        lambda: net.poisson_source("more", 1, rate_hz=-1),
        lambda: net.connect("exc", "exc", all_to_all(), weight=1),
    ):
        with pytest.raises(NetworkError):
            statement()
    assert net.build() == before


def test_what_does_not_fit_together_is_refused_by_build() -> None:
    net = methods()
    net.connect("exc", "drive", all_to_all(), weight=1, delay_ms=0.25)
    with pytest.raises(NetworkError) as caught:
        net.build()
    assert str(caught.value) == (
        "projections[5].target must name a population, got source 'drive'; sources only emit spikes\n"
        "projections[5].delay_ms must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3"
    )
