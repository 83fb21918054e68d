"""Measures firing rates of the scaled cortical microcircuit in NEST: 20 seeds, a band for each population.

Network (Potjans and Diesmann 2014, Cereb. Cortex 24:785), at scale f in neurons and in fan-in:

- population sizes round(f N); synapses of a projection round(f f K), K = ln(1 - p) / ln(1 - 1 / (Ns Nt)),
  drawn as a fixed total number with autapses and multapses;
- weights w / sqrt(f), normal with relative sd 0.1, redrawn to keep their sign; delays normal, redrawn below
  half a timestep, rounded to the grid; initial potentials normal; timestep 0.1 ms;
- what the smaller fan-in takes from the mean input comes back as a constant current,
  I = tau_syn (1 - sqrt f) sum_x K_x w_x nu_x, with K_x = K / N_target the fan-in at full scale and nu_x the
  full-scale rates of `RATES_HZ`;
- drive "dc": the full-scale external current `DC_PA`, whole (it is no synapse, nothing of it is lost);
- drive "poisson": each neuron has its own process of rate f K_ext 8 /s and weight w / sqrt(f), whose mean is
  sqrt(f) of the full one, and the constant current tau_syn (1 - sqrt f) K_ext w 8 /s makes up the rest.

Window: 0 to 1,000 ms from the initial potentials, no warm-up, because that is what `make run` runs.

The two drives do not scale alike. At 0.1 the network with "dc" is quiet but for L6I: the compensating
current is inhibition that does not fall with the rates, it holds the other populations below threshold
(L4E: 346 pA, 13.9 of 15 mV), and even after 100 ms of Poisson input they fall silent again. By the same
rule it fires far too much at 0.12 (L23E 9 /s) and about as at full scale from 0.2 on, so 0.2 is measured too.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nest
import numpy as np

from tests.reference.bands import N_SEEDS, rate_band, telling
from tests.reference.nest_peer import reset_kernel

FOLDER = Path(__file__).parents[2] / "spikerack" / "reference"

TABLES = ((0.1, ("dc", "poisson")), (0.2, ("dc",)))
"""Scales, and the drives measured at each."""

SEEDS = range(1, N_SEEDS + 1)
TIMESTEP_MS = 0.1
DURATION_MS = 1000.0

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
PROBABILITIES = (
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443),
)
"""Connection probabilities; rows are targets, columns sources."""

NEURON = {
    "E_L": -65.0,
    "V_th": -50.0,
    "V_reset": -65.0,
    "C_m": 250.0,
    "tau_m": 10.0,
    "tau_syn_ex": 0.5,
    "tau_syn_in": 0.5,
    "t_ref": 2.0,
}
V0_MEAN_MV = (-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43)
V0_SD_MV = (5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48)
WEIGHT_PA = 87.81
INHIBITION = -4.0
EXTERNAL_FAN_IN = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
EXTERNAL_RATE_HZ = 8.0
DC_PA = (561.97, 526.85, 737.59, 667.34, 702.47, 667.34, 1018.58, 737.59)
RATES_HZ = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
"""Mean rates at full scale, which the compensating current is made from."""
STATIC = ("static_synapse",) * len(NAMES)


def measure(show: Callable[[str], None]) -> None:
    """Run all seeds and write one table a scale; on one core about 5 s a seed at scale 0.1, 20 s at 0.2."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scale, drives in TABLES:
        circuit = Microcircuit(scale)
        table = circuit.header() | {"drives": {drive: _bands(circuit, drive, show) for drive in drives}}
        path = FOLDER / f"microcircuit_{scale:g}.json"
        path.write_text(json.dumps(table, indent=1) + "\n")
        show(str(path))


def _bands(circuit: "Microcircuit", drive: str, show: Callable[[str], None]) -> dict[str, dict]:
    """Bands of all populations; raises RuntimeError if a silent network would stay in them."""
    rows = []
    for seed in SEEDS:
        rows.append(circuit.rates(drive, seed))
        rates = np.round(rows[-1], 2).tolist()
        show(f"microcircuit {circuit.scale:g} {drive}: seed {seed} of {N_SEEDS}, {rates} Hz")
    bands = {
        name: rate_band(rates.tolist(), n_neurons=int(size), window_s=DURATION_MS * 1e-3)
        for name, rates, size in zip(NAMES, np.array(rows).T, circuit.sizes, strict=True)
    }
    if not telling(bands):
        raise RuntimeError(
            f"microcircuit {circuit.scale:g} {drive}: silence stays in all bands; widen the network"
        )
    return bands


@dataclass(frozen=True)
class Microcircuit:
    """The network at one scale."""

    scale: float

    @property
    def sizes(self) -> np.ndarray:
        """(8,) int64, neurons of each population."""
        return np.rint(np.array(SIZES) * self.scale).astype(np.int64)

    @property
    def synapses(self) -> np.ndarray:
        """(8, 8) int64, synapses of each projection; rows are targets, columns sources."""
        return np.rint(full_synapses() * self.scale * self.scale).astype(np.int64)

    def header(self) -> dict[str, object]:
        """What a table says of itself."""
        return {
            "about": "mean firing rates of the microcircuit of Potjans and Diesmann (2014), one of each seed",
            "generator": "tests/reference/generate_microcircuit.py",
            "command": "make reference",
            "simulator": f"NEST {nest.__version__}",
            "scale": self.scale,
            "timestep_ms": TIMESTEP_MS,
            "window_ms": [0.0, DURATION_MS],
            "seeds": list(SEEDS),
            "band": "low_hz to high_hz, as tests/reference/bands.py derives it from the seeds",
            "n_neurons": int(self.sizes.sum()),
            "n_synapses": int(self.synapses.sum()),
            "sizes": dict(zip(NAMES, self.sizes.tolist(), strict=True)),
        }

    def current_pa(self, drive: str) -> np.ndarray:
        """(8,) float64, constant current: the compensation, and with "dc" the external current."""
        tau_s = NEURON["tau_syn_ex"] * 1e-3
        fan_in = full_synapses() / np.array(SIZES)[:, None]
        kept = math.sqrt(self.scale)
        lost = tau_s * (1 - kept) * (fan_in * full_weights_pa()) @ np.array(RATES_HZ)
        if drive == "dc":
            return lost + np.array(DC_PA)
        return lost + tau_s * (1 - kept) * np.array(EXTERNAL_FAN_IN) * EXTERNAL_RATE_HZ * WEIGHT_PA

    def rates(self, drive: str, seed: int) -> np.ndarray:
        """(8,) float64, mean rates in Hz of one run."""
        reset_kernel(TIMESTEP_MS, seed=seed)
        populations = self.create(drive)
        self.connect(populations)
        if drive == "poisson":
            self.connect_external(populations)
        recorder = nest.Create("spike_recorder")
        for population in populations:
            nest.Connect(population, recorder)
        nest.Simulate(DURATION_MS)
        first = np.cumsum([1, *self.sizes])
        return np.histogram(recorder.events["senders"], first)[0] / self.sizes / (DURATION_MS * 1e-3)

    def create(self, drive: str) -> list[nest.NodeCollection]:
        """Create the populations one after the other, so that their ids follow each other."""
        populations = []
        columns = (self.sizes, self.current_pa(drive), V0_MEAN_MV, V0_SD_MV)
        for size, current, mean, sd in zip(*columns, strict=True):
            population = nest.Create("iaf_psc_exp", int(size), params={**NEURON, "I_e": float(current)})
            population.V_m = nest.random.normal(mean, sd)
            populations.append(population)
        return populations

    def connect(self, populations: list[nest.NodeCollection], models: Sequence[str] = STATIC) -> None:
        """Draw the synapses, those of each source population with a synapse model."""
        synapses, weights = self.synapses, full_weights_pa() / math.sqrt(self.scale)
        for target, source in zip(*np.nonzero(synapses), strict=True):
            mean = float(weights[target, source])
            low, high, delay = (0.0, math.inf, 1.5) if mean > 0 else (-math.inf, 0.0, 0.75)
            weight = nest.math.redraw(nest.random.normal(mean, abs(mean) * 0.1), min=low, max=high)
            delay = nest.math.redraw(nest.random.normal(delay, delay / 2), min=TIMESTEP_MS / 2, max=math.inf)
            rule = {"rule": "fixed_total_number", "N": int(synapses[target, source])}
            synapse = {"synapse_model": models[source], "weight": weight, "delay": delay}
            nest.Connect(populations[source], populations[target], rule, synapse)

    def connect_external(self, populations: list[nest.NodeCollection]) -> None:
        """One generator a population; NEST draws an independent train for each of its targets."""
        synapse = {"weight": WEIGHT_PA / math.sqrt(self.scale), "delay": TIMESTEP_MS}
        for population, fan_in in zip(populations, EXTERNAL_FAN_IN, strict=True):
            generator = nest.Create(
                "poisson_generator", params={"rate": self.scale * fan_in * EXTERNAL_RATE_HZ}
            )
            nest.Connect(generator, population, syn_spec=synapse)


def full_synapses() -> np.ndarray:
    """(8, 8) float64, synapses at full scale before rounding; rows are targets, columns sources."""
    pairs = np.outer(SIZES, SIZES).astype(float)
    return np.log1p(-np.array(PROBABILITIES)) / np.log1p(-1 / pairs)


def full_weights_pa() -> np.ndarray:
    """(8, 8) float64, mean weights at full scale; that from L4E to L23E counts twice."""
    weights = np.tile(np.where(np.arange(8) % 2 == 0, WEIGHT_PA, INHIBITION * WEIGHT_PA), (8, 1))
    weights[NAMES.index("L23E"), NAMES.index("L4E")] *= 2
    return weights
