"""The synapse memory: rows of words, sorted by axon and delay, made on the chip from rules.

Theory of operation
-------------------
A synapse is one uint32: the target's number within its bank in the low 16 bits, the signed weight in the
high 16. All else is implied by where the word stands. The words of an *axon* (an input line: one source
neuron, one bank, one receptor, one shift) are contiguous and sorted by delay; ``start[axon * n_delays +
k]`` is where its words of the k-th delay begin, so a *segment* is two consecutive entries of `start`.
`delays` lists the delays that any projection onto the chip can draw, and no others, so a network of delays
1 and 1000 has two.

Rules are walked twice, target by target: once to count the words of each segment, once to write them. Draws
are keyed, so the second walk finds what the first has counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.connectivity import Ends, Rows, rows_of, source_of
from chip.jit import kernel
from chip.random import GOLDEN, Purpose, draw, mix64, stream_key
from chip.values import Law, law_of, sample
from chip.weights import LARGEST
from network import Projection

_SWAP = np.uint64(32)
_CHUNK = 1 << 22
"""Synapses between two reports of progress."""


@dataclass(frozen=True)
class RowSpec:
    """The synapses of one projection onto one slice of the chip.

    Attributes
    ----------
    projection : Projection
        As described.
    ends : Ends
        Which targets.
    axon : int
        The chip's axon of the source population's first neuron, in the slice's bank, receptor and shift.
    slice_number : int
        Which of the chip's slices receives.
    receptor : int
    step : float
        The projection's weight step.
    shift : int
        log2 of the step in LSBs.
    timestep_ms : float
    """

    projection: Projection
    ends: Ends
    axon: int
    slice_number: int
    receptor: int
    step: float
    shift: int
    timestep_ms: float

    def key(self) -> np.uint64:
        """Return the key of the projection's synapses."""
        return stream_key(self.ends.seed, Purpose.SYNAPSE, self.ends.projection)


class _Walk(NamedTuple):
    """One `RowSpec` as numbers for the kernels; arrays are (n_targets,) or the rule's lists."""

    kind: int
    key: np.uint64
    identity: np.uint64
    n_sources: int
    first: int
    axon: int
    target: int
    slot: int
    step: float
    shift: int
    timestep_ms: float
    weight: Law
    delay: Law
    in_degree: NDArray[np.int64]
    listed_first: NDArray[np.int64]
    listed_source: NDArray[np.int64]
    listed_weight: NDArray[np.float64]
    listed_delay_ms: NDArray[np.float64]


@dataclass(frozen=True)
class SynapseMemory:
    """A chip's synapses.

    Attributes
    ----------
    words : (n_words,) uint32 array
    start : (n_axons * n_delays + 1,) uint32 array
        Where each segment begins in `words`.
    delays : (n_delays,) int64 array
        Delays in ticks, ascending.
    load : (n_slots,) int64 array
        Sum of the magnitudes of all synapses onto each slot, in LSBs: what the slot must be able to hold.
    digest : (2,) uint64 array
        Order-free hash of all (projection, source, target, weight, delay); adds up over chips.
    n_saturated : int
        Weights cut to the int16 range.
    """

    words: NDArray[np.uint32]
    start: NDArray[np.uint32]
    delays: NDArray[np.int64]
    load: NDArray[np.int64]
    digest: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(2, np.uint64))
    n_saturated: int = 0


def delay_ticks(law: Law, timestep_ms: float) -> tuple[int, int]:
    """Return the least and the greatest delay, in ticks, that `law` (in ms) can draw."""
    low, high = law.bounds
    return max(int(np.floor(low / timestep_ms + 0.5)), 1), max(int(np.floor(high / timestep_ms + 0.5)), 1)


def possible_delays(projection: Projection, timestep_ms: float) -> NDArray[np.int64]:
    """Return all delays, in ticks, that the description of `projection` allows."""
    listed = getattr(projection.connectivity, "delays_ms", None)
    if listed is not None:
        ticks = np.floor(np.asarray(listed, np.float64) / timestep_ms + 0.5).astype(np.int64)
        return np.unique(np.maximum(ticks, 1))
    assert projection.delay_ms is not None
    low, high = delay_ticks(law_of(projection.delay_ms), timestep_ms)
    return np.arange(low, high + 1)


def build(
    specs: Sequence[RowSpec],
    *,
    targets: Sequence[tuple[int, int]],
    n_axons: int,
    n_slots: int,
    progress: Callable[[float], None] = lambda share: None,
) -> SynapseMemory:
    """Make the synapse memory of a chip.

    Parameters
    ----------
    specs : sequence of RowSpec
    targets : sequence of (int, int)
        For each spec, its slice's first neuron within its bank, and first slot of the receptor.
    n_axons, n_slots : int
        Of the whole chip.
    progress : callable
        Told the share done, 0 to 1.

    Raises
    ------
    OverflowError
        More than 2**32 - 1 words.
    """
    delays = _all_delays(specs)
    rank = np.zeros(int(delays[-1]) + 1, np.int64)
    rank[delays] = np.arange(delays.size)
    walks = [_walk(spec, *target) for spec, target in zip(specs, targets, strict=True)]
    total = max(2 * sum(int(walk.in_degree.sum()) for walk in walks), 1)
    reporter = _Reporter(progress, total)
    counts = np.zeros(n_axons * delays.size, np.uint32)
    for walk in walks:
        for low, high in _pieces(walk.in_degree):
            _count(walk, low, high, rank, delays.size, counts)
            reporter.add(int(walk.in_degree[low:high].sum()))
    n_words = int(counts.sum(dtype=np.uint64))
    if n_words > 0xFFFFFFFF:
        raise OverflowError(
            f"synapse memory: must hold at most 4294967295 words, got {n_words}; use more chips"
        )
    start = np.zeros(counts.size + 1, np.uint32)
    np.cumsum(counts, out=start[1:])
    memory = SynapseMemory(np.empty(total // 2, np.uint32), start, delays, np.zeros(n_slots, np.int64))
    return _write(memory, walks, rank, reporter)


def _write(
    memory: SynapseMemory, walks: Sequence[_Walk], rank: NDArray[np.int64], reporter: _Reporter
) -> SynapseMemory:
    cursor = memory.start[:-1].copy()
    n_saturated = 0
    for walk in walks:
        for low, high in _pieces(walk.in_degree):
            n_saturated += _fill(
                walk, low, high, rank, memory.delays.size, cursor, memory.words, memory.load, memory.digest
            )
            reporter.add(int(walk.in_degree[low:high].sum()))
    return SynapseMemory(memory.words, memory.start, memory.delays, memory.load, memory.digest, n_saturated)


class _Reporter:
    def __init__(self, progress: Callable[[float], None], total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, n: int) -> None:
        self._done += n
        self._progress(self._done / self._total)


def _all_delays(specs: Sequence[RowSpec]) -> NDArray[np.int64]:
    sets = [possible_delays(spec.projection, spec.timestep_ms) for spec in specs]
    delays = np.unique(np.concatenate([*sets, np.zeros(0, np.int64)]))
    return delays if delays.size else np.ones(1, np.int64)


def _pieces(in_degree: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut targets into ranges of about `_CHUNK` synapses."""
    ends = np.cumsum(in_degree)
    marks = np.arange(_CHUNK, int(ends[-1]) if ends.size else 0, _CHUNK)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(ends, marks) + 1, [in_degree.size]]))
    return [(int(low), int(high)) for low, high in pairwise(cuts)]


def _walk(spec: RowSpec, target: int, slot: int) -> _Walk:
    rows: Rows = rows_of(spec.projection.connectivity, spec.ends)
    none = Law(0, 0.0, 0.0, 0.0, 0.0)
    weight, delay = spec.projection.weight, spec.projection.delay_ms
    return _Walk(
        kind=rows.kind,
        key=spec.key(),
        identity=mix_identity(spec.ends.projection),
        n_sources=spec.ends.n_sources,
        first=spec.ends.first,
        axon=spec.axon,
        target=target,
        slot=slot,
        step=spec.step,
        shift=spec.shift,
        timestep_ms=spec.timestep_ms,
        weight=none if weight is None else law_of(weight),
        delay=none if delay is None else law_of(delay),
        in_degree=rows.in_degree,
        listed_first=rows.listed_first,
        listed_source=rows.listed_source,
        listed_weight=rows.listed_weight,
        listed_delay_ms=rows.listed_delay_ms,
    )


def mix_identity(projection: int) -> np.uint64:
    """Return the hash that stands for a projection in the synapse digest."""
    return stream_key(projection, Purpose.SYNAPSE)


@kernel
def _synapse(walk, target, row_key, i):
    """Return source, delay in ticks, and the bits and list position for the weight, of one synapse."""
    listed = walk.listed_first[target] + i if walk.listed_first.size > 0 else 0
    entry = walk.listed_source[listed] if walk.listed_source.size > 0 else 0
    source = source_of(
        walk.kind, draw(row_key, np.uint64(2 * i)), walk.n_sources, walk.first + target, i, entry
    )
    bits = draw(row_key, np.uint64(2 * i + 1))
    if walk.listed_delay_ms.size > 0:
        delay_ms = walk.listed_delay_ms[listed]
    else:
        delay_ms = sample(walk.delay, (bits >> _SWAP) | (bits << _SWAP))
    delay = max(np.int64(np.floor(delay_ms / walk.timestep_ms + 0.5)), 1)
    return source, delay, bits, listed


@kernel
def _count(walk, low, high, rank, n_delays, counts):
    """Add to `counts` the words that targets [low, high) put into each segment."""
    for target in range(low, high):
        row_key = draw(walk.key, np.uint64(walk.first + target))
        for i in range(walk.in_degree[target]):
            source, delay, _, _ = _synapse(walk, target, row_key, i)
            counts[(walk.axon + source) * n_delays + rank[delay]] += np.uint32(1)


@kernel
def _fill(walk, low, high, rank, n_delays, cursor, words, load, digest):
    """Write the words of targets [low, high); return how many weights were saturated."""
    n_saturated = 0
    for target in range(low, high):
        row_key = draw(walk.key, np.uint64(walk.first + target))
        total = 0
        for i in range(walk.in_degree[target]):
            source, delay, bits, listed = _synapse(walk, target, row_key, i)
            weight = walk.listed_weight[listed] if walk.listed_weight.size > 0 else sample(walk.weight, bits)
            integer = np.int64(np.rint(weight / walk.step))
            if integer > LARGEST or integer < -LARGEST:
                integer = np.int64(LARGEST) if integer > 0 else np.int64(-LARGEST)
                n_saturated += 1
            segment = (walk.axon + source) * n_delays + rank[delay]
            words[cursor[segment]] = np.uint32((integer << 16) | (walk.target + target))
            cursor[segment] += np.uint32(1)
            total += abs(integer)
            h = mix64(walk.identity + np.uint64(source))
            h = mix64(h ^ np.uint64((walk.first + target) << 17 | delay))
            h = mix64(h ^ np.uint64((integer & 0xFFFF) << 8 | walk.shift))
            digest[0] += h
            digest[1] += mix64(h + GOLDEN)
        load[walk.slot + target] += total << walk.shift
    return n_saturated
