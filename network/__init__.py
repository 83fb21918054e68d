"""The language: what a user asks to emulate.

A leaf: it knows shapes, names, units and the time grid, but no chip, no model and no process. Models and
their parameters are checked where they are known, against the chip's registry.

Start reading at `network.description` (the whole), then `network.population`, `network.projection` and
`network.connectivity` (the parts), `network.values` (numbers and distributions), and `network.parse` (from
JSON to a checked network). `network.checks` has what only shows when parts are seen together.
`network.digest` defines when two runs have the same spikes. `network.reference` writes docs/language.md and
`network.json_schema` the JSON Schema, both from the models.
"""

from network.connectivity import (
    AllToAll,
    Connectivity,
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
from network.description import Member, Network
from network.digest import SpikeDigest
from network.errors import NetworkError
from network.json_schema import json_schema
from network.parse import parse, parse_network
from network.population import (
    CorrelatedPoissonSource,
    CurrentInput,
    DCInput,
    Input,
    NoiseInput,
    PoissonInput,
    PoissonSource,
    Population,
    Source,
    SpikeTimesSource,
    UploadedSpikesSource,
)
from network.positions import FreePositions, GridPositions, Positions
from network.projection import Projection
from network.recording import NeuronRange, Recording, SpikeRecording, StateRecording, WeightRecording
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
    Value,
    bounds_of,
    highest,
    lowest,
    needs_distance,
)
from network.waveform import Ramp, Sine, Steps, Waveform, extremes

__all__ = [
    "AllToAll",
    "Array",
    "Connectivity",
    "Convolution",
    "CorrelatedPoissonSource",
    "CurrentInput",
    "DCInput",
    "DistanceDependent",
    "DistanceExponential",
    "DistanceGaussian",
    "DistanceLinear",
    "Explicit",
    "Exponential",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FixedTotalNumber",
    "FreePositions",
    "Gamma",
    "GridPositions",
    "Input",
    "Lognormal",
    "Member",
    "Network",
    "NetworkError",
    "NeuronRange",
    "NoiseInput",
    "Normal",
    "OneToOne",
    "PoissonInput",
    "PoissonSource",
    "Pooling",
    "Population",
    "Positions",
    "Product",
    "Projection",
    "Ramp",
    "Recording",
    "Sine",
    "SmallWorld",
    "Source",
    "SpikeDigest",
    "SpikeRecording",
    "SpikeTimesSource",
    "StateRecording",
    "Steps",
    "Sum",
    "Uniform",
    "Uploaded",
    "UploadedSpikesSource",
    "Value",
    "Waveform",
    "WeightRecording",
    "bounds_of",
    "extremes",
    "highest",
    "json_schema",
    "lowest",
    "needs_distance",
    "parse",
    "parse_network",
]
