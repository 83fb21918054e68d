"""Each projection's weights as integers: the LSB of every slot, from the description alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip import MODELS
from chip.laws import law_of
from chip.poisson import room_for
from chip.spread import span_of
from chip.weights import (
    SLOT_CAPACITY,
    WEIGHT_BITS,
    Quantisation,
    WeightRange,
    bit_values,
    quantise,
    slot_exponent,
    vanishing,
)
from cluster.expectation import expected_fan_in, greatest_fan_in
from network import Network, PoissonInput, Population, Projection
from network.connectivity import Convolution, Explicit, Uploaded
from network.positions import reach_from_centre_um
from network.values import Array
from network.waveform import extremes

Floats = NDArray[np.float64]

Measured = Mapping[int, tuple[float, float, int]]
"""Of projections by number, what the chips found: the largest error of a weight, the sum of all, how many."""


Adder = tuple[str, Any, WeightRange]
"""What adds into a slot: "projection" and its number, or "input" and (population, input); its weights."""


@dataclass(frozen=True)
class Quantised:
    """The quantisation of a whole network.

    Attributes
    ----------
    projections : tuple of Quantisation
        One for each projection.
    inputs : mapping
        (population number, input number) to the quantisation of a Poisson input.
    lsb : mapping
        (population number, receptor number) to the slot's LSB, in the weight's unit.
    """

    projections: tuple[Quantisation, ...]
    inputs: Mapping[tuple[int, int], Quantisation]
    lsb: Mapping[tuple[int, int], float]

    def report(self, network: Network, measured: Measured | None = None) -> list[dict[str, Any]]:
        """Return, for each projection and Poisson input, what its weights became, ready for JSON.

        Parameters
        ----------
        measured : mapping
            Errors that the chips found while they built; those of a Poisson input need no chip.
        """
        lines = [
            _line(
                f"projection {projection.name!r}",
                projection,
                quantised,
                _errors((measured or {}).get(number)),
            )
            for number, (projection, quantised) in enumerate(
                zip(network.projections, self.projections, strict=True)
            )
        ]
        for (number, place), quantised in self.inputs.items():
            population = network.populations[number]
            weight = population.inputs[place].weight  # type: ignore[union-attr]
            error = abs(round(weight / quantised.step) * quantised.step - weight)
            where = f"population {population.name!r}, input {place}"
            lines.append(_line(where, None, quantised, (error, error)))
        return lines


def _errors(measured: tuple[float, float, int] | None) -> tuple[float | None, float | None]:
    """Return the largest and the mean error; None where there are no synapses.

    Of the mean 12 digits are given: in no more of them shows the order in which chips and threads add.
    """
    if measured is None or not measured[2]:
        return None, None
    return measured[0], float(f"{measured[1] / measured[2]:.12g}")


def _line(
    where: str,
    projection: Projection | None,
    quantised: Quantisation,
    errors: tuple[float | None, float | None],
) -> dict[str, Any]:
    codebook = None if projection is None else projection.codebook
    bits = WEIGHT_BITS if projection is None else projection.weight_bits or WEIGHT_BITS
    return {
        "where": where,
        "bits": bits if codebook is None else None,
        "codebook_size": None if codebook is None else len(codebook),
        "step": quantised.step,
        "relative_error": quantised.relative_error,
        "largest_error": errors[0],
        "mean_error": errors[1],
        "exact": quantised.exact,
    }


def quantise_network(network: Network) -> Quantised:
    """Choose the LSB of each (population, receptor) and the step of all that adds into it."""
    return _collect(network, _adders(network))


def lost_weights(network: Network) -> Iterator[tuple[str, str]]:
    """Yield the problem of each slot whose greatest sum leaves nothing of some of its weights."""
    for (number, receptor), entries in _adders(network).items():
        ranges = [entry[2] for entry in entries]
        lost = vanishing(ranges)
        if not lost:
            continue
        population, lsb = network.populations[number], slot_exponent(ranges)
        most = max(range(len(ranges)), key=lambda k: ranges[k].load(lsb))
        name = MODELS[population.model].receptors[receptor].name
        rule = f"must get weights at receptor {name!r} that stay above 0 in steps in which the greatest sum "
        rule += f"that can come at once is at most {SLOT_CAPACITY}"
        got = f"got {ranges[lost[0]].largest:g} from {_named(network, entries[lost[0]])}"
        got += f" beside {ranges[most].largest:g} from {_named(network, entries[most])}"
        got += f" of population {population.name!r}" if entries[most][0] == "input" else ""
        yield f"populations[{number}]", f"{rule}, {got}; narrow the range of weights"


def _named(network: Network, entry: Adder) -> str:
    kind, place, _ = entry
    return f"projection {network.projections[place].name!r}" if kind == "projection" else f"input {place[1]}"


def _adders(network: Network) -> Mapping[tuple[int, int], list[Adder]]:
    """Return all that adds into each slot that anything adds into: (population, receptor)."""
    adders: dict[tuple[int, int], list[Adder]] = {}
    numbers = {population.name: k for k, population in enumerate(network.populations)}
    for place, projection in enumerate(network.projections):
        target = numbers[projection.target]
        receptor = MODELS[network.populations[target].model].receptor(projection.receptor)
        weights = weight_range(network, projection)
        adders.setdefault((target, receptor), []).append(("projection", place, weights))
    for number, population in enumerate(network.populations):
        for place, described in enumerate(population.inputs):
            if isinstance(described, PoissonInput):
                receptor = MODELS[population.model].receptor(described.receptor)
                weights = _of_input(network, population, described)
                adders.setdefault((number, receptor), []).append(("input", (number, place), weights))
    return adders


def _collect(network: Network, adders: Mapping[tuple[int, int], list[Adder]]) -> Quantised:
    projections: dict[int, Quantisation] = {}
    inputs: dict[tuple[int, int], Quantisation] = {}
    lsb = {
        (number, receptor): 1.0
        for number, population in enumerate(network.populations)
        for receptor in range(len(MODELS[population.model].receptors))
    }
    for slot, entries in adders.items():
        for (kind, place, _), quantised in zip(entries, quantise([e[2] for e in entries]), strict=True):
            (projections if kind == "projection" else inputs)[place] = quantised
            lsb[slot] = 2.0**quantised.lsb_exponent
    ordered = tuple(projections[k] for k in range(len(network.projections)))
    return Quantised(ordered, dict(sorted(inputs.items())), lsb)


def weight_range(network: Network, projection: Projection) -> WeightRange:
    """Return what the description says of a projection's weights, and which its synapses can have."""
    described, reached = described_weights(network, projection)
    if projection.codebook is not None:
        return described.coded(np.unique(projection.codebook), reached=reached)
    bits = projection.weight_bits
    if bits is None or bits >= WEIGHT_BITS or described.described is None or not described.described.size:
        return described
    low, high = (float(end(described.described)) for end in (np.min, np.max))
    return described.coded(bit_values(low, high, bits))


def described_weights(
    network: Network, projection: Projection
) -> tuple[WeightRange, tuple[float, float] | None]:
    """Return the range of a projection's weights, and what can be drawn if that is more."""
    described, reached = _spelt_out(network, projection)
    described = replace(described, most=greatest_fan_in(network, projection))
    rule = projection.connectivity
    if isinstance(rule, Explicit) and rule.weights is not None and rule.targets:
        sizes = np.abs(np.asarray(rule.weights, np.float64))
        total = float(np.bincount(np.asarray(rule.targets, np.int64), weights=sizes).max())
        described = replace(described, total=total)
    return described, reached


def _spelt_out(network: Network, projection: Projection) -> tuple[WeightRange, tuple[float, float] | None]:
    fan_in, listed = expected_fan_in(network, projection), listed_weights(projection)
    rule = projection.connectivity
    if listed is not None:
        return WeightRange.of_list(listed, fan_in), None
    if isinstance(rule, Uploaded) and rule.weights is not None:
        bounds = WeightRange.of_span(*rule.weights, fan_in)
        return replace(bounds, granule=rule.weight_granule), None
    assert projection.weight is not None, "the language wants a weight"
    reach = network.reach_um(projection)
    law = law_of(projection.weight, reach_um=reach)
    if not law.varies:
        return WeightRange.of_list(np.array([law.least]), fan_in), None
    described = WeightRange.of_span(*span_of(projection.weight, reach_um=reach), fan_in)
    return replace(described, strays=max(map(abs, law.bounds)) > described.largest), law.bounds


def listed_weights(projection: Projection) -> Floats | None:
    """Return the weights that the description lists, (n,) float64; None where it lists none."""
    rule, weight = projection.connectivity, projection.weight
    if isinstance(rule, Convolution):
        return np.asarray(rule.kernel, np.float64)
    if isinstance(rule, Explicit) and rule.weights is not None:
        return np.asarray(rule.weights, np.float64)
    return np.asarray(weight.values, np.float64) if isinstance(weight, Array) else None


def _of_input(network: Network, population: Population, described: PoissonInput) -> WeightRange:
    mean = greatest_rate_hz(population, described) * network.timestep_ms * 1e-3
    return replace(WeightRange.of_list(np.array([described.weight]), mean), most=room_for(mean) + 1.0)


def greatest_rate_hz(population: Population, described: PoissonInput) -> float:
    """Return the greatest rate that a Poisson input can have, at any time and into any neuron."""
    reach = 0.0 if population.positions is None else reach_from_centre_um(population.positions)
    rate = max(law_of(described.rate_hz, reach_um=reach).greatest, 0.0)
    return rate if described.modulation is None else rate * max(extremes(described.modulation)[1], 0.0)
