"""One tick of a chip, as kernels: deliver the segments that are due, drive, update, collect spikes.

Theory of operation
-------------------
Delivery is just in time. The axons that spiked in each of the last ticks are kept in a ring; in tick t, for
each delay d, the segments of the axons of tick t - d are listed, and the list is walked with a prefetch of
a later segment's words. So all additions of a tick fall into slots that stay in the core's L2 cache, which
a ring of future slots would not (1.1 ns against 2-6 ns a synaptic event on a 2.6 GHz Zen 4 core).
"""

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
    SENT,
    SIZE,
    SLOT,
    STATE,
    STATE_END,
    TIME_END,
    VARYING,
)
from chip.jit import kernel, prefetch
from chip.neurons import STEPS
from chip.random import draw, unit32

_AHEAD = 12
"""Segments between a prefetch and its use: about 0.5 us of work at 40 synapses a segment."""
_LINE_WORDS = 16
_LINES = 4
_SPARE = np.uint64(32)
_BYTE = np.uint64(24)


@kernel
def push(synapses, flight, counters, axon, tick):
    """Let `axon` have spiked in `tick`: its synapses act at ``tick + delay``."""
    bank = np.int64(synapses.axon_bank[axon])
    row = tick % flight.arrived.shape[1]
    place = flight.arrived[bank, row]
    flight.ring[flight.first[bank] + row * flight.width[bank] + place] = axon
    flight.arrived[bank, row] = place + 1
    counters[SENT] += _n_words(synapses, axon, 0)


@kernel
def _n_words(synapses, axon, k):
    """Return the synapses of `axon` with the k-th delay or a longer one."""
    n_delays = synapses.delays.size
    return np.int64(synapses.start[(axon + 1) * n_delays]) - np.int64(synapses.start[axon * n_delays + k])


@kernel
def advance_tick(chip, tick):
    """Advance the whole chip by one tick; its spikes are appended to ``chip.output.spikes``."""
    chip.flight.arrived[:, tick % chip.flight.arrived.shape[1]] = 0
    n_banks = chip.flight.first.size
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
def deliver(synapses, flight, slots, bank, tick):
    """Add all segments of `bank` that are due in `tick`; return the synaptic events."""
    history = flight.arrived.shape[1]
    n_delays = synapses.delays.size
    segments, start, n, total = flight.segments, synapses.start, 0, 0
    for k in range(n_delays):
        sent = tick - synapses.delays[k]
        if sent < 0:
            break
        row = sent % history
        base = flight.first[bank] + row * flight.width[bank]
        for j in range(base, base + flight.arrived[bank, row]):
            axon = np.int64(flight.ring[j])
            begin, end = start[axon * n_delays + k], start[axon * n_delays + k + 1]
            if end > begin:
                segments[n, 0], segments[n, 1], segments[n, 2] = begin, end, axon
                n += 1
                if n == segments.shape[0]:
                    total += _walk(synapses, segments, slots, n)
                    n = 0
    return total + _walk(synapses, segments, slots, n)


@kernel
def _walk(synapses, segments, slots, n):
    """Add the first `n` listed segments to their slots; return the synaptic events."""
    words, total = synapses.words, 0
    for i in range(n):
        if i + _AHEAD < n:
            ahead = np.int64(segments[i + _AHEAD, 0])
            last = min(np.int64(segments[i + _AHEAD, 1]), ahead + _LINES * _LINE_WORDS)
            while ahead < last:
                prefetch(words, ahead)
                ahead += _LINE_WORDS
        begin, end, axon = segments[i, 0], segments[i, 1], np.int64(segments[i, 2])
        base, shift = np.uint64(synapses.axon_slot[axon]), np.int64(synapses.axon_shift[axon])
        for j in range(np.uint64(begin), np.uint64(end)):
            word = words[j]
            slots[base + np.uint64(word & np.uint32(0xFFFF))] += np.int32(
                (np.int64(np.int32(word)) >> 16) << shift
            )
        total += np.int64(end) - np.int64(begin)
    return total


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


@kernel
def in_flight(synapses, flight, tick):
    """Count the synaptic events that are still to come when all ticks before `tick` are done."""
    history, total = flight.arrived.shape[1], 0
    for bank in range(flight.first.size):
        for sent in range(max(tick - history, 0), tick):
            row = sent % history
            base = flight.first[bank] + row * flight.width[bank]
            k = np.searchsorted(synapses.delays, tick - sent)
            for j in range(base, base + flight.arrived[bank, row]):
                if k < synapses.delays.size:
                    total += _n_words(synapses, np.int64(flight.ring[j]), k)
    return total
