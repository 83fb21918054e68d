"""Currents into populations: those that stay are added up once, those that change drive their slices anew.

In tick t a neuron's drive is ``gain * (constant + (current + current + ...))``, where `constant` is its
offset and all DC inputs, and each current is that of tick t (`chip.waveforms` says which tick is which
time): computed in float64 and rounded to the state's precision.

A `NoiseInput` has a draw for each neuron and interval, interval k being the ticks from ``k * interval``
on; with NEST's `noise_generator` it begins in tick ``k * interval + D + 1``, D being the connection's
delay.

Waveforms' values and intervals are remembered, so that what stays the same costs nothing: a drive follows
from these alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chip.arrays import CURRENT, CURRENT_END, DRIVE, DRIVEN, FIRST, SIZE, Currents, first_of, integers, joined
from chip.inputs import values_of
from chip.jit import tick_kernel
from chip.neurons import MODELS
from chip.neurons.model import Lowered
from chip.normal import TABLE, normal
from chip.random import Purpose, draw, stream_key
from chip.spec import ChipSpec, SliceSpec
from chip.waveforms import WaveformTable
from network import CurrentInput, DCInput, NoiseInput, Population

NOISE = -1
"""What `Currents.waveform` says of a noise."""


def constant_current(spec: ChipSpec, part: SliceSpec) -> NDArray[np.float64]:
    """Return the currents that stay, offset and DC inputs: (n,) float64, or (1,) if the same for all; pA."""
    population = part.member
    assert isinstance(population, Population)
    model = MODELS[population.model]
    place = [parameter.name for parameter in model.parameters].index(model.offset_parameter)
    offset = population.parameters.get(model.offset_parameter, model.parameters[place].default)
    current = values_of(spec, part, offset, stream_key(spec.seed, Purpose.PARAMETER, part.number, place))
    for number, described in enumerate(population.inputs):
        if isinstance(described, DCInput):
            key = stream_key(spec.seed, Purpose.INPUT, part.number, number)
            current = current + values_of(spec, part, described.current_pa, key)
    return current


def drive_of(spec: ChipSpec, part: SliceSpec, lowered: Lowered) -> NDArray[np.float64]:
    """Return what the constant currents add to each neuron of a slice in a tick: (n,) float64."""
    return np.broadcast_to(lowered.drive_gain * constant_current(spec, part), (part.n,)).copy()


def currents_of(part: SliceSpec) -> list[tuple[int, CurrentInput | NoiseInput]]:
    """Return the inputs of a slice that are currents that change, each with its number."""
    inputs = part.member.inputs if isinstance(part.member, Population) else ()
    return [
        (k, described)
        for k, described in enumerate(inputs)
        if isinstance(described, CurrentInput | NoiseInput)
    ]


def build_currents(spec: ChipSpec, lowered: list[Lowered | None], waveforms: WaveformTable) -> Currents:
    """Return the changing currents of all slices."""
    flat = [(part, number, described) for part in spec.slices for number, described in currents_of(part)]
    driven = [
        (part, own) for part, own in zip(spec.slices, lowered, strict=True) if own and currents_of(part)
    ]
    scales = [_scale(spec, *one) for one in flat]
    noises = [described for _, _, described in flat if isinstance(described, NoiseInput)]
    return Currents(
        waveform=integers(waveforms.number(getattr(d, "waveform", None)) for _, _, d in flat),
        latest=np.full(len(flat), np.nan),
        scale_first=first_of([own.size for own in scales])[:-1].copy(),
        scale=joined(scales, np.dtype(np.float64)),
        key=np.array([stream_key(spec.seed, Purpose.INPUT, p.number, k) for p, k, _ in flat], np.uint64),
        interval=integers(_interval(described, spec.timestep_ms) for _, _, described in flat),
        normal=TABLE if noises else TABLE[:0],
        constant=joined([_spread(constant_current(spec, p), p.n) for p, _ in driven], np.dtype(np.float64)),
        gain=joined([_spread(own.drive_gain, p.n) for p, own in driven], np.dtype(np.float64)),
        total=np.empty(max((part.n for part, _ in driven), default=0)),
    )


def _scale(
    spec: ChipSpec, part: SliceSpec, number: int, described: CurrentInput | NoiseInput
) -> NDArray[np.float64]:
    """Return what a waveform is multiplied with, (n,); of a noise, mean and standard deviation."""
    if isinstance(described, NoiseInput):
        return np.array([described.mean_pa, described.sd_pa])
    key = stream_key(spec.seed, Purpose.INPUT, part.number, number)
    return _spread(values_of(spec, part, described.current_pa, key), part.n)


def _interval(described: CurrentInput | NoiseInput, timestep_ms: float) -> int:
    return round(described.interval_ms / timestep_ms) if isinstance(described, NoiseInput) else 0


def _spread(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.broadcast_to(values, (n,)).astype(np.float64)


@tick_kernel
def update_drive(currents, waveforms, drive, line, tick):
    """Compute the drive of a slice anew if one of its currents has changed."""
    if not _changed(currents, waveforms, line, tick):
        return
    n = line[SIZE]
    total = currents.total[:n]
    total[:] = 0.0
    for c in range(line[CURRENT], line[CURRENT_END]):
        scale = currents.scale[currents.scale_first[c] :]
        if currents.waveform[c] == NOISE:
            key = draw(currents.key[c], np.uint64(tick // currents.interval[c]))
            _add_noise(total, key, np.uint64(line[FIRST]), scale[0], scale[1], currents.normal)
        else:
            value = waveforms.now[currents.waveform[c]]
            for j in range(n):
                total[j] += scale[j] * value
    first, driven = line[DRIVE], line[DRIVEN]
    for j in range(n):
        drive[first + j] = currents.gain[driven + j] * (currents.constant[driven + j] + total[j])


@tick_kernel
def _changed(currents, waveforms, line, tick):
    """Note the currents' values and intervals in `tick`; return whether one of them is new."""
    changed = False
    for c in range(line[CURRENT], line[CURRENT_END]):
        if currents.waveform[c] == NOISE:
            latest = np.float64(tick // currents.interval[c])
        else:
            latest = waveforms.now[currents.waveform[c]]
        changed = changed or latest != currents.latest[c]
        currents.latest[c] = latest
    return changed


@tick_kernel
def _add_noise(total, key, first, mean, sd, table):
    for j in range(total.size):
        total[j] += mean + sd * normal(np.uint32(draw(key, first + np.uint64(j))), table)
