"""The builder of networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from numpy.typing import ArrayLike

from network import (
    Connectivity,
    CorrelatedPoissonSource,
    Network,
    NeuronRange,
    PoissonSource,
    Population,
    Positions,
    Projection,
    Recording,
    Source,
    SpikeRecording,
    SpikeTimesSource,
    StateRecording,
    UploadedSpikesSource,
    Waveform,
    WeightRecording,
)
from network.schema import Description
from spikerack.builder.members import PopulationBuilder, SourceBuilder
from spikerack.builder.parts import ValueLike, as_value, part, plain

AnyRecording = TypeVar("AnyRecording", StateRecording, SpikeRecording, WeightRecording)


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
        self._recordings: list[Recording] = []

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
        initial: Mapping[str, ValueLike] | None = None,
        positions: Positions | None = None,
        **parameters: ValueLike,
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
        initial : mapping of str to value or (size,) array_like, optional
            State variables at time 0.
        positions : Positions, optional
            Where the neurons stand, such as ``grid_positions((20, 20), (1000, 1000))``.
        **parameters : value or (size,) array_like
            The model's parameters by name; the others have the model's defaults.
        """
        path = f"populations[{len(self._populations)}]"
        declared = part(
            Population,
            path,
            name=name,
            size=size,
            model=model,
            parameters={key: as_value(value) for key, value in parameters.items()},
            initial={key: as_value(value) for key, value in (initial or {}).items()},
            positions=positions,
        )
        self._populations.append(PopulationBuilder(declared, path))
        return self._populations[-1]

    def poisson_source(
        self,
        name: str,
        size: int,
        *,
        rate_hz: float,
        modulation: Waveform | None = None,
        positions: Positions | None = None,
    ) -> SourceBuilder:
        """Declare `size` neurons that emit Poisson spikes, at most one a tick.

        Parameters
        ----------
        name : str
            The source's name.
        size : int
            The number of neurons.
        rate_hz : float
            The rate of each neuron in Hz.
        modulation : Waveform, optional
            What the rate is multiplied with over time.
        positions : Positions, optional
            Where the neurons stand.
        """
        return self._add_source(
            PoissonSource, name=name, size=size, rate_hz=rate_hz, modulation=modulation, positions=positions
        )

    def correlated_poisson_source(
        self,
        name: str,
        size: int,
        *,
        rate_hz: float,
        correlation: float,
        modulation: Waveform | None = None,
        positions: Positions | None = None,
    ) -> SourceBuilder:
        """Declare `size` neurons that emit Poisson spikes of which any two have the given correlation.

        Parameters
        ----------
        correlation : float
            Above 0 to 1.
        name, size, rate_hz, modulation, positions
            As of `poisson_source`.
        """
        return self._add_source(
            CorrelatedPoissonSource,
            name=name,
            size=size,
            rate_hz=rate_hz,
            correlation=correlation,
            modulation=modulation,
            positions=positions,
        )

    def spike_times_source(
        self, name: str, times_ms: Iterable[ArrayLike], *, positions: Positions | None = None
    ) -> SourceBuilder:
        """Declare neurons that emit spikes at given times in ms: one list of times for each neuron."""
        times = plain(times_ms)
        return self._add_source(
            SpikeTimesSource, name=name, size=len(times), times_ms=times, positions=positions
        )

    def uploaded_spikes_source(
        self, name: str, size: int, uploaded: Mapping[str, Any], *, positions: Positions | None = None
    ) -> SourceBuilder:
        """Declare `size` neurons that emit the spikes that were uploaded, by what the upload answered."""
        return self._add_source(
            UploadedSpikesSource, **{**uploaded, "name": name, "size": size, "positions": positions}
        )

    def connect(
        self,
        source: SourceBuilder | str,
        target: PopulationBuilder | str,
        connectivity: Connectivity,
        *,
        weight: ValueLike | None = None,
        delay_ms: ValueLike | None = None,
        axonal_delay_ms: ValueLike | None = None,
        receptor: str | None = None,
        weight_bits: int | None = None,
        codebook: ArrayLike | None = None,
        name: str | None = None,
    ) -> Projection:
        """Declare the synapses from one population or source to a population.

        Parameters
        ----------
        source, target : PopulationBuilder, SourceBuilder or str
            The two ends, or their names.
        connectivity : Connectivity
            The rule, such as ``fixed_in_degree(100)``.
        weight : value or array_like, optional
            The weight in the receptor's unit, negative if inhibitory; omitted if the rule lists it. An
            array has shape (n,) for one_to_one and (n_targets, n_sources) for all_to_all.
        delay_ms : value or array_like, optional
            The dendritic delay in ms, all of it unless `axonal_delay_ms` is given; omitted if the rule
            lists it.
        axonal_delay_ms : value or array_like, optional
            The axonal delay in ms, added to the dendritic.
        receptor : str, optional
            The receptor; may be omitted where the model has only one.
        weight_bits : int, optional
            The bits of a synapse's weight, 1 to 16.
        codebook : (n,) array_like, optional
            The weights that a synapse can have.
        name : str, optional
            The projection's name; ``source->target`` if omitted.
        """
        projection = part(
            Projection,
            f"projections[{len(self._projections)}]",
            source=_name(source),
            target=_name(target),
            connectivity=connectivity,
            weight=as_value(weight),
            delay_ms=as_value(delay_ms),
            axonal_delay_ms=as_value(axonal_delay_ms),
            receptor=receptor,
            weight_bits=weight_bits,
            codebook=codebook,
            **({} if name is None else {"name": name}),
        )
        self._projections.append(projection)
        return projection

    def record(
        self,
        population: PopulationBuilder,
        *variables: str,
        every_ms: float,
        neurons: range | None = None,
    ) -> StateRecording:
        """Sample state variables of a population.

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
        return self._add_recording(
            StateRecording,
            population=population.name,
            variables=variables,
            neurons=self._neurons("neurons", chosen),
            interval_ms=every_ms,
        )

    def record_spikes(self, population: SourceBuilder, *, neurons: range | None = None) -> SpikeRecording:
        """Keep the spikes of a population or source, and no others but those of further calls.

        Without any call, all spikes of the network are kept.

        Parameters
        ----------
        population : PopulationBuilder or SourceBuilder
            What was declared.
        neurons : range, optional
            The neurons, counted from 0 within the population; all of them if omitted.
        """
        return self._add_recording(
            SpikeRecording, population=population.name, neurons=self._neurons("neurons", neurons)
        )

    def record_weights(
        self,
        projection: Projection | str,
        *,
        every_ms: float,
        sources: range | None = None,
        targets: range | None = None,
    ) -> WeightRecording:
        """Sample the weights of a projection's synapses.

        Parameters
        ----------
        projection : Projection or str
            What `connect` returned, or its name.
        every_ms : float
            The time from sample to sample in ms.
        sources, targets : range, optional
            The neurons whose synapses are sampled, counted from 0; all of them if omitted.
        """
        return self._add_recording(
            WeightRecording,
            projection=projection if isinstance(projection, str) else projection.name,
            sources=self._neurons("sources", sources),
            targets=self._neurons("targets", targets),
            interval_ms=every_ms,
        )

    def build(self) -> Network:
        """Return the network, checked as a whole; the builder can go on afterwards.

        Raises
        ------
        NetworkError
            The parts do not fit together.
        """
        return part(
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

    def _add_source(self, model: type[Description], **fields: Any) -> SourceBuilder:
        source: Any = part(model, f"sources[{len(self._sources)}]", **fields)
        self._sources.append(source)
        return SourceBuilder(source.name, source.size)

    def _add_recording(self, model: type[AnyRecording], **fields: Any) -> AnyRecording:
        recording = part(model, f"recordings[{len(self._recordings)}]", **fields)
        self._recordings.append(recording)
        return recording

    def _neurons(self, field: str, chosen: range | None) -> NeuronRange | None:
        if chosen is None:
            return None
        path = f"recordings[{len(self._recordings)}].{field}"
        return part(NeuronRange, path, start=chosen.start, stop=chosen.stop, step=chosen.step)


def _name(end: SourceBuilder | str) -> str:
    return end.name if isinstance(end, SourceBuilder) else end
