"""A plain float64 simulation of both neuron models, tick by tick: the conventions of time in forty lines.

Tick *t* of `lif_curr_exp`, v counted from rest (NEST keeps it so, and the last bit depends on it)::

    if refractory == 0:  v = ((v * P22 + i_ex * P21_ex) + i_in * P21_in) + (i_offset + i) * P20
    else:                refractory = refractory - 1            # v stays at the reset
    i_ex = i_ex * P11_ex + slot_ex                              # also in refractoriness
    i_in = i_in * P11_in + slot_in
    if v >= threshold:   spike in tick t; refractory = t_ref / h; v = reset

and of `lif_curr_delta`::

    if refractory == 0:  v = (P30 * (i_offset + i) + P22 * v) + slot
    else:                refractory = refractory - 1            # the slot is discarded
    if v >= threshold:   spike in tick t; refractory = t_ref / h; v = reset

`i` is the sum of the currents that change over time, in tick t. `slot` is the sum of the weights whose
source spiked in tick `t - delay_ticks`. With R = t_ref / h and a spike in tick t, the ticks t + 1 to t +
R are refractory and t + R + 1 is the first that integrates; with R = 0 a neuron can fire in every tick.
The propagators, in the order of operations of NEST 3.10 (iaf_psc_exp.cpp, iaf_psc_delta.cpp,
iaf_propagator.cpp)::

    P22 = exp(-h / tau_m)       P11 = exp(-h / tau_syn)
    P20 = tau_m / c_m * (1 - P22)                               # lif_curr_exp
    P30 = 1 / c_m * (1 - P22) * tau_m                           # lif_curr_delta: the same, rounded otherwise
    P21 = beta / c_m * exp(-h * (1 / tau_syn)) * expm1(h * inv_beta)
          beta     = tau_syn * tau_m / (tau_m - tau_syn)
          inv_beta = (tau_m - tau_syn) / (tau_syn * tau_m)
    P21 = h * (1 / c_m) * exp(-h * (1 / tau_m))                 # where the former is not a normal number > 0

Products and sums are rounded one by one: NEST's x86-64 wheel has no fused multiply-add. Its expm1 is the
Taylor series of `expm1` below, not libm's: read off the machine code, and found again in every bit of the
potentials of 12 neurons over 1,000 ticks.
"""

import math
import sys
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache

import numpy as np

from tests.reference.cases import DELTA, EXP, ReferenceCase

_DIGITS = Context(prec=40)


@dataclass(frozen=True)
class OracleResult:
    """Spikes by tick and then neuron, and how near the closest decision was.

    Attributes
    ----------
    tick, neuron : (n_spikes,) int64
    margin_mv : float
        Least |v - threshold| over all neurons and ticks out of refractoriness: while it is far above the
        rounding error, another order of operations fires the same spikes.
    """

    tick: np.ndarray
    neuron: np.ndarray
    margin_mv: float


def simulate(case: ReferenceCase) -> OracleResult:
    """Simulate a case from tick 0 to its end."""
    step = {EXP: _ExpStep, DELTA: _DeltaStep}[case.model](case)
    theta = case.per_neuron("v_threshold_mv") - case.per_neuron("v_rest_mv")
    reset = case.per_neuron("v_reset_mv") - case.per_neuron("v_rest_mv")
    refractory_ticks = np.rint(case.per_neuron("t_ref_ms") / case.timestep_ms).astype(np.int64)
    v = case.per_neuron("v_mv") - case.per_neuron("v_rest_mv")
    refractory = np.zeros(case.n_neurons, np.int64)
    slots = _Slots(case)
    sizes = np.diff(case.offsets)
    ticks, neurons, margin = [], [], math.inf
    for tick in range(case.n_ticks):
        active = refractory == 0
        current_pa = np.repeat(case.current_pa[tick], sizes)
        v = np.where(active, step.integrate(v, current_pa, *slots.take(tick)), v)
        refractory -= ~active
        fired = np.flatnonzero(v >= theta)
        margin = min(margin, np.abs(v - theta)[active].min(initial=math.inf))
        v[fired] = reset[fired]
        refractory[fired] = refractory_ticks[fired]
        slots.send(tick, fired)
        ticks.append(np.full(fired.size, tick))
        neurons.append(fired)
    return OracleResult(np.concatenate(ticks), np.concatenate(neurons), float(margin))


def p21(h: float, tau_syn_ms: float, tau_m_ms: float, c_m_pf: float) -> float:
    """Millivolts that one pA of a decaying current adds to v in one tick, as NEST's IAFPropagatorExp."""
    if tau_syn_ms != tau_m_ms:
        beta = tau_syn_ms * tau_m_ms / (tau_m_ms - tau_syn_ms)
        inv_beta = (tau_m_ms - tau_syn_ms) / (tau_syn_ms * tau_m_ms)
        regular = beta / c_m_pf * exp(-h * (1 / tau_syn_ms)) * expm1(h * inv_beta)
        if math.isfinite(regular) and regular >= sys.float_info.min:
            return regular
    return h * (1 / c_m_pf) * exp(-h * (1 / tau_m_ms))


def expm1(x: float) -> float:
    """exp(x) - 1 as the NEST wheel computes it, which is built without libm's (numerics.h, after GSL)."""
    if abs(x) > math.log(2.0):
        return exp(x) - 1
    total, term, n = x, x * x / 2, 2
    while abs(term) > abs(total) * sys.float_info.epsilon:
        total += term
        n += 1
        term *= x / n
    return total


@cache
def exp(x: float) -> float:
    """exp(x) rounded to the nearest float64; NEST takes libm's, which is that for all arguments of the cases.

    (glibc 2.36 misses it by one bit in 17 of 20,000 random arguments in [-2, 0].)
    """
    return float(Decimal(x).exp(_DIGITS))


def _exp(x: np.ndarray) -> np.ndarray:
    return np.array([exp(value) for value in x.tolist()])


class _ExpStep:
    def __init__(self, case: ReferenceCase) -> None:
        h, tau_m, c_m = case.timestep_ms, case.per_neuron("tau_m_ms"), case.per_neuron("c_m_pf")
        tau_ex, tau_in = case.per_neuron("tau_syn_ex_ms"), case.per_neuron("tau_syn_in_ms")
        self.p22, self.p11_ex, self.p11_in = _exp(-h / tau_m), _exp(-h / tau_ex), _exp(-h / tau_in)
        self.p21_ex = np.array([p21(h, *each) for each in zip(tau_ex, tau_m, c_m, strict=True)])
        self.p21_in = np.array([p21(h, *each) for each in zip(tau_in, tau_m, c_m, strict=True)])
        self.offset_pa, self.p20 = case.per_neuron("i_offset_pa"), tau_m / c_m * (1.0 - self.p22)
        self.i_ex, self.i_in = np.zeros(case.n_neurons), np.zeros(case.n_neurons)

    def integrate(
        self, v: np.ndarray, current_pa: np.ndarray, slot_ex: np.ndarray, slot_in: np.ndarray
    ) -> np.ndarray:
        drive = (self.offset_pa + current_pa) * self.p20
        v = v * self.p22 + self.i_ex * self.p21_ex + self.i_in * self.p21_in + drive
        self.i_ex = self.i_ex * self.p11_ex + slot_ex
        self.i_in = self.i_in * self.p11_in + slot_in
        return v


class _DeltaStep:
    def __init__(self, case: ReferenceCase) -> None:
        tau_m = case.per_neuron("tau_m_ms")
        self.p22 = _exp(-case.timestep_ms / tau_m)
        self.offset_pa = case.per_neuron("i_offset_pa")
        self.p30 = 1 / case.per_neuron("c_m_pf") * (1 - self.p22) * tau_m

    def integrate(
        self, v: np.ndarray, current_pa: np.ndarray, slot_positive: np.ndarray, slot_negative: np.ndarray
    ) -> np.ndarray:
        return self.p30 * (self.offset_pa + current_pa) + self.p22 * v + (slot_positive + slot_negative)


class _Slots:
    """Input sums of the coming ticks, and the input that arrives from sources."""

    def __init__(self, case: ReferenceCase) -> None:
        order = np.argsort(case.source, kind="stable")
        self.first = np.searchsorted(case.source[order], np.arange(case.n_neurons + case.n_sources + 1))
        self.target, self.delay = case.target[order], case.delay_ticks[order]
        self.weight = case.weights[order]
        self.ring = np.zeros((int(case.delay_ticks.max(initial=0)) + 1, 2, case.n_neurons))
        self.inputs = case.input_neuron
        self.input_first = np.searchsorted(case.input_tick, np.arange(case.n_ticks + 1))

    def take(self, tick: int) -> np.ndarray:
        """(2, n_neurons) sums of positive and of negative weights that arrive in this tick."""
        slot = self.ring[tick % len(self.ring)].copy()
        self.ring[tick % len(self.ring)] = 0.0
        return slot

    def send(self, tick: int, fired: np.ndarray) -> None:
        """Add the synapses of neurons and sources that spiked in this tick to the slots where they arrive."""
        inputs = self.inputs[self.input_first[tick] : self.input_first[tick + 1]]
        for neuron in np.concatenate([fired, inputs]):
            row = slice(self.first[neuron], self.first[neuron + 1])
            weight = self.weight[row]
            slot = (tick + self.delay[row]) % len(self.ring)
            np.add.at(self.ring, (slot, (weight <= 0).astype(int), self.target[row]), weight)
