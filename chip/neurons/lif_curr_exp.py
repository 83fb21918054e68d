"""Leaky integrate-and-fire with exponentially decaying currents, integrated exactly.

The tick, v counted from rest; p20 = tau_m / c_m (1 - p22) (NEST's `iaf_psc_exp`, in its order)::

    if refractory == 0:  v = v * p22 + i_ex * p21_ex + i_in * p21_in + (i_offset + dc) * p20
    else:                refractory -= 1
    i_ex = i_ex * p11_ex + slot_ex                # the current evolves in refractoriness too
    i_in = i_in * p11_in + slot_in
    if v >= threshold:   spike;  v = reset;  refractory = t_ref / h

References
----------
Rotter and Diesmann 1999, Biol. Cybern. 81:381; NEST 3.10, models/iaf_psc_exp.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping

from chip.jit import tick_kernel
from chip.neurons.lif import (
    MEMBRANE,
    check_membrane,
    decay,
    refractory_ticks,
    synapse_to_voltage,
    time_constant,
)
from chip.neurons.model import Array, Lowered, NeuronModel, Receptor, State


def _lower(
    parameters: Mapping[str, Array], initial: Mapping[str, Array], timestep_ms: float, lsb: tuple[float, ...]
) -> Lowered:
    p, h = parameters, timestep_ms
    one = p["c_m_pf"] * 0.0 + 1.0
    return Lowered(
        coefficients=(
            decay(h, p["tau_m_ms"]),
            synapse_to_voltage(h, p["tau_m_ms"], p["tau_syn_ex_ms"], p["c_m_pf"]),
            synapse_to_voltage(h, p["tau_m_ms"], p["tau_syn_in_ms"], p["c_m_pf"]),
            decay(h, p["tau_syn_ex_ms"]),
            decay(h, p["tau_syn_in_ms"]),
            p["v_threshold_mv"] - p["v_rest_mv"],
            p["v_reset_mv"] - p["v_rest_mv"],
            refractory_ticks(h, p["t_ref_ms"]),
            one * lsb[0],
            one * lsb[1],
        ),
        drive_gain=p["tau_m_ms"] / p["c_m_pf"] * (1.0 - decay(h, p["tau_m_ms"])),
        initial={
            "v_mv": initial.get("v_mv", p["v_rest_mv"]) - p["v_rest_mv"],
            "i_ex_pa": initial.get("i_ex_pa", one * 0.0),
            "i_in_pa": initial.get("i_in_pa", one * 0.0),
        },
        origin={"v_mv": p["v_rest_mv"]},
        refractory_ticks=refractory_ticks(h, p["t_ref_ms"]),
    )


@tick_kernel
def _step(n, state, countdown, c, varying, drive, slots, base, pitch, fired):
    number, ticks = state.dtype.type, countdown.dtype.type
    none, one = ticks(0), ticks(1)
    w = state.size // 3
    v, i_ex, i_in = state[:n], state[w : w + n], state[2 * w : 2 * w + n]
    slot_ex, slot_in = slots[base : base + n], slots[base + pitch : base + pitch + n]
    if not varying:
        p22, p21_ex, p21_in, p11_ex, p11_in, theta, reset, t_ref, lsb_ex, lsb_in = (
            c[0], c[1], c[2], c[3], c[4], c[5], c[6], ticks(c[7]), c[8], c[9],
        )  # fmt: skip
        for i in range(n):
            active = countdown[i] == none
            moved = v[i] * p22 + i_ex[i] * p21_ex + i_in[i] * p21_in + drive[i]
            potential = moved if active else v[i]
            rest = none if active else ticks(countdown[i] - one)
            fires = potential >= theta
            v[i] = reset if fires else potential
            countdown[i] = t_ref if fires else rest
            fired[i] = fires
            i_ex[i] = i_ex[i] * p11_ex + number(slot_ex[i]) * lsb_ex
            i_in[i] = i_in[i] * p11_in + number(slot_in[i]) * lsb_in
            slot_ex[i] = 0
            slot_in[i] = 0
    else:
        k = c.reshape(10, n)
        for i in range(n):
            active = countdown[i] == none
            moved = v[i] * k[0, i] + i_ex[i] * k[1, i] + i_in[i] * k[2, i] + drive[i]
            potential = moved if active else v[i]
            rest = none if active else ticks(countdown[i] - one)
            fires = potential >= k[5, i]
            v[i] = k[6, i] if fires else potential
            countdown[i] = ticks(k[7, i]) if fires else rest
            fired[i] = fires
            i_ex[i] = i_ex[i] * k[3, i] + number(slot_ex[i]) * k[8, i]
            i_in[i] = i_in[i] * k[4, i] + number(slot_in[i]) * k[9, i]
            slot_ex[i] = 0
            slot_in[i] = 0


MODEL = NeuronModel(
    name="lif_curr_exp",
    description="Leaky integrate-and-fire, exponentially decaying excitatory and inhibitory currents.",
    parameters=(
        *MEMBRANE,
        time_constant("tau_syn_ex_ms", 0.5, "Time constant of the excitatory current."),
        time_constant("tau_syn_in_ms", 0.5, "Time constant of the inhibitory current."),
    ),
    receptors=(Receptor("excitatory", "pA"), Receptor("inhibitory", "pA")),
    states=(
        State("v_mv", "Membrane potential."),
        State("i_ex_pa", "Excitatory current."),
        State("i_in_pa", "Inhibitory current."),
    ),
    kernel_state=("v_mv", "i_ex_pa", "i_in_pa"),
    offset_parameter="i_offset_pa",
    lower=_lower,
    step=_step,
    check=check_membrane,
)
