"""Makes the cases of currents that change over time: steps, a ramp, sines, and several into one population.

Spikes arrive beside them, so that the neurons of a population fire at different times.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.chip.waves import ramp, sine, steps
from tests.reference.builder import CaseBuilder
from tests.reference.cases import DELTA, EXP, ReferenceCase

N_TICKS, SIZE = 5000, 8

_NEURON = {
    "v_rest_mv": -65.0,
    "v_threshold_mv": -50.0,
    "v_reset_mv": -65.0,
    "c_m_pf": 250.0,
    "tau_m_ms": 10.0,
    "t_ref_ms": 2.0,
    "i_offset_pa": 350.0,
}
_SYNAPSES = {"tau_syn_ex_ms": 0.5, "tau_syn_in_ms": 2.0}

STEPS = steps((0.2, 30.0), (40.0, 150.0), (40.1, -80.0), (123.4, 60.5), (300.0, 0.0), (300.3, 90.0))
RAMP = ramp(20.0, 450.0, 0.0, 1.0)
SLOW, FAST = sine(0.25, 1.0, 8.0, -30.0), sine(0.0, 1.0, 437.5, 77.0)


def current_cases() -> list[ReferenceCase]:
    """Make all of them, without spikes."""
    about = "currents that change over time"
    exp = CaseBuilder("exp_currents", EXP, about, n_ticks=N_TICKS, lsb=2.0**-3)
    delta = CaseBuilder("delta_currents", DELTA, about, n_ticks=N_TICKS, lsb=2.0**-10)
    _populations(exp, _NEURON | _SYNAPSES, lambda rng: float(rng.integers(-2000, 4000)) / 8)
    _populations(delta, _NEURON, lambda rng: float(rng.integers(-1000, 2000)) / 1024)
    return [exp.build(), delta.build()]


def _populations(
    case: CaseBuilder, parameters: dict[str, float], weight: Callable[[np.random.Generator], float]
) -> None:
    rng = np.random.default_rng(909)
    sent = rng.choice(N_TICKS - 10, 300, replace=False)
    for name, currents in _CURRENTS.items():
        for neuron in case.population(name, SIZE, parameters, -60.0):
            for tick in rng.choice(sent, 60, replace=False):
                case.arrive(neuron, int(tick) + 1, weight(rng))
        for current_pa, waveform in currents:
            case.current(name, current_pa, waveform)


_CURRENTS: dict[str, list[tuple[float, dict[str, Any]]]] = {
    "none": [],
    "steps": [(1.0, STEPS)],
    "ramp": [(133.3, RAMP)],
    "slow sine": [(120.0, SLOW)],
    "fast sine": [(700.0, FAST)],
    "all": [(-1.5, STEPS), (90.7, RAMP), (60.0, SLOW), (250.0, FAST)],
}
