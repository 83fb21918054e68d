"""Lets SANA-FE emulate Loihi under a steady load, and tells what a synaptic event takes; see `telling`.

Two groups of neurons on two cores: each neuron of the first is pushed past its threshold in every tick, and
has a synapse onto each of the second, which never fires. So there are as many synaptic events in a tick as
pairs, whatever is drawn. SANA-FE counts events and energy of each unit; nothing of it is traced to files.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import sanafe

from benchmarks.telling import task, tell, tell_finished, tell_result

THRESHOLD, PUSH = 1.0, 2.0


def run(*, n_neurons: int, n_ticks: int, timing_model: str, threads: int) -> dict[str, Any]:
    """Build, run, return what was measured."""
    tell("building")
    chip = sanafe.SpikingChip(architecture := sanafe.load_loihi())
    chip.load(_network(architecture, n_neurons))
    tell("running")
    begin = time.perf_counter()
    result = chip.sim(n_ticks, timing_model=timing_model, processing_threads=threads)
    seconds = time.perf_counter() - begin
    tell_finished()
    return {
        "peer": f"SANA-FE {version('sanafe')}",
        "seconds": seconds,
        "events": int(result["spikes"]),
        "neurons_fired": int(result["neurons_fired"]),
    }


def _network(architecture: Any, n_neurons: int) -> Any:
    network = sanafe.Network()
    still = {"threshold": 1e6, "leak_decay": 1.0}
    driven = {"threshold": THRESHOLD, "leak_decay": 1.0, "bias": PUSH}
    first = network.create_neuron_group("first", n_neurons, driven)
    second = network.create_neuron_group("second", n_neurons, still)
    first.connect_neurons_dense(second, {"weight": [0.0] * n_neurons**2})
    for group, core in zip((first, second), architecture.cores(), strict=False):
        group.map_to_core(core)
    return network


if __name__ == "__main__":
    tell_result(run(**task()))
