"""Delivery: which synapses are due, and adding them to the slots. The inner loops of the emulation.

Theory of operation
-------------------
All additions of a tick fall into slots that stay in the core's L2 cache, which a ring of future slots would
not (1 ns against 2-6 ns a synaptic event on a Zen 4 core). How what is due is found depends on the layout of
the axon's synapses (`chip.memory`):

- *Segments*, just in time. A *lane* is all axons of a bank with the same delays, receptor and weight step. It
  keeps the axons that spiked in each of the last ticks in a ring; in tick t, for each of the lane's delays d,
  the segments of the axons of tick t - d are listed, a long one in pieces, and the list is walked. A segment
  costs what it takes to fetch its cache lines, and the one that says where it begins, from memory that nobody
  has touched for long.
- *Rows* wait in a wheel for the tick of their next word (`chip.wheel`).
- *Queued* rows are so short that fetching them once for each delay would cost more than their words: they are
  read when the spike arrives, and each word put into the queue of its tick (`chip.queues`).

Words are prefetched a few pieces ahead, into the first-level cache and as what is used once: the other caches
are for slots and state (measured: 20 % faster than prefetching into the second level). The core's own
prefetcher does not follow a segment of 500 words fast enough (docs/performance.md).
"""

from __future__ import annotations

import numpy as np

from chip.arrays import (
    ARRIVED,
    BLOCK_SHIFT,
    BLOCK_SLOT,
    COLUMNS,
    DELAY,
    DELAY_END,
    ENTRY,
    HISTORY,
    LANE,
    LANE_SHIFT,
    LANE_SLOT,
    LAYOUT,
    QUEUED,
    RING,
    SEGMENTS,
    SENT,
    WIDTH,
)
from chip.jit import kernel, prefetch, prefetch_once, tick_kernel
from chip.queues import arrive, queued_in_flight
from chip.wheel import begin_to_wait, take_due, waiting_in_flight
from chip.words import add_words

_AHEAD = 4
"""Pieces between a prefetch and its use: about 0.25 us of work at 60 synapses a piece."""
_LINE_WORDS = 16
_PIECE = np.uint64(192)
"""Most words of a segment that are listed as one: so all words of a long one are prefetched in time."""


@tick_kernel
def push(synapses, flight, counters, block, neuron, tick):
    """Let the axon of `neuron` in `block` have spiked in `tick`: its synapses act at ``tick + delay``."""
    blocks, lanes = synapses.blocks, flight.lanes
    row = blocks[block, ENTRY] + neuron * blocks[block, COLUMNS]
    if blocks[block, LAYOUT] == SEGMENTS:
        counters[SENT] += words_of(synapses, row, blocks[block, COLUMNS])
        lane = blocks[block, LANE]
        at = tick % lanes.table[lane, HISTORY]
        count = lanes.table[lane, ARRIVED] + at
        place = lanes.arrived[count]
        lanes.ring[lanes.table[lane, RING] + at * lanes.table[lane, WIDTH] + place] = row
        lanes.arrived[count] = place + 1
    elif blocks[block, LAYOUT] == QUEUED:
        arrive(flight.queues, row, tick)
    else:
        n_words = words_of(synapses, row, 1)
        counters[SENT] += n_words
        if n_words > 0:
            begin_to_wait(synapses, flight.wheel, row, block, tick)


@tick_kernel
def prepare(synapses, block, neuron):
    """Prefetch what `push` will look at."""
    row = synapses.blocks[block, ENTRY] + neuron * synapses.blocks[block, COLUMNS]
    if synapses.blocks[block, LAYOUT] != QUEUED:
        prefetch(synapses.start, row)
        prefetch(synapses.start, row + synapses.blocks[block, COLUMNS])


@tick_kernel
def words_of(synapses, row, columns):
    """Return the synapses of an axon, from its first entry in `start` and the number of its entries."""
    return np.int64(synapses.start[row + columns]) - np.int64(synapses.start[row])


@tick_kernel
def begin_tick(lanes, tick):
    """Forget the spikes of a tick so long ago that all their synapses have acted."""
    for lane in range(lanes.table.shape[0]):
        line = lanes.table[lane]
        lanes.arrived[line[ARRIVED] + tick % line[HISTORY]] = 0


@tick_kernel
def deliver(synapses, lanes, slots, bank, tick):
    """Add all segments of `bank` that are due in `tick`; return the synaptic events."""
    listed, start, n, total = lanes.listed, synapses.start, 0, 0
    for lane in range(lanes.bank_first[bank], lanes.bank_first[bank + 1]):
        line = lanes.table[lane]
        first_delay, history = line[DELAY], line[HISTORY]
        now = tick % history
        for k in range(line[DELAY_END] - first_delay):
            at = now - lanes.delays[first_delay + k]
            at = at + history if at < 0 else at
            base = np.uint64(line[RING] + at * line[WIDTH])
            for j in range(np.uint64(lanes.arrived[line[ARRIVED] + at])):
                segment = np.uint64(lanes.ring[base + j]) + np.uint64(k)
                begin, end = np.uint64(start[segment]), np.uint64(start[segment + np.uint64(1)])
                while begin < end:
                    stop = min(begin + _PIECE, end)
                    listed[n, 0], listed[n, 1] = begin, stop
                    listed[n, 2], listed[n, 3] = line[LANE_SLOT], line[LANE_SHIFT]
                    begin = stop
                    n += 1
                    if n == listed.shape[0]:
                        total += walk(synapses.words, listed, slots, n)
                        n = 0
    return total + walk(synapses.words, listed, slots, n)


@tick_kernel
def deliver_rows(synapses, flight, slots, tick):
    """Add all words of rows that are due in `tick`, in all banks; return the synaptic events."""
    wheel, total = flight.wheel, 0
    bucket = tick % wheel.buckets.size
    entry = wheel.buckets[bucket]
    wheel.buckets[bucket] = -1
    while entry >= 0:
        following = np.int64(wheel.next[entry])
        if following >= 0:
            prefetch(synapses.beside, wheel.place[following] - synapses.first_beside)
            prefetch(synapses.words, wheel.place[following])
        block, begin = wheel.block[entry], wheel.place[entry]
        end = take_due(synapses, wheel, entry, tick)
        slot, shift = synapses.blocks[block, BLOCK_SLOT], synapses.blocks[block, BLOCK_SHIFT]
        add_words(synapses.words, begin, end, slots, slot, shift)
        total += end - begin
        entry = following
    return total


@tick_kernel
def walk(words, listed, slots, n):
    """Add the first `n` listed pieces to their slots; return the synaptic events."""
    total = 0
    for i in range(min(n, _AHEAD)):
        _fetch(words, listed, i)
    for i in range(n):
        if i + _AHEAD < n:
            _fetch(words, listed, i + _AHEAD)
        begin, end = listed[i, 0], listed[i, 1]
        add_words(words, begin, end, slots, listed[i, 2], listed[i, 3])
        total += np.int64(end) - np.int64(begin)
    return total


@tick_kernel
def _fetch(words, listed, i):
    """Prefetch the words of a listed piece; asking for the line of its last word too brought nothing."""
    for word in range(np.int64(listed[i, 0]), np.int64(listed[i, 1]), _LINE_WORDS):
        prefetch_once(words, word)


@kernel
def in_flight(synapses, flight, tick):
    """Count the synaptic events that are still to come when all ticks before `tick` are done."""
    total, lanes = 0, flight.lanes
    for lane in range(lanes.table.shape[0]):
        line = lanes.table[lane]
        delays = lanes.delays[line[DELAY] : line[DELAY_END]]
        for sent in range(max(tick - line[HISTORY], 0), tick):
            at = sent % line[HISTORY]
            base = line[RING] + at * line[WIDTH]
            k = np.searchsorted(delays, tick - sent)
            for j in range(base, base + lanes.arrived[line[ARRIVED] + at]):
                total += words_of(synapses, np.int64(lanes.ring[j]) + k, delays.size - k)
    return total + waiting_in_flight(synapses, flight.wheel) + queued_in_flight(synapses, flight.queues)
