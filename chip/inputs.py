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
from chip.jit import tick_kernel
from chip.laws import law_of
from chip.poisson import NEVER, count_events, fill_silences, poisson_table, room_for, tabulate
from chip.positions import from_centre
from chip.random import Purpose, draw, stream_key, unit32
from chip.spec import ChipSpec, InputSpec, SliceSpec
from chip.values import draw_values
from chip.waveforms import WaveformTable
from network import Value, extremes, needs_distance
from network.positions import reach_from_centre_um

_SPARE = np.uint64(32)
_BYTE = np.uint64(24)

_PIECE = 512
"""Neurons whose draws are counted together: 4 KiB."""

_SELDOM = np.uint32(2**32 - 2**32 // 100_000)
_MOST_USUAL = 48
"""Thresholds from which on a table of where to begin is faster than comparing with all."""


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
        bits=np.empty(_PIECE, np.uint32),
        counts=np.empty(_PIECE, np.int32),
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


@tick_kernel
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
        bits, counts = inputs.bits, inputs.counts
        _add_alike(slots, key, first, weight, thresholds, inputs.guides[i], bits, counts)
    else:
        begin = inputs.mean_first[i]
        _add_by_neuron(slots, key, first, weight, modulation, inputs.means[begin:], inputs.silences[begin:])


@tick_kernel
def _renew(inputs, i, modulation, n):
    """Tabulate the law of a modulated input, or what is needed of each neuron's."""
    inputs.tabled[i] = modulation
    means = inputs.means[inputs.mean_first[i] :]
    thresholds = inputs.thresholds[inputs.table[i] : inputs.table[i + 1]]
    if thresholds.size > 0:
        tabulate(means[0] * modulation, thresholds, inputs.guides[i])
    else:
        fill_silences(means[:n], modulation, inputs.silences[inputs.mean_first[i] :])


@tick_kernel
def _add_alike(slots, key, first, weight, thresholds, guide, bits, counts):
    """Add to neurons of one law: the count is the number of its thresholds below the draw.

    `_PIECE` neurons at a time, in loops that become vector instructions: all draws; then four thresholds
    after the other, as far as `_usual` says; then the few draws that are above those.
    """
    usual, integer = _usual(thresholds), np.int32(weight)
    if usual > _MOST_USUAL:
        _add_guided(slots, key, first, weight, thresholds, guide)
        return
    highest = thresholds[usual - 1]
    for begin in range(0, slots.size, _PIECE):
        n, n_above = min(slots.size - begin, _PIECE), np.int32(0)
        piece = slots[begin : begin + n]
        for j in range(n):
            bits[j] = np.uint32(draw(key, first + np.uint64(begin + j)) >> _SPARE)
            counts[j] = 0
        for k in range(0, usual, 4):
            _count_four(bits, counts, n, thresholds[:usual], k)
        for j in range(n):
            piece[j] += np.int32(counts[j] * integer)
            n_above += np.int32(bits[j] > highest)
        if n_above > 0:
            _add_rest(piece, bits, integer, thresholds, usual)


@tick_kernel
def _usual(thresholds):
    """Return how many thresholds all but a hundred-thousandth of draws stop before."""
    usual = 0
    while usual + 1 < thresholds.size and thresholds[usual] < _SELDOM:
        usual += 1
    return usual + 1


@tick_kernel
def _count_four(bits, counts, n, thresholds, k):
    """Count which of four thresholds from `k` on are below each draw; none is behind the last."""
    a, b, c, d = thresholds[k], NEVER, NEVER, NEVER
    if k + 1 < thresholds.size:
        b = thresholds[k + 1]
    if k + 2 < thresholds.size:
        c = thresholds[k + 2]
    if k + 3 < thresholds.size:
        d = thresholds[k + 3]
    for j in range(n):
        draws = bits[j]
        counts[j] += np.int32(draws > a) + np.int32(draws > b) + np.int32(draws > c) + np.int32(draws > d)


@tick_kernel
def _add_rest(slots, bits, weight, thresholds, usual):
    """Add what the thresholds behind the usual ones count."""
    for j in range(slots.size):
        k = usual
        if bits[j] > thresholds[usual - 1]:
            while k < thresholds.size and bits[j] > thresholds[k]:
                slots[j] += weight
                k += 1


@tick_kernel
def _add_guided(slots, key, first, weight, thresholds, guide):
    """Do what `_add_alike` does for laws with many thresholds: begin to count where a table says."""
    for j in range(slots.size):
        bits = np.uint32(draw(key, first + np.uint64(j)) >> _SPARE)
        count = guide[bits >> np.uint32(_BYTE)]
        while count < thresholds.size and bits > thresholds[count]:
            count += 1
        slots[j] += np.int32(count * weight)


@tick_kernel
def _add_by_neuron(slots, key, first, weight, modulation, means, silences):
    """Add to neurons that each have a mean of their own."""
    for j in range(slots.size):
        bits = draw(key, first + np.uint64(j)) >> _SPARE
        slots[j] += np.int32(count_events(means[j] * modulation, silences[j], unit32(bits)) * weight)
