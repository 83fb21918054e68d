"""What a chip refuses."""

from __future__ import annotations


class ChipError(Exception):
    """Base of everything that `chip` raises on purpose."""


class SlotOverflow(ChipError, OverflowError):
    """The synapses onto a neuron could, all at once, exceed a slot's int32.

    Attributes
    ----------
    population, receptor : str
    neuron : int
        Number within the population.
    load, capacity : int
        In LSBs.
    most : str
        Where most of the load comes from.
    """

    def __init__(
        self, population: str, receptor: str, neuron: int, load: int, capacity: int, most: str
    ) -> None:
        self.population, self.receptor, self.neuron = population, receptor, neuron
        self.load, self.capacity, self.most = load, capacity, most
        super().__init__(
            f"population {population!r}, receptor {receptor!r}: the weights onto one neuron must add up to "
            f"at most {capacity} LSBs, got {load} onto neuron {neuron}, most of it from {most}; "
            "use fewer synapses or weights of a narrower range"
        )

    def __reduce__(self) -> tuple[type[SlotOverflow], tuple[str, str, int, int, int, str]]:
        names = self.population, self.receptor
        return type(self), (*names, self.neuron, self.load, self.capacity, self.most)


class SnapshotMismatch(ChipError, ValueError):
    """A snapshot does not belong to this chip; nothing was changed."""
