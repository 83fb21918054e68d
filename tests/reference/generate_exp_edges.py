"""Makes the edge cases of `lif_curr_exp`: ties, input around refractoriness, singular time constants.

A tie must not depend on how exp was rounded, so the tied neurons are perfect integrators with propagators
that are powers of two: time constants of 2**60 ms, 1 pF, and a timestep of 1/8 ms.
"""

import numpy as np

from tests.reference.builder import CaseBuilder
from tests.reference.cases import EXP, ReferenceCase
from tests.reference.generate_delta_edges import REFRACTORY_TICKS, TIE_SPLITS

LSB_PA = 2.0**-3
THETA_MV = 8.0

NEAR_MS = 10.0 * (1 + 2.0**-30)
TAUS_MS = (
    (10.0, 10.0),
    (10.0, 2.0),
    (2.0, 10.0),
    (NEAR_MS, 10.0),
    (10.0, NEAR_MS),
    (10.0 + 1e-13, 9.99),
    (0.1, 100.0),
    (40.0, 0.3),
)
"""Excitatory and inhibitory time constants of neurons whose membrane has 10 ms."""

_NEURON = {
    "v_rest_mv": -65.0,
    "v_threshold_mv": -50.0,
    "v_reset_mv": -65.0,
    "c_m_pf": 250.0,
    "tau_m_ms": 10.0,
    "tau_syn_ex_ms": 0.5,
    "tau_syn_in_ms": 0.5,
    "t_ref_ms": 2.0,
    "i_offset_pa": 0.0,
}


def exp_edge_cases() -> list[ReferenceCase]:
    """Make all of them, without spikes."""
    return [_ties(), _refractory(), _time_constants()]


def _ties() -> ReferenceCase:
    """Perfect integrators: a current of w pA lifts v by w / 8 mV in every tick, without rounding."""
    about = "potentials that reach the threshold exactly"
    case = CaseBuilder("exp_ties", EXP, about, n_ticks=200, lsb=LSB_PA, timestep_ms=0.125)
    forever = {"tau_m_ms": 2.0**60, "tau_syn_ex_ms": 2.0**60, "tau_syn_in_ms": 2.0**60, "c_m_pf": 1.0}
    neuron = _NEURON | forever | {"v_threshold_mv": -65.0 + THETA_MV}
    for n_ref in (0, 1, 16):
        for miss in (-1, 0, 1):
            _tied(case, f"ref{n_ref} miss{miss:+d}", neuron | {"t_ref_ms": n_ref / 8}, miss * LSB_PA)
    at_rest = {"v_threshold_mv": -65.0, "v_reset_mv": -70.0}
    case.population("threshold at rest", 2, _NEURON | at_rest, -65.0)
    return case.build()


def _tied(case: CaseBuilder, name: str, parameters: dict[str, float], miss: float) -> None:
    """Neurons driven to the threshold in four ticks, and one in steps by currents that are switched off."""
    on = 2 * THETA_MV
    neurons = case.population(name, len(TIE_SPLITS), parameters, -65.0)
    for neuron, (first, *others) in zip(neurons, TIE_SPLITS, strict=True):
        case.arrive_together(neuron, 50, [first * on + miss, *(part * on for part in others)])
    switched = case.population(f"switched {name}", 1, parameters, -65.0)[0]
    for tick, weight in ((50, on), (53, -on), (60, on / 2 + miss), (62, -on / 2)):
        case.arrive(switched, tick, weight)


def _refractory() -> ReferenceCase:
    """Spike in tick 21, then input in each tick around the end of refractoriness; autapses too.

    The currents outlast refractoriness, so what arrived meanwhile decides when the next spikes come.
    """
    case = CaseBuilder("exp_refractory", EXP, "input around refractoriness", n_ticks=1000, lsb=LSB_PA)
    driven = _NEURON | {"tau_syn_ex_ms": 1.0, "tau_syn_in_ms": 3.0, "i_offset_pa": 400.0}
    for n_ref in REFRACTORY_TICKS:
        parameters = driven | {"t_ref_ms": n_ref / 10}
        n = n_ref + 6
        again = case.population(f"again ref{n_ref}", n, parameters, -51.0)
        against = case.population(f"against ref{n_ref}", n, parameters, -51.0)
        autapse = case.population(f"autapse ref{n_ref}", n, parameters, -51.0)
        for neuron in (*again, *against, *autapse):
            case.arrive(neuron, 20, 3000.0)
        for offset in range(n):
            case.arrive(again[offset], 20 + offset, 2500.0, delay_ticks=4)
            case.arrive(against[offset], 20 + offset, -1500.0, delay_ticks=2)
            case.synapse(autapse[offset], autapse[offset], 3000.0, 1 + offset)
            case.synapse(autapse[offset], autapse[offset], -1200.0, 4 + offset)
    return case.build()


def _time_constants() -> ReferenceCase:
    """Synaptic time constants equal to the membrane's, next to it, far from it; both signs in one tick."""
    about = "singular and extreme propagators"
    case = CaseBuilder("exp_time_constants", EXP, about, n_ticks=5000, lsb=LSB_PA)
    rng = np.random.default_rng(303)
    sent = rng.choice(4000, 200, replace=False)
    for index, (tau_ex, tau_in) in enumerate(TAUS_MS):
        parameters = _NEURON | {"tau_syn_ex_ms": tau_ex, "tau_syn_in_ms": tau_in, "i_offset_pa": 380.0}
        for neuron in case.population(f"taus{index}", 12, parameters, -65.0 + index):
            for tick, delay in zip(rng.choice(sent, 60), rng.integers(1, 200, 60), strict=True):
                arrival = int(tick + delay)
                case.arrive(neuron, arrival, _current_pa(rng, 1000.0, tau_ex), int(delay))
                case.arrive(neuron, arrival, -_current_pa(rng, 1500.0, tau_in), int(delay))
    return case.build()


def _current_pa(rng: np.random.Generator, charge_fc: float, tau_syn_ms: float) -> float:
    """A whole number of pA, from 1 to what carries such a charge."""
    return 1.0 + round(rng.random() * charge_fc / max(tau_syn_ms, 0.5))
