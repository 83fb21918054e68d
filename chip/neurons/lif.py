"""What the leaky integrate-and-fire models share: parameters, checks, and the membrane's propagators."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping

import numpy as np

from chip.neurons.model import Array, Parameter
from chip.rounded import exp

LEAST_MS, MOST_MS = 1e-6, 1e20
"""Bounds of time constants: far from where a propagator leaves float32 (h / c_m) or float64 (tau / c_m)."""

LEAST_TAU_TICKS = 1 / 500
"""Least time constant: propagators multiply exp(h / tau) by exp(-h / tau), and float64 ends at exp(709)."""

MOST_REFRACTORY_TICKS = 2**24
"""From there on, float32 cannot count down by one."""


def time_constant(name: str, default: float, description: str) -> Parameter:
    """Return a parameter that is a time constant."""
    return Parameter(
        name, default, description, at_least=LEAST_MS, at_most=MOST_MS, at_least_ticks=LEAST_TAU_TICKS
    )


MEMBRANE = (
    Parameter("v_rest_mv", -65.0, "Resting potential."),
    Parameter("v_threshold_mv", -50.0, "A neuron with v >= threshold spikes."),
    Parameter("v_reset_mv", -65.0, "Potential after a spike, held through refractoriness."),
    Parameter("c_m_pf", 250.0, "Capacitance of the membrane.", at_least=1e-3, at_most=1e12),
    time_constant("tau_m_ms", 10.0, "Time constant of the membrane."),
    Parameter(
        "t_ref_ms",
        2.0,
        "Refractory time, rounded to ticks.",
        at_least=0.0,
        at_most_ticks=MOST_REFRACTORY_TICKS,
    ),
    Parameter("i_offset_pa", 0.0, "Constant current."),
)


def check_membrane(lowest: Mapping[str, float], highest: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return what is wrong between parameters: (parameter, rule, advice)."""
    if highest["v_reset_mv"] >= lowest["v_threshold_mv"]:
        rule = f"must be < v_threshold_mv, {lowest['v_threshold_mv']:g}"
        return [("v_reset_mv", rule, "lower it, or the neuron fires without end")]
    return []


def each(function: Callable[..., float], *arrays: Array) -> Array:
    """Apply a function of numbers to arrays, (1,) or (n,), once for each distinct set of arguments."""
    rows = np.stack(np.broadcast_arrays(*arrays))
    distinct, place = np.unique(rows, axis=1, return_inverse=True)
    return np.array([function(*row) for row in distinct.T.tolist()])[place.reshape(-1)]


def _expm1(x: float) -> float:
    """Return e**x - 1 with NEST's series (numerics.h, after GSL), whose last bit differs from the nearest."""
    if abs(x) > math.log(2.0):
        return exp(x) - 1.0
    total, term, n = x, x * x / 2.0, 2
    while abs(term) > abs(total) * sys.float_info.epsilon:
        total += term
        n += 1
        term *= x / n
    return total


def decay(timestep_ms: float, tau_ms: Array) -> Array:
    """Return exp(-h / tau)."""
    return each(lambda tau: exp(-timestep_ms / tau), tau_ms)


def synapse_to_voltage(timestep_ms: float, tau_m_ms: Array, tau_syn_ms: Array, c_m_pf: Array) -> Array:
    """Return the voltage (mV) that a current of 1 pA, decaying with tau_syn, adds in a tick.

    The order of operations is NEST's, so that a potential that meets the threshold in its last bit does so
    in both.

    References
    ----------
    Rotter and Diesmann 1999, Biol. Cybern. 81:381; NEST 3.10, libnestutil/iaf_propagator.cpp.
    """
    return each(
        lambda tau_m, tau_syn, c_m: _p21(timestep_ms, tau_m, tau_syn, c_m), tau_m_ms, tau_syn_ms, c_m_pf
    )


def _p21(h: float, tau_m: float, tau_syn: float, c_m: float) -> float:
    if tau_syn != tau_m:
        beta = tau_syn * tau_m / (tau_m - tau_syn)
        inv_beta = (tau_m - tau_syn) / (tau_syn * tau_m)
        regular = beta / c_m * exp(-h * (1.0 / tau_syn)) * _expm1(h * inv_beta)
        if math.isfinite(regular) and regular >= sys.float_info.min:
            return regular
    return h * (1.0 / c_m) * exp(-h * (1.0 / tau_m))


def refractory_ticks(timestep_ms: float, t_ref_ms: Array) -> Array:
    """Return the refractory time in whole ticks."""
    return np.floor(t_ref_ms / timestep_ms + 0.5)
