"""Examples that the OpenAPI document shows."""

from __future__ import annotations

from typing import Any

NETWORK: dict[str, Any] = {
    "name": "demo",
    "timestep_ms": 0.1,
    "seed": 1,
    "populations": [
        {
            "name": "exc",
            "size": 80,
            "model": "lif_curr_exp",
            "parameters": {"tau_m_ms": 10.0},
            "initial": {"v_mv": {"kind": "normal", "mean": -58.0, "sd": 5.0}},
            "inputs": [{"kind": "dc", "current_pa": 500.0}],
        },
        {"name": "inh", "size": 20, "model": "lif_curr_exp"},
    ],
    "projections": [
        {
            "source": "exc",
            "target": "inh",
            "connectivity": {"rule": "fixed_in_degree", "n": 10},
            "weight": 87.81,
            "delay_ms": 1.5,
            "receptor": "excitatory",
        }
    ],
}
