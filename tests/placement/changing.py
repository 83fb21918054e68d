"""A network with all inputs and sources that change over time."""

from __future__ import annotations

from typing import Any

from network import Network, parse_network
from tests.chip.waves import RAMP, SINE, STEPS


def changing_network() -> Network:
    """Return a network with all inputs and sources that the language has, but for uploads."""
    cells = {
        "name": "cells",
        "size": 83,
        "model": "lif_curr_exp",
        "parameters": {"i_offset_pa": {"kind": "normal", "mean": 200.0, "sd": 20.0}},
        "inputs": list(inputs()),
    }
    sources = [
        {"kind": "correlated_poisson", "name": "copies", "size": 19, "rate_hz": 400.0, "correlation": 0.3},
        {"kind": "poisson", "name": "drive", "size": 23, "rate_hz": 400.0, "modulation": RAMP},
    ]
    sources[0]["modulation"] = SINE
    projections = [
        {
            "source": name,
            "target": "cells",
            "connectivity": {"rule": "fixed_in_degree", "n": 9},
            "weight": 80.0,
            "delay_ms": 0.5,
            "receptor": "excitatory",
        }
        for name in ("copies", "drive")
    ]
    parts = {"populations": [cells], "sources": sources, "projections": projections}
    return parse_network({"name": "changing", "timestep_ms": 0.1, "seed": 4, **parts})


def inputs() -> tuple[dict[str, Any], ...]:
    poisson = {"kind": "poisson", "weight": 87.81, "receptor": "excitatory"}
    each = {"kind": "uniform", "low": 0.0, "high": 900.0}
    share = {"kind": "normal", "mean": 100.0, "sd": 50.0}
    return (
        poisson | {"rate_hz": 9000.0, "modulation": SINE},
        poisson | {"rate_hz": each, "modulation": RAMP},
        {"kind": "current", "current_pa": share, "waveform": STEPS},
        {"kind": "noise", "mean_pa": 10.0, "sd_pa": 300.0, "interval_ms": 0.5},
    )
