"""From generated synapses to sorted words: delays, weights, the digest, and counting sorts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.codes import nearest
from chip.jit import kernel
from chip.positions import fill_distances
from chip.random import GOLDEN, mix64
from chip.values import fill
from chip.weights import LARGEST

_WEIGHT, _DELAY, _AXONAL = np.uint64(0), np.uint64(8), np.uint64(16)
"""Salts of what is drawn for a synapse; `chip.values.fill` wants multiples of 8."""

_BEYOND = 1e6
"""Beyond any integer that a word holds, and still an integer."""

_S32, _S16, _S8 = np.uint64(32), np.uint64(16), np.uint64(8)


class Places(NamedTuple):
    """One projection onto one slice as numbers for the kernels.

    Attributes
    ----------
    identity : uint64
        The projection's hash in the digest.
    first : int
        The slice's first neuron within the population.
    target : int
        The slice's first neuron within the bank.
    slot : int
        The slice's first slot of the receptor.
    step : float
        The weight step.
    shift : int
        log2 of it in LSBs.
    timestep_ms : float
    beside : int
        What is added to the delay that is sorted by, and stands beside words in rows.
    far : bool
        Whether a law is a function of distance.
    source_um, target_um, period_um : float64 arrays
        Positions; empty where distance plays no role.
    code_values, code_integers : arrays
        The weights that a synapse can have; empty for all.
    """

    identity: np.uint64
    first: int
    target: int
    slot: int
    step: float
    shift: int
    timestep_ms: float
    beside: int
    far: bool
    source_um: NDArray[np.float64]
    target_um: NDArray[np.float64]
    period_um: NDArray[np.float64]
    code_values: NDArray[np.float64]
    code_integers: NDArray[np.int64]


class Drawn(NamedTuple):
    """Scratch for a batch: distances, values that are drawn."""

    distance: NDArray[np.float64]
    weight: NDArray[np.float64]
    delay: NDArray[np.float64]
    axonal: NDArray[np.float64]
    spare: NDArray[np.float64]


@kernel
def _integer(places, weight):
    """Return the integer that stands for a weight, not yet cut to its range."""
    if places.code_values.size > 0:
        return places.code_integers[nearest(places.code_values, weight)]
    return np.int64(np.rint(min(max(weight / places.step, -_BEYOND), _BEYOND)))


@kernel
def place(
    batch,
    n,
    low,
    places,
    weight,
    delay,
    axonal,
    table,
    drawn,
    sources,
    delays,
    words,
    at,
    load,
    digest,
    errors,
):
    """Turn the `n` synapses of a batch into words; return how many weights were saturated.

    Parameters
    ----------
    low : int
        The first source of the unit.
    weight, delay, axonal : Law
    sources, delays, words : uint32, uint16, uint32 arrays
        Written from `at` on: source within the unit, delay in ticks, word.
    load : (n_slots,) int64
        Magnitudes are added.
    digest : (2,) uint64
        Added to.
    errors : (>= 2,) float64
        Largest and sum of what weights lose; raised and added to.
    """
    if places.far:
        fill_distances(
            places.source_um,
            places.target_um,
            places.period_um,
            batch.source,
            batch.target,
            drawn.distance,
            n,
        )
    fill(weight, _WEIGHT, batch.bits, drawn.distance, batch.entry, table, drawn.spare, drawn.weight, n)
    fill(delay, _DELAY, batch.bits, drawn.distance, batch.entry, table, drawn.spare, drawn.delay, n)
    fill(axonal, _AXONAL, batch.bits, drawn.distance, batch.entry, table, drawn.spare, drawn.axonal, n)
    n_saturated, h = 0, places.timestep_ms
    largest, total = errors[0], errors[1]
    for i in range(n):
        ticks = np.int64(np.floor(drawn.delay[i] / h + 0.5)) + np.int64(np.floor(drawn.axonal[i] / h + 0.5))
        ticks = max(ticks, 1)
        integer = _integer(places, drawn.weight[i])
        if integer > LARGEST or integer < -LARGEST:
            integer = np.int64(LARGEST) if integer > 0 else np.int64(-LARGEST)
            n_saturated += 1
        error = abs(integer * places.step - drawn.weight[i])
        largest = max(largest, error)
        total += error
        target = np.int64(batch.target[i])
        sources[at + i] = batch.source[i] - low
        delays[at + i] = ticks + places.beside
        words[at + i] = np.uint32((integer << 16) | (places.target + target))
        load[places.slot + target] += abs(integer) << places.shift
        who = np.uint64(batch.source[i]) << _S32 | np.uint64(places.first + target)
        what = np.uint64(ticks) << _S32 | np.uint64(integer & 0xFFFF) << _S8 | np.uint64(places.shift)
        hashed = mix64(mix64(who + places.identity) ^ what)
        digest[0] += hashed
        digest[1] += mix64(hashed + GOLDEN)
    errors[0], errors[1] = largest, total
    return n_saturated


@kernel
def impossible(delays, n, rank):
    """Return the first of `n` delays that has no column, -1 if all have one."""
    for i in range(n):
        if rank[delays[i]] < 0:
            return np.int64(delays[i])
    return np.int64(-1)


@kernel
def sort_segments(sources, delays, words, n, rank, n_delays, n_sources, out):
    """Sort words by source, then delay.

    Parameters
    ----------
    sources, delays, words : arrays
        The first `n` entries are the unit's synapses.
    rank : (65536,) int64
        The column of each delay; -1 for none.
    out : (n,) uint32
        Written.

    Returns
    -------
    (n_sources * n_delays,) uint32
        Where each segment begins.
    """
    start = np.zeros(n_sources * n_delays + 1, np.uint32)
    for i in range(n):
        start[np.int64(sources[i]) * n_delays + rank[delays[i]] + 1] += np.uint32(1)
    for k in range(n_sources * n_delays):
        start[k + 1] += start[k]
    cursor = start[:-1].copy()
    for i in range(n):
        segment = np.int64(sources[i]) * n_delays + rank[delays[i]]
        out[cursor[segment]] = words[i]
        cursor[segment] += np.uint32(1)
    return start[:-1]


@kernel
def sort_rows(sources, delays, words, n, n_sources, out, late):
    """Sort words and their delays by source, then delay; return where each source's row begins.

    Delays are sorted first, all sources together, then sources, which keeps the order of delays.
    """
    longest = np.int64(0)
    for i in range(n):
        longest = max(longest, np.int64(delays[i]))
    place = np.zeros(longest + 2, np.int64)
    for i in range(n):
        place[np.int64(delays[i]) + 1] += 1
    for k in range(longest + 1):
        place[k + 1] += place[k]
    order = np.empty(n, np.int64)
    for i in range(n):
        order[place[delays[i]]] = i
        place[delays[i]] += 1
    start = np.zeros(n_sources + 1, np.uint32)
    for i in range(n):
        start[np.int64(sources[i]) + 1] += np.uint32(1)
    for k in range(n_sources):
        start[k + 1] += start[k]
    cursor = start[:-1].copy()
    for k in range(n):
        i = order[k]
        to = cursor[sources[i]]
        out[to], late[to] = words[i], delays[i]
        cursor[sources[i]] += np.uint32(1)
    return start[:-1]
