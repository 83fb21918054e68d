"""The worker loop: receive the epoch's address events, tick, send. Compiled, many epochs a call.

The only place where chip kernels and the exchange meet. A chip takes axon numbers, the exchange carries
keys; a `Port` holds what turns one into the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import COLUMNS, ENTRY, N_SPIKES
from chip.delivery import prepare, push, words_of
from chip.jit import tick_kernel
from chip.queues import read_arrivals
from chip.tick import advance_tick
from chip.wheel import room_in_wheel
from cluster.exchange import publish, wait_for

ABORTED = -1

_LOW = np.uint64(0xFFFFFFFF)


class Port(NamedTuple):
    """One worker's end of the exchange: M members, S slices, T table entries, D ways of W workers.

    Attributes
    ----------
    me, n_workers, spins, epoch_ticks, n_neurons, n_pushes : int
        `spins` is how often to look for others before the core is offered; `n_pushes` the most spikes that
        can come to wait in rows in one tick.
    member_first : (M + 1,) int64
        First global number of each member.
    block_first : (M + 1,) int64
        A member's blocks of axons are ``block[block_first[m]:block_first[m + 1]]``.
    block : int64
    slice_member, slice_entry, slice_here : (S,) int64
        Member and routing table entry of each slice, and how many of this worker's chips its spikes reach:
        the slice's own (if it has synapses of the member's), and those that the table names.
    slice_own : (S,) int64
        1 where the slice's own chip is among them, else 0.
    way_first : (T + 1,) int64
        An entry's ways lead to ``way_worker[way_first[t]:way_first[t + 1]]``.
    way_worker, way_chips : (D,) int64
        Other workers, and how many of their chips each spike is for.
    entry_events : (T,) int64
        Spikes that each entry has routed.
    lengths : (W,) int64
        Keys written in this epoch to each worker.
    addressed : (W,) int64
        Address events that they stand for: one for each chip. Of `me` those from one of the own chips to
        another, which have no keys; like all others they count as received when the next epoch begins.
    received : (2,) int64
        Address events received: from the chip itself, from others.
    begun : (1,) int64
        The last tick at which an epoch was begun.
    """

    me: int
    n_workers: int
    spins: int
    epoch_ticks: int
    n_neurons: int
    n_pushes: int
    member_first: NDArray[np.int64]
    block_first: NDArray[np.int64]
    block: NDArray[np.int64]
    slice_member: NDArray[np.int64]
    slice_entry: NDArray[np.int64]
    slice_here: NDArray[np.int64]
    slice_own: NDArray[np.int64]
    way_first: NDArray[np.int64]
    way_worker: NDArray[np.int64]
    way_chips: NDArray[np.int64]
    entry_events: NDArray[np.int64]
    lengths: NDArray[np.int64]
    addressed: NDArray[np.int64]
    received: NDArray[np.int64]
    begun: NDArray[np.int64]


@tick_kernel
def run(chip, port, mail, tick, until):
    """Advance a worker's chips from `tick` towards `until`.

    Returns
    -------
    int
        The tick reached: `until`, or less when a buffer must be drained or grow first; `ABORTED` on abort.
    """
    alone = port.n_workers == 1
    while (
        tick < until
        and not _full(chip.output, chip.probes, port.n_neurons)
        and room_in_wheel(chip.flight.wheel, port.n_pushes)
    ):
        if tick % port.epoch_ticks == 0 and port.begun[0] != tick:
            epoch = tick // port.epoch_ticks
            if not wait_for(mail.control, port.me, port.n_workers, epoch, port.spins):
                return ABORTED
            if epoch > 0:
                _receive(chip, port, mail, epoch - 1)
            port.received[1] += port.addressed[port.me]
            port.lengths[:] = 0
            port.addressed[:] = 0
            port.begun[0] = tick
        if not read_arrivals(chip.synapses, chip.flight.queues, chip.output.counters):
            return tick
        begin = chip.output.counters[N_SPIKES]
        advance_tick(chip, tick)
        _send(chip, port, mail, tick, begin)
        tick += 1
        if not alone and tick % port.epoch_ticks == 0:
            publish(mail.control, port.me, tick // port.epoch_ticks)
    return tick


@tick_kernel
def _full(output, probes, n_neurons):
    """Return whether the next tick's spikes or samples might not fit."""
    if output.counters[N_SPIKES] + n_neurons > output.spikes.size:
        return True
    for probe in range(probes.rows.size):
        width = probes.first[probe + 1] - probes.first[probe]
        if probes.sample_first[probe] + (probes.rows[probe] + 1) * width > probes.sample_first[probe + 1]:
            return True
    return False


@tick_kernel
def _receive(chip, port, mail, epoch):
    """Push all keys that others have sent to this worker in `epoch`."""
    parity = epoch % 2
    for source in range(port.n_workers):
        if source == port.me:
            continue
        place = mail.first[source] + (parity * port.n_workers + port.me) * mail.room[source]
        done = 0
        for k in range(port.epoch_ticks):
            end = np.int64(mail.counts[parity, source, port.me, k])
            for j in range(place + done, place + end):
                key = np.int64(mail.keys[j])
                member = _member_of(port.member_first, key)
                _prepare_all(chip, port, member, key - port.member_first[member])
            for j in range(place + done, place + end):
                key = np.int64(mail.keys[j])
                member = _member_of(port.member_first, key)
                _push_all(chip, port, member, key - port.member_first[member], epoch * port.epoch_ticks + k)
            done = end
        port.received[1] += mail.addressed[parity, source, port.me]


@tick_kernel
def words_in_mailboxes(chip, port, mail, tick):
    """Count the synaptic events of keys not received yet when all ticks before `tick` are done."""
    total, last = 0, tick - 1
    parity, k = (last // port.epoch_ticks) % 2, last % port.epoch_ticks
    for source in range(port.n_workers if tick > 0 else 0):
        if source != port.me:
            place = mail.first[source] + (parity * port.n_workers + port.me) * mail.room[source]
            for j in range(place, place + np.int64(mail.counts[parity, source, port.me, k])):
                key = np.int64(mail.keys[j])
                member = _member_of(port.member_first, key)
                for b in range(port.block_first[member], port.block_first[member + 1]):
                    line = chip.synapses.blocks[port.block[b]]
                    row = line[ENTRY] + (key - port.member_first[member]) * line[COLUMNS]
                    total += words_of(chip.synapses, row, line[COLUMNS])
    return total


@tick_kernel
def _prepare_all(chip, port, member, neuron):
    """Prefetch what pushing a member's neuron will look at."""
    for place in range(port.block_first[member], port.block_first[member + 1]):
        prepare(chip.synapses, port.block[place], neuron)


@tick_kernel
def _push_all(chip, port, member, neuron, tick):
    """Let a member's neuron have spiked: push it on all its axons."""
    for place in range(port.block_first[member], port.block_first[member + 1]):
        push(chip.synapses, chip.flight, chip.output.counters, port.block[place], neuron, tick)


@tick_kernel
def _member_of(member_first, key):
    """Return the member that holds `key`; empty members hold none."""
    low, high = 0, member_first.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if member_first[middle] <= key:
            low = middle
        else:
            high = middle
    return low


@tick_kernel
def _send(chip, port, mail, tick, begin):
    """Push this tick's spikes on the own axons and write them to the mailboxes of all they must reach."""
    parity, spikes = (tick // port.epoch_ticks) % 2, chip.output.spikes
    for part in range(port.slice_member.size):
        end = chip.output.slice_end[part]
        if end > begin:
            member, entry = port.slice_member[part], port.slice_entry[part]
            port.entry_events[entry] += end - begin
            port.received[0] += (end - begin) * port.slice_own[part]
            port.addressed[port.me] += (end - begin) * (port.slice_here[part] - port.slice_own[part])
            if port.slice_here[part] > 0:
                for i in range(begin, end):
                    _prepare_all(chip, port, member, np.int64(spikes[i] & _LOW) - port.member_first[member])
                for i in range(begin, end):
                    neuron = np.int64(spikes[i] & _LOW) - port.member_first[member]
                    _push_all(chip, port, member, neuron, tick)
            for way in range(port.way_first[entry], port.way_first[entry + 1]):
                _mail(port, mail, parity, spikes[begin:end], port.way_worker[way], port.way_chips[way])
        begin = end
    if port.n_workers > 1:
        for worker in range(port.n_workers):
            mail.counts[parity, port.me, worker, tick % port.epoch_ticks] = port.lengths[worker]
            mail.addressed[parity, port.me, worker] = port.addressed[worker]


@tick_kernel
def _mail(port, mail, parity, spikes, worker, n_chips):
    """Write spikes to the mailbox of a worker, once, however many of its chips they are for."""
    length = port.lengths[worker]
    place = mail.first[port.me] + (parity * port.n_workers + worker) * mail.room[port.me] + length
    for i in range(spikes.size):
        mail.keys[place + i] = np.uint32(spikes[i] & _LOW)
    port.lengths[worker] = length + spikes.size
    port.addressed[worker] += spikes.size * n_chips
