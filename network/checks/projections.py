"""Projections: their ends, rule, weights and delays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from network.checks.delays import delay_problems
from network.checks.rules import rule_problems
from network.checks.spaces import space_problems
from network.checks.values import bounds_problems, length_problems
from network.connectivity import AllToAll, Explicit, OneToOne, Uploaded
from network.errors import Problem, names, show
from network.population import Population
from network.positions import reach_um
from network.projection import Projection
from network.values import Array

if TYPE_CHECKING:
    from network.description import Member

_SYNAPSE_VALUES = ("weight", "delay_ms", "axonal_delay_ms")


class Ends(NamedTuple):
    """The two populations of a projection."""

    source: Member
    target: Population


def end_problems(
    path: str, projection: Projection, members: Mapping[str, Member], targets: Mapping[str, Population]
) -> Iterator[Problem]:
    """Yield the problems of names that are no source and no target."""
    if projection.source not in members:
        yield unknown(f"{path}.source", "a population or source", projection.source, members)
    if projection.target in targets:
        return
    if projection.target in members:
        rule = f"must name a population, got source {show(projection.target)}"
        yield f"{path}.target", f"{rule}; sources only emit spikes"
    else:
        yield unknown(f"{path}.target", "a population", projection.target, targets)


def unknown(path: str, what: str, name: str, known: Mapping[str, object]) -> Problem:
    """Return the problem of a name that nothing has."""
    has = names(known) if known else "none"
    return path, f"must name {what}, got {show(name)}; the network has {has}"


def projection_problems(
    path: str, projection: Projection, ends: Ends | None, timestep_ms: float
) -> Iterator[Problem]:
    """Yield the problems of a projection between two populations; of an unknown one, what shows without."""
    reach: float | None = None
    if ends is not None:
        source, target = ends
        recurrent = source is target
        yield from rule_problems(
            f"{path}.connectivity", projection.connectivity, source.size, target.size, recurrent
        )
        yield from _array_problems(path, projection, ends)
        apart = list(space_problems(path, projection, source.positions, target.positions))
        yield from apart
        if not projection.depends_on_distance:
            reach = 0.0
        elif source.positions and target.positions and not apart:
            reach = reach_um(source.positions, target.positions)
    elif not projection.depends_on_distance:
        reach = 0.0
    if reach is not None:
        if projection.weight is not None:
            yield from bounds_problems(f"{path}.weight", projection.weight, reach)
        yield from delay_problems(path, projection, reach, timestep_ms)


def _array_problems(path: str, projection: Projection, ends: Ends) -> Iterator[Problem]:
    """Yield the problems of arrays: only some rules know which synapse is the first."""
    rule = projection.connectivity
    for name in _SYNAPSE_VALUES:
        value = getattr(projection, name)
        if not isinstance(value, Array):
            continue
        got = f"got one of {len(value.values)} values"
        match rule:
            case OneToOne():
                yield from length_problems(f"{path}.{name}", value, ends.target.size, "synapse")
            case AllToAll() if rule.allow_autapses or ends.source is not ends.target:
                n = ends.target.size * ends.source.size
                yield from length_problems(f"{path}.{name}", value, n, "synapse")
            case AllToAll():
                text = f"must be no array where autapses are left out, {got}"
                yield (
                    f"{path}.{name}",
                    f"{text}; allow autapses, or list the synapses with the rule 'explicit'",
                )
            case Explicit() | Uploaded():
                text = f"must be no array with the rule {show(rule.rule)}, {got}"
                yield f"{path}.{name}", f"{text}; list the values with the synapses"
            case _:
                text = f"must be no array with the rule {show(rule.rule)}, {got}"
                yield f"{path}.{name}", f"{text}; list the synapses with the rule 'explicit'"
