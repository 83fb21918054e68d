"""Makes the cases whose thresholds are NEST's own potentials, so that one wrong bit moves a spike.

Of each pair of neurons that differ only in the threshold, the first has it exactly where NEST's potential
peaks and fires there; the second has it one float64 higher and stays silent. They hold only if a simulator
rounds exp to the nearest float64 and multiplies and adds in NEST's order, which `oracle.py` states.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.reference.builder import CaseBuilder
from tests.reference.cases import DELTA, EXP, CasePopulation, ReferenceCase
from tests.reference.nest_peer import potentials

N_TICKS = 1000
_ABOUT = "thresholds are peaks of the potential"
_UNREACHED = 1e6
_FIXED = {"v_rest_mv": 0.0, "v_reset_mv": -5.0, "v_threshold_mv": _UNREACHED, "t_ref_ms": 2.0}
_MEMBRANES = (
    {"tau_m_ms": 10.0, "c_m_pf": 250.0, "i_offset_pa": 0.0},
    {"tau_m_ms": 20.0, "c_m_pf": 250.0, "i_offset_pa": 200.0},
    {"tau_m_ms": 7.3, "c_m_pf": 181.7, "i_offset_pa": 333.25},
    {"tau_m_ms": 15.0, "c_m_pf": 100.0, "i_offset_pa": -50.5},
    {"tau_m_ms": 5.0, "c_m_pf": 250.0, "i_offset_pa": 375.0},
    {"tau_m_ms": 12.5, "c_m_pf": 300.0, "i_offset_pa": 97.0},
)
_SYNAPSES = (
    {"tau_syn_ex_ms": 0.5, "tau_syn_in_ms": 0.5},
    {"tau_syn_ex_ms": 2.0, "tau_syn_in_ms": 8.0},
    {"tau_syn_ex_ms": 0.3, "tau_syn_in_ms": 6.1},
    {"tau_syn_ex_ms": 15.0, "tau_syn_in_ms": 15.0},
    {"tau_syn_ex_ms": 1.7, "tau_syn_in_ms": 5.0},
    {"tau_syn_ex_ms": 3.0, "tau_syn_in_ms": 0.9},
)
"""Of each membrane, the time constants of its currents."""


def last_bit_cases() -> list[ReferenceCase]:
    """Make both cases, without spikes; asks NEST for the potentials."""
    exp = CaseBuilder("exp_last_bit", EXP, _ABOUT, n_ticks=N_TICKS, lsb=2.0**-3)
    delta = CaseBuilder("delta_last_bit", DELTA, _ABOUT, n_ticks=N_TICKS, lsb=2.0**-10)
    return [
        _with_thresholds(_unreached(exp, [m | s for m, s in zip(_MEMBRANES, _SYNAPSES, strict=True)], 400.0)),
        _with_thresholds(_unreached(delta, _MEMBRANES, 1.5)),
    ]


def _unreached(case: CaseBuilder, neurons: Sequence[dict[str, float]], weight: float) -> ReferenceCase:
    """Pairs of equal neurons under equal random input, with a threshold that they never reach."""
    rng = np.random.default_rng(404)
    for index, neuron in enumerate(neurons):
        pair = [
            case.population(f"{level} peak {index}", 1, _FIXED | neuron, v_mv=1.5)[0]
            for level in ("at", "over")
        ]
        for tick in rng.choice(np.arange(10, 700), 25, replace=False):
            size = case.lsb * round(weight * rng.normal(0.5, 1.0) / case.lsb)
            for number in pair:
                case.arrive(number, int(tick), size)
    return case.build()


def _with_thresholds(case: ReferenceCase) -> ReferenceCase:
    """Give the first of each pair its peak as threshold and the second the next float64."""
    peaks = potentials(case).max(axis=0)
    populations = tuple(
        _with_threshold(population, peak if index % 2 == 0 else np.nextafter(peak, np.inf))
        for index, (population, peak) in enumerate(zip(case.populations, peaks, strict=True))
    )
    return replace(case, populations=populations)


def _with_threshold(population: CasePopulation, threshold_mv: float) -> CasePopulation:
    return replace(population, parameters={**population.parameters, "v_threshold_mv": float(threshold_mv)})
