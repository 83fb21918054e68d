"""What the chips know of a network: every refusal, whole."""

from __future__ import annotations

from typing import Any

import pytest

from chip.laws import REACH_SD
from cluster import check
from network import NetworkError, parse_network
from tests.cluster.samples import everything, pair

EXP = ("populations", 0)
DELTA = ("populations", 2)
PARAMETERS_OF_EXP = (
    "v_rest_mv, v_threshold_mv, v_reset_mv, c_m_pf, tau_m_ms, t_ref_ms, i_offset_pa, tau_syn_ex_ms, "
    "tau_syn_in_ms"
)
FIRES_WITHOUT_END = "lower it, or the neuron fires without end"
MAGNITUDE_RULE = "must be of a magnitude of at most 1e+30 at its largest"
WEIGHT_RULE = "must be 0 or of a magnitude from 1e-09 to 1e+09 at its largest"


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    network = everything()
    place: Any = network
    for step in path[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[path[-1]] = value
    return network


def normal(mean: float, sd: float, **bounds: Any) -> dict[str, Any]:
    return {"kind": "normal", "mean": mean, "sd": sd, **bounds}


CASES = [
    (
        (*EXP, "model"),
        "hodgkin_huxley",
        "populations[0].model must be one of lif_curr_delta, lif_curr_exp, got 'hodgkin_huxley'; "
        "choose one of them",
    ),
    (
        (*EXP, "parameters", "tau_x_ms"),
        10,
        "populations[0].parameters.tau_x_ms must be a parameter of lif_curr_exp, got 'tau_x_ms'; "
        f"use {PARAMETERS_OF_EXP}",
    ),
    (
        (*DELTA, "parameters", "tau_syn_ex_ms"),
        0.5,
        "populations[2].parameters.tau_syn_ex_ms must be a parameter of lif_curr_delta, got 'tau_syn_ex_ms'; "
        "use v_rest_mv, v_threshold_mv, v_reset_mv, c_m_pf, tau_m_ms, t_ref_ms, i_offset_pa",
    ),
    (
        (*EXP, "parameters", "t_ref_ms"),
        -1,
        "populations[0].parameters.t_ref_ms must be >= 0, got -1; raise it",
    ),
    (
        (*EXP, "parameters", "tau_m_ms"),
        0,
        "populations[0].parameters.tau_m_ms must be >= 1e-06, got 0; raise it",
    ),
    (
        (*EXP, "parameters", "c_m_pf"),
        {"kind": "uniform", "low": -2, "high": 300},
        "populations[0].parameters.c_m_pf must be >= 0.001, got draws down to -2; "
        "give the distribution a lower bound",
    ),
    (
        (*EXP, "parameters", "tau_m_ms"),
        normal(10, 2.5),
        f"populations[0].parameters.tau_m_ms must be >= 1e-06, got draws down to {10 - 2.5 * REACH_SD:g}; "
        "give the distribution a lower bound",
    ),
    (
        (*EXP, "parameters", "v_reset_mv"),
        -50,
        f"populations[0].parameters.v_reset_mv must be < v_threshold_mv, -50, got -50; {FIRES_WITHOUT_END}",
    ),
    (
        (*EXP, "parameters", "v_threshold_mv"),
        {"kind": "uniform", "low": -66, "high": -50},
        f"populations[0].parameters.v_reset_mv must be < v_threshold_mv, -66, got -65; {FIRES_WITHOUT_END}",
    ),
    (
        (*DELTA, "parameters", "v_reset_mv"),
        {"kind": "uniform", "low": -70, "high": -54},
        f"populations[2].parameters.v_reset_mv must be < v_threshold_mv, -55, got -54; {FIRES_WITHOUT_END}",
    ),
    (
        (*EXP, "initial", "w"),
        1,
        "populations[0].initial.w must be a state variable of lif_curr_exp, got 'w'; "
        "use v_mv, i_ex_pa, i_in_pa",
    ),
    (
        (*EXP, "inputs", 0, "receptor"),
        "delta",
        "populations[0].inputs[0].receptor must be a receptor of lif_curr_exp, got 'delta'; "
        "use excitatory, inhibitory",
    ),
    (
        (*EXP, "inputs", 0, "rate_hz"),
        {"kind": "uniform", "low": 0, "high": 5.5e6},
        "populations[0].inputs[0].rate_hz must be at most 500 events a tick, got 550; "
        "lower the rate and raise the weight, or shorten the timestep",
    ),
    (
        ("projections", 0, "receptor"),
        None,
        "projections[0].receptor must be a receptor of lif_curr_exp, got None; use excitatory, inhibitory",
    ),
    (
        ("projections", 3, "receptor"),
        "excitatory",
        "projections[3].receptor must be a receptor of lif_curr_delta, got 'excitatory'; use delta",
    ),
    (
        ("projections", 0, "weight"),
        -2e9,
        f"projections[0].weight {WEIGHT_RULE}, got 2e+09; check the unit",
    ),
    (
        ("projections", 0, "weight"),
        normal(0, 1e-12),
        f"projections[0].weight {WEIGHT_RULE}, got {1e-12 * REACH_SD:g}; check the unit",
    ),
    (
        (*EXP, "inputs", 0, "weight"),
        1e308,
        f"populations[0].inputs[0].weight {WEIGHT_RULE}, got 1e+308; check the unit",
    ),
    (
        (*EXP, "parameters", "tau_m_ms"),
        {"kind": "array", "values": [10.0] * 119 + [0.0]},
        "populations[0].parameters.tau_m_ms must be >= 1e-06, got values down to 0; raise it",
    ),
    (
        (*EXP, "parameters", "tau_m_ms"),
        {"kind": "sum", "of": [1, {"kind": "uniform", "low": -2, "high": 3}]},
        "populations[0].parameters.tau_m_ms must be >= 1e-06, got values down to -1; give it a low",
    ),
    (
        (*EXP, "parameters", "c_m_pf"),
        -1e31,
        f"populations[0].parameters.c_m_pf {MAGNITUDE_RULE}, got 1e+31; check the unit",
    ),
    (
        (*EXP, "initial", "v_mv"),
        {"kind": "product", "of": [-1e200, {"kind": "uniform", "low": 0, "high": 1e100}]},
        f"populations[0].initial.v_mv {MAGNITUDE_RULE}, got 1e+300; check the unit",
    ),
    (
        (*EXP, "inputs", 1, "current_pa"),
        {"kind": "uniform", "low": -2e30, "high": 0},
        f"populations[0].inputs[1].current_pa {MAGNITUDE_RULE}, got 2e+30; check the unit",
    ),
    (
        (*EXP, "inputs", 1),
        {
            "kind": "current",
            "current_pa": 1e20,
            "waveform": {"kind": "sine", "amplitude": -1e20, "frequency_hz": 1},
        },
        f"populations[0].inputs[1].current_pa {MAGNITUDE_RULE}, got 1e+40; check the unit",
    ),
    (
        (*EXP, "inputs", 1),
        {"kind": "noise", "sd_pa": 1e30, "interval_ms": 1},
        f"populations[0].inputs[1].sd_pa {MAGNITUDE_RULE}, got 9e+30; check the unit",
    ),
    (
        (*EXP, "inputs", 0, "modulation"),
        {"kind": "steps", "times_ms": [0, 5], "values": [1, 500]},
        "populations[0].inputs[0].rate_hz must be at most 500 events a tick where the modulation is "
        "greatest, got 600; lower the rate and raise the weight, or shorten the timestep",
    ),
    (
        ("projections", 0, "weight"),
        {"kind": "product", "of": [1e6, {"kind": "exponential", "mean": 1e6}]},
        f"projections[0].weight {WEIGHT_RULE}, got 7e+12; check the unit",
    ),
    (
        ("projections", 6, "connectivity", "weights"),
        [1.5, -2, 3e9],
        f"projections[6].connectivity.weights {WEIGHT_RULE}, got 3e+09; check the unit",
    ),
    (
        ("projections", 6, "connectivity"),
        {
            "rule": "uploaded",
            "sha256": "0" * 64,
            "n": 3,
            "source_stop": 3,
            "target_stop": 50,
            "weights": [-2e10, 1],
            "delays_ms": [0.4, 6],
        },
        f"projections[6].connectivity.weights {WEIGHT_RULE}, got 2e+10; check the unit",
    ),
    (
        ("projections", 2, "codebook"),
        [-60, -20, 0.5, -20],
        "projections[2].codebook[3] must be unique, got -20 like projections[2].codebook[1]; remove one",
    ),
    (
        ("projections", 2, "codebook"),
        [-1e10, 0, -1e-10, 1e-9],
        "projections[2].codebook[0] must be 0 or of a magnitude from 1e-09 to 1e+09, got 1e+10; "
        "check the unit\n"
        "projections[2].codebook[2] must be 0 or of a magnitude from 1e-09 to 1e+09, got 1e-10; "
        "check the unit",
    ),
    (
        (*EXP, "parameters", "tau_m_ms"),
        5e-324,
        "populations[0].parameters.tau_m_ms must be >= 1e-06, got 4.94066e-324; raise it",
    ),
    (
        (*EXP, "parameters", "tau_syn_in_ms"),
        1e-4,
        "populations[0].parameters.tau_syn_in_ms must be at least 0.002 times timestep_ms, 0.1, got 0.0001; "
        "raise it",
    ),
    (
        (*EXP, "parameters", "tau_syn_ex_ms"),
        2e20,
        "populations[0].parameters.tau_syn_ex_ms must be <= 1e+20, got 2e+20; lower it",
    ),
    (
        (*EXP, "parameters", "t_ref_ms"),
        {"kind": "uniform", "low": 0, "high": 2e6},
        "populations[0].parameters.t_ref_ms must be at most 16777216 times timestep_ms, 0.1, "
        "got draws up to 2e+06; give the distribution an upper bound",
    ),
    (
        (*EXP, "parameters", "c_m_pf"),
        {"kind": "product", "of": [1e12, {"kind": "uniform", "low": 1, "high": 2}]},
        "populations[0].parameters.c_m_pf must be <= 1e+12, got values up to 2e+12; give it a high",
    ),
    (
        (*EXP, "parameters", "c_m_pf"),
        {"kind": "array", "values": [250.0] * 119 + [3e12]},
        "populations[0].parameters.c_m_pf must be <= 1e+12, got values up to 3e+12; lower it",
    ),
    (
        ("projections", 6, "weight_bits"),
        1,
        "projections[6].weight_bits must be at least 2 for weights of both signs, from -2 to 3, got 1; "
        "give 2 bits, or a codebook",
    ),
    (
        ("recordings", 0, "variables"),
        ["v_mv", "refractory"],
        "recordings[0].variables[1] must be a state variable of lif_curr_exp, got 'refractory'; "
        "use v_mv, i_ex_pa, i_in_pa",
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), CASES, ids=[case[2][:70] for case in CASES])
def test_a_refusal_says_where_what_and_what_to_do(
    path: tuple[str | int, ...], value: Any, expected: str
) -> None:
    network = parse_network(changed(path, value))
    with pytest.raises(NetworkError) as caught:
        check(network)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "as it is"),
        ((*EXP, "parameters", "t_ref_ms"), 0),
        ((*EXP, "parameters", "t_ref_ms"), 1.6e6),
        ((*EXP, "parameters", "tau_syn_ex_ms"), 2e-4),
        ((*EXP, "parameters", "tau_m_ms"), 1e20),
        ((*EXP, "parameters", "c_m_pf"), 1e-3),
        ((*EXP, "parameters", "tau_m_ms"), normal(10, 2.5, low=0.1)),
        ((*EXP, "parameters", "tau_m_ms"), normal(10, 2.5, low=0.1, bounds="clip")),
        ((*EXP, "parameters", "v_reset_mv"), -50.001),
        ((*EXP, "inputs", 0, "rate_hz"), 5e6),
        (("projections", 3, "receptor"), "delta"),
        (("projections", 0, "weight"), 0),
        (("projections", 0, "weight"), -1e9),
        ((*EXP, "parameters", "tau_m_ms"), {"kind": "array", "values": [10.0] * 119 + [0.5]}),
        ((*EXP, "parameters", "tau_m_ms"), {"kind": "sum", "of": [1, normal(1, 9)], "low": 0.1}),
        ((*EXP, "initial", "i_ex_pa"), -1e30),
        ((*EXP, "inputs", 0, "modulation"), {"kind": "sine", "offset": 1, "amplitude": 1, "frequency_hz": 9}),
        (("projections", 2, "weight_bits"), 1),
        (("projections", 3, "weight_bits"), 1),
        (("projections", 6, "weight_bits"), 2),
        (("projections", 2, "codebook"), [5, -1e9]),
        (("projections", 0, "weight"), {"kind": "lognormal", "log_mean": 0, "log_sd": 4}),
        (("recordings", 0), {"kind": "spikes", "population": "probe"}),
        (("recordings", 0), {"kind": "weights", "projection": "exc->exc", "interval_ms": 1}),
    ],
)
def test_what_just_holds_is_taken(path: tuple[str | int, ...], value: Any) -> None:
    check(parse_network(changed(path, value)))


def test_all_that_is_wrong_is_said_at_once() -> None:
    network = changed((*EXP, "parameters", "t_ref_ms"), -1)
    network["populations"][1]["model"] = "izhikevich"
    network["recordings"][1]["variables"] = ["u_mv"]
    with pytest.raises(NetworkError) as caught:
        check(parse_network(network))
    assert [path for path, _ in caught.value.errors] == [
        "populations[0].parameters.t_ref_ms",
        "populations[1].model",
        "recordings[1].variables[0]",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"kind": "distance_linear", "at_zero": 300, "slope_per_um": -0.5},
            "populations[0].parameters.c_m_pf must be >= 0.001, got values down to -300; "
            "make it the term of a sum with a low",
        ),
        ({"kind": "distance_linear", "at_zero": 300, "slope_per_um": -0.4}, None),
        (
            {
                "kind": "sum",
                "of": [{"kind": "distance_linear", "at_zero": 300, "slope_per_um": -1}],
                "low": 1,
            },
            None,
        ),
    ],
)
def test_functions_of_distance_reach_as_far_as_the_positions(value: Any, expected: str | None) -> None:
    """The ends of a line are half its length from its centre."""
    network = changed((*EXP, "parameters", "c_m_pf"), value)
    network["populations"][0]["positions"] = {"kind": "grid", "shape": [120], "extent_um": [1200]}
    if expected is not None:
        network["populations"][0]["positions"]["extent_um"] = [2400]
    described = parse_network(network)
    if expected is None:
        check(described)
        return
    with pytest.raises(NetworkError) as caught:
        check(described)
    assert str(caught.value) == expected


def test_defaults_must_suit_the_timestep() -> None:
    network = parse_network(pair(timestep_ms=1000.0, projections=[]))
    with pytest.raises(NetworkError) as caught:
        check(network)
    rule = "must be at least 0.002 times timestep_ms, 1000, got 0.5; raise it"
    assert str(caught.value) == (
        f"populations[0].parameters.tau_syn_ex_ms {rule}\npopulations[0].parameters.tau_syn_in_ms {rule}"
    )
    check(parse_network(pair(timestep_ms=250.0, projections=[])))


def test_an_empty_population_takes_empty_arrays() -> None:
    nothing = {"kind": "array", "values": []}
    population = {"name": "a", "size": 0, "model": "lif_curr_exp", "parameters": {"c_m_pf": nothing}}
    check(parse_network({"name": "n", "timestep_ms": 0.1, "seed": 1, "populations": [population]}))
