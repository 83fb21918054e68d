"""Small networks that use much of the language, and plans of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from cluster import SYSTEMS, DeployOptions
from cluster.placement import Placement
from cluster.plan import Plan
from network import Network, parse_network
from spikerack.arrays import save

RACK = SYSTEMS["rack-8x8"]

_EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "timestep_ms": 0.1,
    "seed": 7,
    "populations": [
        {
            "name": "exc",
            "size": 120,
            "model": "lif_curr_exp",
            "parameters": {
                "tau_m_ms": {"kind": "uniform", "low": 9, "high": 11},
                "i_offset_pa": {"kind": "normal", "mean": 20, "sd": 5},
            },
            "initial": {"v_mv": {"kind": "normal", "mean": -58, "sd": 5}},
            "inputs": [
                {
                    "kind": "poisson",
                    "rate_hz": {"kind": "uniform", "low": 8000, "high": 12000},
                    "weight": 87.81,
                    "receptor": "excitatory",
                },
                {"kind": "dc", "current_pa": {"kind": "uniform", "low": 0, "high": 100}},
            ],
        },
        {
            "name": "inh",
            "size": 40,
            "model": "lif_curr_exp",
            "parameters": {"v_threshold_mv": -51, "t_ref_ms": 1},
            "inputs": [{"kind": "poisson", "rate_hz": 9000, "weight": 87.81, "receptor": "excitatory"}],
        },
        {
            "name": "leaky",
            "size": 50,
            "model": "lif_curr_delta",
            "parameters": {"v_threshold_mv": {"kind": "normal", "mean": -52, "sd": 1, "low": -55}},
            "inputs": [
                {"kind": "poisson", "rate_hz": 6000, "weight": 0.25},
                {"kind": "dc", "current_pa": 50},
            ],
        },
    ],
    "sources": [
        {"kind": "poisson", "name": "drive", "size": 30, "rate_hz": 100.0},
        {"kind": "spike_times", "name": "probe", "size": 3, "times_ms": [[0.1, 2.5, 50], [], [7.7]]},
    ],
    "projections": [
        {
            "source": "exc",
            "target": "inh",
            "connectivity": {"rule": "fixed_in_degree", "n": 20},
            "weight": {"kind": "normal", "mean": 87.81, "sd": 8.781, "low": 0},
            "delay_ms": {"kind": "uniform", "low": 1, "high": 2},
            "receptor": "excitatory",
        },
        {
            "source": "exc",
            "target": "exc",
            "connectivity": {"rule": "fixed_total_number", "n": 1500},
            "weight": {"kind": "normal", "mean": 87.81, "sd": 30, "low": 0, "bounds": "clip"},
            "delay_ms": {"kind": "normal", "mean": 1.5, "sd": 0.75, "low": 0.4},
            "receptor": "excitatory",
        },
        {
            "source": "inh",
            "target": "exc",
            "connectivity": {"rule": "all_to_all"},
            "weight": {"kind": "uniform", "low": -60, "high": -20},
            "delay_ms": 0.8,
            "receptor": "inhibitory",
        },
        {
            "source": "exc",
            "target": "leaky",
            "connectivity": {"rule": "fixed_in_degree", "n": 10},
            "weight": {"kind": "uniform", "low": 0.1, "high": 0.5},
            "delay_ms": 1.5,
        },
        {
            "source": "leaky",
            "target": "leaky",
            "connectivity": {"rule": "one_to_one"},
            "weight": -0.25,
            "delay_ms": 20,
        },
        {
            "source": "drive",
            "target": "exc",
            "connectivity": {"rule": "fixed_total_number", "n": 600},
            "weight": 100,
            "delay_ms": 1,
            "receptor": "excitatory",
        },
        {
            "source": "probe",
            "target": "leaky",
            "connectivity": {
                "rule": "explicit",
                "sources": [0, 0, 2],
                "targets": [3, 49, 7],
                "weights": [1.5, -2, 3],
                "delays_ms": [0.4, 1.5, 6],
            },
        },
    ],
    "recordings": [
        {
            "kind": "state",
            "population": "exc",
            "variables": ["v_mv", "i_ex_pa"],
            "neurons": {"start": 1, "stop": 118, "step": 9},
            "interval_ms": 0.5,
        },
        {
            "kind": "state",
            "population": "leaky",
            "variables": ["v_mv"],
            "neurons": {"start": 0, "stop": 3, "step": 1},
            "interval_ms": 0.1,
        },
    ],
}


def everything(**changes: Any) -> dict[str, Any]:
    """243 neurons of both models that fire: each rule, distribution, input, source; top fields replaced.

    The least delay is 4 ticks, so epochs are of several ticks.
    """
    return {**copy.deepcopy(_EVERYTHING), **changes}


def everything_network(**changes: Any) -> Network:
    return parse_network(everything(**changes))


def pair(**changes: Any) -> dict[str, Any]:
    """Two populations of ten, `first` onto `second`, top fields replaced."""
    network = {
        "name": "pair",
        "timestep_ms": 1.0,
        "seed": 3,
        "populations": [
            {"name": "first", "size": 10, "model": "lif_curr_exp"},
            {"name": "second", "size": 10, "model": "lif_curr_delta"},
        ],
        "projections": [
            {
                "source": "first",
                "target": "second",
                "connectivity": {"rule": "all_to_all"},
                "weight": 1,
                "delay_ms": 3,
            }
        ],
    }
    return {**network, **changes}


def empty_in_space() -> dict[str, Any]:
    """Two empty populations on a grid, the first joined with itself and the second by distance."""
    grid = {"kind": "grid", "shape": [0], "extent_um": [100]}
    kernel = {"kind": "distance_exponential", "scale": 1, "length_um": 50}
    network = pair()
    for population in network["populations"]:
        population |= {"size": 0, "positions": grid}
    network["projections"][0]["connectivity"] = {"rule": "distance_dependent", "p": kernel}
    network["projections"].append(network["projections"][0] | {"target": "first", "receptor": "excitatory"})
    return network


def overloaded(folder: Path) -> dict[str, Any]:
    """The pair, with 100,000 weights of 21,845 LSBs onto one neuron: more than a slot can hold.

    They are uploaded to `folder`: what a description lists or draws would be laid out so that it fits.
    """
    network, n = pair(), 100_000
    network["populations"][1]["size"] = 1000
    rule = save(folder, sources=[0] * n, targets=[0] * n, weights=[1 / 3] * n).model_dump()
    network["projections"] = [{"source": "first", "target": "second", "connectivity": rule, "delay_ms": 1}]
    return network


def plan_of(network: Network, chips: int = 1, **options: Any) -> Plan:
    """A plan on the large rack."""
    return Plan(network, RACK, DeployOptions(chips=chips, **options))


def placed(network: Network, placement: Placement) -> Plan:
    """A plan with a placement by hand."""
    plan = plan_of(network, len(placement))
    plan.__dict__["placement"] = placement
    return plan
