"""Makes the recurrent cases: 1,200 neurons in ten populations, delays of 1 to 40 ticks, 1 s."""

import numpy as np

from tests.reference.cases import DELTA, EXP, CasePopulation, ReferenceCase

TIMESTEP_MS = 0.1
N_TICKS = 10_000
N_SOURCES = 100
SOURCE_RATE_HZ = 20.0
MAX_DELAY_TICKS = 40
SIZES = (131, 97, 120, 144, 103, 125, 118, 122, 139, 101)
"""Eight excitatory populations and two inhibitory ones."""


FAN_IN = (64, 16, 10)
"""Of every neuron: synapses from excitatory neurons, inhibitory ones, sources."""

PSP_MV = (0.5, -2.5, 1.0)
"""Mean effect of one spike on the membrane, by the same three; the standard deviation is a fifth of each."""


def recurrent_cases() -> list[ReferenceCase]:
    """Make both cases, without spikes."""
    return [
        _case("exp_recurrent", EXP, _exp_populations(), weight_lsb=2.0**-3, seed=101),
        _case("delta_recurrent", DELTA, _delta_populations(), weight_lsb=2.0**-12, seed=202),
    ]


def _exp_populations() -> tuple[CasePopulation, ...]:
    """All parameters differ; two populations have a synaptic time constant equal to the membrane's."""
    tau_m = (10.0, 8.0, 12.5, 20.0, 10.0, 15.0, 5.0, 10.0, 10.0, 8.0)
    tau_ex = (0.5, 2.0, 1.0, 0.5, 3.0, 0.3, 5.0, 0.5, 0.5, 2.0)
    tau_in = (0.5, 2.0, 5.0, 1.0, 3.0, 0.7, 5.0, 10.0, 0.5, 1.0)
    t_ref = (2.0, 1.0, 0.1, 2.0, 5.0, 0.0, 0.5, 2.0, 2.0, 1.0)
    c_m = (250.0, 200.0, 250.0, 300.0, 250.0, 225.5, 250.0, 281.0, 250.0, 200.0)
    i_offset = (375.0, 400.5, 320.25, 230.0, 360.0, 220.0, 800.0, 420.0, 380.0, 400.0)
    v = (-65.0, -60.0, -55.5, -52.25, -70.0, -58.125, -64.0, -51.0, -62.5, -56.75)
    names = ["tau_m_ms", "tau_syn_ex_ms", "tau_syn_in_ms", "t_ref_ms", "c_m_pf", "i_offset_pa"]
    fixed = {"v_rest_mv": -65.0, "v_threshold_mv": -50.0, "v_reset_mv": -65.0}
    return _populations(names, (tau_m, tau_ex, tau_in, t_ref, c_m, i_offset), fixed, v)


def _delta_populations() -> tuple[CasePopulation, ...]:
    tau_m = (20.0, 10.0, 12.5, 20.0, 30.0, 15.0, 5.0, 20.0, 20.0, 10.0)
    t_ref = (2.0, 1.0, 0.1, 2.0, 5.0, 0.0, 0.5, 2.0, 2.0, 1.0)
    c_m = (250.0, 200.0, 250.0, 300.0, 250.0, 225.5, 250.0, 281.0, 250.0, 200.0)
    i_offset = (200.0, 320.5, 320.25, 230.0, 130.0, 240.0, 800.0, 220.0, 200.0, 320.0)
    v = (0.0, 5.0, 9.5, 12.75, -5.0, 6.875, 1.0, 14.0, 2.5, 8.25)
    names = ["tau_m_ms", "t_ref_ms", "c_m_pf", "i_offset_pa"]
    fixed = {"v_rest_mv": 0.0, "v_threshold_mv": 20.0, "v_reset_mv": 4.0}
    return _populations(names, (tau_m, t_ref, c_m, i_offset), fixed, v)


def _populations(
    names: list[str], columns: tuple[tuple[float, ...], ...], fixed: dict[str, float], v: tuple[float, ...]
) -> tuple[CasePopulation, ...]:
    return tuple(
        CasePopulation(
            name=f"e{index}" if index < 8 else f"i{index - 8}",
            size=size,
            parameters={**fixed, **dict(zip(names, (column[index] for column in columns), strict=True))},
            v_mv=v[index],
        )
        for index, size in enumerate(SIZES)
    )


def _case(
    name: str, model: str, populations: tuple[CasePopulation, ...], *, weight_lsb: float, seed: int
) -> ReferenceCase:
    rng = np.random.default_rng(seed)
    n_excitatory, n_neurons = sum(SIZES[:8]), sum(SIZES)
    bounds = ((0, n_excitatory), (n_excitatory, n_neurons), (n_neurons, n_neurons + N_SOURCES))
    parts = [_synapses(rng, *each) for each in zip(bounds, FAN_IN, PSP_MV, strict=True)]
    source, target, psp_mv, delay_ticks = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((source, target))
    spikes = rng.random((N_TICKS, N_SOURCES)) < SOURCE_RATE_HZ * TIMESTEP_MS * 1e-3
    input_tick, input_neuron = np.nonzero(spikes)
    return ReferenceCase(
        name=name,
        about="recurrent, ten populations that differ in every parameter, mixed delays, irregular firing",
        model=model,
        timestep_ms=TIMESTEP_MS,
        n_ticks=N_TICKS,
        weight_lsb=weight_lsb,
        populations=populations,
        n_sources=N_SOURCES,
        source=source[order],
        target=target[order],
        weight_step=np.rint(_weights(populations, target, psp_mv) / weight_lsb).astype(np.int64)[order],
        delay_ticks=delay_ticks[order],
        input_tick=input_tick,
        input_neuron=input_neuron + n_neurons,
    )


def _synapses(
    rng: np.random.Generator, bounds: tuple[int, int], fan_in: int, psp_mv: float
) -> tuple[np.ndarray, ...]:
    """Give each neuron `fan_in` synapses; a pair may have several, or be one neuron.

    Returns source, target, effect in mV, delay in ticks.
    """
    target = np.repeat(np.arange(sum(SIZES)), fan_in)
    source = rng.integers(*bounds, target.size)
    effect = rng.normal(psp_mv, abs(psp_mv) / 5, target.size)
    return source, target, effect, rng.integers(1, MAX_DELAY_TICKS + 1, target.size)


def _weights(populations: tuple[CasePopulation, ...], target: np.ndarray, psp_mv: np.ndarray) -> np.ndarray:
    """Weights in the receptor's unit: `psp_mv`, or the current whose charge lifts the target by so much."""
    if "tau_syn_ex_ms" not in populations[0].parameters:
        return psp_mv
    excitatory, inhibitory = (
        np.repeat([p.parameters["c_m_pf"] / p.parameters[tau] for p in populations], SIZES)
        for tau in ("tau_syn_ex_ms", "tau_syn_in_ms")
    )
    return psp_mv * np.where(psp_mv > 0, excitatory[target], inhibitory[target])
