"""Sources on the chip: what the kernels need of them, and the kernels.

A neuron of a Poisson source spikes where its own hash of the tick is below the chance; one of a
correlated source where the hash of the mother, which every chip computes for itself, is below the
mother's chance, and its own is below the chance of a copy. Given times stand in a table sorted by tick.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chip.arrays import FIRST, SIZE, TIME_END, Integers, Sources, first_of, integers, joined
from chip.jit import tick_kernel
from chip.random import Purpose, draw, stream_key
from chip.spec import ChipSpec, SliceSpec
from chip.waveforms import WaveformTable
from network import CorrelatedPoissonSource, PoissonSource, SpikeTimesSource, UploadedSpikesSource

_ALWAYS = np.uint64(2**64 - 1)
_MOTHER = 2**32
"""Completes the key of a mother process; those of its neurons are completed by a tick, which is less."""

Times = tuple[Integers, Integers]


def build_sources(spec: ChipSpec, times: list[Times], waveforms: WaveformTable) -> Sources:
    """Return the sources of all slices; `times` holds what `times_of` says of each."""
    slices = spec.slices
    chances = [_chance(part, spec.timestep_ms) for part in slices]
    copies = [getattr(part.member, "correlation", 0.0) for part in slices]
    return Sources(
        key=np.array([stream_key(spec.seed, Purpose.SOURCE, p.number) for p in slices], np.uint64),
        mother=np.array(
            [stream_key(spec.seed, Purpose.SOURCE, p.number, _MOTHER) for p in slices], np.uint64
        ),
        waveform=integers(waveforms.number(getattr(part.member, "modulation", None)) for part in slices),
        chance=np.array(chances, np.float64),
        threshold=np.array([_threshold(chance) for chance in chances], np.uint64),
        copy=np.array([_threshold(chance) for chance in copies], np.uint64),
        tick=joined([tick for tick, _ in times], np.dtype(np.int64)),
        neuron=joined([neuron for _, neuron in times], np.dtype(np.int64)),
        cursor=first_of([tick.size for tick, _ in times])[:-1].copy(),
    )


def _chance(part: SliceSpec, timestep_ms: float) -> float:
    """Return the chance of a spike (of the mother, if there is one) in a tick without modulation."""
    match part.member:
        case PoissonSource():
            return part.member.rate_hz * timestep_ms * 1e-3
        case CorrelatedPoissonSource():
            return part.member.rate_hz / part.member.correlation * timestep_ms * 1e-3
        case _:
            return 0.0


def _threshold(chance: float) -> int:
    return min(int(chance * 2.0**64), 2**64 - 1)


def times_of(part: SliceSpec, timestep_ms: float) -> Times:
    """Return ticks and neurons (within the slice) of a source of given spikes, sorted by tick; else empty."""
    match part.member:
        case SpikeTimesSource():
            lists = part.member.times_ms[part.first : part.first + part.n]
            neuron = np.repeat(np.arange(part.n), [len(times) for times in lists])
            ms = np.array([time for times in lists for time in times], np.float64)
            return _by_tick(np.rint(ms / timestep_ms).astype(np.int64) - 1, neuron)
        case UploadedSpikesSource():
            assert part.spikes is not None
            return _within(part, *part.spikes)
        case _:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _within(part: SliceSpec, tick: NDArray[np.integer], neuron: NDArray[np.integer]) -> Times:
    """Choose the spikes of a slice among those of its whole source."""
    mine = np.flatnonzero((neuron >= part.first) & (neuron < part.first + part.n))
    return _by_tick(tick[mine].astype(np.int64), neuron[mine].astype(np.int64) - part.first)


def _by_tick(tick: Integers, neuron: Integers) -> Times:
    if np.all(tick[:-1] <= tick[1:]):
        return tick, neuron
    order = np.argsort(tick, kind="stable")
    return tick[order], neuron[order]


@tick_kernel
def poisson_source(sources, waveforms, fired, part, line, tick):
    """Flag the neurons of a Poisson source that spike in `tick`."""
    key, threshold = draw(sources.key[part], np.uint64(tick)), _threshold_now(sources, waveforms, part)
    first = np.uint64(line[FIRST])
    for i in range(line[SIZE]):
        fired[i] = draw(key, first + np.uint64(i)) < threshold


@tick_kernel
def correlated_source(sources, waveforms, fired, part, line, tick):
    """Flag the neurons of a correlated source that spike in `tick`."""
    if draw(sources.mother[part], np.uint64(tick)) < _threshold_now(sources, waveforms, part):
        key, copy = draw(sources.key[part], np.uint64(tick)), sources.copy[part]
        first = np.uint64(line[FIRST])
        for i in range(line[SIZE]):
            fired[i] = draw(key, first + np.uint64(i)) < copy


@tick_kernel
def _threshold_now(sources, waveforms, part):
    """Return what 64 random bits must be below for a spike in this tick."""
    if sources.waveform[part] < 0:
        return sources.threshold[part]
    scaled = sources.chance[part] * waveforms.now[sources.waveform[part]] * 18446744073709551616.0
    if scaled >= 18446744073709551616.0:
        return _ALWAYS
    return np.uint64(max(scaled, 0.0))


@tick_kernel
def times_source(sources, fired, part, line, tick):
    """Flag the neurons of a source of given times that spike in `tick`."""
    place = sources.cursor[part]
    while place < line[TIME_END] and sources.tick[place] <= tick:
        fired[sources.neuron[place]] = 1
        place += 1
    sources.cursor[part] = place
