"""Each projection's weights as integers: the LSB of every slot, from the description alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chip import MODELS
from chip.values import law_of
from chip.weights import Quantisation, WeightRange, granule_of, quantise
from network import Network, PoissonInput, Projection


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

    def report(self, network: Network) -> list[dict[str, Any]]:
        """Return, for each projection and Poisson input, its step and error, ready for JSON."""
        names = [f"projection {p.name!r}" for p in network.projections]
        names += [f"population {network.populations[k].name!r}, input {i}" for k, i in self.inputs]
        both = [*self.projections, *self.inputs.values()]
        return [
            {"where": name, "step": q.step, "relative_error": q.relative_error, "exact": q.exact}
            for name, q in zip(names, both, strict=True)
        ]


def quantise_network(network: Network) -> Quantised:
    """Choose the LSB of each (population, receptor) and the step of all that adds into it."""
    adders: dict[tuple[int, int], list[tuple[str, Any, WeightRange]]] = {}
    numbers = {population.name: k for k, population in enumerate(network.populations)}
    for place, projection in enumerate(network.projections):
        target = numbers[projection.target]
        receptor = MODELS[network.populations[target].model].receptor(projection.receptor)
        weights = _of_projection(network, projection)
        adders.setdefault((target, receptor), []).append(("projection", place, weights))
    for number, population in enumerate(network.populations):
        for place, described in enumerate(population.inputs):
            if isinstance(described, PoissonInput):
                receptor = MODELS[population.model].receptor(described.receptor)
                weights = _of_input(network, described)
                adders.setdefault((number, receptor), []).append(("input", (number, place), weights))
    return _collect(network, adders)


def _collect(
    network: Network, adders: Mapping[tuple[int, int], list[tuple[str, Any, WeightRange]]]
) -> Quantised:
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


def _of_projection(network: Network, projection: Projection) -> WeightRange:
    sizes = network.member(projection.source).size, network.member(projection.target).size
    fan_in = projection.connectivity.n_synapses(*sizes) / max(sizes[1], 1)
    listed = getattr(projection.connectivity, "weights", None)
    if listed is not None:
        weights = np.asarray(listed, np.float64)
        return WeightRange(float(np.max(np.abs(weights), initial=0.0)), granule_of(weights), fan_in)
    assert projection.weight is not None
    law = law_of(projection.weight)
    largest = max(map(abs, law.bounds))
    return WeightRange(largest, None if law.varies else granule_of(np.array([largest])), fan_in)


def _of_input(network: Network, described: PoissonInput) -> WeightRange:
    mean = max(law_of(described.rate_hz).bounds[1], 0.0) * network.timestep_ms * 1e-3
    return WeightRange(abs(described.weight), granule_of(np.array([described.weight])), mean)
