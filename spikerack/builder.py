"""The builder: a network description that reads like a methods section.

::

    net = NetworkBuilder("brunel", timestep_ms=0.1, seed=1)
    exc = net.population("exc", 10_000, "lif_curr_delta", tau_m_ms=20, initial={"v_mv": normal(0, 5)})
    exc.receives_poisson(rate_hz=20_000, weight=0.1)
    net.connect(exc, exc, fixed_in_degree(1000), weight=0.1, delay_ms=1.5)
    network = net.build()

What is wrong with one statement is refused by that statement; what only shows when all are seen together,
such as a projection's unknown target, by `NetworkBuilder.build`. Both raise `network.NetworkError`.
Numbers and arrays of NumPy are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from network import (
    AllToAll,
    Connectivity,
    DCInput,
    Explicit,
    FixedInDegree,
    FixedTotalNumber,
    Input,
    Network,
    NetworkError,
    NeuronRange,
    Normal,
    OneToOne,
    PoissonInput,
    PoissonSource,
    Population,
    Projection,
    Source,
    SpikeTimesSource,
    StateRecording,
    Uniform,
    Value,
    parse,
)
from network.schema import Description

Part = TypeVar("Part", bound=Description)


def uniform(low: float, high: float) -> Uniform:
    """Return a value drawn uniformly between `low` and `high`."""
    return _part(Uniform, "uniform", low=low, high=high)


def normal(
    mean: float,
    sd: float,
    *,
    low: float | None = None,
    high: float | None = None,
    bounds: Literal["redraw", "clip"] = "redraw",
) -> Normal:
    """Return a value drawn from a normal; what lies beyond `low` or `high` is redrawn or clipped."""
    return _part(Normal, "normal", mean=mean, sd=sd, low=low, high=high, bounds=bounds)


def one_to_one() -> OneToOne:
    """Connect neuron i with neuron i."""
    return OneToOne()


def all_to_all() -> AllToAll:
    """Connect each neuron with each."""
    return AllToAll()


def fixed_in_degree(n: int) -> FixedInDegree:
    """Draw `n` source neurons for each target neuron, with replacement."""
    return _part(FixedInDegree, "fixed_in_degree", n=n)


def fixed_total_number(n: int) -> FixedTotalNumber:
    """Draw `n` pairs of a source and a target neuron, with replacement."""
    return _part(FixedTotalNumber, "fixed_total_number", n=n)


def explicit(
    sources: Iterable[int],
    targets: Iterable[int],
    *,
    weights: Iterable[float] | None = None,
    delays_ms: Iterable[float] | None = None,
) -> Explicit:
    """List the synapses: the source and target neuron of each, and its weight and delay if they differ."""
    return _part(Explicit, "explicit", sources=sources, targets=targets, weights=weights, delays_ms=delays_ms)


class SourceBuilder:
    """A source population that has been declared; it can be connected to populations.

    Attributes
    ----------
    name : str
        Its name.
    size : int
        Its number of neurons.
    """

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.size})"


class PopulationBuilder(SourceBuilder):
    """A population that has been declared; it can be connected, recorded, and receive inputs."""

    def __init__(self, declared: Population, path: str) -> None:
        super().__init__(declared.name, declared.size)
        self._declared = declared
        self._path = path
        self._inputs: list[Input] = []

    def receives_poisson(
        self, *, rate_hz: Value, weight: float, receptor: str | None = None
    ) -> PopulationBuilder:
        """Drive each neuron with Poisson spikes of its own.

        Parameters
        ----------
        rate_hz : Value
            The rate of the spikes into each neuron in Hz.
        weight : float
            The weight of each spike in the receptor's unit.
        receptor : str, optional
            The receptor; may be omitted where the model has only one.
        """
        path = f"{self._path}.inputs[{len(self._inputs)}]"
        self._inputs.append(_part(PoissonInput, path, rate_hz=rate_hz, weight=weight, receptor=receptor))
        return self

    def receives_current(self, current_pa: Value) -> PopulationBuilder:
        """Drive each neuron with a constant current in pA."""
        path = f"{self._path}.inputs[{len(self._inputs)}]"
        self._inputs.append(_part(DCInput, path, current_pa=current_pa))
        return self

    def build(self) -> Population:
        """Return the population with the inputs that it receives so far."""
        return self._declared.model_copy(update={"inputs": tuple(self._inputs)})


class NetworkBuilder:
    """A network under construction.

    Parameters
    ----------
    name : str
        The network's name.
    timestep_ms : float
        The duration of a tick in ms.
    seed : int
        The seed of all random numbers.
    """

    def __init__(self, name: str, *, timestep_ms: float = 0.1, seed: int = 1) -> None:
        self.name = name
        self.timestep_ms = timestep_ms
        self.seed = seed
        self._populations: list[PopulationBuilder] = []
        self._sources: list[Source] = []
        self._projections: list[Projection] = []
        self._recordings: list[StateRecording] = []

    def __repr__(self) -> str:
        return (
            f"NetworkBuilder({self.name!r}, {len(self._populations)} populations, "
            f"{len(self._sources)} sources, {len(self._projections)} projections)"
        )

    def population(
        self,
        name: str,
        size: int,
        model: str,
        *,
        initial: Mapping[str, Value] | None = None,
        **parameters: Value,
    ) -> PopulationBuilder:
        """Declare a population of `size` neurons of a model.

        Parameters
        ----------
        name : str
            The population's name.
        size : int
            The number of neurons.
        model : str
            The name of the neuron model, such as ``lif_curr_exp``.
        initial : mapping of str to Value, optional
            State variables at time 0.
        **parameters : Value
            The model's parameters by name; the others have the model's defaults.
        """
        path = f"populations[{len(self._populations)}]"
        declared = _part(
            Population,
            path,
            name=name,
            size=size,
            model=model,
            parameters=parameters,
            initial={} if initial is None else initial,
        )
        self._populations.append(PopulationBuilder(declared, path))
        return self._populations[-1]

    def poisson_source(self, name: str, size: int, *, rate_hz: float) -> SourceBuilder:
        """Declare `size` neurons that emit Poisson spikes at `rate_hz`, at most one a tick."""
        path = f"sources[{len(self._sources)}]"
        return self._add_source(_part(PoissonSource, path, name=name, size=size, rate_hz=rate_hz))

    def spike_times_source(self, name: str, times_ms: Iterable[Iterable[float]]) -> SourceBuilder:
        """Declare neurons that emit spikes at given times in ms: one list of times for each neuron."""
        path = f"sources[{len(self._sources)}]"
        times = _plain(times_ms)
        return self._add_source(_part(SpikeTimesSource, path, name=name, size=len(times), times_ms=times))

    def connect(
        self,
        source: SourceBuilder | str,
        target: PopulationBuilder | str,
        connectivity: Connectivity,
        *,
        weight: Value | None = None,
        delay_ms: Value | None = None,
        receptor: str | None = None,
        name: str | None = None,
    ) -> Projection:
        """Declare the synapses from one population or source to a population.

        Parameters
        ----------
        source, target : PopulationBuilder, SourceBuilder or str
            The two ends, or their names.
        connectivity : Connectivity
            The rule, such as ``fixed_in_degree(100)``.
        weight : Value, optional
            The weight in the receptor's unit, negative if inhibitory; omitted if the rule lists it.
        delay_ms : Value, optional
            The delay in ms; omitted if the rule lists it.
        receptor : str, optional
            The receptor; may be omitted where the model has only one.
        name : str, optional
            The projection's name; ``source->target`` if omitted.
        """
        ends = {"source": _name(source), "target": _name(target)}
        rest = {"weight": weight, "delay_ms": delay_ms, "receptor": receptor}
        named = {} if name is None else {"name": name}
        path = f"projections[{len(self._projections)}]"
        self._projections.append(_part(Projection, path, **ends, **named, connectivity=connectivity, **rest))
        return self._projections[-1]

    def record(
        self,
        population: PopulationBuilder,
        *variables: str,
        every_ms: float,
        neurons: range | None = None,
    ) -> StateRecording:
        """Sample state variables of a population; spikes are always recorded.

        Parameters
        ----------
        population : PopulationBuilder
            The population.
        *variables : str
            The state variables, such as ``"v_mv"``.
        every_ms : float
            The time from sample to sample in ms.
        neurons : range, optional
            The neurons, counted from 0 within the population; all of them if omitted.
        """
        chosen = range(population.size) if neurons is None else neurons
        path = f"recordings[{len(self._recordings)}]"
        recording = _part(
            StateRecording,
            path,
            population=population.name,
            variables=variables,
            neurons=_part(
                NeuronRange, f"{path}.neurons", start=chosen.start, stop=chosen.stop, step=chosen.step
            ),
            interval_ms=every_ms,
        )
        self._recordings.append(recording)
        return recording

    def build(self) -> Network:
        """Return the network, checked as a whole; the builder can go on afterwards.

        Raises
        ------
        NetworkError
            The parts do not fit together.
        """
        return _part(
            Network,
            "",
            name=self.name,
            timestep_ms=self.timestep_ms,
            seed=self.seed,
            populations=[population.build() for population in self._populations],
            sources=self._sources,
            projections=self._projections,
            recordings=self._recordings,
        )

    def _add_source(self, source: PoissonSource | SpikeTimesSource) -> SourceBuilder:
        self._sources.append(source)
        return SourceBuilder(source.name, source.size)


def _part(model: type[Part], path: str, /, **fields: Any) -> Part:
    return parse(model, {name: _plain(value) for name, value in fields.items()}, path=path)


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays, and other iterables, as what JSON knows."""
    if type(value) in (int, float, str, bool, type(None)) or isinstance(value, Description | bytes):
        return value
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return value


def _name(end: SourceBuilder | str) -> str:
    if isinstance(end, SourceBuilder):
        return end.name
    return end


__all__ = [
    "NetworkBuilder",
    "NetworkError",
    "PopulationBuilder",
    "SourceBuilder",
    "all_to_all",
    "explicit",
    "fixed_in_degree",
    "fixed_total_number",
    "normal",
    "one_to_one",
    "uniform",
]
