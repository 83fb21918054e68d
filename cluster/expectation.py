"""How many synapses a projection has, and how many a neuron receives: expected, from the description alone.

Most rules say it themselves. Of a rule of distance it is the mean probability of a pair times the pairs. The
mean is an integral over the differences of two coordinates, one dimension at a time:

- of two equal grids, the differences themselves, each as often as it occurs, where they are few;
- else, the differences of numbers drawn between bounds (a grid fills its extent), or of normal numbers where
  a population's coordinates are drawn from anything but a uniform distribution;
- of listed coordinates, those of about a thousand neurons.

It is off by a few percent at most where populations fill their extents; by more for rings much narrower than
their radius in three dimensions, and for listed coordinates and a narrow kernel.

An integral takes milliseconds. It is taken once for each rule and pair of positions that a network has, and
of the first `MOST_INTEGRALS` of these alone (one of listed coordinates counts as ten); for others, the
greatest probability of a pair stands for the mean: nothing is underestimated.
"""

from __future__ import annotations

import math
import weakref
from statistics import NormalDist
from typing import Any

import numpy as np

from chip.laws import law_of
from chip.poisson import room_for
from chip.spread import moments_of
from cluster.differences import Coordinate, Difference, Floats, lattice
from network import Network, Projection
from network.connectivity import (
    AllToAll,
    Convolution,
    DistanceDependent,
    Explicit,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    Pooling,
    Uploaded,
)
from network.positions import FreePositions, GridPositions, Positions
from network.values import Array, DistanceExponential, DistanceGaussian, DistanceLinear, Uniform

_NEGLIGIBLE = 1e-9
"""A probability that counts for nothing."""

_MOST_NODES = {1: 4096, 2: 512, 3: 80}
"""Differences of one dimension that are looked at one by one, by the number of dimensions."""

_GAUSS = {1: 24, 2: 16, 3: 6}
"""Nodes of each panel of an integral, by the number of dimensions."""

_N_LISTED = 1024
"""Neurons of each population that stand for all where coordinates are listed."""

MOST_INTEGRALS = 1000
"""Mean probabilities of a network that are computed, some seconds of a core; see the top of this file."""

_COST_LISTED = 10
"""What the mean over listed coordinates costs, in integrals."""

_TURNS = 0.6180339887498949, 0.4142135623730951, 0.7320508075688772
"""Fractions that no small number of steps brings back to where they began, one for each dimension."""


def expected_synapses(network: Network, projection: Projection) -> int:
    """Return the synapses of a projection; expected, where a rule draws their number."""
    source, target = network.member(projection.source), network.member(projection.target)
    rule, same = projection.connectivity, projection.source == projection.target
    without_self = same and not getattr(rule, "allow_autapses", True)
    n_pairs = source.size * target.size
    if not n_pairs:
        return 0
    if isinstance(rule, DistanceDependent):
        assert source.positions is not None, projection.source
        assert target.positions is not None, projection.target
        exact, mean = _means_of(network).of(projection, rule)
        at_zero = float(_probability(rule, np.zeros(1))[0])
        if not same:
            return round(mean * n_pairs)
        n = source.size
        others = mean * n * n - at_zero * n if exact else mean * (n * n - n)
        return round(max(others, 0.0) + (0.0 if without_self else at_zero * n))
    if without_self and isinstance(rule, AllToAll):
        return n_pairs - source.size
    if without_self and isinstance(rule, FixedProbability):
        return round(rule.p * (n_pairs - source.size))
    return rule.n_synapses(source.size, target.size)


def expected_total(network: Network) -> int:
    """Return the synapses of all projections of a network."""
    return sum(expected_synapses(network, projection) for projection in network.projections)


def expected_fan_in(network: Network, projection: Projection) -> float:
    """Return the synapses of a projection onto one neuron, on average; of a window, onto one inside."""
    rule = projection.connectivity
    if isinstance(rule, Convolution | Pooling):
        return float(rule.most_fan_in)
    size = max(network.member(projection.target).size, 1)
    if not isinstance(rule, DistanceDependent):
        n_sources = network.member(projection.source).size
        return rule.n_synapses(n_sources, network.member(projection.target).size) / size
    # Three digits: what an LSB depends on must not show the last digit of anybody's exponential.
    return float(f"{expected_synapses(network, projection) / size:.3g}")


def greatest_fan_in(network: Network, projection: Projection) -> float | None:
    """Return a bound of the synapses of a projection onto one neuron; None where it is not known.

    It is exact where the description says it; where they are drawn it is exceeded less than once in 10**14
    neurons.
    """
    source, target = network.member(projection.source), network.member(projection.target)
    rule, mean = projection.connectivity, expected_fan_in(network, projection)
    match rule:
        case Uploaded():
            return None
        case Explicit():
            return float(np.bincount(np.asarray(rule.targets, np.int64), minlength=1).max())
        case FixedTotalNumber() | FixedOutDegree():
            distinct = source.size if not rule.allow_multapses else math.inf
            return min(room_for(mean), distinct, float(rule.n_synapses(source.size, target.size)))
        case FixedProbability():
            return float(min(room_for(mean), source.size))
        case DistanceDependent():
            greatest = _greatest_probability(rule) * source.size
            if _same_everywhere(rule, source.positions, target.positions):
                greatest = min(greatest, mean * 2.0 ** len(source.positions.extent_um))  # type: ignore[union-attr]
            return float(min(room_for(greatest), source.size))
        case _:
            return mean


def _same_everywhere(rule: DistanceDependent, source: Positions | None, target: Positions | None) -> bool:
    """Return whether no neuron has more than 2, 4 or 8 times the mean fan-in, in as many dimensions.

    That is so of equal spaces that are evenly filled, and of probabilities that do not rise with distance: a
    corner sees half of what the centre sees in each dimension.
    """
    kernel = rule.p
    falls = (
        kernel.slope_per_um <= 0.0
        if isinstance(kernel, DistanceLinear)
        else not isinstance(kernel, DistanceGaussian) or kernel.mean_um == 0.0
    )
    if not falls or source is None or target is None or _listed(source) or _listed(target):
        return False
    ends = [(_coordinate(source, k), _coordinate(target, k)) for k in range(source.n_dimensions)]
    return all(one.even and one == other for one, other in ends)


def _probability(rule: DistanceDependent, distance: Floats) -> Floats:
    """Return the probability of pairs of given distances."""
    kernel = rule.p
    match kernel:
        case DistanceLinear():
            p = kernel.at_zero + kernel.slope_per_um * distance
        case DistanceExponential():
            p = kernel.scale * np.exp(-distance / kernel.length_um)
        case DistanceGaussian():
            p = kernel.scale * np.exp(-0.5 * ((distance - kernel.mean_um) / kernel.sd_um) ** 2)
    within = True if rule.radius_um is None else distance <= rule.radius_um
    return np.where(within, np.clip(p, 0.0, 1.0), 0.0)


def _reach(rule: DistanceDependent) -> float:
    """Return the distance beyond which no pair is worth counting."""
    kernel, reach = rule.p, math.inf
    if isinstance(kernel, DistanceLinear):
        if kernel.slope_per_um < 0.0:
            reach = max(-kernel.at_zero / kernel.slope_per_um, 0.0)
    else:
        logs = math.log(max(kernel.scale, _NEGLIGIBLE) / _NEGLIGIBLE)
        if isinstance(kernel, DistanceExponential):
            reach = kernel.length_um * logs
        else:
            reach = kernel.mean_um + kernel.sd_um * math.sqrt(2.0 * logs)
    return reach if rule.radius_um is None else min(reach, rule.radius_um)


def _marks(rule: DistanceDependent) -> list[float]:
    """Return distances between which the probability is smooth enough for one panel of an integral."""
    kernel = rule.p
    marks = [] if rule.radius_um is None else [rule.radius_um * k / 8 for k in range(1, 9)]
    if isinstance(kernel, DistanceExponential):
        marks += [kernel.length_um * k for k in (0.25, 1.0, 2.5, 5.0, 10.0, 20.0)]
    elif isinstance(kernel, DistanceGaussian):
        marks += [kernel.mean_um + kernel.sd_um * k for k in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)]
    return marks


class _Means:
    """The mean probabilities of a network's rules of distance, each taken when it is first asked for.

    Does not hold on to the network.
    """

    def __init__(self, network: Network) -> None:
        alike: dict[Positions, int] = {}
        self._places = {
            member.name: alike.setdefault(member.positions, len(alike))
            for member in network.members
            if member.positions is not None
        }
        self._positions = tuple(alike)
        self._listed = [_listed(positions) for positions in alike]
        self._cost: dict[_MeanKey, int] = {}  # of the integral and of all before it
        self._known: dict[_MeanKey, tuple[bool, float]] = {}
        total = 0
        for projection in network.projections:
            if isinstance(projection.connectivity, DistanceDependent):
                key = self._key(projection, projection.connectivity)
                if key not in self._cost:
                    total += _COST_LISTED if self._listed[key[2]] or self._listed[key[3]] else 1
                    self._cost[key] = total

    def of(self, projection: Projection, rule: DistanceDependent) -> tuple[bool, float]:
        """Return whether the mean probability of all pairs is exact, themselves included, and the mean."""
        key = self._key(projection, rule)
        if key not in self._known:
            ends = self._positions[key[2]], self._positions[key[3]]
            affordable = self._cost[key] <= MOST_INTEGRALS
            self._known[key] = (
                _mean_probability(rule, *ends) if affordable else (False, _greatest_probability(rule))
            )
        return self._known[key]

    def _key(self, projection: Projection, rule: DistanceDependent) -> _MeanKey:
        return rule.p, rule.radius_um, self._places[projection.source], self._places[projection.target]


_MeanKey = tuple[DistanceLinear | DistanceExponential | DistanceGaussian, float | None, int, int]

_MEANS: dict[int, _Means] = {}
"""Of the networks that are alive, by identity: to compare networks takes as long as to read them."""


def _means_of(network: Network) -> _Means:
    means = _MEANS.get(id(network))
    if means is None:
        means = _MEANS[id(network)] = _Means(network)
        weakref.finalize(network, _MEANS.pop, id(network), None)
    return means


def _greatest_probability(rule: DistanceDependent) -> float:
    """Return a bound of the probability of any pair."""
    kernel = rule.p
    if isinstance(kernel, DistanceLinear):
        reach = math.inf if rule.radius_um is None else rule.radius_um
        far = kernel.at_zero + kernel.slope_per_um * reach if kernel.slope_per_um else kernel.at_zero
        return min(max(kernel.at_zero, far, 0.0), 1.0)
    return min(max(kernel.scale, 0.0), 1.0)


def _mean_probability(rule: DistanceDependent, source: Positions, target: Positions) -> tuple[bool, float]:
    """Return whether the mean probability of all pairs is exact, themselves included, and the mean."""
    n_dimensions, reach = source.n_dimensions, _reach(rule)
    if _listed(source) or _listed(target):
        return False, _mean_of_listed(rule, source, target)
    axes = [_axis(source, target, k, reach, _marks(rule)) for k in range(n_dimensions)]
    square, weight, exact = np.zeros(1), np.ones(1), True
    for is_exact, offsets, weights in axes:
        square = (square[:, None] + offsets**2).ravel()
        weight = (weight[:, None] * weights).ravel()
        exact = exact and is_exact
    return exact, float(np.sum(_probability(rule, np.sqrt(square)) * weight))


def _axis(
    source: Positions, target: Positions, k: int, reach: float, marks: list[float]
) -> tuple[bool, Floats, Floats]:
    """Return offsets in dimension `k`, up to `reach`, and the share of pairs that each stands for."""
    period = source.extent_um[k] if source.periodic else math.inf
    if isinstance(source, GridPositions) and isinstance(target, GridPositions):
        same = source.shape[k] == target.shape[k] and source.extent_um[k] == target.extent_um[k]
        if same and source.centre[k] == target.centre[k]:
            found = lattice(
                source.shape[k],
                source.extent_um[k],
                period=period,
                reach=reach,
                most=_MOST_NODES[source.n_dimensions],
            )
            if found is not None:
                return True, *found
    density = Difference(_coordinate(source, k), _coordinate(target, k), period)
    return False, *density.nodes(reach, marks, _GAUSS[source.n_dimensions])


def _coordinate(positions: Positions, k: int) -> Coordinate:
    """Return how the coordinates of dimension `k` are spread."""
    if isinstance(positions, GridPositions):
        n, extent = positions.shape[k], positions.extent_um[k]
        return Coordinate(True, positions.centre[k], extent / math.sqrt(12.0) if n > 1 else 0.0)
    value = positions.coordinates_um[k]
    law = law_of(value)
    if not law.varies or isinstance(value, Uniform):
        mean, width = 0.5 * (law.least + law.greatest), law.greatest - law.least
        return Coordinate(True, mean, width / math.sqrt(12.0))
    moments = moments_of(value)
    return Coordinate(False, moments.mean, moments.sd)


def _listed(positions: Positions) -> bool:
    return any(isinstance(value, Array) for value in getattr(positions, "coordinates_um", ()))


def _mean_of_listed(rule: DistanceDependent, source: Positions, target: Positions) -> float:
    """Return the mean probability of pairs of some neurons of each population."""
    ends = [_some(positions, seed) for seed, positions in ((0.0, source), (0.5, target))]
    square = np.zeros((ends[0].shape[0], ends[1].shape[0]))
    for k in range(source.n_dimensions):
        offset = np.abs(ends[0][:, None, k] - ends[1][None, :, k])
        if source.periodic:
            offset = offset % source.extent_um[k]
            offset = np.minimum(offset, source.extent_um[k] - offset)
        square += offset**2
    return float(np.mean(_probability(rule, np.sqrt(square)))) if square.size else 0.0


def _some(positions: Positions, seed: float) -> Floats:
    """Return the coordinates of some neurons: (n, n_dimensions). What is not listed is spread out evenly."""
    lengths = [len(v.values) for v in getattr(positions, "coordinates_um", ()) if isinstance(v, Array)]
    n = min(lengths, default=_N_LISTED)
    chosen = np.unique(np.linspace(0, max(n - 1, 0), min(n, _N_LISTED)).astype(np.int64))
    columns = []
    for k in range(positions.n_dimensions):
        value: Any = positions.coordinates_um[k] if isinstance(positions, FreePositions) else None
        if isinstance(value, Array):
            columns.append(np.asarray(value.values, np.float64)[chosen])
        else:
            share = np.asarray((seed + (np.arange(chosen.size) + 0.5) * _TURNS[k]) % 1.0, np.float64)
            columns.append(_quantiles(_coordinate(positions, k), share))
    return np.stack(columns, axis=1)


def _quantiles(coordinate: Coordinate, share: Floats) -> Floats:
    if coordinate.even:
        return coordinate.mean + coordinate.sd * math.sqrt(12.0) * (share - 0.5)
    standard = NormalDist()
    return coordinate.mean + coordinate.sd * np.array(
        [standard.inv_cdf(min(max(p, 1e-9), 1 - 1e-9)) for p in share]
    )
