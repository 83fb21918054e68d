"""From a projection to its synapses, and from described weights to those that a chip can hold."""

from collections.abc import Iterable, Sequence
from math import floor
from typing import Any, NamedTuple

from network import Convolution, Network, Projection
from tests.chip.expansion.laws import AXONAL, DELAY, WEIGHT, drawn
from tests.chip.expansion.places import periods, positions
from tests.chip.expansion.rules import Pair, Pairs, pairs_of


class Synapse(NamedTuple):
    """One synapse: numbers within its populations, delay in ticks, weight in the receptor's unit."""

    source: int
    target: int
    delay: int
    weight: float


class Described(NamedTuple):
    """A projection between two populations; `rule` is its connectivity, or the arrays of an upload."""

    projection: Projection
    rule: Any
    pairs: Pairs
    timestep_ms: float

    def synapses(self) -> list[Synapse]:
        """All its synapses, sorted, with the weights that are described."""
        return sorted(self._synapse(pair) for pair in pairs_of(self.rule, self.pairs))

    def _synapse(self, pair: Pair) -> Synapse:
        projection, rule, h = self.projection, self.rule, self.timestep_ms
        far = 0.0
        if projection.depends_on_distance:
            far = self.pairs.distance(pair.source, pair.target)
        weights = rule.kernel if isinstance(rule, Convolution) else getattr(rule, "weights", None)
        delays = getattr(rule, "delays_ms", None)
        values = (projection.weight, projection.delay_ms, projection.axonal_delay_ms)
        weight, delay, axonal = (
            float(listed[pair.entry])
            if listed is not None
            else drawn(0.0 if value is None else value, salt, pair.bits, far, pair.entry)
            for value, salt, listed in zip(
                values, (WEIGHT, DELAY, AXONAL), (weights, delays, None), strict=True
            )
        )
        ticks = floor(delay / h + 0.5) + floor(axonal / h + 0.5)
        return Synapse(pair.source, pair.target, max(ticks, 1), weight)


def described(network: Network, number: int, columns: Any = None) -> Described:
    """Return projection `number` of a network; of an upload, with its arrays."""
    projection = network.projections[number]
    source, target = network.member(projection.source), network.member(projection.target)
    pairs = Pairs(network.seed, number, source.size, target.size, source is target)
    if projection.depends_on_distance:
        places = [
            positions(member.positions, network.seed, network.members.index(member), member.size)
            for member in (source, target)
        ]
        pairs = pairs._replace(source_um=places[0], target_um=places[1], period=periods(source.positions))
    rule = projection.connectivity if columns is None else columns
    return Described(projection, rule, pairs, network.timestep_ms)


def expand(network: Network, number: int, columns: Any = None) -> list[Synapse]:
    """Return all synapses of projection `number`, sorted, with the weights that are described.

    Compare with what a chip holds by `held` and `same`: a weight becomes a multiple of a step there, and
    weights that come from normals are interpolated to 2e-8.
    """
    return described(network, number, columns).synapses()


def held(weight: float, step: float, codes: Sequence[float] = ()) -> float:
    """Return what becomes of a weight: the nearest code, if any, and its nearest multiple of the step."""
    if codes:
        weight = min(sorted(codes), key=lambda code: abs(code - weight))
    return max(-32767, min(32767, round(weight / step))) * step


def same(made: Iterable[Synapse], expected: Iterable[Synapse], step: float = 0.0) -> bool:
    """Return whether two lists have the same synapses, weights within half a step and 1e-6 of each other.

    The weights of synapses of one pair and delay are compared in their order.
    """
    one, other = sorted(made), sorted(expected)
    return [s[:3] for s in one] == [s[:3] for s in other] and all(
        abs(a.weight - b.weight) <= 0.5 * step * (1.0 + 1e-9) + 1e-6 * abs(b.weight)
        for a, b in zip(one, other, strict=True)
    )
