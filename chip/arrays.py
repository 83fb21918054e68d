"""A chip's memory as kernels see it: named tuples of arrays, with no idea of populations or processes.

Kernels take only the groups that they need: Numba passes a tuple field by field, and a call with all of
them would take longer to compile than to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DELIVERED, SENT, N_SPIKES, N_COUNTERS = range(4)
"""Places in `Output.counters`: synaptic events delivered and sent, spikes in `Output.spikes`."""

NEURONS, POISSON, TIMES, CORRELATED = range(4)
"""What a slice is."""

(
    KIND,
    MODEL,
    SIZE,
    FIRST_GLOBAL,
    FIRST,
    STATE,
    STATE_END,
    COEFFICIENT,
    COEFFICIENT_END,
    VARYING,
    DRIVE,
    SLOT,
    PITCH,
    COUNTDOWN,
    INPUT,
    INPUT_END,
    TIME_END,
    CURRENT,
    CURRENT_END,
    DRIVEN,
    N_SLICE_COLUMNS,
) = range(21)
"""Columns of `ChipArrays.slices`: what the slice is, its size and numbers, and where its parts stand."""

BANK, DELAY, DELAY_END, RING, WIDTH, HISTORY, ARRIVED, LANE_SLOT, LANE_SHIFT, N_LANE_COLUMNS = range(10)
"""Columns of `Lanes.table`: its bank, its delays, where its ring begins, axons, ticks kept, where its counts
begin, slot of the bank's neuron 0, log2 of the weight step in LSBs."""

SEGMENTS, ROWS, QUEUED = range(3)
"""Layouts of synapses (see `chip.memory`)."""

LAYOUT, ENTRY, COLUMNS, LANE, BLOCK_SLOT, BLOCK_SHIFT, N_BLOCK_COLUMNS = range(7)
"""Columns of `Synapses.blocks`: its layout; its first entry in `start` and entries an axon; its lane, if in
segments; slot of the bank's neuron 0 and log2 of the weight step, unless queued."""

IN_USE, HIGHEST, FREE = range(3)
"""Places in `Wheel.state` and `Queues.state`: in use, ever used, the first that is free again."""

ARRIVALS, TAKEN, SHORT = range(3, 6)
"""More in `Queues.state`: rows that have arrived, those of them that are read, chunks that were missing."""

Integers = NDArray[np.int64]


class Synapses(NamedTuple):
    """The synapse memory (see `chip.memory`): W words, of which R stand in rows, of B blocks of axons."""

    words: NDArray[np.uint32]  # (W,) target within the bank | weight << 16
    start: NDArray[np.uint32]  # where each segment or row begins in `words`; last where the last ends
    beside: NDArray[np.uint16]  # (R,) beside the words in rows: delay, or terminal << 8 | delay
    first_beside: int  # W - R
    blocks: Integers  # (B, N_BLOCK_COLUMNS)


class Lanes(NamedTuple):
    """Spikes in flight of axons in segments (see `chip.delivery`): L lanes of B banks."""

    table: Integers  # (L, N_LANE_COLUMNS)
    bank_first: Integers  # (B + 1,) first lane of each bank
    delays: Integers  # of all lanes, one after the other; ticks, ascending in each lane
    ring: NDArray[np.uint32]  # first entries of axons that spiked: of each lane, in each of its recent ticks
    arrived: NDArray[np.int32]  # entries of each tick of each lane
    listed: NDArray[np.uint32]  # (n, 4) scratch: first word, end of the words, slot, shift


class Wheel(NamedTuple):
    """Spikes in flight of axons in rows (see `chip.wheel`): E entries."""

    buckets: NDArray[np.int32]  # first entry that is due in each tick, modulo; -1: none
    next: NDArray[np.int32]  # (E,) next entry of the bucket, or of those that are free; -1: none
    row: NDArray[np.uint32]  # (E,) the row's place in `Synapses.start`
    block: NDArray[np.int32]  # (E,) block of axons
    place: Integers  # (E,) the word that is due
    sent: Integers  # (E,) tick of the spike
    state: Integers  # (3,) IN_USE, HIGHEST, FREE


class Queues(NamedTuple):
    """Synaptic events in flight of queued axons (see `chip.queues`): T terminals of B banks, C chunks."""

    terminal_slot: Integers  # (T,) slot of the bank's neuron 0
    terminal_shift: Integers  # (T,) log2 of the weight step in LSBs
    bank_first: Integers  # (B + 1,) first terminal of each bank
    ticks: int  # queues of a terminal, by tick modulo; a power of two
    first: NDArray[np.int32]  # (T * ticks,) first chunk of each queue
    n_chunks: NDArray[np.int32]  # (T * ticks,)
    tail: Integers  # (T * ticks,) where the next word is to stand; a chunk's begin: in a new one
    chunks: NDArray[np.uint32]  # (C * CHUNK,) words
    next: NDArray[np.int32]  # (C,) next chunk of the queue, or of those that are free; -1: none
    row: NDArray[np.uint32]  # rows that have arrived: place in `Synapses.start`
    sent: Integers  # tick of the spike
    state: Integers  # (6,) IN_USE, HIGHEST, FREE, ARRIVALS, TAKEN, SHORT


class Flight(NamedTuple):
    """What is in flight, for each layout."""

    lanes: Lanes
    wheel: Wheel
    queues: Queues


class Neurons(NamedTuple):
    """State and coefficients of all slices, one after the other."""

    slots: NDArray[np.int32]
    state: Any  # float32 or float64
    countdown: Any  # ticks of refractoriness to go; uint8 if enough, or uint32
    coefficients: Any
    drive: Any  # what currents add in a tick


class Inputs(NamedTuple):
    """Poisson inputs: I of them, those of a slice one after the other."""

    key: NDArray[np.uint64]  # (I,)
    slot: Integers  # (I,)
    weight: Integers  # (I,) LSBs
    waveform: Integers  # (I,) what means are multiplied with; -1: nothing
    tabled: NDArray[np.float64]  # (I,) the waveform's value that thresholds and silences are for
    table: Integers  # (I + 1,) thresholds of each input; no entries: means are per neuron
    thresholds: NDArray[np.uint32]
    guides: NDArray[np.int32]  # (I, 256)
    mean_first: Integers  # (I,)
    means: NDArray[np.float64]  # events a tick
    silences: NDArray[np.float64]  # chance of no event, for each of `means`
    bits: NDArray[np.uint32]  # scratch
    counts: NDArray[np.int32]  # scratch


class Currents(NamedTuple):
    """Currents that change: C of them, those of a slice one after the other, into N neurons."""

    waveform: Integers  # (C,) -1: a noise
    latest: NDArray[np.float64]  # (C,) value or interval that the drive is for
    scale_first: Integers  # (C,)
    scale: NDArray[np.float64]  # what the waveform is multiplied with, per neuron; mean and sd of a noise; pA
    key: NDArray[np.uint64]  # (C,) of a noise
    interval: Integers  # (C,) ticks from draw to draw of a noise
    normal: NDArray[np.float64]  # `chip.normal.TABLE`
    constant: NDArray[np.float64]  # (N,) pA
    gain: NDArray[np.float64]  # (N,) what 1 pA adds in a tick
    total: NDArray[np.float64]  # scratch


class Waveforms(NamedTuple):
    """Functions of time: W of them (see `chip.waveforms`)."""

    now: NDArray[np.float64]  # (W,) values in this tick
    kind: Integers  # (W,)
    step_first: Integers  # (W + 1,) where the steps of each begin
    step_tick: Integers
    step_value: NDArray[np.float64]
    numbers: NDArray[np.float64]  # (W, 4) ramp: start and stop in ticks, first, last; sine: offset, amplitude
    turns: NDArray[
        np.uint64
    ]  # (W, 3) sine, 2**-64 turns: at tick 0, a tick, 2**32 times what that leaves out


class Sources(NamedTuple):
    """Source populations: S slices, those that are no source with empty entries."""

    key: NDArray[np.uint64]  # (S,)
    mother: NDArray[np.uint64]  # (S,) key of a correlated source's mother
    waveform: Integers  # (S,) what the chance is multiplied with; -1: nothing
    chance: NDArray[np.float64]  # (S,) of a spike in a tick; of the mother in a correlated source
    threshold: NDArray[np.uint64]  # (S,) the same of 64 bits
    copy: NDArray[np.uint64]  # (S,) the chance of a copy of the mother's spike, of 64 bits
    tick: Integers
    neuron: Integers
    cursor: Integers  # (S,) next entry of a spike-times source


class Output(NamedTuple):
    """What the chip gives: spikes and counts."""

    fired: NDArray[np.uint8]  # flags of the slice that is updated; all are 0 between slices
    fired_words: NDArray[np.uint64]  # the same bytes as `fired`
    spikes: NDArray[np.uint64]  # tick << 32 | global number
    slice_end: Integers  # (S,) spikes so far, after each slice of this tick
    counters: Integers  # (N_COUNTERS,)


class Probes(NamedTuple):
    """Samples: P probes, those of state variables first, then those of weights."""

    first: Integers  # (P + 1,)
    place: Integers  # places in `Neurons.state`, or in `Synapses.words`
    origin: NDArray[np.float64]  # what to add to a state variable
    step: NDArray[np.float64]  # (P,) what one unit of a word's weight is worth; 0 for state variables
    interval: Integers  # (P,) ticks
    rows: Integers  # (P,) rows taken since the last drain
    sample_first: Integers  # (P + 1,) where a probe's rows begin in `samples`
    samples: NDArray[np.float64]


class ChipArrays(NamedTuple):
    """All memory of a chip of B banks and S slices."""

    synapses: Synapses
    flight: Flight
    neurons: Neurons
    inputs: Inputs
    currents: Currents
    waveforms: Waveforms
    sources: Sources
    output: Output
    probes: Probes
    slices: Integers  # (S, N_SLICE_COLUMNS)
    bank_first: Integers  # (B + 2,) first slice of each bank; the last range holds the sources
    bank_slot: Integers  # (B + 1,) first slot of each bank


def first_of(sizes: Sequence[int]) -> Integers:
    """Return where each of consecutive ranges begins, and where the last ends: (n + 1,) int64."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(sizes, np.int64))])


def integers(values: Iterable[Any]) -> Integers:
    """Return whole numbers as an array."""
    return np.array(list(values), np.int64)


def joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return arrays one after the other, as one of `dtype`."""
    return np.concatenate([*parts, np.empty(0, dtype)]).astype(dtype)
