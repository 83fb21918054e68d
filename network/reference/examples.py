"""One example of each class of the language, in JSON's terms; tests parse them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from network.connectivity import (
    AllToAll,
    Convolution,
    DistanceDependent,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    Pooling,
    SmallWorld,
    Uploaded,
)
from network.description import Network
from network.population import (
    CorrelatedPoissonSource,
    CurrentInput,
    DCInput,
    NoiseInput,
    PoissonInput,
    PoissonSource,
    Population,
    SpikeTimesSource,
    UploadedSpikesSource,
)
from network.positions import FreePositions, GridPositions
from network.projection import Projection
from network.recording import NeuronRange, SpikeRecording, StateRecording, WeightRecording
from network.values import (
    Array,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Uniform,
)
from network.waveform import Ramp, Sine, Steps

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_VALUES: dict[type[BaseModel], dict[str, Any]] = {
    Uniform: {"kind": "uniform", "low": -70, "high": -55},
    Normal: {"kind": "normal", "mean": 87.8, "sd": 8.78, "low": 0},
    Lognormal: {"kind": "lognormal", "log_mean": 3.2, "log_sd": 0.7, "high": 500, "bounds": "clip"},
    Exponential: {"kind": "exponential", "mean": 2, "low": 0.1, "high": 20},
    Gamma: {"kind": "gamma", "shape": 4, "scale": 2.5, "low": 1},
    Array: {"kind": "array", "values": [10, 10.5, 9.5]},
    DistanceLinear: {"kind": "distance_linear", "at_zero": 0.5, "slope_per_um": 0.003},
    DistanceExponential: {"kind": "distance_exponential", "scale": 0.2, "length_um": 150},
    DistanceGaussian: {"kind": "distance_gaussian", "scale": 0.1, "sd_um": 250},
    Sum: {
        "kind": "sum",
        "of": [
            {"kind": "distance_linear", "at_zero": 0.5, "slope_per_um": 0.003},
            {"kind": "normal", "mean": 0, "sd": 0.1},
        ],
        "low": 0.1,
    },
    Product: {
        "kind": "product",
        "of": [
            {"kind": "distance_exponential", "scale": 80, "length_um": 300},
            {"kind": "lognormal", "log_mean": 0, "log_sd": 0.3},
        ],
    },
}

_RULES: dict[type[BaseModel], dict[str, Any]] = {
    OneToOne: {"rule": "one_to_one"},
    AllToAll: {"rule": "all_to_all", "allow_autapses": False},
    FixedInDegree: {"rule": "fixed_in_degree", "n": 100, "allow_multapses": False},
    FixedOutDegree: {"rule": "fixed_out_degree", "n": 100},
    FixedTotalNumber: {"rule": "fixed_total_number", "n": 80000},
    FixedProbability: {"rule": "fixed_probability", "p": 0.1, "allow_autapses": False},
    DistanceDependent: {
        "rule": "distance_dependent",
        "p": {"kind": "distance_gaussian", "scale": 0.4, "sd_um": 100},
        "radius_um": 300,
    },
    SmallWorld: {"rule": "small_world", "k": 10, "p_rewire": 0.05},
    Convolution: {
        "rule": "convolution",
        "source_shape": [1, 28, 28],
        "kernel_shape": [1, 1, 2, 2],
        "kernel": [1, -1, -1, 1],
        "stride": [2, 2],
    },
    Pooling: {"rule": "pooling", "source_shape": [8, 14, 14], "window": [2, 2], "stride": [2, 2]},
    Explicit: {"rule": "explicit", "sources": [0, 0, 7], "targets": [3, 4, 0], "weights": [1.5, -2, 0.5]},
    Uploaded: {
        "rule": "uploaded",
        "sha256": _SHA256,
        "n": 250000000,
        "source_stop": 80000,
        "target_stop": 80000,
        "weights": [-400, 100],
        "weight_granule": -3,
        "delays_ms": [0.1, 25.6],
    },
}

_WAVEFORMS: dict[type[BaseModel], dict[str, Any]] = {
    Steps: {"kind": "steps", "times_ms": [0, 500, 600], "values": [1, 3, 1]},
    Ramp: {"kind": "ramp", "start_ms": 100, "stop_ms": 1100, "first": 0, "last": 300},
    Sine: {"kind": "sine", "offset": 1, "amplitude": 0.5, "frequency_hz": 8},
}

_POSITIONS: dict[type[BaseModel], dict[str, Any]] = {
    GridPositions: {"kind": "grid", "shape": [20, 40], "extent_um": [1000, 2000], "periodic": True},
    FreePositions: {
        "kind": "free",
        "extent_um": [1000, 1000],
        "coordinates_um": [
            {"kind": "uniform", "low": -500, "high": 500},
            {"kind": "normal", "mean": 0, "sd": 100, "low": -500, "high": 500},
        ],
    },
}

_INPUTS: dict[type[BaseModel], dict[str, Any]] = {
    PoissonInput: {"kind": "poisson", "rate_hz": 8000, "weight": 87.8, "receptor": "excitatory"},
    DCInput: {"kind": "dc", "current_pa": {"kind": "normal", "mean": 300, "sd": 20}},
    CurrentInput: {"kind": "current", "current_pa": 200, "waveform": _WAVEFORMS[Steps]},
    NoiseInput: {"kind": "noise", "mean_pa": 100, "sd_pa": 50, "interval_ms": 1},
}

_POPULATION: dict[str, Any] = {
    "name": "exc",
    "size": 800,
    "model": "lif_curr_exp",
    "parameters": {"tau_m_ms": 20, "t_ref_ms": {"kind": "uniform", "low": 1, "high": 3}},
    "initial": {"v_mv": {"kind": "normal", "mean": -65, "sd": 5}},
    "inputs": [_INPUTS[PoissonInput]],
    "positions": _POSITIONS[GridPositions],
}

_SOURCES: dict[type[BaseModel], dict[str, Any]] = {
    PoissonSource: {
        "kind": "poisson",
        "name": "drive",
        "size": 100,
        "rate_hz": 8,
        "modulation": _WAVEFORMS[Sine],
    },
    CorrelatedPoissonSource: {
        "kind": "correlated_poisson",
        "name": "shared",
        "size": 100,
        "rate_hz": 8,
        "correlation": 0.2,
    },
    SpikeTimesSource: {"kind": "spike_times", "name": "probe", "size": 2, "times_ms": [[1, 2.5], []]},
    UploadedSpikesSource: {
        "kind": "uploaded_spikes",
        "name": "movie",
        "size": 1024,
        "sha256": _SHA256,
        "n": 5000000,
        "neuron_stop": 1024,
    },
}

_PROJECTION: dict[str, Any] = {
    "source": "exc",
    "target": "exc",
    "connectivity": _RULES[DistanceDependent],
    "weight": {"kind": "normal", "mean": 87.8, "sd": 8.78, "low": 0},
    "delay_ms": 0.5,
    "axonal_delay_ms": {"kind": "distance_linear", "at_zero": 0.5, "slope_per_um": 0.003},
    "receptor": "excitatory",
    "weight_bits": 8,
}

_RECORDINGS: dict[type[BaseModel], dict[str, Any]] = {
    StateRecording: {
        "kind": "state",
        "population": "exc",
        "variables": ["v_mv"],
        "neurons": {"stop": 10},
        "interval_ms": 1,
    },
    SpikeRecording: {"kind": "spikes", "population": "exc"},
    WeightRecording: {
        "kind": "weights",
        "projection": "exc->exc",
        "targets": {"stop": 5},
        "interval_ms": 1000,
    },
    NeuronRange: {"start": 0, "stop": 800, "step": 100},
}

EXAMPLES: Mapping[type[BaseModel], dict[str, Any]] = {
    Network: {
        "name": "sheet",
        "timestep_ms": 0.1,
        "seed": 1,
        "populations": [_POPULATION],
        "sources": [_SOURCES[PoissonSource]],
        "projections": [_PROJECTION],
        "recordings": [_RECORDINGS[StateRecording], _RECORDINGS[SpikeRecording]],
    },
    Population: _POPULATION,
    Projection: _PROJECTION,
    **_INPUTS,
    **_SOURCES,
    **_RULES,
    **_VALUES,
    **_WAVEFORMS,
    **_POSITIONS,
    **_RECORDINGS,
}
"""By class."""
