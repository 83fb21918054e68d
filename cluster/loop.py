"""The worker loop: receive the epoch's address events, tick, send. Compiled, many epochs a call.

The only place where chip kernels and the exchange meet. A chip takes axon numbers, the exchange carries
keys; a `Port` holds what turns one into the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.arrays import N_SPIKES
from chip.delivery import push, room_in_wheel
from chip.jit import kernel
from chip.tick import advance_tick
from cluster.exchange import publish, wait_for

ABORTED = -1

_LOW = np.uint64(0xFFFFFFFF)


class Port(NamedTuple):
    """One chip's end of the exchange. M members of the network, S slices and T table entries of the chip.

    Attributes
    ----------
    me, n_chips, epoch_ticks, n_neurons, n_pushes : int
        `n_pushes` is the most spikes that can come to wait in rows in one tick.
    member_first : (M + 1,) int64
        First global number of each member.
    block_first : (M + 1,) int64
        A member's blocks are ``block_axon[block_first[m]:block_first[m + 1]]``.
    block_axon : int64
        This chip's axon of the member's first neuron, for each block.
    slice_member, slice_entry : (S,) int64
        Member and routing table entry of each slice.
    dest_start : (T + 1,) int32
    dest : int32
        Destination chips of each entry.
    entry_events : (T,) int64
        Spikes that each entry has routed.
    lengths : (n_chips,) int64
        Keys written in this epoch to each chip.
    received : (2,) int64
        Address events received: from the chip itself, from others.
    """

    me: int
    n_chips: int
    epoch_ticks: int
    n_neurons: int
    n_pushes: int
    member_first: NDArray[np.int64]
    block_first: NDArray[np.int64]
    block_axon: NDArray[np.int64]
    slice_member: NDArray[np.int64]
    slice_entry: NDArray[np.int64]
    dest_start: NDArray[np.int32]
    dest: NDArray[np.int32]
    entry_events: NDArray[np.int64]
    lengths: NDArray[np.int64]
    received: NDArray[np.int64]


@kernel
def run(chip, port, mail, tick, until):
    """Advance a chip from `tick` towards `until`.

    Returns
    -------
    int
        The tick reached: `until`, or less when a buffer must be drained first; `ABORTED` on abort.
    """
    while (
        tick < until
        and not _full(chip.output, chip.probes, port.n_neurons)
        and room_in_wheel(chip.flight, port.n_pushes)
    ):
        if port.n_chips > 1 and tick % port.epoch_ticks == 0:
            epoch = tick // port.epoch_ticks
            if not wait_for(mail.control, port.me, port.n_chips, epoch):
                return ABORTED
            if epoch > 0:
                _receive(chip, port, mail, epoch - 1)
            port.lengths[:] = 0
        begin = chip.output.counters[N_SPIKES]
        advance_tick(chip, tick)
        _send(chip, port, mail, tick, begin)
        tick += 1
        if port.n_chips > 1 and tick % port.epoch_ticks == 0:
            publish(mail.control, port.me, tick // port.epoch_ticks)
    return tick


@kernel
def _full(output, probes, n_neurons):
    """Return whether the next tick's spikes or samples might not fit."""
    if output.counters[N_SPIKES] + n_neurons > output.spikes.size:
        return True
    for probe in range(probes.rows.size):
        width = probes.first[probe + 1] - probes.first[probe]
        if probes.sample_first[probe] + (probes.rows[probe] + 1) * width > probes.sample_first[probe + 1]:
            return True
    return False


@kernel
def _receive(chip, port, mail, epoch):
    """Push all keys that others have sent to this chip in `epoch`."""
    parity = epoch % 2
    for source in range(port.n_chips):
        if source == port.me:
            continue
        place = mail.first[source] + (parity * port.n_chips + port.me) * mail.room[source]
        done = 0
        for k in range(port.epoch_ticks):
            end = np.int64(mail.counts[parity, source, port.me, k])
            for j in range(place + done, place + end):
                key = np.int64(mail.keys[j])
                member = _member_of(port.member_first, key)
                for block in range(port.block_first[member], port.block_first[member + 1]):
                    axon = port.block_axon[block] + key - port.member_first[member]
                    push(chip.synapses, chip.flight, chip.output.counters, axon, epoch * port.epoch_ticks + k)
            done = end
        port.received[1] += done


@kernel
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


@kernel
def _send(chip, port, mail, tick, begin):
    """Push this tick's spikes on the own chip and write them to the mailboxes of all they must reach."""
    parity, spikes = (tick // port.epoch_ticks) % 2, chip.output.spikes
    for part in range(port.slice_member.size):
        end, member, entry = chip.output.slice_end[part], port.slice_member[part], port.slice_entry[part]
        if end > begin:
            blocks = range(port.block_first[member], port.block_first[member + 1])
            port.entry_events[entry] += end - begin
            port.received[0] += end - begin if len(blocks) > 0 else 0
            for i in range(begin, end):
                neuron = np.int64(spikes[i] & _LOW) - port.member_first[member]
                for block in blocks:
                    push(
                        chip.synapses,
                        chip.flight,
                        chip.output.counters,
                        port.block_axon[block] + neuron,
                        tick,
                    )
            for d in range(port.dest_start[entry], port.dest_start[entry + 1]):
                destination = np.int64(port.dest[d])
                length = port.lengths[destination]
                place = (
                    mail.first[port.me] + (parity * port.n_chips + destination) * mail.room[port.me] + length
                )
                for i in range(begin, end):
                    mail.keys[place + i - begin] = np.uint32(spikes[i] & _LOW)
                port.lengths[destination] = length + end - begin
        begin = end
    if port.n_chips > 1:
        for destination in range(port.n_chips):
            mail.counts[parity, port.me, destination, tick % port.epoch_ticks] = port.lengths[destination]
