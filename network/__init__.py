"""The language: what a user asks to emulate.

A leaf: it knows shapes, names, units and the time grid, but no chip, no model and no process. Models and
their parameters are checked where they are known, against the chip's registry.

Start reading at `network.description` (the whole), then `network.population`, `network.projection` and
`network.connectivity` (the parts), `network.values` (numbers and distributions), and `network.parse` (from
JSON to a checked network). `network.digest` defines when two runs have the same spikes.
"""

from network.connectivity import AllToAll, Connectivity, Explicit, FixedInDegree, FixedTotalNumber, OneToOne
from network.description import Member, Network
from network.digest import SpikeDigest
from network.errors import NetworkError
from network.parse import parse, parse_network
from network.population import (
    DCInput,
    Input,
    PoissonInput,
    PoissonSource,
    Population,
    Source,
    SpikeTimesSource,
)
from network.projection import Projection
from network.recording import NeuronRange, StateRecording
from network.values import Normal, Uniform, Value, highest, lowest

__all__ = [
    "AllToAll",
    "Connectivity",
    "DCInput",
    "Explicit",
    "FixedInDegree",
    "FixedTotalNumber",
    "Input",
    "Member",
    "Network",
    "NetworkError",
    "NeuronRange",
    "Normal",
    "OneToOne",
    "PoissonInput",
    "PoissonSource",
    "Population",
    "Projection",
    "Source",
    "SpikeDigest",
    "SpikeTimesSource",
    "StateRecording",
    "Uniform",
    "Value",
    "highest",
    "lowest",
    "parse",
    "parse_network",
]
