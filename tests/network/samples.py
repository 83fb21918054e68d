"""A network that uses each part of the language once, and a way to break it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from network import NetworkError, parse_network

_DEMO: dict[str, Any] = {
    "name": "demo",
    "timestep_ms": 0.1,
    "seed": 1,
    "populations": [
        {
            "name": "exc",
            "size": 800,
            "model": "lif_curr_exp",
            "parameters": {"tau_m_ms": 10.0, "t_ref_ms": {"kind": "uniform", "low": 1, "high": 2}},
            "initial": {"v_mv": {"kind": "normal", "mean": -58, "sd": 5}},
            "inputs": [
                {"kind": "poisson", "rate_hz": 12800, "weight": 87.81, "receptor": "excitatory"},
                {"kind": "dc", "current_pa": 100},
            ],
        },
        {"name": "inh", "size": 200, "model": "lif_curr_exp"},
    ],
    "sources": [
        {"kind": "poisson", "name": "drive", "size": 100, "rate_hz": 8.0},
        {"kind": "spike_times", "name": "probe", "size": 2, "times_ms": [[1.0, 2.5], []]},
    ],
    "projections": [
        {
            "name": "forward",
            "source": "exc",
            "target": "inh",
            "connectivity": {"rule": "fixed_in_degree", "n": 100},
            "weight": {"kind": "normal", "mean": 87.81, "sd": 8.781, "low": 0, "bounds": "redraw"},
            "delay_ms": {"kind": "uniform", "low": 1, "high": 2},
            "receptor": "excitatory",
        },
        {
            "source": "probe",
            "target": "exc",
            "connectivity": {
                "rule": "explicit",
                "sources": [0, 0, 1],
                "targets": [5, 6, 799],
                "weights": [1.5, -2, 3],
                "delays_ms": [0.1, 1.5, 20],
            },
            "receptor": "excitatory",
        },
        {
            "source": "drive",
            "target": "exc",
            "connectivity": {"rule": "fixed_total_number", "n": 4000},
            "weight": 100,
            "delay_ms": {"kind": "normal", "mean": 1.5, "sd": 0.75, "low": 0.05, "bounds": "clip"},
        },
        {
            "source": "inh",
            "target": "inh",
            "connectivity": {"rule": "one_to_one"},
            "weight": -10,
            "delay_ms": 0.3,
        },
        {
            "source": "inh",
            "target": "exc",
            "connectivity": {"rule": "all_to_all"},
            "weight": -10,
            "delay_ms": 0.3,
        },
    ],
    "recordings": [
        {
            "kind": "state",
            "population": "exc",
            "variables": ["v_mv", "i_ex_pa"],
            "neurons": {"start": 0, "stop": 10, "step": 1},
            "interval_ms": 1.0,
        }
    ],
}

REMOVED = object()


def demo(**changes: Any) -> dict[str, Any]:
    """Return the demo with top-level fields replaced."""
    return {**copy.deepcopy(_DEMO), **changes}


def broken(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the demo with the entry at `path` replaced, added, or `REMOVED`."""
    data = demo()
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def message(data: Any) -> str:
    """Return what is said when `data` is refused."""
    with pytest.raises(NetworkError) as caught:
        parse_network(data)
    return str(caught.value)


def populated(name: str, size: int, **fields: Any) -> dict[str, Any]:
    """Return a population."""
    return {"name": name, "size": size, "model": "lif_curr_exp", **fields}


def alone(**fields: Any) -> dict[str, Any]:
    """Return a network of one population of five neurons, or of other members."""
    return {"name": "alone", "timestep_ms": 0.1, "seed": 1, "populations": [populated("a", 5)], **fields}


def joined(
    connectivity: Any, source: dict[str, Any], target: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """Return a network of one projection between two populations, or of one onto itself."""
    ends = {"source": source["name"], "target": (target or source)["name"], "connectivity": connectivity}
    projection = {**ends, "weight": 1, "delay_ms": 1, **fields}
    given = {name: value for name, value in projection.items() if value is not REMOVED}
    return alone(populations=[source, *([target] if target else [])], projections=[given])
