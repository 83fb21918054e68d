"""Runs the description of the CUBA network in Brian2, and tells its times and statistics; see `telling`.

Brian2's fastest configuration on a CPU: the whole run as one C++ program (`cpp_standalone`), compiled by g++
with -O3 -ffast-math -march=native, which are Brian2's defaults; exact integration; one group for all neurons;
one weight and one delay for all synapses of a source; spikes are counted, not kept. The stimulus ends in the
warm-up, and its objects leave the network with it; spikes are kept in what follows, for statistics, and no
more after that. The time is the program's own of the run after that: neither compiling nor building is in
it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, mV, pA, pF

from benchmarks.peers.summaries import statistics_of
from benchmarks.telling import task, tell, tell_finished, tell_result

Described = Mapping[str, Any]

EQUATIONS = """
dv/dt = (v_rest - v) / tau_m + (i_ex + i_in) / c_m : volt (unless refractory)
di_ex/dt = -i_ex / tau_ex : amp
di_in/dt = -i_in / tau_in : amp
"""
CURRENTS = {"excitatory": "i_ex", "inhibitory": "i_in"}


def run(
    network: Described,
    *,
    threads: int,
    precision: str,
    warm_up_ms: float,
    duration_ms: float,
    seed: int,
    statistics_ms: float | None = None,
) -> dict[str, Any]:
    """Write, compile, run; return what was measured, and statistics of what follows the warm-up."""
    tell("building")
    with tempfile.TemporaryDirectory(prefix="brian2-") as folder:
        begin = time.perf_counter()
        _configure(network["timestep_ms"], threads, precision)
        counter, recorder = _simulate(
            network, warm_up_ms, statistics_ms or 0.0, duration_ms, np.random.default_rng(seed)
        )
        brian2.device.build(directory=folder, compile=True, run=False)
        compiled = time.perf_counter()
        tell("running")
        brian2.device.run(folder, with_output=False, run_args=[])
        tell_finished()
        n_spikes, seconds = int(counter.num_spikes), float(brian2.device._last_run_time)
        tick = np.rint(np.asarray(recorder.t / ms) / network["timestep_ms"]).astype(np.int64)
        neuron, begin_ms = np.asarray(recorder.i), warm_up_ms + (statistics_ms or 0.0)
        kept = statistics_of(network, tick, neuron, warm_up_ms, begin_ms) if statistics_ms else None
    return {
        "peer": f"Brian2 {brian2.__version__}",
        "threads": threads,
        "compile_seconds": compiled - begin,
        "timed_ms": (begin_ms, begin_ms + duration_ms),
        "realtime_factor": seconds / (duration_ms * 1e-3),
        "rate_hz": n_spikes / _n_neurons(network) / ((warm_up_ms + duration_ms) * 1e-3),
        "statistics": kept,
    }


def _configure(timestep_ms: float, threads: int, precision: str) -> None:
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.prefs.devices.cpp_standalone.openmp_threads = threads
    brian2.prefs.core.default_float_dtype = {"float32": np.float32, "float64": np.float64}[precision]
    brian2.defaultclock.dt = timestep_ms * ms


def _simulate(
    network: Described,
    warm_up_ms: float,
    statistics_ms: float,
    duration_ms: float,
    rng: np.random.Generator,
) -> tuple[SpikeMonitor, SpikeMonitor]:
    """Write down all runs; return what counts spikes in the first and last, and keeps those between."""
    neurons = _neurons(network)
    counter, recorder = SpikeMonitor(neurons, record=False), SpikeMonitor(neurons)
    stimuli = {source["name"]: _stimulus(source, warm_up_ms) for source in network["sources"]}
    synapses = {
        member["name"]: _synapses(network, member, stimuli.get(member["name"], neurons), neurons, rng)
        for member in (*network["populations"], *network["sources"])
    }
    lasting = [neurons, counter, recorder, *(each for name, each in synapses.items() if name not in stimuli)]
    passing = [*stimuli.values(), *(synapses[name] for name in stimuli)]
    whole = Network(*lasting, *passing)
    recorder.active = False
    whole.run(warm_up_ms * ms)
    whole.remove(*passing)
    counter.active, recorder.active = False, True
    whole.run(statistics_ms * ms)
    counter.active, recorder.active = True, False
    whole.run(duration_ms * ms)
    return counter, recorder


def _neurons(network: Described) -> NeuronGroup:
    """Return one group for all populations, which must be alike."""
    first = network["populations"][0]
    for each in network["populations"]:
        same = all(each[key] == first[key] for key in ("model", "parameters", "initial"))
        if not same or each["model"] != "lif_curr_exp" or each["inputs"]:
            raise ValueError(
                f"population {each['name']!r}: must be lif_curr_exp, as the first, without inputs"
            )
    values = first["parameters"]
    neurons = NeuronGroup(
        _n_neurons(network),
        EQUATIONS,
        method="exact",
        threshold="v >= v_threshold",
        reset="v = v_reset",
        refractory=values["t_ref_ms"] * ms,
        namespace={
            "v_rest": values["v_rest_mv"] * mV,
            "v_threshold": values["v_threshold_mv"] * mV,
            "v_reset": values["v_reset_mv"] * mV,
            "c_m": values["c_m_pf"] * pF,
            "tau_m": values["tau_m_ms"] * ms,
            "tau_ex": values["tau_syn_ex_ms"] * ms,
            "tau_in": values["tau_syn_in_ms"] * ms,
        },
    )
    neurons.v = first["initial"]["v_mv"] * mV
    return neurons


def _stimulus(source: Described, warm_up_ms: float) -> SpikeGeneratorGroup:
    pairs = [(k, at) for k, times in enumerate(source["times_ms"]) for at in times]
    if max(at for _, at in pairs) >= warm_up_ms:
        raise ValueError(f"source {source['name']!r}: must end before the warm-up's {warm_up_ms:g} ms")
    return SpikeGeneratorGroup(source["size"], [k for k, _ in pairs], [at for _, at in pairs] * ms)


def _synapses(
    network: Described, member: Described, source: Any, neurons: NeuronGroup, rng: np.random.Generator
) -> Synapses:
    """Return all synapses of a population or source: of one weight, receptor and delay."""
    mine = [each for each in network["projections"] if each["source"] == member["name"]]
    kinds = {(each["weight"], each["receptor"], each["delay_ms"]) for each in mine}
    if len(kinds) != 1:
        raise ValueError(
            f"{member['name']!r}: synapses must be of one weight, receptor and delay, got {kinds}"
        )
    [(weight, receptor, delay)] = kinds
    namespace = {"weight": weight * pA}
    on_pre = f"{CURRENTS[receptor]}_post += weight"
    synapses = Synapses(source, neurons, on_pre=on_pre, delay=delay * ms, namespace=namespace)
    pairs = [_pairs(network, each, rng) for each in mine]
    first = 0 if source is not neurons else _firsts(network)[member["name"]]
    sources, targets = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
    synapses.connect(i=first + sources, j=targets)
    return synapses


def _pairs(
    network: Described, projection: Described, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return source numbers within the source, target numbers within all neurons."""
    rule, first = projection["connectivity"], _firsts(network)[projection["target"]]
    if rule["rule"] == "explicit":
        return np.array(rule["sources"]), first + np.array(rule["targets"])
    if rule["rule"] != "fixed_in_degree" or not (rule["allow_autapses"] and rule["allow_multapses"]):
        raise ValueError(f"projection {projection['name']!r}: must be explicit or of a free fixed in-degree")
    sizes = {population["name"]: population["size"] for population in network["populations"]}
    targets = np.repeat(np.arange(sizes[projection["target"]]), rule["n"])
    return rng.integers(sizes[projection["source"]], size=targets.size), first + targets


def _firsts(network: Described) -> dict[str, int]:
    """Return the number of each population's first neuron."""
    firsts, first = {}, 0
    for population in network["populations"]:
        firsts[population["name"]] = first
        first += population["size"]
    return firsts


def _n_neurons(network: Described) -> int:
    return sum(population["size"] for population in network["populations"])


if __name__ == "__main__":
    tell_result(run(**task()))
