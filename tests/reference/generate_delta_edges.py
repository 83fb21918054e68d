"""Makes the edge cases of `lif_curr_delta`: ties at the threshold, input around refractoriness, long delays.

A tie must not depend on how exp was rounded, so the tied neurons are exactly at rest before it.
"""

from tests.reference.builder import CaseBuilder
from tests.reference.cases import DELTA, ReferenceCase

LSB_MV = 2.0**-10
THETA_MV = 8.0
"""Threshold above rest."""

REFRACTORY_TICKS = (0, 1, 2, 5, 20)

TIE_SPLITS = ((1.0,), (0.5, 0.5), (0.25, 0.25, 0.5), (1.5, -0.5), (2.0, -1.5, 0.5))
"""Inputs of one slot, in thresholds, each of which add up to exactly one."""

RING_DELAYS = (1, 2, 3, 5, 8, 13, 1, 21, 2, 34, 3, 55)

LONG_DELAYS = (1, 2, 63, 64, 65, 255, 256, 257, 511, 512, 1000, 1023, 1024, 2047, 2048, 3000)

_NEURON = {
    "v_rest_mv": 0.0,
    "v_threshold_mv": THETA_MV,
    "v_reset_mv": 0.0,
    "c_m_pf": 250.0,
    "tau_m_ms": 20.0,
    "t_ref_ms": 2.0,
    "i_offset_pa": 0.0,
}


def delta_edge_cases() -> list[ReferenceCase]:
    """Make all of them, without spikes."""
    return [_ties(), _refractory(), _long_delays()]


def _ties() -> ReferenceCase:
    """Slots that reach the threshold exactly, or miss it by one LSB, from sources and in rings of neurons."""
    case = CaseBuilder("delta_ties", DELTA, "slots that add up to the threshold", n_ticks=1000, lsb=LSB_MV)
    for rest in (0.0, -70.0):
        levels = {"v_rest_mv": rest, "v_reset_mv": rest, "v_threshold_mv": rest + THETA_MV}
        for miss in (-1, 0, 1):
            neurons = case.population(f"rest{rest:g} miss{miss:+d}", len(TIE_SPLITS), _NEURON | levels, rest)
            for neuron, (first, *others) in zip(neurons, TIE_SPLITS, strict=True):
                parts = [first * THETA_MV + miss * LSB_MV, *(part * THETA_MV for part in others)]
                case.arrive_together(neuron, 50, parts)
    at_rest = {"v_rest_mv": -50.0, "v_threshold_mv": -50.0, "v_reset_mv": -60.0}
    case.population("threshold at rest", 2, _NEURON | at_rest, -50.0)
    for miss in (0, -1):
        neurons = case.population(f"ring miss{miss:+d}", len(RING_DELAYS), _NEURON)
        _ring(case, neurons, THETA_MV / 2 + miss * LSB_MV)
    return case.build()


def _ring(case: CaseBuilder, neurons: range, from_earlier: float) -> None:
    """Each neuron gets in one slot half a threshold from its predecessor, the rest from the one before."""
    for index, delay in enumerate(RING_DELAYS):
        case.synapse(neurons[index - 1], neurons[index], THETA_MV / 2, delay)
        case.synapse(neurons[index - 2], neurons[index], from_earlier, delay + RING_DELAYS[index - 1])
    case.arrive(neurons[-2], 9, THETA_MV)
    case.arrive(neurons[-1], 9 + RING_DELAYS[-1], THETA_MV)


def _refractory() -> ReferenceCase:
    """Spike in tick 20, then input in each tick around the end of refractoriness; autapses of such delays."""
    case = CaseBuilder("delta_refractory", DELTA, "input around refractoriness", n_ticks=500, lsb=LSB_MV)
    for n_ref in REFRACTORY_TICKS:
        parameters = _NEURON | {"t_ref_ms": n_ref / 10}
        n = n_ref + 4
        full = case.population(f"full ref{n_ref}", n, parameters)
        half = case.population(f"half ref{n_ref}", n, parameters)
        autapse = case.population(f"autapse ref{n_ref}", n, parameters)
        for neuron in (*full, *half, *autapse):
            case.arrive(neuron, 20, THETA_MV)
        for offset in range(n):
            case.arrive(full[offset], 21 + offset, THETA_MV)
            case.arrive(half[offset], 21 + offset, THETA_MV / 2, delay_ticks=3)
            case.arrive(half[offset], 23 + n, THETA_MV * 3 / 4)
            case.synapse(autapse[offset], autapse[offset], THETA_MV, 1 + offset)
    return case.build()


def _long_delays() -> ReferenceCase:
    """Neurons that tie at the threshold after delays of up to 3,000 ticks."""
    case = CaseBuilder("delta_long_delays", DELTA, "delays up to 3000 ticks", n_ticks=10_000, lsb=LSB_MV)
    hub = case.population("hub", 1, _NEURON)[0]
    targets = case.population("targets", len(LONG_DELAYS), _NEURON | {"t_ref_ms": 0.5})
    for tick in (5, 40, 1500, 6000):
        case.arrive(hub, tick, THETA_MV, delay_ticks=5)
    for delay, target in zip(LONG_DELAYS, targets, strict=True):
        case.synapse(hub, target, THETA_MV, delay)
        case.synapse(target, targets[0], THETA_MV / 4, 3001 - delay)
    return case.build()
