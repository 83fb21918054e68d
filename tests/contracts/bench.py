"""A neuron model on the bench: one slice, its kernel called as a chip calls it, with known input."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.neurons import NeuronModel
from chip.neurons.model import Lowered, broadcast

TIMESTEP_MS = 0.1
LSB = 2.0**-6

STRONG = {"mV": 4.0, "pA": 900.0, "nS": 20.0}
"""Weights that make a neuron at rest fire after a few of them, by their unit."""

GUARD = 123_456
"""What stands in slots of other slices, which a kernel must not touch."""

Given = Mapping[str, float | NDArray[np.float64]]
NOTHING: Given = MappingProxyType({})


def array(value: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_1d(np.asarray(value, np.float64))


def defaults(model: NeuronModel) -> dict[str, float]:
    return {parameter.name: parameter.default for parameter in model.parameters}


def lowered(model: NeuronModel, parameters: Given = NOTHING, initial: Given = NOTHING) -> Lowered:
    """Lower a model's parameters, defaults where nothing is given."""
    values = {name: array(value) for name, value in (defaults(model) | dict(parameters)).items()}
    lsb = (LSB,) * len(model.receptors)
    return model.lower(values, {name: array(value) for name, value in initial.items()}, TIMESTEP_MS, lsb)


class Bench:
    """A slice of `n` neurons, with guards before and after its slots."""

    def __init__(
        self,
        model: NeuronModel,
        n: int,
        precision: str,
        parameters: Given = NOTHING,
        initial: Given = NOTHING,
    ) -> None:
        made, self.model, self.n = lowered(model, parameters, initial), model, n
        self.varying, self.coefficients = broadcast(made.coefficients, n, precision)
        state = [np.broadcast_to(made.initial[name], (n,)) for name in model.kernel_state]
        self.state = np.concatenate(state).astype(precision)
        self.countdown = np.zeros(n, np.uint32)
        current = array(parameters.get(model.offset_parameter, defaults(model)[model.offset_parameter]))
        self.drive = np.broadcast_to(made.drive_gain * current, (n,)).astype(precision)
        self.base, self.pitch = 3, n + 2
        self.slots = np.full(self.base + len(model.receptors) * self.pitch, GUARD, np.int32)
        self.fired = np.zeros(n, np.uint8)
        for receptor in range(len(model.receptors)):
            self._slot(receptor)[:] = 0

    def _slot(self, receptor: int) -> NDArray[np.int32]:
        first = self.base + receptor * self.pitch
        return self.slots[first : first + self.n]

    def variable(self, name: str) -> NDArray[Any]:
        """Return a view of one state variable: (n,)."""
        place = self.model.kernel_state.index(name)
        return self.state[place * self.n : (place + 1) * self.n]

    def step(self, inputs: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Advance by a tick with input (n_receptors, n) in LSBs; return the flags: (n,)."""
        for receptor, row in enumerate(inputs):
            self._slot(receptor)[:] = row
        arrays = self.state, self.countdown, self.coefficients, self.varying, self.drive, self.slots
        self.model.step(self.n, *arrays, self.base, self.pitch, self.fired)
        return self.fired.copy()


def inputs_of(model: NeuronModel, n: int, n_ticks: int, *, seed: int = 1) -> NDArray[np.int64]:
    """Return (n_ticks, n_receptors, n) input in LSBs: the first receptor's mostly up, the others' down."""
    random = np.random.default_rng(seed)
    events = random.poisson(0.15, (n_ticks, len(model.receptors), n))
    sizes = [STRONG[receptor.weight_unit] / LSB for receptor in model.receptors]
    signs = [1.0] + [-0.3] * (len(sizes) - 1)
    scale = np.array(sizes) * np.array(signs)
    noise = random.uniform(0.5, 1.5, events.shape)
    return np.rint(events * scale[:, None] * noise).astype(np.int64)


def refused(model: NeuronModel, parameters: Mapping[str, float], *, timestep_ms: float = TIMESTEP_MS) -> bool:
    """Return whether a description with these parameters breaks the model's rules."""
    given = defaults(model) | dict(parameters)
    rules = [(spec.too_low, given[spec.name]) for spec in model.parameters]
    rules += [(spec.too_high, given[spec.name]) for spec in model.parameters]
    if any(rule(value, timestep_ms) for rule, value in rules):
        return True
    return bool(model.check(given, given))
