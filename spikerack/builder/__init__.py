"""The builder: a network description that reads like a methods section.

::

    net = NetworkBuilder("brunel", timestep_ms=0.1, seed=1)
    exc = net.population("exc", 10_000, "lif_curr_delta", tau_m_ms=20, initial={"v_mv": normal(0, 5)})
    exc.receives_poisson(rate_hz=20_000, weight=0.1)
    net.connect(exc, exc, fixed_in_degree(1000), weight=0.1, delay_ms=1.5)
    network = net.build()

What is wrong with one statement is refused by that statement; what only shows when all are seen together,
such as a projection's unknown target, by `NetworkBuilder.build`. Both raise `network.NetworkError`.
Numbers and arrays of NumPy are taken as they are, and an array of numbers is a value.

Start reading at `spikerack.builder.building` (`NetworkBuilder`) and `spikerack.builder.members` (what it
declares). `values`, `rules`, `waveforms` and `positions` have a function for each of the language's classes.
"""

from network import NetworkError
from spikerack.builder.building import NetworkBuilder
from spikerack.builder.members import PopulationBuilder, SourceBuilder
from spikerack.builder.positions import free_positions, grid_positions
from spikerack.builder.rules import (
    all_to_all,
    convolution,
    distance_dependent,
    explicit,
    fixed_in_degree,
    fixed_out_degree,
    fixed_probability,
    fixed_total_number,
    one_to_one,
    pooling,
    small_world,
    uploaded,
)
from spikerack.builder.values import (
    array,
    distance_exponential,
    distance_gaussian,
    distance_linear,
    exponential,
    gamma,
    lognormal,
    normal,
    product_of,
    sum_of,
    uniform,
)
from spikerack.builder.waveforms import ramp, sine, steps

__all__ = [
    "NetworkBuilder",
    "NetworkError",
    "PopulationBuilder",
    "SourceBuilder",
    "all_to_all",
    "array",
    "convolution",
    "distance_dependent",
    "distance_exponential",
    "distance_gaussian",
    "distance_linear",
    "explicit",
    "exponential",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_probability",
    "fixed_total_number",
    "free_positions",
    "gamma",
    "grid_positions",
    "lognormal",
    "normal",
    "one_to_one",
    "pooling",
    "product_of",
    "ramp",
    "sine",
    "small_world",
    "steps",
    "sum_of",
    "uniform",
    "uploaded",
]
