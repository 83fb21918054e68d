"""One tick of a chip, as kernels: deliver what is due (`chip.delivery`), drive, update, collect spikes."""

from __future__ import annotations

import numpy as np
from numba import literal_unroll

from chip.arrays import (
    COEFFICIENT,
    COEFFICIENT_END,
    CORRELATED,
    CURRENT,
    CURRENT_END,
    DELIVERED,
    DRIVE,
    FIRED,
    FIRED_END,
    FIRST_GLOBAL,
    INPUT,
    INPUT_END,
    KIND,
    MODEL,
    N_SPIKES,
    NEURONS,
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
from chip.jit import kernel
from chip.neurons import STEPS
from chip.sources import correlated_source, poisson_source, times_source
from chip.waveforms import evaluate

_SPARE = np.uint64(32)


@kernel
def advance_tick(chip, tick):
    """Advance the whole chip by one tick; its spikes are appended to ``chip.output.spikes``."""
    begin_tick(chip.flight, tick)
    evaluate(chip.waveforms, tick)
    n_banks = chip.flight.bank_lane.size - 1
    chip.output.counters[DELIVERED] += deliver_rows(chip.synapses, chip.flight, chip.neurons.slots, tick)
    for bank in range(n_banks + 1):
        if bank < n_banks:
            chip.output.counters[DELIVERED] += deliver(
                chip.synapses, chip.flight, chip.neurons.slots, bank, tick
            )
        for part in range(chip.bank_first[bank], chip.bank_first[bank + 1]):
            line = chip.slices[part]
            if line[KIND] == NEURONS:
                for i in range(line[INPUT], line[INPUT_END]):
                    add_poisson(chip.inputs, chip.waveforms, chip.neurons.slots, i, line, tick)
                if line[CURRENT] < line[CURRENT_END]:
                    update_drive(chip.currents, chip.waveforms, chip.neurons.drive, line, tick)
                _update(chip.neurons, chip.output.fired, line)
            elif line[KIND] == POISSON:
                poisson_source(chip.sources, chip.waveforms, chip.output.fired, part, line, tick)
            elif line[KIND] == CORRELATED:
                correlated_source(chip.sources, chip.waveforms, chip.output.fired, part, line, tick)
            else:
                times_source(chip.sources, chip.output.fired, part, line, tick)
            _collect(chip.output, part, line, tick)
    _probe(chip.probes, chip.neurons.state, chip.synapses.words, tick)


@kernel
def _update(neurons, fired, line):
    """Call the kernel of the slice's model."""
    n = line[SIZE]
    state = neurons.state[line[STATE] : line[STATE_END]]
    coefficients = neurons.coefficients[line[COEFFICIENT] : line[COEFFICIENT_END]]
    drive = neurons.drive[line[DRIVE] : line[DRIVE] + n]
    flags = fired[line[FIRED] : line[FIRED] + n]
    varying = line[VARYING] != 0
    number = 0  # enumerate does not unroll
    for step in literal_unroll(STEPS):
        if number == line[MODEL]:
            step(n, state, coefficients, varying, drive, neurons.slots, line[SLOT], line[PITCH], flags)
        number += 1  # noqa: SIM113


@kernel
def _collect(output, part, line, tick):
    """Append the spikes of a slice in the order of neurons, eight flags at a look, and clear the flags."""
    n_spikes, begin = output.counters[N_SPIKES], line[FIRED]
    stamp = np.uint64(tick) << _SPARE | np.uint64(line[FIRST_GLOBAL])
    for word in range(begin // 8, line[FIRED_END] // 8):
        if output.fired_words[word] != 0:
            for place in range(word * 8, word * 8 + 8):
                if output.fired[place] != 0:
                    output.spikes[n_spikes] = stamp + np.uint64(place - begin)
                    n_spikes += 1
            output.fired_words[word] = 0
    output.counters[N_SPIKES] = n_spikes
    output.slice_end[part] = n_spikes


@kernel
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
