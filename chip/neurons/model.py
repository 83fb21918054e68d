"""What a neuron model is: parameters, receptors, state, how they become numbers, and one tick as a kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """A parameter with its unit in the name.

    Attributes
    ----------
    at_least, at_most : float or None
        Bounds in the parameter's unit.
    at_least_ticks, at_most_ticks : float or None
        Bounds of a time, relative to the timestep.
    """

    name: str
    default: float
    description: str
    at_least: float | None = None
    at_most: float | None = None
    at_least_ticks: float | None = None
    at_most_ticks: float | None = None

    def too_low(self, low: float, timestep_ms: float) -> str | None:
        """Return the rule that a value, or a distribution's least value, breaks; None when none."""
        if self.at_least is not None and not low >= self.at_least:
            return f"must be >= {self.at_least:g}"
        if self.at_least_ticks is not None and not low >= self.at_least_ticks * timestep_ms:
            return f"must be at least {self.at_least_ticks:g} times timestep_ms, {timestep_ms:g}"
        return None

    def too_high(self, high: float, timestep_ms: float) -> str | None:
        """Return the rule that a value, or a distribution's greatest value, breaks; None when none."""
        if self.at_most is not None and not high <= self.at_most:
            return f"must be <= {self.at_most:g}"
        if self.at_most_ticks is not None and not high <= self.at_most_ticks * timestep_ms:
            return f"must be at most {self.at_most_ticks:.0f} times timestep_ms, {timestep_ms:g}"
        return None


@dataclass(frozen=True)
class Receptor:
    """A kind of synapse onto the model: its name and its weights' unit."""

    name: str
    weight_unit: str


@dataclass(frozen=True)
class State:
    """A state variable that can be set and recorded, unit in the name."""

    name: str
    description: str


@dataclass(frozen=True)
class Lowered:
    """A slice's parameters as the kernel takes them. Each array is (1,) or (n,) float64.

    Attributes
    ----------
    coefficients : tuple of arrays
        In the kernel's order.
    drive_gain : array
        What a constant input of 1 (pA) adds in a tick.
    initial : mapping of arrays
        The kernel's state at tick 0, one for each of `NeuronModel.kernel_state`, in the kernel's own zero.
    origin : mapping of arrays
        What has to be added to a kernel's state variable to get the described one; 0 where missing.
    refractory_ticks : array
        The most that the kernel counts down from.
    """

    coefficients: tuple[Array, ...]
    drive_gain: Array
    initial: Mapping[str, Array]
    origin: Mapping[str, Array] = field(default_factory=dict)
    refractory_ticks: Array = field(default_factory=lambda: np.zeros(1))


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model: one file, one value of this class, found by itself.

    Attributes
    ----------
    parameters, receptors, states : tuples
        What a description may name.
    offset_parameter : str
        The parameter that is a constant current (pA); DC inputs are added to it.
    kernel_state : tuple of str
        All variables of the kernel, those of `states` first.
    lower : callable
        ``lower(parameters, initial, timestep_ms, lsb) -> Lowered``; `lsb` holds the slot LSB of each
        receptor.
    step : kernel
        ``step(n, state, countdown, coefficients, varying, drive, slots, base, pitch, fired)``: one tick of a
        slice. `state` (n_variables * width,), the first n of each variable's `width` in use; `countdown`
        (n,) uint8 or uint32, ticks of refractoriness still to come; `coefficients`
        (n_coefficients,) or, when `varying`, (n_coefficients * n,); `drive` (n,), all float32 or float64;
        `slots` int32, receptor r of neuron i at ``base + r * pitch + i``, read and set to 0; `fired` (n,)
        uint8, written: 1 where a neuron spikes.
    check : callable
        ``check(lowest, highest)`` of the parameters' bounds by name yields (parameter, rule, advice).
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    receptors: tuple[Receptor, ...]
    states: tuple[State, ...]
    kernel_state: tuple[str, ...]
    offset_parameter: str
    lower: Callable[[Mapping[str, Array], Mapping[str, Array], float, tuple[float, ...]], Lowered]
    step: Callable[..., None]
    check: Callable[[Mapping[str, float], Mapping[str, float]], list[tuple[str, str, str]]]

    def __repr__(self) -> str:
        return f"NeuronModel({self.name!r})"

    def receptor(self, name: str | None) -> int:
        """Return the number of a receptor; None names the only one.

        Raises
        ------
        KeyError
            No such receptor, or None where there are several.
        """
        names = [receptor.name for receptor in self.receptors]
        if name is None and len(names) == 1:
            return 0
        if name not in names:
            raise KeyError(name)
        return names.index(name)


def broadcast(arrays: tuple[Array, ...], n: int, dtype: Any) -> tuple[bool, NDArray[Any]]:
    """Lay a kernel's coefficients out: (n_coefficients,) when all are scalars, else (n_coefficients * n,).

    Returns
    -------
    varying : bool
    flat : array of `dtype`
    """
    varying = any(array.size > 1 for array in arrays)
    width = n if varying else 1
    return varying, np.concatenate([np.broadcast_to(a, (width,)).astype(dtype) for a in arrays])
