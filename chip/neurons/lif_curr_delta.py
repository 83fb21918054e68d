"""Leaky integrate-and-fire whose synapses step the voltage, integrated exactly.

The tick, v counted from rest (NEST's `iaf_psc_delta`; p30 = 1 / c_m (1 - p33) tau_m)::

    if refractory == 0:  v = v * p33 + (i_offset + dc) * p30 + slot
    else:                refractory -= 1          # input is discarded
    if v >= threshold:   spike;  v = reset;  refractory = t_ref / h

References
----------
Rotter and Diesmann 1999, Biol. Cybern. 81:381; NEST 3.10, models/iaf_psc_delta.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping

from chip.jit import tick_kernel
from chip.neurons.lif import MEMBRANE, check_membrane, decay, refractory_ticks
from chip.neurons.model import Array, Lowered, NeuronModel, Receptor, State


def _lower(
    parameters: Mapping[str, Array], initial: Mapping[str, Array], timestep_ms: float, lsb: tuple[float, ...]
) -> Lowered:
    p, h = parameters, timestep_ms
    one = p["c_m_pf"] * 0.0 + 1.0
    return Lowered(
        coefficients=(
            decay(h, p["tau_m_ms"]),
            p["v_threshold_mv"] - p["v_rest_mv"],
            p["v_reset_mv"] - p["v_rest_mv"],
            refractory_ticks(h, p["t_ref_ms"]),
            one * lsb[0],
        ),
        drive_gain=1.0 / p["c_m_pf"] * (1.0 - decay(h, p["tau_m_ms"])) * p["tau_m_ms"],
        initial={"v_mv": initial.get("v_mv", p["v_rest_mv"]) - p["v_rest_mv"]},
        origin={"v_mv": p["v_rest_mv"]},
        refractory_ticks=refractory_ticks(h, p["t_ref_ms"]),
    )


@tick_kernel
def _step(n, state, countdown, c, varying, drive, slots, base, pitch, fired):
    number, ticks = state.dtype.type, countdown.dtype.type
    none, one = ticks(0), ticks(1)
    v, slot = state[:n], slots[base : base + n]
    if not varying:
        p33, theta, reset, t_ref, lsb = c[0], c[1], c[2], ticks(c[3]), c[4]
        for i in range(n):
            active = countdown[i] == none
            potential = v[i] * p33 + drive[i] + number(slot[i]) * lsb if active else v[i]
            rest = none if active else ticks(countdown[i] - one)
            fires = potential >= theta
            v[i] = reset if fires else potential
            countdown[i] = t_ref if fires else rest
            fired[i] = fires
            slot[i] = 0
    else:
        k = c.reshape(5, n)
        for i in range(n):
            active = countdown[i] == none
            potential = v[i] * k[0, i] + drive[i] + number(slot[i]) * k[4, i] if active else v[i]
            rest = none if active else ticks(countdown[i] - one)
            fires = potential >= k[1, i]
            v[i] = k[2, i] if fires else potential
            countdown[i] = ticks(k[3, i]) if fires else rest
            fired[i] = fires
            slot[i] = 0


MODEL = NeuronModel(
    name="lif_curr_delta",
    description="Leaky integrate-and-fire, synapses that step the voltage.",
    parameters=MEMBRANE,
    receptors=(Receptor("delta", "mV"),),
    states=(State("v_mv", "Membrane potential."),),
    kernel_state=("v_mv",),
    offset_parameter="i_offset_pa",
    lower=_lower,
    step=_step,
    check=check_membrane,
)
