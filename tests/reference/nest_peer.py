"""Runs a case in NEST. Needs nest-simulator 3.10, in an environment of its own (`make reference`)."""

from dataclasses import replace

import nest
import numpy as np

from tests.reference.cases import DELTA, EXP, CasePopulation, ReferenceCase

_MODELS = {EXP: "iaf_psc_exp", DELTA: "iaf_psc_delta"}
_PARAMETERS = {
    "v_rest_mv": "E_L",
    "v_threshold_mv": "V_th",
    "v_reset_mv": "V_reset",
    "c_m_pf": "C_m",
    "tau_m_ms": "tau_m",
    "tau_syn_ex_ms": "tau_syn_ex",
    "tau_syn_in_ms": "tau_syn_in",
    "t_ref_ms": "t_ref",
    "i_offset_pa": "I_e",
}


def reset_kernel(timestep_ms: float, threads: int = 1, seed: int = 1) -> None:
    """Start over with an empty network."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = timestep_ms
    nest.local_num_threads = threads
    nest.rng_seed = seed


def with_nest_spikes(case: ReferenceCase) -> ReferenceCase:
    """Return the case with the spikes NEST fires on one thread; two threads must fire the same.

    NEST adds the weights of one slot in another order with other threads, so the comparison shows that no
    sum rounds.
    """
    one, two = _run(case, threads=1), _run(case, threads=2)
    if not all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)):
        raise RuntimeError(f"case {case.name!r}: NEST on two threads fires other spikes than on one")
    return replace(case, spike_tick=one[0], spike_neuron=one[1])


def potentials(case: ReferenceCase) -> np.ndarray:
    """(n_ticks, n_neurons) float64, membrane potential in mV after each tick, to the last bit."""
    neurons = _build(case, threads=1)
    recorder = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": case.timestep_ms})
    nest.Connect(recorder, neurons)
    nest.Simulate((case.n_ticks + 1) * case.timestep_ms)
    events = recorder.events
    order = np.lexsort((events["senders"], np.rint(events["times"] / case.timestep_ms)))
    return events["V_m"][order].reshape(-1, case.n_neurons)[: case.n_ticks]


def _run(case: ReferenceCase, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of one run, by tick and then by neuron."""
    neurons = _build(case, threads)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(case.n_ticks * case.timestep_ms)
    tick = np.rint(recorder.events["times"] / case.timestep_ms).astype(np.int64) - 1
    neuron = recorder.events["senders"].astype(np.int64) - 1
    order = np.lexsort((neuron, tick))
    return tick[order], neuron[order]


def _build(case: ReferenceCase, threads: int) -> nest.NodeCollection:
    """Build the case in an empty kernel and return its neurons, whose ids are their numbers plus one."""
    reset_kernel(case.timestep_ms, threads)
    ids = [_create(case.model, population) for population in case.populations]
    ids.append(_create_sources(case))
    _connect(case, np.concatenate(ids))
    return nest.NodeCollection(list(range(1, case.n_neurons + 1)))


def _create(model: str, population: CasePopulation) -> np.ndarray:
    parameters = {_PARAMETERS[key]: value for key, value in population.parameters.items()}
    nodes = nest.Create(_MODELS[model], population.size, params={**parameters, "V_m": population.v_mv})
    return np.array(nodes.tolist())


def _create_sources(case: ReferenceCase) -> np.ndarray:
    nodes = nest.Create("spike_generator", case.n_sources)
    for source, node in enumerate(nodes):
        ticks = case.input_tick[case.input_neuron == case.n_neurons + source]
        node.spike_times = np.round((ticks + 1) * case.timestep_ms, 9).tolist()
    return np.array(nodes.tolist())


def _connect(case: ReferenceCase, ids: np.ndarray) -> None:
    """Make every synapse by itself; NEST wants sources of one kind, neurons or devices, a call."""
    for chosen in (case.source < case.n_neurons, case.source >= case.n_neurons):
        if chosen.any():
            nest.Connect(
                ids[case.source[chosen]],
                ids[case.target[chosen]],
                "one_to_one",
                {
                    "weight": case.weights[chosen],
                    "delay": np.round(case.delay_ticks[chosen] * case.timestep_ms, 9),
                },
            )
