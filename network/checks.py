"""Checks across the parts of a network: names, sizes, and times on the grid of its timestep."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from network.connectivity import Connectivity, Explicit, FixedInDegree, FixedTotalNumber, OneToOne
from network.errors import Problem, names, show
from network.grid import MAX_DELAY_TICKS, MAX_TICKS, off_grid, on_grid
from network.population import PoissonSource, SpikeTimesSource
from network.projection import Projection
from network.recording import StateRecording
from network.values import Normal, Uniform, Value, highest

if TYPE_CHECKING:
    from network.description import Network

MAX_NEURONS = 2**32 - 1


def problems_of(network: Network) -> Iterator[Problem]:
    """Yield all problems that only show when the parts of a network are seen together."""
    repeated = list(_repeated_names(network))
    yield from repeated
    if network.n_neurons > MAX_NEURONS:
        rule = f"must have at most {MAX_NEURONS} neurons, sources included, got {network.n_neurons}"
        yield "populations", f"{rule}; make them smaller"
    for i, source in enumerate(network.sources):
        if isinstance(source, PoissonSource):
            yield from _rate_problems(f"sources[{i}].rate_hz", source.rate_hz, network.timestep_ms)
        else:
            yield from _spike_time_problems(f"sources[{i}].times_ms", source, network.timestep_ms)
    if repeated:
        return  # What refers to names waits until they are unique.
    sizes = {member.name: member.size for member in network.members}
    targets = {population.name: population.size for population in network.populations}
    for i, projection in enumerate(network.projections):
        yield from _projection_problems(f"projections[{i}]", projection, sizes, targets)
        yield from _delay_problems(f"projections[{i}]", projection, network.timestep_ms)
    for i, recording in enumerate(network.recordings):
        yield from _recording_problems(f"recordings[{i}]", recording, targets, network.timestep_ms)


def _repeated_names(network: Network) -> Iterator[Problem]:
    members = [(f"populations[{i}]", p.name) for i, p in enumerate(network.populations)]
    members += [(f"sources[{i}]", s.name) for i, s in enumerate(network.sources)]
    projections = [(f"projections[{i}]", p.name) for i, p in enumerate(network.projections)]
    for named in (members, projections):
        first: dict[str, str] = {}
        for path, name in named:
            if name in first:
                yield (
                    f"{path}.name",
                    f"must be unique, got {show(name)} like {first[name]}; give another name",
                )
            first.setdefault(name, path)


def _rate_problems(path: str, rate_hz: float, timestep_ms: float) -> Iterator[Problem]:
    most = 1000.0 / timestep_ms
    if rate_hz > most:
        rule = f"must be at most {show(most)}, one spike a tick of {show(timestep_ms)} ms"
        yield path, f"{rule}, got {show(rate_hz)}; lower it, or use more neurons"


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


def _projection_problems(
    path: str, projection: Projection, sizes: dict[str, int], targets: dict[str, int]
) -> Iterator[Problem]:
    known = True
    if projection.source not in sizes:
        known = False
        yield _unknown(f"{path}.source", "a population or source", projection.source, sizes)
    if projection.target not in targets:
        known = False
        yield _not_target(f"{path}.target", projection.target, sizes, targets)
    if known:
        n_sources, n_targets = sizes[projection.source], targets[projection.target]
        yield from _rule_problems(f"{path}.connectivity", projection.connectivity, n_sources, n_targets)


def _unknown(path: str, what: str, name: str, known: dict[str, int]) -> Problem:
    has = names(known) if known else "none"
    return path, f"must name {what}, got {show(name)}; the network has {has}"


def _not_target(path: str, name: str, sizes: dict[str, int], targets: dict[str, int]) -> Problem:
    if name in sizes:
        return path, f"must name a population, got source {show(name)}; sources only emit spikes"
    return _unknown(path, "a population", name, targets)


def _rule_problems(path: str, rule: Connectivity, n_sources: int, n_targets: int) -> Iterator[Problem]:
    match rule:
        case OneToOne() if n_sources != n_targets:
            yield path, f"must join equal sizes, got {n_sources} and {n_targets}; use another rule"
        case FixedInDegree() if rule.n and n_targets and not n_sources:
            yield f"{path}.n", f"must be 0 from an empty source, got {rule.n}; give the source neurons"
        case FixedTotalNumber() if rule.n and not (n_sources and n_targets):
            yield f"{path}.n", f"must be 0 between empty populations, got {rule.n}; give them neurons"
        case Explicit():
            yield from _index_problems(f"{path}.sources", rule.sources, n_sources)
            yield from _index_problems(f"{path}.targets", rule.targets, n_targets)


def _index_problems(path: str, indices: tuple[int, ...], size: int) -> Iterator[Problem]:
    if indices and max(indices) >= size:
        k = next(k for k, index in enumerate(indices) if index >= size)
        rule = f"must be < {size}, the population's size, got {show(indices[k])}"
        yield f"{path}[{k}]", f"{rule}; neurons are counted from 0"


def _delay_problems(path: str, projection: Projection, timestep_ms: float) -> Iterator[Problem]:
    if isinstance(projection.connectivity, Explicit) and projection.connectivity.delays_ms is not None:
        delays = np.array(projection.connectivity.delays_ms, dtype=np.float64)
        bad = np.flatnonzero(~on_grid(delays, timestep_ms, max_ticks=MAX_DELAY_TICKS))
        if bad.size:
            problem = off_grid(float(delays[bad[0]]), timestep_ms, max_ticks=MAX_DELAY_TICKS)
            yield f"{path}.connectivity.delays_ms[{bad[0]}]", str(problem)
    elif isinstance(projection.delay_ms, Uniform | Normal):
        yield from _drawn_delay_problems(f"{path}.delay_ms", projection.delay_ms, timestep_ms)
    elif projection.delay_ms is not None:
        problem = off_grid(projection.delay_ms, timestep_ms, max_ticks=MAX_DELAY_TICKS)
        if problem:
            yield f"{path}.delay_ms", problem


def _drawn_delay_problems(path: str, delay: Value, timestep_ms: float) -> Iterator[Problem]:
    """Yield problems of delays that are drawn, then rounded half up: 1 to `MAX_DELAY_TICKS` ticks."""
    low = delay.low if isinstance(delay, Uniform | Normal) else None
    half, step = 0.5 * timestep_ms, show(timestep_ms)
    if low is None or low < half:
        rule = f"must be at least half of timestep_ms, {show(half)}, got {show(low)}"
        yield f"{path}.low", f"{rule}; a delay is one tick or more"
    most = (MAX_DELAY_TICKS + 0.5) * timestep_ms
    if highest(delay) >= most:
        rule = f"must stay below {MAX_DELAY_TICKS} and a half ticks of {step} ms, got {show(highest(delay))}"
        yield f"{path}.high", f"{rule}; lower it or raise timestep_ms"


def _recording_problems(
    path: str, recording: StateRecording, targets: dict[str, int], timestep_ms: float
) -> Iterator[Problem]:
    if recording.population not in targets:
        yield _unknown(f"{path}.population", "a population", recording.population, targets)
    elif recording.neurons.stop > targets[recording.population]:
        size = targets[recording.population]
        rule = f"must be <= {size}, the population's size, got {recording.neurons.stop}"
        yield f"{path}.neurons.stop", f"{rule}; lower it"
    problem = off_grid(recording.interval_ms, timestep_ms, max_ticks=MAX_TICKS)
    if problem:
        yield f"{path}.interval_ms", problem
