"""A million neurons on sixteen chips: 1,048,576 neurons, 268,435,456 synapses, as on the chip TrueNorth.

Not a model of a brain but a load: 256 synapses a neuron, most of them within a chip, and all neurons fire
irregularly and out of step, at a mean rate that is chosen.

References
----------
P. A. Merolla and others, *A million spiking-neuron integrated circuit with a scalable communication network
and interface*, Science 345 (2014) 668-673: the sizes.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from network import Network, NetworkError, Normal, Uniform
from network.errors import show
from spikerack.builder import (
    NetworkBuilder,
    PopulationBuilder,
    fixed_in_degree,
    fixed_total_number,
    normal,
    uniform,
)
from spikerack.examples.scaling import check_scale, scaled

Targets = Literal["near", "anywhere"]

N_CHIPS, CHIP_NEURONS = 16, 65_536
N_NEAR, N_FAR = 205, 51
FAN_IN = N_NEAR + N_FAR
"""Synapses onto a neuron: 80 of 100 from its own chip, 20 from all chips."""

NEAR_MS, FAR_MS = (1, 4), (2, 8)
"""The least and the greatest delay; all whole numbers between them are as likely."""

TIMESTEP_MS = 1.0
TAU_M_MS = 1e5
T_REF_MS = 2.0
C_M_PF = 250.0
THRESHOLD_MV = 20.0
WEIGHT_MV = normal(-0.16, 1.0)
SPREAD = 0.3
MAX_RATE_HZ = 100.0

_OVERSHOOT = 0.583
"""Of a tick's standard deviation, by which a random walk passes a threshold on average (Siegmund 1979)."""


def million(scale: float = 1.0, seed: int = 1, *, rate_hz: float = 2.0, targets: Targets = "near") -> Network:
    """Return the network.

    With targets ``near`` there are 16 populations of 65,536 neurons, one for each chip of the placement
    `consecutive`. Each neuron receives 205 synapses from its own population, with delays of 1 to 4 ms, and
    each pair of populations, a population and itself too, is joined by 51 / 16 synapses a target neuron,
    with delays of 2 to 8 ms. With ``anywhere`` there is one population of all neurons, and each receives
    256 synapses of 2 to 8 ms from any of them.

    The neurons leak so little (100 s) that they add up their input. A neuron's constant current is what
    takes it from reset to threshold at `rate_hz`, with a spread of 30 % between neurons, and what makes up
    for the mean of its synapses, which inhibit. Each synapse excites or inhibits by 1 mV (sd): that spreads
    the rates further, silences a fifth of the neurons, and keeps the others out of step. The mean rate is
    within 10 % of `rate_hz`, and the counts of all spikes in a tick vary as those of independent neurons.

    Below full scale populations shrink by `scale`, rounded half to even, and a neuron keeps its synapses; so
    the rates stay as they are.

    Parameters
    ----------
    scale : float
        The share of the neurons, above 0 and at most 1.
    seed : int
        The seed of all random numbers.
    rate_hz : float
        The mean rate, above 0 and at most 100.
    targets : {"near", "anywhere"}
        Whether most synapses stay within a chip.

    Raises
    ------
    NetworkError
        `scale`, `rate_hz` or `targets` is none.
    """
    check_scale(scale)
    if not (isinstance(rate_hz, int | float) and 0 < rate_hz <= MAX_RATE_HZ):
        rule = f"must be > 0 and <= {MAX_RATE_HZ:g}, got {show(rate_hz)}"
        raise NetworkError([("rate_hz", f"{rule}; a neuron needs some ticks from spike to spike")])
    if targets not in get_args(Targets):
        rule = f"must be 'near' or 'anywhere', got {show(targets)}"
        raise NetworkError([("targets", f"{rule}; choose one of them")])
    net = NetworkBuilder("million", timestep_ms=TIMESTEP_MS, seed=seed)
    size, drive = scaled(CHIP_NEURONS, scale), {"rate_hz": rate_hz, "mean_pa": current_pa(rate_hz)}
    if targets == "near":
        chips = [integrators(net, f"chip{k}", size, **drive) for k in range(N_CHIPS)]
        _join_near(net, chips, size)
    else:
        everyone = integrators(net, "all", N_CHIPS * size, **drive)
        each = fixed_in_degree(FAN_IN)
        net.connect(everyone, everyone, each, weight=WEIGHT_MV, delay_ms=whole_ms(*FAR_MS))
    return net.build()


def current_pa(
    rate_hz: float, *, fan_in: int = FAN_IN, weight_mv: Normal = WEIGHT_MV, timestep_ms: float = TIMESTEP_MS
) -> float:
    """Return the mean of the constant currents that make the neurons fire at `rate_hz` on average.

    In the time between two spikes, less the refractory one, the input adds up to the threshold and what a
    tick's fluctuation, of the spikes of `fan_in` neurons, passes it by.
    """
    per_ms = 1e-3 * rate_hz
    variance = fan_in * per_ms * timestep_ms * (weight_mv.mean**2 + weight_mv.sd**2)
    rise = (THRESHOLD_MV + _OVERSHOOT * math.sqrt(variance)) / (1.0 - T_REF_MS * per_ms)
    return C_M_PF * per_ms * (rise - fan_in * weight_mv.mean)


def whole_ms(least: int, greatest: int) -> Uniform:
    """Return delays of `least` to `greatest` ms: drawn from all that round to them, but for the very ends."""
    return uniform(least - 0.499, greatest + 0.499)


def integrators(
    net: NetworkBuilder, name: str, size: int, *, rate_hz: float, mean_pa: float
) -> PopulationBuilder:
    """Declare neurons that add up their input, and currents of mean `mean_pa` that make them fire."""
    population = net.population(
        name,
        size,
        "lif_curr_delta",
        # About what the potentials are spread over after a second, so that firing begins at once.
        initial={"v_mv": normal(5.0, 8.0, high=THRESHOLD_MV - 0.5)},
        v_rest_mv=0.0,
        v_threshold_mv=THRESHOLD_MV,
        v_reset_mv=0.0,
        c_m_pf=C_M_PF,
        tau_m_ms=TAU_M_MS,
        t_ref_ms=T_REF_MS,
    )
    spread = SPREAD * C_M_PF * THRESHOLD_MV * 1e-3 * rate_hz
    population.receives_current(normal(mean_pa, spread))
    return population


def _join_near(net: NetworkBuilder, chips: list[PopulationBuilder], size: int) -> None:
    far = fixed_total_number(max(1, round(N_FAR * size / len(chips))))
    for target in chips:
        net.connect(
            target,
            target,
            fixed_in_degree(N_NEAR),
            weight=WEIGHT_MV,
            delay_ms=whole_ms(*NEAR_MS),
            name=f"near {target.name}",
        )
        for source in chips:
            net.connect(source, target, far, weight=WEIGHT_MV, delay_ms=whole_ms(*FAR_MS))
