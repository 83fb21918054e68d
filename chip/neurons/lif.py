"""What the leaky integrate-and-fire models share: parameters, checks, and the membrane's propagators."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chip.arithmetic import exp, expm1
from chip.neurons.model import Array, Parameter

MEMBRANE = (
    Parameter("v_rest_mv", -65.0, "Resting potential."),
    Parameter("v_threshold_mv", -50.0, "A neuron with v >= threshold spikes."),
    Parameter("v_reset_mv", -65.0, "Potential after a spike, held through refractoriness."),
    Parameter("c_m_pf", 250.0, "Capacitance of the membrane.", above=0.0),
    Parameter("tau_m_ms", 10.0, "Time constant of the membrane.", above=0.0),
    Parameter("t_ref_ms", 2.0, "Refractory time, rounded to ticks.", at_least=0.0),
    Parameter("i_offset_pa", 0.0, "Constant current."),
)


def check_membrane(lowest: Mapping[str, float], highest: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return what is wrong between parameters: (parameter, rule, advice)."""
    if highest["v_reset_mv"] >= lowest["v_threshold_mv"]:
        rule = f"must be < v_threshold_mv, {lowest['v_threshold_mv']:g}"
        return [("v_reset_mv", rule, "lower it, or the neuron fires without end")]
    return []


def each(function: object, x: Array) -> Array:
    """Apply a scalar kernel to each element of `x`."""
    return np.array([function(value) for value in x.tolist()])  # type: ignore[operator]


def decay(timestep_ms: float, tau_ms: Array) -> Array:
    """Return exp(-h / tau)."""
    return each(exp, -timestep_ms / tau_ms)


def current_to_voltage(timestep_ms: float, tau_m_ms: Array, c_m_pf: Array) -> Array:
    """Return the voltage (mV) that a constant 1 pA adds in a tick: tau_m / C (1 - exp(-h / tau_m))."""
    return -tau_m_ms / c_m_pf * each(expm1, -timestep_ms / tau_m_ms)


def synapse_to_voltage(timestep_ms: float, tau_m_ms: Array, tau_syn_ms: Array, c_m_pf: Array) -> Array:
    """Return the voltage (mV) that a current of 1 pA, decaying with tau_syn, adds in a tick.

    ``h exp(-h / tau_m) / C * (expm1(x) / x)`` with ``x = h (1 / tau_m - 1 / tau_syn)``, which holds for equal time
    constants too, where the fraction is 1.

    References
    ----------
    Rotter and Diesmann 1999, Biol. Cybern. 81:381, exact integration.
    """
    tau_m, tau_syn, c_m = np.broadcast_arrays(tau_m_ms, tau_syn_ms, c_m_pf)
    x = timestep_ms * (tau_syn - tau_m) / (tau_m * tau_syn)
    growth = np.where(x == 0.0, 1.0, each(expm1, x) / np.where(x == 0.0, 1.0, x))
    return timestep_ms * decay(timestep_ms, tau_m) / c_m * growth


def refractory_ticks(timestep_ms: float, t_ref_ms: Array) -> Array:
    """Return the refractory time in whole ticks."""
    return np.floor(t_ref_ms / timestep_ms + 0.5)
