"""What only the chips know of a network: models, parameters, receptors, state variables, weights that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from chip import MODELS, NeuronModel
from chip.laws import law_of
from chip.neurons import Parameter
from cluster.quantisation import described_weights, greatest_rate_hz, lost_weights
from network import Network, NetworkError, PoissonInput, Population, Value
from network.connectivity import Convolution
from network.population import CurrentInput, DCInput, Input, NoiseInput
from network.positions import reach_from_centre_um
from network.recording import StateRecording
from network.values import REACH_SD, Array, Combined, OfDistance
from network.waveform import extremes

MAX_EVENTS_A_TICK = 500.0
"""Mean of a Poisson input: the inverse of its law starts at exp(-mean), which must not vanish."""

WEIGHT_RANGE = 1e-9, 1e9
"""Magnitudes that a weight may have, unless it is 0: beyond them no slot could hold it beside others."""

MOST = 1e30
"""Largest magnitude of a parameter, state variable or current: float32 ends at 3.4e38."""

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
    problems = problems or [*lost_weights(network)]
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
    yield from _parameters(f"{path}.parameters", model, population, network.timestep_ms)
    yield from _initial(f"{path}.initial", model, population)
    for place, described in enumerate(population.inputs):
        if isinstance(described, PoissonInput):
            yield from _receptor(f"{path}.inputs[{place}].receptor", model, described.receptor)
            yield from _rate(f"{path}.inputs[{place}].rate_hz", network, population, described)
            yield from _weight(f"{path}.inputs[{place}].weight", abs(described.weight))
        else:
            yield from _current(f"{path}.inputs[{place}]", population, described)


def _bounds(population: Population, value: Value) -> tuple[float, float]:
    """Return the least and the greatest that a value of a population's neurons can be."""
    space = population.positions
    return law_of(value, reach_um=0.0 if space is None else reach_from_centre_um(space)).bounds


def _magnitude(path: str, bounds: tuple[float, float]) -> Iterator[Problem]:
    largest = max(map(abs, bounds))
    if not largest <= MOST:
        yield (
            path,
            f"must be of a magnitude of at most {MOST:g} at its largest, got {largest:g}; check the unit",
        )


def _initial(path: str, model: NeuronModel, population: Population) -> Iterator[Problem]:
    states = [state.name for state in model.states]
    for name, value in population.initial.items():
        if name in states:
            yield from _magnitude(f"{path}.{name}", _bounds(population, value))
        else:
            rule = f"must be a state variable of {model.name}"
            yield f"{path}.{name}", f"{rule}, got {name!r}; use {_known(states)}"


def _parameters(
    path: str, model: NeuronModel, population: Population, timestep_ms: float
) -> Iterator[Problem]:
    specs = {parameter.name: parameter for parameter in model.parameters}
    bounds = {name: (spec.default, spec.default) for name, spec in specs.items()}
    sound = True
    for name, value in population.parameters.items():
        if name not in specs:
            yield f"{path}.{name}", f"must be a parameter of {model.name}, got {name!r}; use {_known(specs)}"
            continue
        if isinstance(value, Array) and not value.values:
            continue  # Of an empty population: there is no value to be wrong.
        bounds[name] = _bounds(population, value)
        problems = [*_magnitude(f"{path}.{name}", bounds[name])]
        problems += (
            [] if problems else _beyond(f"{path}.{name}", specs[name], value, bounds[name], timestep_ms)
        )
        sound = sound and not problems
        yield from problems
    for name, spec in specs.items():
        if name not in population.parameters:
            yield from _beyond(f"{path}.{name}", spec, spec.default, bounds[name], timestep_ms)
    if sound:
        lowest, highest = ({name: pair[end] for name, pair in bounds.items()} for end in (0, 1))
        for name, rule, advice in model.check(lowest, highest):
            yield f"{path}.{name}", f"{rule}, got {highest[name]:g}; {advice}"


def _beyond(
    path: str, spec: Parameter, value: Value, bounds: tuple[float, float], timestep_ms: float
) -> Iterator[Problem]:
    """Yield the problem of a parameter that can be beyond its bounds."""
    if rule := spec.too_low(bounds[0], timestep_ms):
        yield path, f"{rule}, got {_shown(value, 'down', bounds[0])}; {_advice(value, *_RAISE)}"
    elif rule := spec.too_high(bounds[1], timestep_ms):
        yield path, f"{rule}, got {_shown(value, 'up', bounds[1])}; {_advice(value, *_LOWER)}"


def _shown(value: Value, way: str, end: float) -> str:
    if isinstance(value, float | int):
        return f"{value:g}"
    noun = "values" if isinstance(value, Array | Combined | OfDistance) else "draws"
    return f"{noun} {way} to {end:g}"


_RAISE, _LOWER = ("raise", "low", "a lower"), ("lower", "high", "an upper")


def _advice(value: Value, verb: str, field: str, bound: str) -> str:
    if isinstance(value, float | int | Array):
        return f"{verb} it"
    if isinstance(value, Combined):
        return f"give it a {field}"
    if isinstance(value, OfDistance):
        return f"make it the term of a sum with a {field}"
    return f"give the distribution {bound} bound"


def _rate(path: str, network: Network, population: Population, described: PoissonInput) -> Iterator[Problem]:
    mean = greatest_rate_hz(population, described) * network.timestep_ms * 1e-3
    if not mean <= MAX_EVENTS_A_TICK:
        at = "" if described.modulation is None else " where the modulation is greatest"
        rule = f"must be at most {MAX_EVENTS_A_TICK:g} events a tick{at}"
        yield path, f"{rule}, got {mean:g}; lower the rate and raise the weight, or shorten the timestep"


def _current(path: str, population: Population, described: Input) -> Iterator[Problem]:
    match described:
        case DCInput():
            yield from _magnitude(f"{path}.current_pa", _bounds(population, described.current_pa))
        case CurrentInput():
            scale = max(map(abs, _bounds(population, described.current_pa)))
            largest = scale * max(map(abs, extremes(described.waveform)))
            yield from _magnitude(f"{path}.current_pa", (largest, largest))
        case NoiseInput():
            far = REACH_SD * described.sd_pa
            yield from _magnitude(f"{path}.sd_pa", (described.mean_pa - far, described.mean_pa + far))


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
    rule, path = projection.connectivity, f"projections[{number}]"
    name = "weight"
    if projection.weight is None:
        name = "connectivity.kernel" if isinstance(rule, Convolution) else "connectivity.weights"
    described = described_weights(network, projection)[0]
    weights = np.zeros(0) if described.described is None else described.described
    yield from _weight(f"{path}.{name}", described.largest)
    if projection.codebook is not None:
        yield from _codebook(f"{path}.codebook", projection.codebook)
    if projection.weight_bits == 1:
        low, high = (float(end(weights, initial=0.0)) for end in (np.min, np.max))
        if low < 0.0 < high:
            rule_text = f"must be at least 2 for weights of both signs, from {low:g} to {high:g}"
            yield f"{path}.weight_bits", f"{rule_text}, got 1; give 2 bits, or a codebook"


def _codebook(path: str, codebook: tuple[float, ...]) -> Iterator[Problem]:
    first: dict[float, int] = {}
    for place, value in enumerate(codebook):
        yield from _weight(f"{path}[{place}]", abs(value), "")
        if first.setdefault(value, place) != place:
            yield f"{path}[{place}]", f"must be unique, got {value:g} like {path}[{first[value]}]; remove one"


def _weight(path: str, largest: float, which: str = " at its largest") -> Iterator[Problem]:
    least, most = WEIGHT_RANGE
    if largest != 0.0 and not least <= largest <= most:
        rule = f"must be 0 or of a magnitude from {least:g} to {most:g}{which}"
        yield path, f"{rule}, got {largest:g}; check the unit"


def _recording(network: Network, number: int) -> Iterator[Problem]:
    recording = network.recordings[number]
    if not isinstance(recording, StateRecording):
        return
    model = MODELS.get(getattr(network.member(recording.population), "model", ""))
    names = [state.name for state in model.states] if model else []
    for place, name in enumerate(recording.variables):
        if model is not None and name not in names:
            path = f"recordings[{number}].variables[{place}]"
            yield path, f"must be a state variable of {model.name}, got {name!r}; use {_known(names)}"
