"""Measures spike statistics of the cortical microcircuit in NEST: the full network, and a small one.

The full network is that of `generate_microcircuit` at scale 1 with the direct current, so that nothing is
compensated: 77,169 neurons, 298,880,970 synapses. The small one, at 0.1 with Poisson drive, is for tests. Of
each run of 2.5 s the first 0.5 s are discarded; `spikerack.reference.spike_statistics` says what is kept of
the rest.

A seed of the full network takes two threads 10 GB and 8 minutes, so `make reference` runs it only when
asked: ``make reference ARGS=full``. Each seed has a process of its own, which gives the memory back, and
leaves its spikes in `SPIKES`; a seed whose spikes are there is not run again.

NEST holds 134,217,726 synapses a thread and synapse model: one model for each source population stays below.
The leanest synapse, `static_synapse_hpc`, takes 16 bytes, and no table of sources is kept.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nest
import numpy as np

from spikerack.reference.spike_statistics import SpikeWindow, Summary, summarise
from tests.reference.generate_microcircuit import FOLDER, NAMES, TIMESTEP_MS, Microcircuit
from tests.reference.nest_peer import reset_kernel

SPIKES = Path(tempfile.gettempdir()) / "microcircuit-spikes"
DISCARDED_TICKS = 5_000
N_TICKS = 25_000
N_THREADS = 2


def measure_statistics(scale: float, drive: str, n_seeds: int, show: Callable[[str], None]) -> None:
    """Run the seeds that have not run yet, and write the table of all."""
    circuit = Microcircuit(scale)
    seeds = {}
    for seed in range(1, n_seeds + 1):
        if not spike_file(scale, drive, seed).exists():
            command = [sys.executable, "-m", "tests.reference.generate_statistics"]
            subprocess.run([*command, str(scale), drive, str(seed)], check=True)
        seeds[str(seed)] = _summaries(circuit, drive, seed)
        rates = {name: round(each["rate_hz"], 3) for name, each in seeds[str(seed)].items()}
        show(f"statistics {scale:g} {drive}: seed {seed} of {n_seeds}, {rates} Hz")
    window = [DISCARDED_TICKS * TIMESTEP_MS, N_TICKS * TIMESTEP_MS]
    header = circuit.header() | {
        "about": "spike statistics of the microcircuit of Potjans and Diesmann (2014), of each seed",
        "generator": "tests/reference/generate_statistics.py",
        "command": f"make reference ARGS={'full' if scale == 1 else 'statistics'}",
        "drive": drive,
        "window_ms": window,
        "seeds": seeds,
    }
    del header["band"]
    header["seeds"] = header.pop("seeds")  # last: they are long
    path = FOLDER / f"statistics_{scale:g}.json"
    path.write_text(_as_text(header))
    show(str(path))


def spike_file(scale: float, drive: str, seed: int) -> Path:
    """Where the spikes of a seed are kept: ticks and neurons, from time 0."""
    return SPIKES / f"{scale:g}_{drive}_{seed}.npz"


def simulate(scale: float, drive: str, seed: int) -> None:
    """Build and run the network with one seed, and keep its spikes."""
    circuit = Microcircuit(scale)
    reset_kernel(TIMESTEP_MS, threads=N_THREADS, seed=seed)
    nest.keep_source_table = False
    populations = circuit.create(drive)
    models = [f"synapse_of_{name}" for name in NAMES]
    for model in models:
        nest.CopyModel("static_synapse_hpc", model)
    circuit.connect(populations, models)
    if drive == "poisson":
        circuit.connect_external(populations)
    recorder = nest.Create("spike_recorder")
    for population in populations:
        nest.Connect(population, recorder)
    nest.Simulate(N_TICKS * TIMESTEP_MS)
    tick = np.rint(recorder.events["times"] / TIMESTEP_MS).astype(np.uint32) - 1
    neuron = recorder.events["senders"].astype(np.uint32) - 1
    order = np.lexsort((neuron, tick))
    SPIKES.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(spike_file(scale, drive, seed), tick=tick[order], neuron=neuron[order])


def _summaries(circuit: Microcircuit, drive: str, seed: int) -> dict[str, Summary]:
    with np.load(spike_file(circuit.scale, drive, seed)) as file:
        window = SpikeWindow(
            file["tick"],
            file["neuron"],
            first_tick=DISCARDED_TICKS,
            stop_tick=N_TICKS,
            timestep_ms=TIMESTEP_MS,
        )
    return summarise(window, dict(zip(NAMES, circuit.sizes.tolist(), strict=True)))


def _as_text(table: dict[str, object]) -> str:
    """Return the table as JSON with each list of numbers on one line."""
    text = json.dumps(table, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: json.dumps(json.loads(found[0])), text) + "\n"


if __name__ == "__main__":
    simulate(float(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
