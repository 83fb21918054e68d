"""The CUBA benchmark of Vogels and Abbott: 4,000 neurons, 320,000 synapses, all delays one tick of 0.1 ms.

References
----------
R. Brette and others, *Simulation of networks of spiking neurons: a review of tools and strategies*, Journal
of Computational Neuroscience 23 (2007) 349-398: benchmark 2, in the form that is distributed with NEST.
"""

from __future__ import annotations

import random

from network import Network
from spikerack.builder import NetworkBuilder, explicit, fixed_in_degree
from spikerack.examples.scaling import check_scale, scaled

N_EXCITATORY, N_INHIBITORY = 3_200, 800
FAN_IN_EXCITATORY, FAN_IN_INHIBITORY = 64, 16
WEIGHT_EXCITATORY_PA, WEIGHT_INHIBITORY_PA = 16.2, -139.5
TICKS_PER_MS = 10
DELAY_MS = 0.1
N_STIMULATED, STIMULUS_RATE_HZ, STIMULUS_FROM_MS, STIMULUS_TO_MS = 50, 300, 1, 51


def cuba(scale: float = 1.0, seed: int = 1) -> Network:
    """Return the CUBA network.

    Its neurons rest above their threshold and so keep firing on their own. The Poisson stimulus of 300 Hz
    onto the first 50 excitatory neurons, from 1 to 51 ms, is a source population of 50 neurons, each with
    one synapse of the excitatory weight, whose spike times are drawn here from `seed`: in each tick a spike
    with probability 300 Hz x 0.1 ms, by comparing integers of Python's own generator, so that all machines
    draw the same. (A Poisson process of this rate puts two spikes or more into one of 2,300 ticks; here
    there is at most one, at the same rate.)

    Below full scale, sizes and in-degrees shrink by `scale`, rounded half to even and 1 at least, and each
    weight grows by the factor that its in-degree has lost, which keeps the mean input.

    Parameters
    ----------
    scale : float
        The share of the neurons, above 0 and at most 1.
    seed : int
        The seed of all random numbers.

    Raises
    ------
    NetworkError
        `scale` is none.
    """
    check_scale(scale)
    fan_in_e, fan_in_i = scaled(FAN_IN_EXCITATORY, scale), scaled(FAN_IN_INHIBITORY, scale)
    weight_e = WEIGHT_EXCITATORY_PA * FAN_IN_EXCITATORY / fan_in_e
    weight_i = WEIGHT_INHIBITORY_PA * FAN_IN_INHIBITORY / fan_in_i

    net = NetworkBuilder("cuba", timestep_ms=1 / TICKS_PER_MS, seed=seed)
    exc, inh = (
        net.population(
            name,
            scaled(size, scale),
            "lif_curr_exp",
            initial={"v_mv": -49.0},
            v_rest_mv=-49.0,
            v_threshold_mv=-50.0,
            v_reset_mv=-60.0,
            c_m_pf=200.0,
            tau_m_ms=20.0,
            tau_syn_ex_ms=5.0,
            tau_syn_in_ms=10.0,
            t_ref_ms=5.0,
        )
        for name, size in (("exc", N_EXCITATORY), ("inh", N_INHIBITORY))
    )
    for target in (exc, inh):
        net.connect(
            exc, target, fixed_in_degree(fan_in_e), weight=weight_e, delay_ms=DELAY_MS, receptor="excitatory"
        )
        net.connect(
            inh, target, fixed_in_degree(fan_in_i), weight=weight_i, delay_ms=DELAY_MS, receptor="inhibitory"
        )
    n_stimulated = scaled(N_STIMULATED, scale)
    stimulus = net.spike_times_source("stimulus", stimulus_times_ms(n_stimulated, seed))
    pairs = range(n_stimulated)
    net.connect(
        stimulus, exc, explicit(pairs, pairs), weight=weight_e, delay_ms=DELAY_MS, receptor="excitatory"
    )
    return net.build()


def stimulus_times_ms(n_neurons: int, seed: int) -> list[list[float]]:
    """Return the spike times of each stimulating neuron in ms, on the grid, after 1 ms and up to 51 ms."""
    generator = random.Random(seed)
    ticks = range(STIMULUS_FROM_MS * TICKS_PER_MS + 1, STIMULUS_TO_MS * TICKS_PER_MS + 1)
    trials = 1000 * TICKS_PER_MS
    return [
        [tick / TICKS_PER_MS for tick in ticks if generator.randrange(trials) < STIMULUS_RATE_HZ]
        for _ in range(n_neurons)
    ]
