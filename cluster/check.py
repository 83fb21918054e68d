"""What only the chips know of a network: models, parameters, receptors, state variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from chip import MODELS, NeuronModel
from chip.values import law_of
from network import DCInput, Network, NetworkError, PoissonInput, Population, Value

MAX_EVENTS_A_TICK = 500.0
"""Mean of a Poisson input: the inverse of its law starts at exp(-mean), which must not vanish."""

WEIGHT_RANGE = 1e-9, 1e9
"""Magnitudes that a weight may have, unless it is 0: beyond them no slot could hold it beside others."""

Problem = tuple[str, str]


def check(network: Network) -> None:
    """Check all that the language leaves to the chips.

    Raises
    ------
    NetworkError
        With a path, the rule, the value and what to do, for everything that is wrong.
    """
    problems = [
        *(p for k, population in enumerate(network.populations) for p in _population(network, population, k)),
        *(p for k in range(len(network.projections)) for p in _projection(network, k)),
        *(p for k in range(len(network.recordings)) for p in _recording(network, k)),
    ]
    if problems:
        raise NetworkError(problems)


def _known(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(names) if names else "none"


def _population(network: Network, population: Population, number: int) -> Iterator[Problem]:
    path = f"populations[{number}]"
    model = MODELS.get(population.model)
    if model is None:
        yield (
            f"{path}.model",
            f"must be one of {_known(MODELS)}, got {population.model!r}; choose one of them",
        )
        return
    yield from _parameters(f"{path}.parameters", model, population)
    states = [state.name for state in model.states]
    for name in population.initial:
        if name not in states:
            yield (
                f"{path}.initial.{name}",
                f"must be a state variable of {model.name}, got {name!r}; use {_known(states)}",
            )
    for place, described in enumerate(population.inputs):
        if isinstance(described, PoissonInput):
            yield from _receptor(f"{path}.inputs[{place}].receptor", model, described.receptor)
            yield from _rate(f"{path}.inputs[{place}].rate_hz", network, described.rate_hz)
            yield from _weight(f"{path}.inputs[{place}].weight", abs(described.weight))
        else:
            assert isinstance(described, DCInput)


def _parameters(path: str, model: NeuronModel, population: Population) -> Iterator[Problem]:
    specs = {parameter.name: parameter for parameter in model.parameters}
    bounds = {name: (spec.default, spec.default) for name, spec in specs.items()}
    sound = True
    for name, value in population.parameters.items():
        if name not in specs:
            yield f"{path}.{name}", f"must be a parameter of {model.name}, got {name!r}; use {_known(specs)}"
            continue
        bounds[name] = law_of(value).bounds
        rule = specs[name].problem(bounds[name][0])
        if rule:
            sound = False
            yield f"{path}.{name}", f"{rule}, got {_shown(value)}; {_advice(value)}"
    if sound:
        lowest, highest = ({name: pair[end] for name, pair in bounds.items()} for end in (0, 1))
        for name, rule, advice in model.check(lowest, highest):
            yield f"{path}.{name}", f"{rule}, got {highest[name]:g}; {advice}"


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float | int) else f"draws down to {law_of(value).bounds[0]:g}"


def _advice(value: Value) -> str:
    return "raise it" if isinstance(value, float | int) else "give the distribution a lower bound"


def _rate(path: str, network: Network, rate_hz: Value) -> Iterator[Problem]:
    mean = law_of(rate_hz).bounds[1] * network.timestep_ms * 1e-3
    if mean > MAX_EVENTS_A_TICK:
        rule = f"must be at most {MAX_EVENTS_A_TICK:g} events a tick"
        yield path, f"{rule}, got {mean:g}; lower the rate and raise the weight, or shorten the timestep"


def _receptor(path: str, model: NeuronModel, name: str | None) -> Iterator[Problem]:
    try:
        model.receptor(name)
    except KeyError:
        names = [receptor.name for receptor in model.receptors]
        yield path, f"must be a receptor of {model.name}, got {name!r}; use {_known(names)}"


def _projection(network: Network, number: int) -> Iterator[Problem]:
    projection = network.projections[number]
    target = network.member(projection.target)
    model = MODELS.get(getattr(target, "model", ""))
    if model is not None:
        yield from _receptor(f"projections[{number}].receptor", model, projection.receptor)
    listed = getattr(projection.connectivity, "weights", None)
    if listed is not None:
        largest = float(np.max(np.abs(np.asarray(listed, np.float64)), initial=0.0))
        yield from _weight(f"projections[{number}].connectivity.weights", largest)
    elif projection.weight is not None:
        yield from _weight(f"projections[{number}].weight", max(map(abs, law_of(projection.weight).bounds)))


def _weight(path: str, largest: float) -> Iterator[Problem]:
    least, most = WEIGHT_RANGE
    if largest and not least <= largest <= most:
        rule = f"must be 0 or of a magnitude from {least:g} to {most:g} at its largest"
        yield path, f"{rule}, got {largest:g}; check the unit"


def _recording(network: Network, number: int) -> Iterator[Problem]:
    recording = network.recordings[number]
    model = MODELS.get(getattr(network.member(recording.population), "model", ""))
    names = [state.name for state in model.states] if model else []
    for place, name in enumerate(recording.variables):
        if model is not None and name not in names:
            path = f"recordings[{number}].variables[{place}]"
            yield path, f"must be a state variable of {model.name}, got {name!r}; use {_known(names)}"
