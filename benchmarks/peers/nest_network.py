"""Runs a network's description in NEST 3.10 and tells its times and statistics; see `benchmarks.telling`.

The leanest legal configuration: one thread a core; synapses of the `hpc` kind, and where all of a source
population weigh the same, of the kind that keeps one weight for all (`hom_w`); no table of sources once the
connections stand; constant currents as parameters; no recorder: the kernel counts spikes itself. Statistics
are of the same network, built once more with a recorder when all that is timed is over.

A thread holds 134,217,726 synapses of a model in the published wheel, so each source population has its own.
Preparation (sorting connections, handing out targets) counts as building, as nothing runs before it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import nest
import numpy as np

from benchmarks.peers.nest_terms import Described, neuron_of, rule_of, shared_weight, ticks_and_neurons
from benchmarks.peers.summaries import statistics_of
from benchmarks.telling import task, tell, tell_finished, tell_result
from spikerack.reference.spike_statistics import Summary


def run(
    network: Described,
    *,
    threads: int,
    warm_up_ms: float,
    duration_ms: float,
    seed: int,
    statistics_ms: float | None = None,
) -> dict[str, Any]:
    """Build, warm up, run; return what was measured, and statistics of what follows the warm-up."""
    tell("building")
    begin = time.perf_counter()
    _reset(network["timestep_ms"], threads, seed)
    _make(network)
    nest.Prepare()
    ready = time.perf_counter()
    tell("running")
    nest.Run(warm_up_ms)
    n_spikes, warm = nest.local_spike_counter, time.perf_counter()
    nest.Run(duration_ms)
    end = time.perf_counter()
    n_spikes += nest.local_spike_counter
    tell_finished()
    nest.Cleanup()
    n_synapses, statistics = _n_recurrent(network), None
    if statistics_ms is not None:
        _reset(network["timestep_ms"], threads, seed)
        statistics = _statistics(network, warm_up_ms, warm_up_ms + statistics_ms)
    n_neurons = sum(population["size"] for population in network["populations"])
    return {
        "peer": f"NEST {nest.__version__}",
        "threads": threads,
        "build_seconds": ready - begin,
        "timed_ms": (warm_up_ms, warm_up_ms + duration_ms),
        "realtime_factor": (end - warm) / (duration_ms * 1e-3),
        "rate_hz": n_spikes / n_neurons / ((warm_up_ms + duration_ms) * 1e-3),
        "n_synapses": n_synapses,
        "statistics": statistics,
    }


def _statistics(network: Described, first_ms: float, stop_ms: float) -> dict[str, Summary]:
    """Run the network with a recorder; return the statistics of its populations."""
    nodes = _make(network)
    populations = [nodes[population["name"]] for population in network["populations"]]
    recorder = nest.Create("spike_recorder", params={"start": first_ms})
    for population in populations:
        nest.Connect(population, recorder)
    nest.Simulate(stop_ms)
    tick, neuron = ticks_and_neurons(
        recorder.events["times"],
        recorder.events["senders"],
        timestep_ms=network["timestep_ms"],
        ids=np.concatenate([population.tolist() for population in populations]),
    )
    return statistics_of(network, tick, neuron, first_ms, stop_ms)


def _reset(timestep_ms: float, threads: int, seed: int) -> None:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = timestep_ms
    nest.local_num_threads = threads
    nest.rng_seed = seed
    nest.keep_source_table = False


def _make(network: Described) -> dict[str, Any]:
    """Create all nodes and synapses; return populations and sources by name."""
    nodes = _nodes(network)
    _connect_all(network, nodes)
    return nodes


def _nodes(network: Described) -> dict[str, Any]:
    """Create populations and sources; return them by name."""
    nodes = {}
    for population in network["populations"]:
        model, parameters = neuron_of(population)
        nodes[population["name"]] = made = nest.Create(model, population["size"], params=parameters)
        made.V_m = _value(population["initial"]["v_mv"])
        for each in population["inputs"]:
            if each["kind"] == "poisson":
                generator = nest.Create("poisson_generator", params={"rate": each["rate_hz"]})
                synapse = {"weight": each["weight"], "delay": network["timestep_ms"]}
                nest.Connect(generator, made, syn_spec=synapse)
    for source in network["sources"]:
        times = [{"spike_times": each} for each in source["times_ms"]]
        nodes[source["name"]] = nest.Create("spike_generator", source["size"], params=times)
    return nodes


def _connect_all(network: Described, nodes: Mapping[str, Any]) -> None:
    """Make the synapses, those of each source with a model of their own."""
    for member in (*network["populations"], *network["sources"]):
        mine = [each for each in network["projections"] if each["source"] == member["name"]]
        if not mine:
            continue
        weight, model = shared_weight(mine), f"synapse_of_{member['name']}"
        if weight is None:
            nest.CopyModel("static_synapse_hpc", model)
        else:
            nest.CopyModel("static_synapse_hom_w_hpc", model, {"weight": weight})
        for projection in mine:
            _connect(projection, nodes, model, has_weights=weight is None)


def _connect(projection: Described, nodes: Mapping[str, Any], model: str, *, has_weights: bool) -> None:
    synapse = {"synapse_model": model, "delay": _value(projection["delay_ms"])}
    if has_weights:
        synapse["weight"] = _value(projection["weight"])
    source, target = nodes[projection["source"]], nodes[projection["target"]]
    pairs = projection["connectivity"]
    if pairs["rule"] == "explicit":
        for one, other in zip(pairs["sources"], pairs["targets"], strict=True):
            nest.Connect(source[one], target[other], "one_to_one", synapse)
    else:
        nest.Connect(source, target, rule_of(projection), synapse)


def _value(described: Any) -> Any:
    """Return a number, or NEST's word for a normal distribution that is redrawn beyond its bounds."""
    if not isinstance(described, Mapping):
        return float(described)
    if (described["kind"], described["bounds"]) != ("normal", "redraw"):
        raise ValueError(f"value: must be a number or normal and redrawn, got {described}; choose another")
    drawn = nest.random.normal(described["mean"], described["sd"])
    low, high = described["low"], described["high"]
    if low is None and high is None:
        return drawn
    return nest.math.redraw(
        drawn, min=-math.inf if low is None else low, max=math.inf if high is None else high
    )


def _n_recurrent(network: Described) -> int:
    """Return the synapses between neurons, as NEST counts them."""
    names = {population["name"] for population in network["populations"]}
    sources = {each["source"] for each in network["projections"]} & names
    return sum(nest.GetDefaults(f"synapse_of_{name}", "num_connections") for name in sources)


if __name__ == "__main__":
    tell_result(run(**task()))
