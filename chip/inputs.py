"""Poisson inputs of populations: what the kernel needs of them, and the kernel.

The events of a tick come from one hash for each neuron, keyed by the network's seed, the population, the
input, the tick and the neuron's number within the population: so they are the same wherever the neuron
stands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from chip.arrays import FIRST, SIZE, Inputs, first_of, integers, joined
from chip.jit import kernel
from chip.laws import law_of
from chip.poisson import count_events, fill_silences, poisson_table, room_for, tabulate
from chip.positions import from_centre
from chip.random import Purpose, draw, stream_key, unit32
from chip.spec import ChipSpec, InputSpec, SliceSpec
from chip.values import draw_values
from chip.waveforms import WaveformTable
from network import Value, extremes, needs_distance
from network.positions import reach_from_centre_um

_SPARE = np.uint64(32)
_BYTE = np.uint64(24)


def values_of(spec: ChipSpec, part: SliceSpec, value: Value, key: np.uint64) -> NDArray[np.float64]:
    """Draw a value for each neuron of a slice: (n,) float64, or (1,) if it is the same for all."""
    distance = None
    if needs_distance(value):
        assert part.member.positions is not None
        distance = from_centre(part.member.positions, spec.seed, part.number, part.first, part.n)
    return draw_values(value, key, part.first, part.n, distance=distance)


def greatest_mean(part: SliceSpec, given: InputSpec, timestep_ms: float) -> float:
    """Return a bound of the events a tick that a Poisson input can mean for one neuron."""
    space, described = part.member.positions, given.described
    reach = 0.0 if space is None else reach_from_centre_um(space)
    modulation = 1.0 if described.modulation is None else extremes(described.modulation)[1]
    return max(law_of(described.rate_hz, reach_um=reach).bounds[1], 0.0) * timestep_ms * 1e-3 * modulation


def build_inputs(
    spec: ChipSpec, slot_of: Callable[[SliceSpec, int], int], waveforms: WaveformTable
) -> Inputs:
    """Return the Poisson inputs of all slices; `slot_of` tells the first slot of a slice's receptor."""
    pairs = [(part, given) for part in spec.slices for given in part.inputs]
    tables = [_table(part, given, spec.timestep_ms) for part, given in pairs]
    means = [_means(spec, part, given) for part, given in pairs]
    keys = [stream_key(spec.seed, Purpose.INPUT, part.number, given.number) for part, given in pairs]
    together = joined(means, np.dtype(np.float64))
    return Inputs(
        key=np.array(keys, np.uint64),
        slot=integers(slot_of(part, given.receptor) for part, given in pairs),
        weight=integers(given.weight for _, given in pairs),
        waveform=integers(waveforms.number(given.described.modulation) for _, given in pairs),
        tabled=np.full(len(pairs), np.nan),
        table=first_of([thresholds.size for thresholds, _ in tables]),
        thresholds=joined([thresholds for thresholds, _ in tables], np.dtype(np.uint32)),
        guides=np.array([guide for _, guide in tables], np.int32).reshape(len(pairs), 256),
        mean_first=first_of([own.size for own in means])[:-1].copy(),
        means=together,
        silences=_silences(together),
    )


def _silences(means: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(means)
    fill_silences(means, 1.0, out)
    return out


def _table(
    part: SliceSpec, given: InputSpec, timestep_ms: float
) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the law of an input that is the same for all neurons; of one that changes, room for its laws."""
    described = given.described
    if _by_neuron(described.rate_hz):
        return np.zeros(0, np.uint32), np.zeros(256, np.int32)
    if described.modulation is None:
        return poisson_table(_common_mean(described.rate_hz, timestep_ms))
    return np.zeros(room_for(greatest_mean(part, given, timestep_ms)), np.uint32), np.zeros(256, np.int32)


def _means(spec: ChipSpec, part: SliceSpec, given: InputSpec) -> NDArray[np.float64]:
    """Return the events a tick without modulation: those of all neurons, or of each."""
    rate_hz = given.described.rate_hz
    if not _by_neuron(rate_hz):
        return np.array([_common_mean(rate_hz, spec.timestep_ms)])
    key = stream_key(spec.seed, Purpose.INPUT, part.number, given.number, 1)
    return np.maximum(values_of(spec, part, rate_hz, key), 0.0) * (spec.timestep_ms * 1e-3)


def _common_mean(rate_hz: Value, timestep_ms: float) -> float:
    return law_of(rate_hz).bounds[0] * timestep_ms * 1e-3


def _by_neuron(rate_hz: Value) -> bool:
    return law_of(rate_hz).varies or needs_distance(rate_hz)


@kernel
def add_poisson(inputs, waveforms, slots, i, line, tick):
    """Add Poisson input `i` to a slice: one hash a neuron, turned into a count."""
    modulation = 1.0
    if inputs.waveform[i] >= 0:
        modulation = waveforms.now[inputs.waveform[i]]
        if modulation <= 0.0:
            return
        if modulation != inputs.tabled[i]:
            _renew(inputs, i, modulation, line[SIZE])
    key, first, weight = draw(inputs.key[i], np.uint64(tick)), np.uint64(line[FIRST]), inputs.weight[i]
    slots = slots[inputs.slot[i] : inputs.slot[i] + line[SIZE]]
    thresholds = inputs.thresholds[inputs.table[i] : inputs.table[i + 1]]
    if thresholds.size > 0:
        _add_alike(slots, key, first, weight, thresholds, inputs.guides[i])
    else:
        begin = inputs.mean_first[i]
        _add_by_neuron(slots, key, first, weight, modulation, inputs.means[begin:], inputs.silences[begin:])


@kernel
def _renew(inputs, i, modulation, n):
    """Tabulate the law of a modulated input, or what is needed of each neuron's."""
    inputs.tabled[i] = modulation
    means = inputs.means[inputs.mean_first[i] :]
    thresholds = inputs.thresholds[inputs.table[i] : inputs.table[i + 1]]
    if thresholds.size > 0:
        tabulate(means[0] * modulation, thresholds, inputs.guides[i])
    else:
        fill_silences(means[:n], modulation, inputs.silences[inputs.mean_first[i] :])


@kernel
def _add_alike(slots, key, first, weight, thresholds, guide):
    """Add to neurons of one law: the count is the number of its thresholds below the draw."""
    for j in range(slots.size):
        bits = np.uint32(draw(key, first + np.uint64(j)) >> _SPARE)
        count = guide[bits >> np.uint32(_BYTE)]
        while count < thresholds.size and bits > thresholds[count]:
            count += 1
        slots[j] += np.int32(count * weight)


@kernel
def _add_by_neuron(slots, key, first, weight, modulation, means, silences):
    """Add to neurons that each have a mean of their own."""
    for j in range(slots.size):
        bits = draw(key, first + np.uint64(j)) >> _SPARE
        slots[j] += np.int32(count_events(means[j] * modulation, silences[j], unit32(bits)) * weight)
