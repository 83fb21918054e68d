"""Delivery: which synapses are due, and adding them to the slots. The inner loops of the emulation.

Theory of operation
-------------------
Delivery is just in time, so that all additions of a tick fall into slots that stay in the core's L2 cache,
which a ring of future slots would not (1.1 ns against 2-6 ns a synaptic event on a 2.6 GHz Zen 4 core). How
it finds what is due depends on the axon's layout (`chip.memory`):

- *Segments.* A *lane* is all axons of a bank with the same delays. It keeps the axons that spiked in each of
the
  last ticks in a ring; in tick t, for each of the lane's delays d, the segments of the axons of tick t - d
  are listed. A lane costs a look at each of its delays a tick, so short delays do not pay for long ones
  elsewhere.
- *Rows.* A spike whose row has words left waits in the bucket of the tick in which its next word is due;
there its
  due words are listed and it moves on to the bucket of the next. So a delay of a thousand ticks costs nothing
  while it passes (a timing wheel: Varghese and Lauck 1987, SOSP).

The list is then walked with a prefetch of a later entry's words.
"""

from __future__ import annotations

import numpy as np

from chip.arrays import (
    ARRIVED,
    DELAY,
    DELAY_END,
    FREE,
    HIGHEST,
    HISTORY,
    IN_USE,
    RING,
    SENT,
    WIDTH,
)
from chip.jit import kernel, prefetch

_AHEAD = 12
"""Segments between a prefetch and its use: about 0.5 us of work at 40 synapses a segment."""
_LINE_WORDS = 16
_LINES = 4

_NONE = np.int32(-1)


@kernel
def push(synapses, flight, counters, axon, tick):
    """Let `axon` have spiked in `tick`: its synapses act at ``tick + delay``."""
    n_words = row_end(synapses, axon) - row_begin(synapses, axon)
    counters[SENT] += n_words
    lane = synapses.axon_lane[axon]
    if lane >= 0:
        line = flight.lanes[lane]
        row = tick % line[HISTORY]
        place = flight.arrived[line[ARRIVED] + row]
        flight.ring[line[RING] + row * line[WIDTH] + place] = axon
        flight.arrived[line[ARRIVED] + row] = place + 1
    elif n_words > 0:
        place = np.int64(row_begin(synapses, axon))
        _wait(synapses, flight, _take(flight), np.uint32(axon), place, tick)


@kernel
def row_begin(synapses, axon):
    """Return where the words of `axon` begin."""
    return np.int64(synapses.start[synapses.axon_start[axon]])


@kernel
def row_end(synapses, axon):
    """Return where the words of `axon` end."""
    return np.int64(synapses.start[synapses.axon_start[axon + 1]])


@kernel
def _take(flight):
    """Return an entry of the wheel that is not in use."""
    state = flight.wheel_state
    state[IN_USE] += 1
    entry = state[FREE]
    if entry >= 0:
        state[FREE] = flight.wheel_next[entry]
        return entry
    state[HIGHEST] += 1
    return state[HIGHEST] - 1


@kernel
def _wait(synapses, flight, entry, axon, place, sent):
    """Let an entry wait until the word at `place` is due."""
    due = sent + np.int64(synapses.late[place - synapses.first_late])
    bucket = due % flight.buckets.size
    flight.wheel_next[entry] = flight.buckets[bucket]
    flight.wheel_axon[entry] = axon
    flight.wheel_place[entry] = place
    flight.wheel_sent[entry] = sent
    flight.buckets[bucket] = entry


@kernel
def begin_tick(flight, tick):
    """Forget the spikes of a tick so long ago that all their synapses have acted."""
    for lane in range(flight.lanes.shape[0]):
        line = flight.lanes[lane]
        flight.arrived[line[ARRIVED] + tick % line[HISTORY]] = 0


@kernel
def deliver(synapses, flight, slots, bank, tick):
    """Add all segments of `bank` that are due in `tick`; return the synaptic events."""
    segments, start, n, total = flight.segments, synapses.start, 0, 0
    for lane in range(flight.bank_lane[bank], flight.bank_lane[bank + 1]):
        line = flight.lanes[lane]
        first_delay = line[DELAY]
        for k in range(line[DELAY_END] - first_delay):
            sent = tick - flight.delays[first_delay + k]
            if sent < 0:
                break
            row = sent % line[HISTORY]
            base = line[RING] + row * line[WIDTH]
            for j in range(base, base + flight.arrived[line[ARRIVED] + row]):
                axon = np.int64(flight.ring[j])
                segment = synapses.axon_start[axon] + k
                begin, end = start[segment], start[segment + 1]
                if end > begin:
                    segments[n, 0], segments[n, 1], segments[n, 2] = begin, end, axon
                    n += 1
                    if n == segments.shape[0]:
                        total += _walk(synapses, segments, slots, n)
                        n = 0
    return total + _walk(synapses, segments, slots, n)


@kernel
def deliver_rows(synapses, flight, slots, tick):
    """Add all words of rows that are due in `tick`, in all banks; return the synaptic events."""
    bucket = tick % flight.buckets.size
    segments, n, total = flight.segments, 0, 0
    entry = flight.buckets[bucket]
    flight.buckets[bucket] = _NONE
    while entry >= 0:
        following = flight.wheel_next[entry]
        if following >= 0:
            prefetch(synapses.late, flight.wheel_place[following] - synapses.first_late)
        axon, begin, sent = flight.wheel_axon[entry], flight.wheel_place[entry], flight.wheel_sent[entry]
        last, end = row_end(synapses, np.int64(axon)), begin + 1
        while end < last and sent + np.int64(synapses.late[end - synapses.first_late]) == tick:
            end += 1
        segments[n, 0], segments[n, 1], segments[n, 2] = begin, end, axon
        n += 1
        if n == segments.shape[0]:
            total += _walk(synapses, segments, slots, n)
            n = 0
        if end < last:
            _wait(synapses, flight, entry, axon, end, sent)
        else:
            flight.wheel_next[entry] = flight.wheel_state[FREE]
            flight.wheel_state[FREE] = entry
            flight.wheel_state[IN_USE] -= 1
        entry = following
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
def room_in_wheel(flight, n_pushes):
    """Return whether `n_pushes` more spikes can wait."""
    return flight.wheel_state[IN_USE] + n_pushes <= flight.wheel_next.size


@kernel
def in_flight(synapses, flight, tick):
    """Count the synaptic events that are still to come when all ticks before `tick` are done."""
    total = 0
    for lane in range(flight.lanes.shape[0]):
        line = flight.lanes[lane]
        delays = flight.delays[line[DELAY] : line[DELAY_END]]
        for sent in range(max(tick - line[HISTORY], 0), tick):
            row = sent % line[HISTORY]
            base = line[RING] + row * line[WIDTH]
            k = np.searchsorted(delays, tick - sent)
            for j in range(base, base + flight.arrived[line[ARRIVED] + row]):
                axon = np.int64(flight.ring[j])
                total += row_end(synapses, axon) - np.int64(synapses.start[synapses.axon_start[axon] + k])
    for bucket in range(flight.buckets.size):
        entry = flight.buckets[bucket]
        while entry >= 0:
            total += row_end(synapses, np.int64(flight.wheel_axon[entry])) - flight.wheel_place[entry]
            entry = flight.wheel_next[entry]
    return total
