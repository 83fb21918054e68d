"""Each of the builder's functions gives what is written by hand; arrays of NumPy are taken as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import spikerack.builder as build
from network import NetworkError, Population, parse_network
from network.schema import Description
from spikerack.builder import NetworkBuilder

SHA256 = "0" * 64
DECAY = {"kind": "distance_exponential", "scale": 0.5, "length_um": 100.0}
SYNAPSES = {"rule": "uploaded", "sha256": SHA256, "n": 0, "source_stop": 0, "target_stop": 0}

# What the builder returns, and the fields of it that are not left at their defaults.
PARTS: list[tuple[Description, dict[str, Any]]] = [
    (build.uniform(1, 2), {"kind": "uniform", "low": 1, "high": 2}),
    (build.normal(1, 2, low=0), {"kind": "normal", "mean": 1, "sd": 2, "low": 0}),
    (
        build.lognormal(0, 1, high=3, bounds="clip"),
        {"kind": "lognormal", "log_mean": 0, "log_sd": 1, "high": 3, "bounds": "clip"},
    ),
    (build.exponential(2, high=9), {"kind": "exponential", "mean": 2, "high": 9}),
    (build.gamma(2, 3, low=1), {"kind": "gamma", "shape": 2, "scale": 3, "low": 1}),
    (build.array(np.arange(6.0).reshape(2, 3)), {"kind": "array", "values": [0, 1, 2, 3, 4, 5]}),
    (build.array(range(3)), {"kind": "array", "values": [0, 1, 2]}),
    (build.distance_linear(1, -0.5), {"kind": "distance_linear", "at_zero": 1, "slope_per_um": -0.5}),
    (build.distance_exponential(0.5, np.float32(100)), DECAY),
    (
        build.distance_gaussian(1, 20, mean_um=5),
        {"kind": "distance_gaussian", "scale": 1, "sd_um": 20, "mean_um": 5},
    ),
    (
        build.sum_of(1, build.uniform(0, 1), low=0),
        {"kind": "sum", "of": [1, {"kind": "uniform", "low": 0, "high": 1}], "low": 0},
    ),
    (build.product_of(np.int64(2), high=3), {"kind": "product", "of": [2], "high": 3}),
    (build.one_to_one(), {"rule": "one_to_one"}),
    (build.all_to_all(allow_autapses=False), {"rule": "all_to_all", "allow_autapses": False}),
    (
        build.fixed_in_degree(3, allow_multapses=False),
        {"rule": "fixed_in_degree", "n": 3, "allow_multapses": False},
    ),
    (
        build.fixed_out_degree(3, allow_autapses=False),
        {"rule": "fixed_out_degree", "n": 3, "allow_autapses": False},
    ),
    (
        build.fixed_total_number(np.int32(3), allow_autapses=False, allow_multapses=False),
        {"rule": "fixed_total_number", "n": 3, "allow_autapses": False, "allow_multapses": False},
    ),
    (
        build.fixed_probability(0.1, allow_autapses=False),
        {"rule": "fixed_probability", "p": 0.1, "allow_autapses": False},
    ),
    (
        build.distance_dependent(build.distance_exponential(0.5, 100), radius_um=200, allow_autapses=False),
        {"rule": "distance_dependent", "p": DECAY, "radius_um": 200, "allow_autapses": False},
    ),
    (build.small_world(4, 0.1), {"rule": "small_world", "k": 4, "p_rewire": 0.1}),
    (
        build.convolution(np.arange(8).reshape(2, 1, 2, 2), (1, 4, 4), stride=(2, 1), padding=(0, 1)),
        {
            "rule": "convolution",
            "source_shape": [1, 4, 4],
            "kernel_shape": [2, 1, 2, 2],
            "kernel": [0, 1, 2, 3, 4, 5, 6, 7],
            "stride": [2, 1],
            "padding": [0, 1],
        },
    ),
    (
        build.convolution([[[[1, 2]]], [[[3, 4]]]], (2, 1, 5), dilation=(1, 2), groups=2),
        {
            "rule": "convolution",
            "source_shape": [2, 1, 5],
            "kernel_shape": [2, 1, 1, 2],
            "kernel": [1, 2, 3, 4],
            "dilation": [1, 2],
            "groups": 2,
        },
    ),
    (
        build.pooling((2, 3), (1, 4, 6)),
        {"rule": "pooling", "source_shape": [1, 4, 6], "window": [2, 3], "stride": [2, 3]},
    ),
    (
        build.pooling((2, 3), (1, 4, 6), stride=(1, 1), padding=(1, 0)),
        {"rule": "pooling", "source_shape": [1, 4, 6], "window": [2, 3], "padding": [1, 0]},
    ),
    (build.uploaded(SYNAPSES), SYNAPSES),
    (build.uploaded(build.uploaded(SYNAPSES)), SYNAPSES),
    (build.steps(np.array([0.0, 5.0]), (1, 2)), {"kind": "steps", "times_ms": [0, 5], "values": [1, 2]}),
    (build.ramp(1, 2, 3, 4), {"kind": "ramp", "start_ms": 1, "stop_ms": 2, "first": 3, "last": 4}),
    (
        build.sine(2, 10, offset=3, phase_degrees=90),
        {"kind": "sine", "amplitude": 2, "frequency_hz": 10, "offset": 3, "phase_degrees": 90},
    ),
    (
        build.grid_positions((2, 3), (100, 200), centre_um=(1, 2), periodic=True),
        {"kind": "grid", "shape": [2, 3], "extent_um": [100, 200], "centre_um": [1, 2], "periodic": True},
    ),
    (
        build.free_positions(*np.array([[1.0, 2.0], [3.0, 4.0]]).T, extent_um=(10, 10)),
        {
            "kind": "free",
            "coordinates_um": [{"kind": "array", "values": [1, 3]}, {"kind": "array", "values": [2, 4]}],
            "extent_um": [10, 10],
        },
    ),
    (
        build.free_positions(build.uniform(0, 1), 2, extent_um=(10, 10), centre_um=(5, 5), periodic=True),
        {
            "kind": "free",
            "coordinates_um": [{"kind": "uniform", "low": 0, "high": 1}, 2],
            "extent_um": [10, 10],
            "centre_um": [5, 5],
            "periodic": True,
        },
    ),
]


@pytest.mark.parametrize(("made", "fields"), PARTS, ids=range(len(PARTS)))
def test_parts(made: Description, fields: dict[str, Any]) -> None:
    assert made == type(made).model_validate(fields)


def test_every_function_of_the_builder_is_among_them() -> None:
    made = {getattr(part, "rule", getattr(part, "kind", "")) for part, _ in PARTS}
    renamed = {"grid_positions": "grid", "free_positions": "free", "sum_of": "sum", "product_of": "product"}
    elsewhere = {"explicit"}  # tests/spikerack/test_builder.py
    functions = {name for name in build.__all__ if name == name.lower()}
    assert {renamed.get(name, name) for name in functions} - made == elsewhere


def whole() -> NetworkBuilder:
    net = NetworkBuilder("whole", seed=3)
    line = build.grid_positions((4,), (100,))
    a = net.population(
        "a", 4, "lif_curr_exp", tau_m_ms=np.full(4, 10.0), initial={"v_mv": [1, 2, 3, 4]}, positions=line
    )
    course = build.steps([0], [1])
    a.receives_poisson(rate_hz=np.arange(4), weight=2, receptor="excitatory", modulation=course)
    a.receives_current([1, 2, 3, 4]).receives_current(5, waveform=course)
    a.receives_noise(sd_pa=3, interval_ms=1, mean_pa=2)
    p = net.poisson_source("p", 4, rate_hz=5, modulation=course, positions=line)
    q = net.correlated_poisson_source("q", 4, rate_hz=5, correlation=0.5, modulation=course, positions=line)
    net.spike_times_source("s", [np.array([1.0]), [], [2.0], ()], positions=line)
    answer = {"kind": "uploaded_spikes", "sha256": SHA256, "n": 2, "neuron_stop": 3}
    net.uploaded_spikes_source("u", 4, answer, positions=line)
    net.connect(
        p, a, build.all_to_all(), weight=np.arange(16).reshape(4, 4), delay_ms=0, axonal_delay_ms=1.5,
        receptor="excitatory", weight_bits=4,
    )  # fmt: skip
    named = net.connect(
        q, a, build.one_to_one(), weight=1, delay_ms=[1, 2, 3, 4], receptor="inhibitory",
        codebook=np.array([0.5, 1]), name="named",
    )  # fmt: skip
    net.record_spikes(a)
    net.record_spikes(q, neurons=range(1, 4, 2))
    net.record_weights(named, every_ms=10)
    net.record_weights("p->a", every_ms=10, sources=range(2), targets=range(1, 3))
    return net


LINE = {"kind": "grid", "shape": [4], "extent_um": [100]}
COURSE = {"kind": "steps", "times_ms": [0], "values": [1]}
WHOLE = {
    "name": "whole",
    "timestep_ms": 0.1,
    "seed": 3,
    "populations": [
        {
            "name": "a",
            "size": 4,
            "model": "lif_curr_exp",
            "parameters": {"tau_m_ms": {"kind": "array", "values": [10, 10, 10, 10]}},
            "initial": {"v_mv": {"kind": "array", "values": [1, 2, 3, 4]}},
            "inputs": [
                {
                    "kind": "poisson",
                    "rate_hz": {"kind": "array", "values": [0, 1, 2, 3]},
                    "weight": 2,
                    "receptor": "excitatory",
                    "modulation": COURSE,
                },
                {"kind": "dc", "current_pa": {"kind": "array", "values": [1, 2, 3, 4]}},
                {"kind": "current", "current_pa": 5, "waveform": COURSE},
                {"kind": "noise", "mean_pa": 2, "sd_pa": 3, "interval_ms": 1},
            ],
            "positions": LINE,
        }
    ],
    "sources": [
        {"kind": "poisson", "name": "p", "size": 4, "rate_hz": 5, "modulation": COURSE, "positions": LINE},
        {
            "kind": "correlated_poisson",
            "name": "q",
            "size": 4,
            "rate_hz": 5,
            "correlation": 0.5,
            "modulation": COURSE,
            "positions": LINE,
        },
        {"kind": "spike_times", "name": "s", "size": 4, "times_ms": [[1], [], [2], []], "positions": LINE},
        {
            "kind": "uploaded_spikes",
            "name": "u",
            "size": 4,
            "sha256": SHA256,
            "n": 2,
            "neuron_stop": 3,
            "positions": LINE,
        },
    ],
    "projections": [
        {
            "source": "p",
            "target": "a",
            "connectivity": {"rule": "all_to_all"},
            "weight": {"kind": "array", "values": list(range(16))},
            "delay_ms": 0,
            "axonal_delay_ms": 1.5,
            "receptor": "excitatory",
            "weight_bits": 4,
        },
        {
            "name": "named",
            "source": "q",
            "target": "a",
            "connectivity": {"rule": "one_to_one"},
            "weight": 1,
            "delay_ms": {"kind": "array", "values": [1, 2, 3, 4]},
            "receptor": "inhibitory",
            "codebook": [0.5, 1],
        },
    ],
    "recordings": [
        {"kind": "spikes", "population": "a"},
        {"kind": "spikes", "population": "q", "neurons": {"start": 1, "stop": 4, "step": 2}},
        {"kind": "weights", "projection": "named", "interval_ms": 10},
        {
            "kind": "weights",
            "projection": "p->a",
            "interval_ms": 10,
            "sources": {"start": 0, "stop": 2},
            "targets": {"start": 1, "stop": 3},
        },
    ],
}


def test_a_whole_network_equals_the_one_written_by_hand() -> None:
    assert whole().build() == parse_network(WHOLE)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: build.convolution(np.zeros((2, 2)), (1, 4, 4)),
        "convolution.kernel must be an array of 4 dimensions, got shape (2, 2); "
        "give the weights by out, in, row and column",
    ),
    (
        lambda: build.convolution([[1], [2, 3]], (1, 4, 4)),  # type: ignore[list-item]
        "convolution.kernel must be an array of 4 dimensions, got [[1], [2, 3]]; "
        "give the weights by out, in, row and column",
    ),
    (lambda: build.array(["1"]), "array.values[0] must be a number, got '1'; give the values"),
    (
        lambda: build.sum_of(),
        "sum_of.of must not be empty, got []; give the terms, one to four",
    ),
    (
        lambda: build.uploaded({**SYNAPSES, "sha256": "x"}),
        "uploaded.sha256 must be 64 hexadecimal digits in lower case, got 'x'; "
        "give the SHA-256 of the arrays, 64 hexadecimal digits",
    ),
    (
        lambda: whole().record_weights("named", every_ms=1, targets=range(3, 0, -1)),
        "recordings[4].targets.step must be >= 1, got -1; give the step from neuron to neuron",
    ),
]


@pytest.mark.parametrize(("statement", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_message(statement: Callable[[], object], expected: str) -> None:
    with pytest.raises(NetworkError) as caught:
        statement()
    assert str(caught.value) == expected


def test_an_untouched_population_is_plain() -> None:
    net = NetworkBuilder("plain")
    net.population("a", 3, "m")
    assert net.build().populations == (Population(name="a", size=3, model="m"),)
