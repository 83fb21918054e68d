"""Networks made by our rules, which chips expand synapse by synapse so that NEST can run them.

Delays have an axonal and a dendritic part; a static synapse of NEST 3.10 has one delay, which is their sum.
Weights are multiples of a power of two, drawn ones by a codebook, so that no simulator rounds a sum of them.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference.cases import DELTA, EXP, CasePopulation, ReferenceCase

FOLDER = Path(__file__).parent / "data" / "expanded"

TIMESTEP_MS = 0.1
N_TICKS = 5_000
SEED = 20_14

Expansion = Mapping[tuple[str, str], Mapping[str, np.ndarray]]
"""Of each source and target: columns `source`, `target`, `weight`, `delay_ticks`."""


def as_case(described: dict[str, Any], expansion: Expansion) -> ReferenceCase:
    """Return a described network with its synapses, without spikes."""
    members = [*described["populations"], *described["sources"]]
    first = dict(
        zip(
            (m["name"] for m in members), np.cumsum([0, *(m["size"] for m in members)]).tolist(), strict=False
        )
    )
    columns = {
        "source": np.concatenate([c["source"] + first[pair[0]] for pair, c in expansion.items()]),
        "target": np.concatenate([c["target"] + first[pair[1]] for pair, c in expansion.items()]),
        "weight": np.concatenate([c["weight"] for c in expansion.values()]),
        "delay_ticks": np.concatenate([c["delay_ticks"] for c in expansion.values()]),
    }
    order = np.lexsort([columns[key] for key in ("weight", "delay_ticks", "source", "target")])
    columns = {key: values[order].astype(float) for key, values in columns.items()}
    lsb = _granule(columns["weight"])
    (source,) = described["sources"]
    spikes = sorted(
        (round(ms / TIMESTEP_MS) - 1, first[source["name"]] + k)
        for k, times in enumerate(source["times_ms"])
        for ms in times
    )
    input_tick, input_neuron = np.array(spikes).T
    return ReferenceCase(
        name=described["name"],
        about="made by rules, expanded by chips",
        model=described["populations"][0]["model"],
        timestep_ms=TIMESTEP_MS,
        n_ticks=N_TICKS,
        weight_lsb=lsb,
        populations=tuple(
            CasePopulation(p["name"], p["size"], p["parameters"], p["initial"]["v_mv"])
            for p in described["populations"]
        ),
        n_sources=source["size"],
        source=columns["source"].astype(np.int64),
        target=columns["target"].astype(np.int64),
        weight_step=(columns["weight"] / lsb).astype(np.int64),
        delay_ticks=columns["delay_ticks"].astype(np.int64),
        input_tick=input_tick,
        input_neuron=input_neuron,
    )


def _granule(weights: np.ndarray) -> float:
    """Return the greatest power of two that all weights are multiples of."""
    numerators, denominators = zip(*(w.as_integer_ratio() for w in set(weights.tolist()) if w), strict=True)
    common = max(denominators)
    return math.gcd(*(n * (common // d) for n, d in zip(numerators, denominators, strict=True))) / common


def _network(name: str, populations: list[dict], source: dict, projections: list[dict]) -> dict[str, Any]:
    return {
        "name": name,
        "timestep_ms": TIMESTEP_MS,
        "seed": SEED,
        "populations": populations,
        "sources": [source],
        "projections": projections,
    }


def _population(name: str, size: int, model: str, i_offset_pa: float, **more: Any) -> dict[str, Any]:
    parameters = {"v_rest_mv": -65.0, "v_threshold_mv": -50.0, "v_reset_mv": -65.0, "c_m_pf": 250.0}
    parameters |= {"tau_m_ms": 10.0, "t_ref_ms": 2.0, "i_offset_pa": i_offset_pa}
    if model == EXP:
        parameters |= {"tau_syn_ex_ms": 0.5, "tau_syn_in_ms": 2.0}
    initial = {"v_mv": -58.0}
    return {"name": name, "size": size, "model": model, "parameters": parameters, "initial": initial, **more}


def _input(size: int, rate_hz: float, *, seed: int, **more: Any) -> dict[str, Any]:
    """Return a source whose neurons spike irregularly, each in a tick at most once."""
    spikes = np.random.default_rng(seed).random((size, N_TICKS)) < rate_hz * TIMESTEP_MS * 1e-3
    times = [[round((tick + 1) * TIMESTEP_MS, 9) for tick in np.flatnonzero(row).tolist()] for row in spikes]
    return {"kind": "spike_times", "name": "input", "size": size, "times_ms": times, **more}


def _projection(source: str, target: str, rule: dict[str, Any], weight: Any, **more: Any) -> dict[str, Any]:
    described = {"source": source, "target": target, "connectivity": rule, "weight": weight, **more}
    return {key: value for key, value in described.items() if value is not None}


def _uniform(low: float, high: float) -> dict[str, Any]:
    return {"kind": "uniform", "low": low, "high": high}


def _with_receptors(projections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the inhibitory population get the inhibitory receptor, all others the excitatory one."""
    kind = {"i": "inhibitory"}
    return [{**each, "receptor": kind.get(each["source"], "excitatory")} for each in projections]


def _probability() -> dict[str, Any]:
    populations = [_population("e", 240, EXP, 120.0), _population("i", 60, EXP, 260.0)]
    parts = {"delay_ms": _uniform(0.1, 4.0), "axonal_delay_ms": _uniform(0.5, 3.0)}
    sparse, dense, outer = (
        {"rule": "fixed_probability", "p": p, "allow_autapses": False} for p in (0.1, 0.2, 0.3)
    )
    projections = [
        _projection("e", "e", sparse, 384.0, **parts),
        _projection("e", "i", sparse, 640.0, **parts),
        _projection("i", "e", dense, -204.75, **parts),
        _projection("i", "i", dense, -128.5, **parts),
        _projection("input", "e", outer, 1024.0, **parts),
    ]
    source = _input(60, 30.0, seed=1)
    return _network("fixed_probability", populations, source, _with_receptors(projections))


def _out_degree() -> dict[str, Any]:
    populations = [_population("e", 240, DELTA, 345.0), _population("i", 60, DELTA, 330.0)]
    drawn = {"kind": "lognormal", "log_mean": -1.0, "log_sd": 0.5, "high": 4.0}
    book = [0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1.0, 2.0]
    late = {"delay_ms": {"kind": "normal", "mean": 15.0, "sd": 10.0, "low": 0.1}, "axonal_delay_ms": 0.3}
    early = {"delay_ms": 0.1, "axonal_delay_ms": _uniform(0.0, 1.0)}
    many, single = (
        {"rule": "fixed_out_degree", "n": n, "allow_multapses": m} for n, m in ((24, True), (30, False))
    )
    projections = [
        _projection("e", "e", many, drawn, codebook=book, **late),
        _projection("e", "i", single, 0.375, **early),
        _projection("i", "e", {**single, "n": 60}, -1.25, **early),
        _projection("i", "i", many, -0.75, **late),
        _projection("input", "e", {**single, "n": 60}, 1.0, **early),
    ]
    return _network("fixed_out_degree", populations, _input(60, 30.0, seed=2), projections)


def _distance() -> dict[str, Any]:
    space = {"kind": "grid", "extent_um": [160.0, 150.0], "periodic": True}
    fine, coarse = ({"positions": {**space, "shape": list(shape)}} for shape in ((16, 15), (10, 6)))
    populations = [_population("e", 240, EXP, 345.0, **fine), _population("i", 60, EXP, 330.0, **coarse)]
    gaussian = {"kind": "distance_gaussian", "scale": 0.8, "sd_um": 20.0}
    exponential = {"kind": "distance_exponential", "scale": 0.9, "length_um": 30.0}
    near = {"rule": "distance_dependent", "p": gaussian, "allow_autapses": False}
    wide = {"rule": "distance_dependent", "p": exponential, "radius_um": 60.0}
    falling = {"kind": "distance_exponential", "scale": 256.0, "length_um": 40.0}
    book = [64.0, 96.0, 128.0, 160.5, 192.0, 224.0, 256.0]
    travel = {"kind": "distance_linear", "at_zero": 0.2, "slope_per_um": 0.05}
    parts = {"delay_ms": 0.5, "axonal_delay_ms": travel}
    projections = [
        _projection("e", "e", near, falling, codebook=book, **parts),
        _projection("e", "i", near, 192.0, delay_ms=travel),
        _projection("i", "e", wide, -204.75, **parts),
        _projection("i", "i", wide, -128.0, delay_ms=travel),
        _projection("input", "e", near, 320.0, **parts),
    ]
    source = _input(60, 40.0, seed=3, **coarse)
    return _network("distance_dependent", populations, source, _with_receptors(projections))


def _small_world() -> dict[str, Any]:
    populations = [_population("e", 240, EXP, 120.0), _population("i", 60, EXP, 260.0)]
    parts = {"delay_ms": _uniform(0.1, 2.0), "axonal_delay_ms": {"kind": "exponential", "mean": 2.0}}
    projections = [
        _projection("e", "e", {"rule": "small_world", "k": 20, "p_rewire": 0.2}, 384.0, **parts),
        _projection("i", "i", {"rule": "small_world", "k": 8, "p_rewire": 1.0}, -128.5, **parts),
        _projection("e", "i", {"rule": "fixed_in_degree", "n": 20}, 640.0, **parts),
        _projection("i", "e", {"rule": "fixed_total_number", "n": 2400}, -204.75, **parts),
        _projection("input", "e", {"rule": "fixed_in_degree", "n": 15}, 1024.0, delay_ms=0.1),
    ]
    source = _input(60, 30.0, seed=4)
    return _network("small_world", populations, source, _with_receptors(projections))


def _convolution() -> dict[str, Any]:
    """An image of 2 x 12 x 12 sources, filtered, pooled, and read out by neurons that inhibit each other."""
    populations = [
        _population("filtered", 4 * 6 * 6, DELTA, 330.0),
        _population("pooled", 4 * 3 * 3, DELTA, 330.0),
        _population("readout", 10, DELTA, 345.0),
    ]
    kernel = np.random.default_rng(5).integers(-16, 40, (4, 2, 5, 5)) * 0.0625
    filtering = {"rule": "convolution", "source_shape": [2, 12, 12], "kernel_shape": [4, 2, 5, 5]}
    filtering |= {"kernel": kernel.ravel().tolist(), "stride": [2, 2], "padding": [2, 2]}
    pooling = {"rule": "pooling", "source_shape": [4, 6, 6], "window": [2, 2], "stride": [2, 2]}
    parts = {"delay_ms": 0.7, "axonal_delay_ms": 1.1}
    others = {"rule": "all_to_all", "allow_autapses": False}
    projections = [
        _projection("input", "filtered", filtering, None, **parts),
        _projection("filtered", "pooled", pooling, 3.5, delay_ms=1.0, axonal_delay_ms=_uniform(0.0, 2.0)),
        _projection("pooled", "readout", {"rule": "all_to_all"}, 0.6875, delay_ms=_uniform(0.1, 3.0)),
        _projection("readout", "readout", others, -0.5, **parts),
    ]
    return _network("convolution", populations, _input(288, 20.0, seed=6), projections)


NETWORKS = {
    network["name"]: network
    for network in (_probability(), _out_degree(), _distance(), _small_world(), _convolution())
}
