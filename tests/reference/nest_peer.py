"""Runs a case in NEST. Needs nest-simulator 3.10, in an environment of its own (`make reference`)."""

from dataclasses import replace

import nest
import numpy as np

from tests.reference.cases import DELTA, EXP, CaseCurrent, CasePopulation, ReferenceCase

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
    for current in case.currents:
        _connect_current(case, current)
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


def _connect_current(case: ReferenceCase, current: CaseCurrent) -> None:
    """Send a current with the least delay, one tick, and so a tick earlier."""
    place = [population.name for population in case.populations].index(current.population)
    targets = nest.NodeCollection(list(range(case.offsets[place] + 1, case.offsets[place + 1] + 1)))
    device = (_sine if current.waveform["kind"] == "sine" else _steps)(case, current)
    nest.Connect(device, targets, syn_spec={"delay": case.timestep_ms})


def _sine(case: ReferenceCase, current: CaseCurrent) -> nest.NodeCollection:
    wave, turns_a_tick = current.waveform, current.waveform["frequency_hz"] * case.timestep_ms * 1e-3
    parameters = {
        "amplitude": current.current_pa * wave["amplitude"],
        "frequency": wave["frequency_hz"],
        "phase": wave["phase_degrees"] + 360.0 * turns_a_tick,
        "offset": current.current_pa * wave["offset"],
    }
    return nest.Create("ac_generator", params=parameters)


def _steps(case: ReferenceCase, current: CaseCurrent) -> nest.NodeCollection:
    values_pa = current.values_pa(case.n_ticks, case.timestep_ms)
    changed = np.flatnonzero(np.diff(values_pa)) + 1
    times_ms = np.round((changed - 1) * case.timestep_ms, 9).tolist()
    return nest.Create(
        "step_current_generator",
        params={"amplitude_times": times_ms, "amplitude_values": values_pa[changed].tolist()},
    )


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
