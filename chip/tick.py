"""One tick of a chip, as kernels: deliver what is due (`chip.delivery`), drive, update, collect spikes."""

from __future__ import annotations

import numpy as np
from numba import literal_unroll

from chip.arithmetic import exp
from chip.arrays import (
    COEFFICIENT,
    COEFFICIENT_END,
    DELIVERED,
    DRIVE,
    FIRED,
    FIRED_END,
    FIRST,
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
    TIME_END,
    VARYING,
)
from chip.delivery import begin_tick, deliver, deliver_rows
from chip.jit import kernel
from chip.neurons import STEPS
from chip.random import draw, unit32

_SPARE = np.uint64(32)
_BYTE = np.uint64(24)


@kernel
def advance_tick(chip, tick):
    """Advance the whole chip by one tick; its spikes are appended to ``chip.output.spikes``."""
    begin_tick(chip.flight, tick)
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
                    _drive(chip.inputs, chip.neurons.slots, i, line, tick)
                _update(chip.neurons, chip.output.fired, line)
            elif line[KIND] == POISSON:
                key = draw(chip.sources.key[part], np.uint64(tick))
                _poisson_source(chip.output.fired, line, key, chip.sources.threshold[part])
            else:
                _times_source(chip.sources, chip.output.fired, part, line, tick)
            _collect(chip.output, part, line, tick)
    _probe(chip.probes, chip.neurons.state, tick)


@kernel
def _drive(inputs, slots, i, line, tick):
    """Add Poisson input `i` to a slice: one hash a neuron, turned into a count by the law's thresholds."""
    key = draw(inputs.key[i], np.uint64(tick))
    n, first, weight = line[SIZE], np.uint64(line[FIRST]), inputs.weight[i]
    slots = slots[inputs.slot[i] : inputs.slot[i] + n]
    thresholds = inputs.thresholds[inputs.table[i] : inputs.table[i + 1]]
    if thresholds.size > 0:
        guide = inputs.guides[i]
        for j in range(n):
            bits = np.uint32(draw(key, first + np.uint64(j)) >> _SPARE)
            count = guide[bits >> np.uint32(_BYTE)]
            while count < thresholds.size and bits > thresholds[count]:
                count += 1
            slots[j] += np.int32(count * weight)
    else:
        means = inputs.means[inputs.mean_first[i] : inputs.mean_first[i] + n]
        for j in range(n):
            bits = draw(key, first + np.uint64(j)) >> _SPARE
            slots[j] += np.int32(poisson(means[j], unit32(bits)) * weight)


@kernel
def poisson(mean, u):
    """Return the Poisson number of `mean` < 700 that the uniform `u` names."""
    mass = exp(-mean)
    total, count = mass, 0
    while u > total and count < mean + 8.0 * np.sqrt(mean) + 24.0:
        count += 1
        mass = mass * mean / count
        total = total + mass
    return count


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
def _poisson_source(fired, line, key, threshold):
    first, base = np.uint64(line[FIRST]), line[FIRED]
    for i in range(line[SIZE]):
        fired[base + i] = draw(key, first + np.uint64(i)) < threshold


@kernel
def _times_source(sources, fired, part, line, tick):
    place = sources.cursor[part]
    while place < line[TIME_END] and sources.tick[place] <= tick:
        fired[line[FIRED] + sources.neuron[place]] = 1
        place += 1
    sources.cursor[part] = place


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
def _probe(probes, state, tick):
    """Sample the state variables whose interval ends with `tick`."""
    for probe in range(probes.interval.size):
        if (tick + 1) % probes.interval[probe] == 0:
            low, high = probes.first[probe], probes.first[probe + 1]
            out = probes.sample_first[probe] + probes.rows[probe] * (high - low)
            for i in range(low, high):
                probes.samples[out + i - low] = state[probes.place[i]] + probes.origin[i]
            probes.rows[probe] += 1
