"""Brunel's sparsely connected excitatory and inhibitory neurons: 12,500 neurons, 15,625,000 synapses.

References
----------
N. Brunel, *Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons*, Journal
of Computational Neuroscience 8 (2000) 183-208: model A.
"""

from __future__ import annotations

from network import Network
from spikerack.builder import NetworkBuilder, fixed_in_degree
from spikerack.examples.scaling import check_scale, scaled

N_EXCITATORY, N_INHIBITORY = 10_000, 2_500
FAN_IN_EXCITATORY, FAN_IN_INHIBITORY = 1_000, 250
WEIGHT_MV = 0.1
DELAY_MS = 1.5
THRESHOLD_MV = 20.0
TAU_M_MS = 20.0


def brunel(scale: float = 1.0, seed: int = 1, *, g: float = 5.0, eta: float = 2.0) -> Network:
    """Return Brunel's network.

    The defaults give asynchronous irregular firing at 32 Hz; ``g=4.5, eta=0.9`` slow oscillations at 6 Hz.

    Below full scale, sizes and in-degrees shrink by `scale`, rounded half to even and 1 at least. Each
    weight grows by the factor that its in-degree has lost, and the Poisson drive loses as many spikes as
    their weight has gained, so that the mean input is kept exactly. Its variance grows by ``1 / scale``: a
    small network is a quick start, not a substitute.

    Parameters
    ----------
    scale : float
        The share of the neurons, above 0 and at most 1.
    seed : int
        The seed of all random numbers.
    g : float
        How much stronger an inhibitory synapse is than an excitatory one.
    eta : float
        The Poisson drive, relative to what brings a neuron to its threshold.

    Raises
    ------
    NetworkError
        `scale` is none, or `eta` is negative.
    """
    check_scale(scale)
    fan_in_e, fan_in_i = scaled(FAN_IN_EXCITATORY, scale), scaled(FAN_IN_INHIBITORY, scale)
    weight_e = WEIGHT_MV * FAN_IN_EXCITATORY / fan_in_e
    weight_i = -g * WEIGHT_MV * FAN_IN_INHIBITORY / fan_in_i
    threshold_per_ms = THRESHOLD_MV / (weight_e * fan_in_e * TAU_M_MS)

    net = NetworkBuilder("brunel", timestep_ms=0.1, seed=seed)
    exc, inh = (
        net.population(
            name,
            scaled(size, scale),
            "lif_curr_delta",
            initial={"v_mv": 0.0},
            v_rest_mv=0.0,
            v_threshold_mv=THRESHOLD_MV,
            v_reset_mv=0.0,
            c_m_pf=1.0,
            tau_m_ms=TAU_M_MS,
            t_ref_ms=2.0,
        )
        for name, size in (("exc", N_EXCITATORY), ("inh", N_INHIBITORY))
    )
    for target in (exc, inh):
        target.receives_poisson(rate_hz=1000.0 * eta * threshold_per_ms * fan_in_e, weight=weight_e)
        net.connect(exc, target, fixed_in_degree(fan_in_e), weight=weight_e, delay_ms=DELAY_MS)
        net.connect(inh, target, fixed_in_degree(fan_in_i), weight=weight_i, delay_ms=DELAY_MS)
    return net.build()
