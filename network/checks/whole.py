"""All checks in turn: names, members, projections, recordings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from network.checks.members import population_problems, source_problems
from network.checks.projections import Ends, end_problems, projection_problems
from network.checks.recordings import Recorded, recording_problems
from network.errors import Problem, show

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
    for i, population in enumerate(network.populations):
        yield from population_problems(f"populations[{i}]", population, network.timestep_ms)
    for i, source in enumerate(network.sources):
        yield from source_problems(f"sources[{i}]", source, network.timestep_ms)
    if not repeated:  # What refers to names waits until they are unique.
        yield from _problems_between(network)


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


def _problems_between(network: Network) -> Iterator[Problem]:
    targets = {population.name: population for population in network.populations}
    members = {member.name: member for member in network.members}
    ends: dict[str, Ends | None] = {}
    for i, projection in enumerate(network.projections):
        path = f"projections[{i}]"
        yield from end_problems(path, projection, members, targets)
        source, target = members.get(projection.source), targets.get(projection.target)
        ends[projection.name] = Ends(source, target) if source and target else None
        yield from projection_problems(path, projection, ends[projection.name], network.timestep_ms)
    known = Recorded(targets, members, ends)
    for i, recording in enumerate(network.recordings):
        yield from recording_problems(f"recordings[{i}]", recording, known, network.timestep_ms)
