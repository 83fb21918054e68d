"""A query for synapses, and what of a network it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chip import MODELS
from cluster.errors import RefusedQuery
from cluster.expectation import expected_synapses
from network import Network, Projection

MAX_SYNAPSES = 10_000_000
"""Synapses that a query may ask for, in all its parts together, by their expected number."""


class SynapseQuery(NamedTuple):
    """Synapses between some neurons, by name.

    Attributes
    ----------
    projection : str or None
        Those of one projection, and of all others of the same source, target and receptor.
    source, target : str or None
        Instead: those between two members, or of one with all others.
    sources, targets : range or None
        Which of the neurons of the one source and the one target; None for all.
    """

    projection: str | None = None
    source: str | None = None
    target: str | None = None
    sources: range | None = None
    targets: range | None = None


class SynapseGroup(NamedTuple):
    """Projections whose synapses cannot be told apart: those of one source, target and receptor."""

    source: str
    target: str
    receptor: str
    projections: tuple[str, ...]


class Pair(NamedTuple):
    """Neurons of a member, and of a population that it projects to, counted within each."""

    source: int
    sources: range
    target: int
    targets: range


@dataclass(frozen=True)
class Selection:
    """What a query asks for.

    Attributes
    ----------
    groups : tuple of SynapseGroup
    pairs : tuple of Pair
        In ascending order of the source.
    group_of : mapping from int to int
        The group of each pair and receptor that is asked for, these as ``pair << 8 | receptor``.
    expected : tuple of (float, float)
        For each pair, the synapses to expect of one source neuron: those onto the first to the last target
        neuron, whatever the receptor; and those that are asked for.
    """

    groups: tuple[SynapseGroup, ...]
    pairs: tuple[Pair, ...]
    group_of: dict[int, int]
    expected: tuple[tuple[float, float], ...]


def select(network: Network, query: SynapseQuery) -> Selection:
    """Return what a query asks for.

    Raises
    ------
    RefusedQuery
        It names what there is not, or asks for too much.
    """
    asked = _asked(network, query)
    _check_range(network, query.sources, "source", {p.source for p in asked} or {query.source})
    _check_range(network, query.targets, "target", {p.target for p in asked} or {query.target})
    numbers = {member.name: number for number, member in enumerate(network.members)}
    groups: list[SynapseGroup] = []
    pairs: list[Pair] = []
    group_of: dict[int, int] = {}
    expected: list[tuple[float, float]] = []
    for source, target in sorted({(numbers[p.source], numbers[p.target]) for p in asked}):
        pair = Pair(
            source, _all(network, source, query.sources), target, _all(network, target, query.targets)
        )
        own = [p for p in asked if (numbers[p.source], numbers[p.target]) == (source, target)]
        for receptor in sorted({_receptor(network, p) for p in own}):
            group_of[len(pairs) << 8 | receptor] = len(groups)
            groups.append(_group(network, [p for p in own if _receptor(network, p) == receptor]))
        expected.append(_expected(network, pair, own))
        pairs.append(pair)
    _refuse_too_many(pairs, expected)
    return Selection(tuple(groups), tuple(pairs), group_of, tuple(expected))


def _asked(network: Network, query: SynapseQuery) -> list[Projection]:
    """Return the projections that a query names."""
    if query.projection is not None:
        return _like(network, query)
    if query.source is None and query.target is None:
        raise RefusedQuery("projection", "must be given, or source or target, got none; name what to read")
    members = {member.name: member for member in network.members}
    populations = {population.name: population for population in network.populations}
    _check_name("source", "a population or source", query.source, list(members))
    _check_name("target", "a population", query.target, list(populations))
    return [
        p
        for p in network.projections
        if query.source in (None, p.source) and query.target in (None, p.target)
    ]


def _like(network: Network, query: SynapseQuery) -> list[Projection]:
    """Return the projections of the source, target and receptor of the named one."""
    for where, beside in (("source", query.source), ("target", query.target)):
        if beside is not None:
            raise RefusedQuery(where, f"must not be given beside projection, got {beside!r}; leave one out")
    _check_name("projection", "a projection", query.projection, [p.name for p in network.projections])
    named = next(p for p in network.projections if p.name == query.projection)
    ends = named.source, named.target, _receptor(network, named)
    return [p for p in network.projections if (p.source, p.target, _receptor(network, p)) == ends]


def _check_name(where: str, what: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        has = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "") if known else "none"
        raise RefusedQuery(where, f"must be {what} of the network ({has}), got {name!r}; see the network")


def _check_range(network: Network, neurons: range | None, end: str, names: set[str | None]) -> None:
    """Refuse neurons of no particular member, and those that it has not."""
    if neurons is None:
        return
    where, got = f"{end}s", f"{neurons.start}:{neurons.stop}:{neurons.step}"
    if len(names) != 1 or None in names:
        rule = f"must be of one {end}, got {got} of {len(names - {None})}"
        raise RefusedQuery(where, f"{rule}; name the {end} or the projection")
    (name,) = names
    size = network.member(str(name)).size
    if neurons.stop > size:
        raise RefusedQuery(
            where, f"must stop at {size}, the size of {name!r}, or before, got {got}; lower it"
        )


def _all(network: Network, member: int, neurons: range | None) -> range:
    return range(network.members[member].size) if neurons is None else neurons


def _receptor(network: Network, projection: Projection) -> int:
    model = network.member(projection.target).model  # type: ignore[union-attr]
    return MODELS[model].receptor(projection.receptor)


def _group(network: Network, projections: list[Projection]) -> SynapseGroup:
    first = projections[0]
    model = MODELS[network.member(first.target).model]  # type: ignore[union-attr]
    receptor = model.receptors[_receptor(network, first)].name
    return SynapseGroup(first.source, first.target, receptor, tuple(p.name for p in projections))


def _expected(network: Network, pair: Pair, asked: list[Projection]) -> tuple[float, float]:
    sizes = network.members[pair.source].size, network.members[pair.target].size
    names = network.members[pair.source].name, network.members[pair.target].name
    n_pairs = max(sizes[0] * sizes[1], 1)
    both = [p for p in network.projections if (p.source, p.target) == names]
    seen, wanted = (sum(expected_synapses(network, p) for p in own) for own in (both, asked))
    span = max(pair.targets.stop - pair.targets.start, 0)
    return seen / n_pairs * span, wanted / n_pairs * len(pair.targets)


def _refuse_too_many(pairs: list[Pair], expected: list[tuple[float, float]]) -> None:
    n = round(sum(len(pair.sources) * wanted for pair, (_, wanted) in zip(pairs, expected, strict=True)))
    if n > MAX_SYNAPSES:
        rule = f"must leave at most {MAX_SYNAPSES} synapses to be expected, got {n}"
        raise RefusedQuery("targets", f"{rule}; ask for fewer sources or targets, one part after the other")
