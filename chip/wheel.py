"""Rows that wait: a spike waits in the bucket of the tick in which its row's next word is due.

There its due words are listed, and it moves on to the bucket of the next. So a delay of a thousand ticks
costs nothing while it passes (a timing wheel: Varghese and Lauck 1987, SOSP).
"""

from __future__ import annotations

import numpy as np

from chip.arrays import FREE, HIGHEST, IN_USE
from chip.jit import kernel, tick_kernel


@tick_kernel
def begin_to_wait(synapses, wheel, row, block, tick):
    """Let a row that has words wait for the first of them."""
    entry = _take(wheel)
    wheel.row[entry], wheel.block[entry], wheel.sent[entry] = row, block, tick
    _wait(synapses, wheel, entry, np.int64(synapses.start[row]))


@tick_kernel
def take_due(synapses, wheel, entry, tick):
    """Return where the words of an entry that are due in `tick` end, and let it wait for the others."""
    row, sent = np.int64(wheel.row[entry]), wheel.sent[entry]
    last, end = np.int64(synapses.start[row + 1]), wheel.place[entry] + 1
    while end < last and sent + np.int64(synapses.beside[end - synapses.first_beside]) == tick:
        end += 1
    if end < last:
        _wait(synapses, wheel, entry, end)
    else:
        wheel.next[entry] = wheel.state[FREE]
        wheel.state[FREE] = entry
        wheel.state[IN_USE] -= 1
    return end


@tick_kernel
def _take(wheel):
    """Return an entry that is not in use."""
    state = wheel.state
    state[IN_USE] += 1
    entry = state[FREE]
    if entry >= 0:
        state[FREE] = wheel.next[entry]
        return entry
    state[HIGHEST] += 1
    return state[HIGHEST] - 1


@tick_kernel
def _wait(synapses, wheel, entry, place):
    """Let an entry wait until the word at `place` is due."""
    due = wheel.sent[entry] + np.int64(synapses.beside[place - synapses.first_beside])
    bucket = due % wheel.buckets.size
    wheel.next[entry] = wheel.buckets[bucket]
    wheel.place[entry] = place
    wheel.buckets[bucket] = entry


@tick_kernel
def room_in_wheel(wheel, n_pushes):
    """Return whether `n_pushes` more spikes can wait."""
    return wheel.state[IN_USE] + n_pushes <= wheel.next.size


@kernel
def waiting_in_flight(synapses, wheel):
    """Count the synaptic events that wait."""
    total = 0
    for bucket in range(wheel.buckets.size):
        entry = wheel.buckets[bucket]
        while entry >= 0:
            total += np.int64(synapses.start[np.int64(wheel.row[entry]) + 1]) - wheel.place[entry]
            entry = wheel.next[entry]
    return total
