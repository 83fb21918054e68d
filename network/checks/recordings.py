"""Recordings: what they name, which of it there is, and how often it is sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from network.checks.projections import Ends, unknown
from network.errors import Problem
from network.grid import MAX_TICKS, off_grid
from network.population import Population
from network.recording import NeuronRange, Recording, SpikeRecording, StateRecording, WeightRecording

if TYPE_CHECKING:
    from network.description import Member


class Recorded(NamedTuple):
    """What has a name: `populations` have state, `members` spikes, `projections` weights."""

    populations: Mapping[str, Population]
    members: Mapping[str, Member]
    projections: Mapping[str, Ends | None]


def recording_problems(
    path: str, recording: Recording, known: Recorded, timestep_ms: float
) -> Iterator[Problem]:
    """Yield the problems of a recording."""
    match recording:
        case StateRecording():
            yield from _neuron_problems(path, recording, "a population", known.populations)
        case SpikeRecording():
            yield from _neuron_problems(path, recording, "a population or source", known.members)
        case WeightRecording():
            yield from _synapse_problems(path, recording, known.projections)
    if not isinstance(recording, SpikeRecording):
        problem = off_grid(recording.interval_ms, timestep_ms, max_ticks=MAX_TICKS)
        if problem:
            yield f"{path}.interval_ms", problem


def _neuron_problems(
    path: str, recording: StateRecording | SpikeRecording, what: str, known: Mapping[str, Member]
) -> Iterator[Problem]:
    if recording.population in known:
        size = known[recording.population].size
        yield from _range_problems(f"{path}.neurons", recording.neurons, size, "population")
    else:
        yield unknown(f"{path}.population", what, recording.population, known)


def _synapse_problems(
    path: str, recording: WeightRecording, known: Mapping[str, Ends | None]
) -> Iterator[Problem]:
    if recording.projection not in known:
        yield unknown(f"{path}.projection", "a projection", recording.projection, known)
        return
    ends = known[recording.projection]
    if ends is not None:
        yield from _range_problems(f"{path}.sources", recording.sources, ends.source.size, "source")
        yield from _range_problems(f"{path}.targets", recording.targets, ends.target.size, "target")


def _range_problems(path: str, neurons: NeuronRange | None, size: int, what: str) -> Iterator[Problem]:
    if neurons is not None and neurons.stop > size:
        rule = f"must be <= {size}, the {what}'s size, got {neurons.stop}"
        yield f"{path}.stop", f"{rule}; lower it"
