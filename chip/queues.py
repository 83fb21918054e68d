"""Queued rows: short rows are read once, when their spike arrives, and each word joins the queue of its tick.

Theory of operation
-------------------
There is a queue for each *terminal* (bank, receptor, weight step) and tick. Beside each word of a queued
row stand its delay and its terminal, so one row leads into all banks, and an axon is fetched once. Queues are
made of chunks of words that are used again; a tick reads its queues in sequence, into slots that stay in the
cache.

Rows that arrive are noted first and read at the next tick's begin, with prefetches of where later rows begin,
and of their words. When the chunks might not last for the next row, reading stops (`read_arrivals` returns
False) and goes on when there are more.
"""

from __future__ import annotations

import numpy as np

from chip.arrays import ARRIVALS, FREE, HIGHEST, IN_USE, SENT, SHORT, TAKEN
from chip.jit import inner_kernel, kernel, prefetch, prefetch_once, prefetch_to_write, tick_kernel
from chip.rows import QUEUE_BITS
from chip.words import add_words

CHUNK = 128
"""Words of a chunk: half a KiB."""

_FAR, _NEAR = 16, 4
"""Rows between a prefetch of where a row begins, of its words, and their use."""

_LINE_WORDS = 16
_LINE_AHEAD = np.uint64(_LINE_WORDS)
_LINES = 12
_BITS, _DELAY, _CHUNK = np.uint64(QUEUE_BITS), np.uint64((1 << QUEUE_BITS) - 1), np.uint64(CHUNK)


@tick_kernel
def arrive(queues, row, tick):
    """Note that a row's axon has spiked in `tick`."""
    n = queues.state[ARRIVALS]
    queues.row[n], queues.sent[n] = row, tick
    queues.state[ARRIVALS] = n + 1


@tick_kernel
def read_arrivals(synapses, queues, counters):
    """Put the words of all rows that have arrived into queues; return whether the chunks lasted."""
    state, n = queues.state, queues.state[ARRIVALS]
    for i in range(state[TAKEN], n):
        if i + _FAR < n:
            prefetch(synapses.start, np.int64(queues.row[i + _FAR]))
        if i + _NEAR < n:
            _fetch(synapses, np.int64(queues.row[i + _NEAR]))
        row = np.int64(queues.row[i])
        begin, end = np.int64(synapses.start[row]), np.int64(synapses.start[row + 1])
        if end - begin > queues.next.size - state[IN_USE]:
            state[TAKEN], state[SHORT] = i, end - begin
            return False
        _read(synapses, queues, begin, end, queues.sent[i])
        counters[SENT] += end - begin
    state[ARRIVALS], state[TAKEN], state[SHORT] = 0, 0, 0
    return True


@tick_kernel
def _fetch(synapses, row):
    """Prefetch a row's words and what stands beside them."""
    ahead = np.int64(synapses.start[row])
    last = min(np.int64(synapses.start[row + 1]), ahead + _LINES * _LINE_WORDS)
    while ahead < last:
        prefetch_once(synapses.words, ahead)
        prefetch_once(synapses.beside, ahead - synapses.first_beside)
        ahead += _LINE_WORDS


@tick_kernel
def _read(synapses, queues, begin, end, sent):
    """Put each word of a row into the queue of its terminal and tick.

    Words of a queue stand together in the row. Four parts of it are read in turns, so that a queue's tail is
    not asked for as soon as it was written.
    """
    quarter = (end - begin) // 4
    for place in range(begin, begin + quarter):
        for k in range(4):
            _put(synapses, queues, np.uint64(place + k * quarter), np.uint64(sent))
    for place in range(begin + 4 * quarter, end):
        _put(synapses, queues, np.uint64(place), np.uint64(sent))


@inner_kernel
def _put(synapses, queues, place, sent):
    """Put a word into its queue."""
    code = np.uint64(synapses.beside[place - np.uint64(synapses.first_beside)])
    ticks = np.uint64(queues.ticks)
    queue = (code >> _BITS) * ticks + ((sent + (code & _DELAY)) & (ticks - np.uint64(1)))
    to = np.uint64(queues.tail[queue])
    if to % _CHUNK == np.uint64(0):
        to = np.uint64(_append(queues, np.int64(queue)))
    prefetch_to_write(queues.chunks, to + _LINE_AHEAD)
    queues.chunks[to] = synapses.words[place]
    queues.tail[queue] = to + np.uint64(1)


@tick_kernel
def _append(queues, queue):
    """Append a chunk to a queue; return the place of its first word."""
    state = queues.state
    state[IN_USE] += 1
    chunk = state[FREE]
    if chunk >= 0:
        state[FREE] = queues.next[chunk]
    else:
        chunk = state[HIGHEST]
        state[HIGHEST] += 1
    if queues.n_chunks[queue] == 0:
        queues.first[queue] = chunk
    else:
        queues.next[(queues.tail[queue] - 1) // CHUNK] = chunk
    queues.n_chunks[queue] += 1
    return chunk * CHUNK


@tick_kernel
def deliver_queued(queues, slots, bank, tick):
    """Add all words that are queued for `bank` and `tick`; return the synaptic events."""
    total = 0
    for terminal in range(queues.bank_first[bank], queues.bank_first[bank + 1]):
        queue = terminal * queues.ticks + tick % queues.ticks
        slot, shift = queues.terminal_slot[terminal], queues.terminal_shift[terminal]
        chunk, n_chunks = np.int64(queues.first[queue]), queues.n_chunks[queue]
        total += queued(queues, queue)
        for k in range(n_chunks):
            begin = chunk * CHUNK
            end = begin + CHUNK if k + 1 < n_chunks else queues.tail[queue]
            following = np.int64(queues.next[chunk])
            if k + 1 < n_chunks:
                for word in range(following * CHUNK, (following + 1) * CHUNK, _LINE_WORDS):
                    prefetch(queues.chunks, word)
            add_words(queues.chunks, begin, end, slots, slot, shift)
            queues.next[chunk] = queues.state[FREE]
            queues.state[FREE] = chunk
            queues.state[IN_USE] -= 1
            chunk = following
        queues.n_chunks[queue] = 0
        queues.tail[queue] = 0
    return total


@tick_kernel
def queued(queues, queue):
    """Count the words of a queue."""
    n_chunks = queues.n_chunks[queue]
    return 0 if n_chunks == 0 else (n_chunks - 1) * CHUNK + (queues.tail[queue] - 1) % CHUNK + 1


@kernel
def queued_in_flight(synapses, queues):
    """Count the synaptic events that are queued, and those of rows that have arrived and are not read yet."""
    total = arrived_words(synapses, queues)
    for queue in range(queues.tail.size):
        total += queued(queues, queue)
    return total


@kernel
def arrived_words(synapses, queues):
    """Count the synaptic events of rows that have arrived and are not read yet: neither sent nor queued."""
    total = 0
    for i in range(queues.state[TAKEN], queues.state[ARRIVALS]):
        row = np.int64(queues.row[i])
        total += np.int64(synapses.start[row + 1]) - np.int64(synapses.start[row])
    return total
