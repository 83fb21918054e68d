"""Populations with their inputs, and sources."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from network.checks.spaces import position_problems
from network.checks.values import neuron_value_problems
from network.checks.waveforms import modulation_problems, rate_problems, waveform_problems
from network.errors import Problem, join_step, show
from network.grid import MAX_TICKS, off_grid, on_grid
from network.population import (
    CorrelatedPoissonSource,
    CurrentInput,
    DCInput,
    Input,
    NoiseInput,
    PoissonInput,
    PoissonSource,
    Population,
    Source,
    SpikeTimesSource,
    UploadedSpikesSource,
)
from network.positions import reach_from_centre_um
from network.values import bounds_of, needs_distance


def population_problems(path: str, population: Population, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of a population, its inputs included."""
    yield from position_problems(f"{path}.positions", population.positions, population.size)
    for table in ("parameters", "initial"):
        for name, value in getattr(population, table).items():
            where = join_step(f"{path}.{table}", name)
            yield from neuron_value_problems(where, value, population.size, population.positions)
    for i, described in enumerate(population.inputs):
        yield from _input_problems(f"{path}.inputs[{i}]", described, population, timestep_ms)


def _input_problems(
    path: str, described: Input, population: Population, timestep_ms: float
) -> Iterator[Problem]:
    match described:
        case PoissonInput():
            yield from _input_rate_problems(f"{path}.rate_hz", described, population)
            yield from modulation_problems(f"{path}.modulation", described.modulation, timestep_ms)
        case NoiseInput():
            problem = off_grid(described.interval_ms, timestep_ms, max_ticks=MAX_TICKS)
            if problem:
                yield f"{path}.interval_ms", problem
        case DCInput() | CurrentInput():
            where = f"{path}.current_pa"
            yield from neuron_value_problems(
                where, described.current_pa, population.size, population.positions
            )
    if isinstance(described, CurrentInput):
        yield from waveform_problems(f"{path}.waveform", described.waveform, timestep_ms)


def _input_rate_problems(path: str, described: PoissonInput, population: Population) -> Iterator[Problem]:
    rate, space = described.rate_hz, population.positions
    problems = list(neuron_value_problems(path, rate, population.size, space))
    yield from problems
    if needs_distance(rate) and space is not None and not problems:
        low = bounds_of(rate, reach_from_centre_um(space))[0]
        if low < 0:
            yield path, f"must be >= 0, got {show(low)}; raise its lowest value"


def source_problems(path: str, source: Source, timestep_ms: float) -> Iterator[Problem]:
    """Yield the problems of a source."""
    yield from position_problems(f"{path}.positions", source.positions, source.size)
    match source:
        case PoissonSource() | CorrelatedPoissonSource():
            yield from modulation_problems(f"{path}.modulation", source.modulation, timestep_ms)
            yield from rate_problems(
                f"{path}.rate_hz",
                source.rate_hz,
                timestep_ms,
                modulation=source.modulation,
                correlation=getattr(source, "correlation", 1.0),
            )
        case SpikeTimesSource():
            yield from _spike_time_problems(f"{path}.times_ms", source, timestep_ms)
        case UploadedSpikesSource() if source.neuron_stop > source.size:
            rule = f"must be at most {source.size}, the source's size, got {source.neuron_stop}"
            yield f"{path}.neuron_stop", f"{rule}; make the source larger"


def _spike_time_problems(path: str, source: SpikeTimesSource, timestep_ms: float) -> Iterator[Problem]:
    """Yield the first spike time that is off the grid, or else the first that does not increase."""
    ends = np.cumsum([len(times) for times in source.times_ms], dtype=np.int64)
    flat = np.fromiter(itertools.chain.from_iterable(source.times_ms), dtype=np.float64)

    def place(index: int) -> str:
        neuron = int(np.searchsorted(ends, index, side="right"))
        return f"{path}[{neuron}][{index - int(ends[neuron]) + len(source.times_ms[neuron])}]"

    bad = np.flatnonzero(~on_grid(flat, timestep_ms, max_ticks=MAX_TICKS))
    if bad.size:
        index = int(bad[0])
        yield place(index), str(off_grid(float(flat[index]), timestep_ms, max_ticks=MAX_TICKS))
        return
    increases = np.diff(np.rint(flat / timestep_ms), prepend=0) > 0
    increases[ends[ends < flat.size]] = True
    bad = np.flatnonzero(~increases)
    if bad.size:
        index = int(bad[0])
        rule = f"must be later than the spike before it, {show(float(flat[index - 1]))}"
        yield place(index), f"{rule}, got {show(float(flat[index]))}; sort the times and remove repeats"
