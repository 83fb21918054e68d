"""Networks with the spikes that NEST fires in them: the format, and its translation into our language.

A case is one compressed npz file in `data/`. Numbers of neurons are global: the populations in order, then
the sources, as in the language. Weights are integers times one power of two, so that no sum of them rounds
in any simulator. This module needs numpy only, because the generators import it where nothing else is
installed.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.chip.waves import value_at

DATA = Path(__file__).parent / "data"

EXP, DELTA = "lif_curr_exp", "lif_curr_delta"

RECEPTORS = {EXP: ("excitatory", "inhibitory"), DELTA: ("delta", "delta")}
"""Of each model, the receptor of positive and of negative weights: NEST's rule for iaf_psc_exp."""

_SILENT = 2

_ARRAYS = {
    "source": np.uint16,
    "target": np.uint16,
    "weight_step": np.int16,
    "delay_ticks": np.uint16,
    "input_tick": np.uint16,
    "input_neuron": np.uint16,
    "spike_tick": np.uint16,
    "spike_neuron": np.uint16,
}


@dataclass(frozen=True)
class CasePopulation:
    """A group of neurons with one set of parameters, named as `chip` names them."""

    name: str
    size: int
    parameters: dict[str, float]
    v_mv: float


@dataclass(frozen=True)
class CaseCurrent:
    """A current into all neurons of a population: a waveform of the language that is silent in ticks 0 and 1.

    No device of NEST acts before tick 2.
    """

    population: str
    current_pa: float
    waveform: dict[str, Any]

    def values_pa(self, n_ticks: int, timestep_ms: float) -> np.ndarray:
        """(n_ticks,) float64, the current in each tick."""
        values = [self._value(tick, timestep_ms) for tick in range(_SILENT, n_ticks)]
        return self.current_pa * np.array([0.0] * _SILENT + values)

    def _value(self, tick: int, timestep_ms: float) -> float:
        return value_at(self.waveform, tick, Fraction(str(timestep_ms)))

    def to_inputs(self, timestep_ms: float) -> list[dict[str, Any]]:
        """Describe the current in the language; what is not silent early has steps against it."""
        early = [-self._value(tick, timestep_ms) for tick in range(_SILENT)]
        times = [round(tick * timestep_ms, 9) for tick in range(_SILENT + 1)]
        against = {"kind": "steps", "times_ms": times, "values": [*early, 0.0]}
        return [
            {"kind": "current", "current_pa": self.current_pa, "waveform": waveform}
            for waveform in ((self.waveform, against) if any(early) else (self.waveform,))
        ]


@dataclass(frozen=True, eq=False)
class ReferenceCase:
    """One network of one neuron model, its input, and NEST's spikes.

    Attributes
    ----------
    weight_lsb : float
        A power of two; the weights are `weight_step * weight_lsb`, in pA or mV.
    n_sources : int
        Neurons of the one source population, which come after all populations.
    source, target, weight_step, delay_ticks : (n_synapses,)
        The synapses; `source` is a global number, that of a neuron or of a source.
    input_tick, input_neuron : (n_inputs,)
        Ticks and global numbers of the sources' spikes, by tick and then by number.
    spike_tick, spike_neuron : (n_spikes,)
        What NEST fired, sources left out, by tick and then by number. NEST's spike at T ms has tick
        T / h - 1.
    """

    name: str
    about: str
    model: str
    timestep_ms: float
    n_ticks: int
    weight_lsb: float
    populations: tuple[CasePopulation, ...]
    n_sources: int
    source: np.ndarray
    target: np.ndarray
    weight_step: np.ndarray
    delay_ticks: np.ndarray
    input_tick: np.ndarray
    input_neuron: np.ndarray
    spike_tick: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    spike_neuron: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    currents: tuple[CaseCurrent, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<ReferenceCase {self.name}: {self.n_neurons} neurons of {self.model}, "
            f"{self.source.size} synapses, {self.input_tick.size} inputs, {self.n_ticks} ticks, "
            f"{self.spike_tick.size} spikes>"
        )

    @cached_property
    def n_neurons(self) -> int:
        """Neurons of all populations; equally the global number of the first source."""
        return sum(population.size for population in self.populations)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(n_populations + 1,) int64, number of the first neuron of each population, then of the sources."""
        return np.cumsum([0, *(population.size for population in self.populations)])

    @cached_property
    def weights(self) -> np.ndarray:
        """(n_synapses,) float64, exact."""
        return self.weight_step * self.weight_lsb

    def per_neuron(self, parameter: str) -> np.ndarray:
        """(n_neurons,) float64, one parameter (or "v_mv", the initial potential) spread over the neurons."""
        values = [p.v_mv if parameter == "v_mv" else p.parameters[parameter] for p in self.populations]
        return np.repeat(np.array(values, float), [p.size for p in self.populations])

    @cached_property
    def current_pa(self) -> np.ndarray:
        """(n_ticks, n_populations) float64, the sum of all currents into each population."""
        names = [population.name for population in self.populations]
        total = np.zeros((self.n_ticks, len(names)))
        for current in self.currents:
            total[:, names.index(current.population)] += current.values_pa(self.n_ticks, self.timestep_ms)
        return total

    def all_spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return tick and number of all spikes, those of sources included, as a run's digest wants them."""
        tick = np.concatenate([self.spike_tick, self.input_tick])
        neuron = np.concatenate([self.spike_neuron, self.input_neuron])
        order = np.lexsort((neuron, tick))
        return tick[order], neuron[order]

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> Self:
        """Read the committed case of this name, from `DATA` by default."""
        with np.load((folder or DATA) / f"{name}.npz") as file:
            header = json.loads(str(file["header"]))
            arrays = {key: file[key].astype(np.int64) for key in _ARRAYS}
        populations = tuple(CasePopulation(**population) for population in header.pop("populations"))
        currents = tuple(CaseCurrent(**current) for current in header.pop("currents", ()))
        return cls(**header, populations=populations, currents=currents, **arrays)

    def save(self, folder: Path | None = None) -> Path:
        """Write the case where `load` finds it; OverflowError if a number does not fit the file's types."""
        header = {
            key: getattr(self, key)
            for key in ("name", "about", "model", "timestep_ms", "n_ticks", "weight_lsb", "n_sources")
        }
        header["populations"] = [asdict(population) for population in self.populations]
        if self.currents:
            header["currents"] = [asdict(current) for current in self.currents]
        arrays = {key: _narrow(getattr(self, key), dtype) for key, dtype in _ARRAYS.items()}
        path = (folder or DATA) / f"{self.name}.npz"
        np.savez_compressed(path, header=np.array(json.dumps(header)), **arrays)
        return path

    def to_network(self) -> dict[str, Any]:
        """Describe the case in the project's language; give the result to `network.parse_network`."""
        populations = [
            {
                "name": population.name,
                "size": population.size,
                "model": self.model,
                "parameters": population.parameters,
                "initial": {"v_mv": population.v_mv},
                "inputs": [
                    given
                    for current in self.currents
                    if current.population == population.name
                    for given in current.to_inputs(self.timestep_ms)
                ],
            }
            for population in self.populations
        ]
        sources = [
            {
                "kind": "spike_times",
                "name": "input",
                "size": self.n_sources,
                "times_ms": self._input_times_ms(),
            }
        ]
        return {
            "name": self.name,
            "timestep_ms": self.timestep_ms,
            "seed": 0,
            "populations": populations,
            "sources": sources,
            "projections": list(self._projections()),
        }

    def _input_times_ms(self) -> list[list[float]]:
        """Of each source, the times of its spikes, which are stamped with the end of their tick."""
        return [
            [self._ms(tick + 1) for tick in self.input_tick[self.input_neuron == self.n_neurons + source]]
            for source in range(self.n_sources)
        ]

    def _projections(self) -> Iterator[dict[str, Any]]:
        """One explicit projection for each pair of populations and receptor that has synapses."""
        names = [*(population.name for population in self.populations), "input"]
        positive, negative = RECEPTORS[self.model]
        inhibitory = (self.weight_step <= 0) & (positive != negative)
        source_member = np.searchsorted(self.offsets, self.source, side="right") - 1
        target_member = np.searchsorted(self.offsets, self.target, side="right") - 1
        groups = np.stack([source_member, target_member, inhibitory])
        for s, t, sign in np.unique(groups, axis=1).T:
            chosen = np.flatnonzero((groups == np.array([[s], [t], [sign]])).all(axis=0))
            receptor = negative if sign else positive
            yield {
                "name": f"{names[s]}->{names[t]} {receptor}",
                "source": names[s],
                "target": names[t],
                "receptor": receptor,
                "connectivity": {
                    "rule": "explicit",
                    "sources": (self.source[chosen] - self.offsets[s]).tolist(),
                    "targets": (self.target[chosen] - self.offsets[t]).tolist(),
                    "weights": self.weights[chosen].tolist(),
                    "delays_ms": [self._ms(ticks) for ticks in self.delay_ticks[chosen]],
                },
            }

    def _ms(self, ticks: int) -> float:
        return round(int(ticks) * self.timestep_ms, 9)


def case_names() -> list[str]:
    """Names of all committed cases, sorted."""
    return sorted(path.stem for path in DATA.glob("*.npz"))


def _narrow(values: np.ndarray, dtype: type[np.integer]) -> np.ndarray:
    narrow = np.asarray(values).astype(dtype)
    if not np.array_equal(narrow, values):
        raise OverflowError(
            f"case: an array must fit {dtype.__name__}, got values from {np.min(values):g} to "
            f"{np.max(values):g}; choose smaller numbers"
        )
    return narrow
