"""Builds small cases neuron by neuron: say what arrives where and when, and the sources follow."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.reference.cases import CaseCurrent, CasePopulation, ReferenceCase


@dataclass
class CaseBuilder:
    """Collects populations, synapses and single inputs.

    Neurons are named by their global numbers, which `population` returns. There is one source for each tick
    in which anything has to be sent, and it spikes in that tick only.
    """

    name: str
    model: str
    about: str
    n_ticks: int
    lsb: float
    timestep_ms: float = 0.1
    populations: list[CasePopulation] = field(default_factory=list)
    synapses: list[tuple[int, int, float, int]] = field(default_factory=list)
    arrivals: list[tuple[int, int, float, int]] = field(default_factory=list)
    currents: list[CaseCurrent] = field(default_factory=list)

    def population(self, name: str, size: int, parameters: dict[str, float], v_mv: float = 0.0) -> range:
        """Add a population and return the numbers of its neurons."""
        first = sum(population.size for population in self.populations)
        self.populations.append(CasePopulation(name, size, parameters, v_mv))
        return range(first, first + size)

    def current(self, population: str, current_pa: float, waveform: dict[str, Any]) -> None:
        """Let a current flow into all neurons of a population."""
        self.currents.append(CaseCurrent(population, current_pa, waveform))

    def synapse(self, source: int, target: int, weight: float, delay_ticks: int) -> None:
        """Add a synapse between two neurons."""
        self.synapses.append((source, target, weight, delay_ticks))

    def arrive(self, target: int, tick: int, weight: float, delay_ticks: int = 1) -> None:
        """Let `weight` arrive in the slot of `tick`, sent by a source `delay_ticks` before."""
        if tick < delay_ticks:
            raise ValueError(
                f"arrival in tick {tick}: must be sent in tick 0 or later, "
                f"delay is {delay_ticks}; lower the delay"
            )
        self.arrivals.append((tick - delay_ticks, target, weight, delay_ticks))

    def arrive_together(self, target: int, tick: int, parts: list[float]) -> None:
        """Let several weights, sent at different times, arrive in one slot."""
        for index, part in enumerate(parts):
            self.arrive(target, tick, part, delay_ticks=1 + 7 * index)

    def build(self) -> ReferenceCase:
        """Number the sources and return the case, without spikes."""
        n_neurons = sum(population.size for population in self.populations)
        ticks = sorted({arrival[0] for arrival in self.arrivals})
        number = {tick: n_neurons + index for index, tick in enumerate(ticks)}
        synapses = self.synapses + [(number[tick], *rest) for tick, *rest in self.arrivals]
        source, target, weight, delay_ticks = (np.array(column) for column in zip(*synapses, strict=True))
        order = np.lexsort((source, target))
        return ReferenceCase(
            name=self.name,
            about=self.about,
            model=self.model,
            timestep_ms=self.timestep_ms,
            n_ticks=self.n_ticks,
            weight_lsb=self.lsb,
            populations=tuple(self.populations),
            n_sources=len(ticks),
            source=source[order],
            target=target[order],
            weight_step=weight[order] / self.lsb,
            delay_ticks=delay_ticks[order],
            input_tick=np.array(ticks),
            input_neuron=n_neurons + np.arange(len(ticks)),
            currents=tuple(self.currents),
        )
