"""Populations and sources that have been declared."""

from __future__ import annotations

from typing import Any

from network import CurrentInput, DCInput, Input, NoiseInput, PoissonInput, Population, Waveform
from network.schema import Description
from spikerack.builder.parts import ValueLike, as_value, part


class SourceBuilder:
    """A source population that has been declared; it can be connected to populations, and recorded.

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
        self,
        *,
        rate_hz: ValueLike,
        weight: float,
        receptor: str | None = None,
        modulation: Waveform | None = None,
    ) -> PopulationBuilder:
        """Drive each neuron with Poisson spikes of its own.

        Parameters
        ----------
        rate_hz : value or (size,) array_like
            The rate of the spikes into each neuron in Hz.
        weight : float
            The weight of each spike in the receptor's unit.
        receptor : str, optional
            The receptor; may be omitted where the model has only one.
        modulation : Waveform, optional
            What the rate is multiplied with over time.
        """
        rate = as_value(rate_hz)
        return self._receives(
            PoissonInput, rate_hz=rate, weight=weight, receptor=receptor, modulation=modulation
        )

    def receives_current(
        self, current_pa: ValueLike, *, waveform: Waveform | None = None
    ) -> PopulationBuilder:
        """Drive each neuron with a current in pA: constant, or times a waveform.

        Parameters
        ----------
        current_pa : value or (size,) array_like
            The current, or what the waveform is multiplied with.
        waveform : Waveform, optional
            The course of the current over time.
        """
        current = as_value(current_pa)
        if waveform is None:
            return self._receives(DCInput, current_pa=current)
        return self._receives(CurrentInput, current_pa=current, waveform=waveform)

    def receives_noise(self, *, sd_pa: float, interval_ms: float, mean_pa: float = 0.0) -> PopulationBuilder:
        """Drive each neuron with a normal current of its own that is drawn anew every `interval_ms`."""
        return self._receives(NoiseInput, mean_pa=mean_pa, sd_pa=sd_pa, interval_ms=interval_ms)

    def build(self) -> Population:
        """Return the population with the inputs that it receives so far."""
        return self._declared.model_copy(update={"inputs": tuple(self._inputs)})

    def _receives(self, model: type[Description], **fields: Any) -> PopulationBuilder:
        described: Any = part(model, f"{self._path}.inputs[{len(self._inputs)}]", **fields)
        self._inputs.append(described)
        return self
