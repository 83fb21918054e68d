"""One tick of a chip, as kernels: deliver what is due (`chip.delivery`), drive, update, collect spikes."""

from __future__ import annotations

import numpy as np
from numba import literal_unroll

from chip.arrays import (
    COEFFICIENT,
    COEFFICIENT_END,
    CORRELATED,
    COUNTDOWN,
    CURRENT,
    CURRENT_END,
    DELIVERED,
    DRIVE,
    FIRST_GLOBAL,
    INPUT,
    INPUT_END,
    KIND,
    MODEL,
    N_SPIKES,
    PITCH,
    POISSON,
    SIZE,
    SLOT,
    STATE,
    STATE_END,
    VARYING,
)
from chip.currents import update_drive
from chip.delivery import begin_tick, deliver, deliver_rows
from chip.inputs import add_poisson
from chip.jit import tick_kernel, trailing_zeros
from chip.neurons import STEPS
from chip.queues import deliver_queued
from chip.sources import correlated_source, poisson_source, times_source
from chip.waveforms import evaluate
from chip.words import warm

_SPARE, _LINE_WORDS, _WORD_FLAGS = np.uint64(32), np.uint64(8), np.uint64(8)


@tick_kernel
def advance_tick(chip, tick):
    """Advance the whole chip by one tick; its spikes are appended to ``chip.output.spikes``.

    All rows that have arrived must be read before (`chip.queues.read_arrivals`).
    """
    slots, lanes = chip.neurons.slots, chip.flight.lanes
    begin_tick(lanes, tick)
    evaluate(chip.waveforms, tick)
    n_banks = lanes.bank_first.size - 1
    delivered = deliver_rows(chip.synapses, chip.flight, slots, tick)
    for bank in range(n_banks):
        warm(slots, chip.bank_slot[bank], chip.bank_slot[bank + 1])
        delivered += deliver_queued(chip.flight.queues, slots, bank, tick)
        delivered += deliver(chip.synapses, lanes, slots, bank, tick)
        for part in range(chip.bank_first[bank], chip.bank_first[bank + 1]):
            line = chip.slices[part]
            for i in range(line[INPUT], line[INPUT_END]):
                add_poisson(chip.inputs, chip.waveforms, slots, i, line, tick)
            if line[CURRENT] < line[CURRENT_END]:
                update_drive(chip.currents, chip.waveforms, chip.neurons.drive, line, tick)
            _update(chip.neurons, chip.output.fired, line)
            _collect(chip.output, part, line, tick)
    for part in range(chip.bank_first[n_banks], chip.bank_first[n_banks + 1]):
        _fire(chip, part, tick)
        _collect(chip.output, part, chip.slices[part], tick)
    chip.output.counters[DELIVERED] += delivered
    _probe(chip.probes, chip.neurons.state, chip.synapses.words, tick)


@tick_kernel
def _fire(chip, part, tick):
    """Flag the neurons of a source that spike."""
    line = chip.slices[part]
    if line[KIND] == POISSON:
        poisson_source(chip.sources, chip.waveforms, chip.output.fired, part, line, tick)
    elif line[KIND] == CORRELATED:
        correlated_source(chip.sources, chip.waveforms, chip.output.fired, part, line, tick)
    else:
        times_source(chip.sources, chip.output.fired, part, line, tick)


@tick_kernel
def _update(neurons, fired, line):
    """Call the kernel of the slice's model."""
    n = line[SIZE]
    state = neurons.state[line[STATE] : line[STATE_END]]
    coefficients = neurons.coefficients[line[COEFFICIENT] : line[COEFFICIENT_END]]
    drive = neurons.drive[line[DRIVE] : line[DRIVE] + n]
    flags = fired[:n]
    countdown = neurons.countdown[line[COUNTDOWN] : line[COUNTDOWN] + n]
    varying = line[VARYING] != 0
    number = 0  # enumerate does not unroll
    for step in literal_unroll(STEPS):
        if number == line[MODEL]:
            step(
                n,
                state,
                countdown,
                coefficients,
                varying,
                drive,
                neurons.slots,
                line[SLOT],
                line[PITCH],
                flags,
            )
        number += 1  # noqa: SIM113


@tick_kernel
def _collect(output, part, line, tick):
    """Append a slice's spikes in the order of neurons, a line of flags at a look, and clear the flags."""
    n_spikes, n_words = output.counters[N_SPIKES], np.uint64(-(-line[SIZE] // 8))
    stamp, words = np.uint64(tick) << _SPARE | np.uint64(line[FIRST_GLOBAL]), output.fired_words
    for first in range(np.uint64(0), n_words, _LINE_WORDS):
        any_fired = np.uint64(0)
        for word in range(first, first + _LINE_WORDS):
            any_fired |= words[word]
        if any_fired != 0:
            for word in range(first, first + _LINE_WORDS):
                flags = words[word]
                while flags != 0:  # bytes of 0 or 1, the first is the lowest
                    place = word * _WORD_FLAGS + trailing_zeros(flags) // _WORD_FLAGS
                    output.spikes[n_spikes] = stamp + place
                    n_spikes += 1
                    flags &= flags - np.uint64(1)
            words[first : first + _LINE_WORDS] = 0
    output.counters[N_SPIKES] = n_spikes
    output.slice_end[part] = n_spikes


@tick_kernel
def _probe(probes, state, words, tick):
    """Sample the state variables and weights whose interval ends with `tick`."""
    for probe in range(probes.interval.size):
        if (tick + 1) % probes.interval[probe] == 0:
            low, high = probes.first[probe], probes.first[probe + 1]
            out = probes.sample_first[probe] + probes.rows[probe] * (high - low)
            step = probes.step[probe]
            if step == 0.0:
                for i in range(low, high):
                    probes.samples[out + i - low] = state[probes.place[i]] + probes.origin[i]
            else:
                for i in range(low, high):
                    weight = np.int64(np.int32(words[probes.place[i]])) >> 16
                    probes.samples[out + i - low] = weight * step
            probes.rows[probe] += 1
