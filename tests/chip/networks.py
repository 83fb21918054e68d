"""Small networks, part by part, as JSON would say them."""

from collections.abc import Mapping, Sequence
from typing import Any

from network import Network, parse_network

QUIET = {"tau_m_ms": 1e9, "v_threshold_mv": 1e9, "v_rest_mv": 0.0, "v_reset_mv": 0.0, "t_ref_ms": 0.0}
"""Parameters of a neuron that adds its input up and never fires."""

RELAY = {"v_rest_mv": 0.0, "v_reset_mv": 0.0, "v_threshold_mv": 1.0, "tau_m_ms": 1.0, "t_ref_ms": 0.0}
"""Parameters of a neuron that fires on each input of 1 mV, in the same tick."""


def delta(name: str, size: int, parameters: dict[str, float], **more: Any) -> dict[str, Any]:
    return {"name": name, "size": size, "model": "lif_curr_delta", "parameters": parameters, **more}


def times(*ticks: tuple[int, ...], name: str = "source") -> dict[str, Any]:
    """Return a source whose neurons spike in the given ticks."""
    lists = [[round(0.1 * (tick + 1), 9) for tick in own] for own in ticks]
    return {"kind": "spike_times", "name": name, "size": len(ticks), "times_ms": lists}


def explicit(entries: list[tuple[int, int, float, int]], **more: Any) -> dict[str, Any]:
    """Return a projection of synapses (source, target, weight, delay in ticks)."""
    sources, targets, weights, delays = (list(column) for column in zip(*entries, strict=True))
    delays_ms = [round(0.1 * ticks, 9) for ticks in delays]
    rule = {"rule": "explicit", "sources": sources, "targets": targets}
    rule |= {"weights": weights, "delays_ms": delays_ms}
    return {"source": "source", "target": "cells", "connectivity": rule, **more}


def everything(population: str, size: int) -> dict[str, Any]:
    neurons = {"start": 0, "stop": size, "step": 1}
    return {
        "kind": "state",
        "population": population,
        "variables": ["v_mv"],
        "neurons": neurons,
        "interval_ms": 0.1,
    }


def describe(populations: Sequence[Mapping[str, Any]], **parts: Any) -> Network:
    """Return a network of 0.1 ms and seed 5, from populations and whatever else."""
    return parse_network({"name": "test", "timestep_ms": 0.1, "seed": 5, "populations": populations, **parts})
