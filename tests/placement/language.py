"""A small network of one projection a rule, with values of every distribution and of distance."""

from __future__ import annotations

from typing import Any

from network import Network, parse_network

SIZES = {"exc": 60, "inh": 47, "image": 36}

NORMAL = {"kind": "normal", "mean": 80.0, "sd": 8.0, "low": 0.0}
FAR = {"kind": "distance_linear", "at_zero": 0.3, "slope_per_um": 0.002}
LONG = {"kind": "uniform", "low": 0.1, "high": 250.0}
WEIGHTS = {"kind": "array", "values": [0.5 * k for k in range(47 * 60)]}
IMAGE = {"source_shape": [1, 6, 6], "padding": [1, 1]}
KERNEL = {"kernel_shape": [1, 1, 3, 3], "kernel": [0.25 * k - 1.0 for k in range(9)]}
PEAK = {"kind": "distance_gaussian", "scale": 0.9, "sd_um": 150.0}
SKEWED = {"kind": "lognormal", "log_mean": 4.0, "log_sd": 0.3}
BROAD = {"kind": "gamma", "shape": 0.7, "scale": 60.0}
RARE = {"kind": "sum", "of": [1.0, {"kind": "exponential", "mean": 30.0}]}
SPARE = {"allow_autapses": False, "allow_multapses": False}

PROJECTIONS: dict[str, tuple[str, str, dict[str, Any], Any, Any]] = {
    "one_to_one": ("exc", "exc", {"rule": "one_to_one"}, 3.0, 1.5),
    "all_to_all": ("exc", "inh", {"rule": "all_to_all"}, WEIGHTS, 0.7),
    "fixed_in_degree": ("exc", "exc", {"rule": "fixed_in_degree", "n": 9, **SPARE}, NORMAL, LONG),
    "fixed_out_degree": ("inh", "exc", {"rule": "fixed_out_degree", "n": 11}, NORMAL, FAR),
    "fixed_total_number": ("exc", "inh", {"rule": "fixed_total_number", "n": 500}, SKEWED, 2.0),
    "fixed_probability": ("inh", "inh", {"rule": "fixed_probability", "p": 0.3}, BROAD, 0.1),
    "distance_dependent": ("exc", "inh", {"rule": "distance_dependent", "p": PEAK}, FAR, FAR),
    "small_world": ("exc", "exc", {"rule": "small_world", "k": 6, "p_rewire": 0.2}, RARE, 1.0),
    "convolution": ("image", "image", {"rule": "convolution", **IMAGE, **KERNEL}, None, 1.0),
    "pooling": ("image", "image", {"rule": "pooling", **IMAGE, "window": [3, 3]}, 0.125, 1.0),
}


def language_network() -> Network:
    """Return a network of one projection a rule, each with axonal and dendritic delays."""
    space = {"extent_um": [1000.0], "periodic": True}
    positions = {
        "exc": {"kind": "grid", "shape": [60], **space},
        "inh": {
            "kind": "free",
            "coordinates_um": [{"kind": "uniform", "low": -500.0, "high": 500.0}],
            **space,
        },
        "image": None,
    }
    populations = [
        {"name": name, "size": size, "model": "lif_curr_exp", "positions": positions[name]}
        for name, size in SIZES.items()
    ]
    projections = [
        {
            "name": name,
            "source": source,
            "target": target,
            "connectivity": rule,
            "weight": weight,
            "delay_ms": delay,
            "axonal_delay_ms": {"kind": "uniform", "low": 0.0, "high": 0.5},
            "receptor": "inhibitory" if name in ("small_world", "pooling") else "excitatory",
            "codebook": [20.0, 60.0, 81.5, 90.0] if name == "fixed_probability" else None,
        }
        for name, (source, target, rule, weight, delay) in PROJECTIONS.items()
    ]
    parts = {"populations": populations, "projections": projections}
    return parse_network({"name": "language", "timestep_ms": 0.1, "seed": 11, **parts})
