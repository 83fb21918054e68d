"""The synapse memory: rows of words, sorted by axon and delay, made on the chip from rules.

Theory of operation
-------------------
A synapse is one uint32: the target's number within its bank in the low 16 bits, the signed weight in the
high 16. All else is implied by where the word stands. The words of an *axon* (an input line: one source
neuron, one bank, one receptor, one shift) are contiguous and sorted by delay. Axons come in blocks, one block
a source population; a block's *layout* says how a word's delay is found:

- ``SEGMENTS``: the block has a column for each delay that any of its projections can draw; a *segment*, the
  words of one axon and one delay, is found by its column. For delays in a narrow range.
- ``ROWS``: a row has a uint16 beside each word, its delay. For delays in a wide range, where most columns
  would be empty; see `chip.wheel` for how such a row is walked.
- ``QUEUED``: the same, with the number of the *terminal* (bank, receptor, shift) above the delay, so that one
  axon leads into all banks. For rows so short that their segments would be of a few words; see `chip.queues`.

Axons of blocks in segments come before all others.

Synapses are generated once, source block by source block (`chip.rules`), their delays and weights are drawn
batch by batch, and each block is sorted by axon and delay while it is in the cache; then it is appended.
Blocks are made side by side in threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.appended import Appended
from chip.errors import ChipError
from chip.laws import law_of
from chip.normal import TABLE
from chip.random import Purpose, stream_key
from chip.rows import BlockSpec, RowSpec, beside
from chip.rules import BATCH, Batch, Generator, generator_of
from chip.rules.generator import power_of_two
from chip.sorting import Drawn, Places, impossible, place, sort_rows, sort_segments
from network import DistanceDependent

MAX_WORDS = 2**32 - 1
"""Of one memory: where a segment or row begins is a uint32."""

_AHEAD = 2
"""Units that are made while one is appended, for each thread."""

_UNIT = 1 << 19
"""Synapses of a unit, about: 10 bytes each while they are sorted."""

_KEYS = 1 << 20
"""Segments of a unit at most, unless the generators' blocks have more: counters that a sort holds."""


@dataclass(frozen=True)
class WeightErrors:
    """What the weights of a projection lost by becoming integers, on this chip, in the weight's unit."""

    projection: int
    largest: float
    total: float
    count: int


@dataclass(frozen=True)
class SynapseMemory:
    """A chip's synapses.

    Attributes
    ----------
    words : (n_words,) uint32 array
    start : (n_starts,) uint32 array
        Where each segment of the axons in segments, then each row of the axons in rows, begins in `words`;
        last where the last ends.
    beside : (n_row_words,) uint16 array
        What stands beside the words in rows, the last of `words`: the delay, and of queued ones the terminal.
    load : (n_slots,) int64 array
        Sum of the magnitudes of all synapses onto each slot, in LSBs: what the slot must be able to hold.
    digest : (2,) uint64 array
        Order-free hash of all (projection, source, target, weight, delay); adds up over chips.
    n_saturated : int
        Weights cut to the int16 range.
    errors : tuple of WeightErrors
        One for each projection.
    onto : mapping from int to int
        Synapses onto each slice, by its number on the chip.
    """

    words: NDArray[np.uint32]
    start: NDArray[np.uint32]
    beside: NDArray[np.uint16]
    load: NDArray[np.int64]
    digest: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(2, np.uint64))
    n_saturated: int = 0
    errors: tuple[WeightErrors, ...] = ()
    onto: Mapping[int, int] = field(default_factory=dict)


class _Unit(NamedTuple):
    """The sorted synapses of consecutive axons of one block: words, where segments or rows begin, delays."""

    words: NDArray[np.uint32]
    start: NDArray[np.uint32]
    late: NDArray[np.uint16]


@dataclass
class _Sums:
    """What is added up over units that one thread makes, and its scratch; a unit borrows one."""

    load: NDArray[np.int64]
    digest: NDArray[np.uint64]
    n_saturated: int
    errors: dict[tuple[int, int], NDArray[np.float64]]
    batch: Batch
    drawn: Drawn
    sources: NDArray[np.uint32]
    delays: NDArray[np.uint16]
    words: NDArray[np.uint32]

    @classmethod
    def of(cls, n_slots: int) -> _Sums:
        """Return sums of nothing."""
        empty = Drawn(*(np.empty(0) for _ in Drawn._fields))
        none = np.empty(0, np.uint32), np.empty(0, np.uint16), np.empty(0, np.uint32)
        return cls(np.zeros(n_slots, np.int64), np.zeros(2, np.uint64), 0, {}, Batch.of(0), empty, *none)

    def room_for_batch(self, size: int) -> None:
        """Make batches of `size` synapses possible."""
        if self.batch.source.size < size:
            self.batch, self.drawn = Batch.of(size), Drawn(*(np.empty(size) for _ in Drawn._fields))

    def room_for(self, n: int) -> None:
        """Make room for `n` synapses in the unit; what is there stays."""
        if self.words.size < n:
            self.sources, self.delays, self.words = (
                np.concatenate([old, np.empty(2 * n - old.size, old.dtype)])
                for old in (self.sources, self.delays, self.words)
            )


class _Row:
    """A `RowSpec` that is being made: its generator, and its numbers for the kernels."""

    def __init__(self, spec: RowSpec, target: int, slot: int) -> None:
        self.spec, ends = spec, spec.ends
        self.generator: Generator = generator_of(spec.rule, ends)
        projection = spec.projection
        self.weight = spec.law(projection.weight, "weights")
        self.delay = spec.law(projection.delay_ms, "delays_ms")
        self.axonal = law_of(0.0 if projection.axonal_delay_ms is None else projection.axonal_delay_ms)
        none = np.empty((0, 0))
        self.places = Places(
            identity=mix_identity(ends.projection),
            first=ends.first,
            target=target,
            slot=slot,
            step=spec.step,
            shift=spec.shift,
            timestep_ms=spec.timestep_ms,
            beside=beside(spec.terminal, 0),
            far=any(law.needs_distance for law in (self.weight, self.delay, self.axonal)),
            source_um=none if ends.source_um is None else ends.source_um,
            target_um=none if ends.target_um is None else ends.target_um,
            period_um=np.empty(0) if ends.period_um is None else ends.period_um,
            code_values=spec.codes.values,
            code_integers=spec.codes.integers,
        )

    def make(self, low: int, high: int, sums: _Sums, at: int) -> int:
        """Generate the synapses of sources ``low ... high - 1`` into `sums` from `at` on; return the end."""
        key = self.spec.ends.projection, self.spec.slice_number
        generator, errors = self.generator, sums.errors.setdefault(key, np.zeros(3))
        sums.room_for_batch(max(BATCH, generator.most))
        step = high - low if generator.block == 1 else generator.block
        for begin in range(low, high, step):
            end = min(begin + step, high)
            cursor = generator.begin(begin, end)
            while cursor < generator.end(begin, end):
                n, cursor = generator.emit(begin, end, cursor, sums.batch)
                sums.room_for(at + n)
                sums.n_saturated += place(
                    sums.batch,
                    n,
                    low,
                    self.places,
                    self.weight,
                    self.delay,
                    self.axonal,
                    TABLE,
                    sums.drawn,
                    sums.sources,
                    sums.delays,
                    sums.words,
                    at,
                    sums.load,
                    sums.digest,
                    errors,
                )
                errors[2] += n
                at += n
        return at


def mix_identity(projection: int) -> np.uint64:
    """Return the hash that stands for a projection in the synapse digest."""
    return stream_key(projection, Purpose.SYNAPSE)


def build(
    specs: Sequence[RowSpec],
    *,
    blocks: Sequence[BlockSpec],
    targets: Sequence[tuple[int, int]],
    n_slots: int,
    threads: int = 1,
    progress: Callable[[float], None] = lambda share: None,
) -> SynapseMemory:
    """Make the synapse memory of a chip.

    Parameters
    ----------
    specs : sequence of RowSpec
    blocks : sequence of BlockSpec
        Of all axons, in order; those in segments first.
    targets : sequence of (int, int)
        For each spec, its slice's first neuron within its bank, and first slot of the receptor.
    n_slots : int
        Of the whole chip.
    threads : int
        Cores to use.
    progress : callable
        Told the share done, 0 to 1.

    Raises
    ------
    OverflowError
        More than `MAX_WORDS` words.
    """
    sums = [_Sums.of(n_slots) for _ in range(threads)]
    spare: SimpleQueue[_Sums] = SimpleQueue()
    for each in sums:
        spare.put(each)
    in_rows = [spec for spec in specs if not blocks[spec.block].segments]
    n_words, n_late = (sum(map(_n_expected, some)) for some in (specs, in_rows))
    growing = _Growing(sum(block.n for block in blocks), n_words, n_late)
    of_block: list[list[tuple[RowSpec, tuple[int, int]]]] = [[] for _ in blocks]
    for spec, ends in zip(specs, targets, strict=True):
        of_block[spec.block].append((spec, ends))
    with ThreadPoolExecutor(threads, "synapses") as pool:
        for block, mine in zip(blocks, of_block, strict=True):
            rows = list(pool.map(lambda pair: _Row(pair[0], *pair[1]), mine))
            rank = _ranks(block)
            for unit in _ordered(pool, threads, partial(_unit, block, rank, rows, spare), _cuts(block, rows)):
                growing.append(block, unit)
                progress(growing.n_axons_done / max(growing.n_axons, 1))
    return _joined(growing, sums)


def _n_expected(spec: RowSpec) -> int:
    """Return the synapses to make room for; of a rule of distance, whose number is not known yet, none."""
    ends, rule = spec.ends, spec.projection.connectivity
    if isinstance(rule, DistanceDependent):
        return 0
    return rule.n_synapses(ends.n_sources, ends.n_targets) * ends.n // max(ends.n_targets, 1)


def _cuts(block: BlockSpec, rows: Sequence[_Row]) -> list[tuple[int, int]]:
    """Cut a block's sources into units of about `_UNIT` synapses, at the generators' blocks."""
    per_source = sum(row.generator.n_expected for row in rows) / max(block.n, 1)
    least = max((max(row.generator.block, row.generator.chunk) for row in rows), default=1)
    most = max(_KEYS // (block.delays.size if block.segments else 1), 1)
    size = max(
        least, power_of_two(_UNIT / max(per_source, 1e-9)) if per_source * block.n > _UNIT else block.n
    )
    size = min(power_of_two(size), max(power_of_two(most) // 2, least))
    return [(low, min(low + size, block.n)) for low in range(0, block.n, size)]


def _ordered(
    pool: ThreadPoolExecutor,
    threads: int,
    work: Callable[[int, int], _Unit],
    cuts: Sequence[tuple[int, int]],
) -> Iterator[_Unit]:
    """Yield the units of all cuts in order, made side by side, a few ahead of what was taken."""
    waiting: deque[Future[_Unit]] = deque()
    for low, high in cuts:
        waiting.append(pool.submit(work, low, high))
        if len(waiting) > _AHEAD * threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _ranks(block: BlockSpec) -> NDArray[np.int64]:
    """Return the column of each delay, -1 for those that a block does not have: (65536,) int64."""
    rank = np.full(1 << 16, -1, np.int64)
    rank[block.delays] = np.arange(block.delays.size)
    return rank


def _unit(
    block: BlockSpec,
    rank: NDArray[np.int64],
    rows: Sequence[_Row],
    spare: SimpleQueue[_Sums],
    low: int,
    high: int,
) -> _Unit:
    """Make the synapses of axons ``low ... high - 1`` of a block."""
    sums = spare.get()
    try:
        n = 0
        for row in rows:
            n = row.make(low, high, sums, n)
        words, late = np.empty(n, np.uint32), np.empty(0 if block.segments else n, np.uint16)
        wrong = impossible(sums.delays, n, rank)
        if wrong >= 0:
            raise ChipError(
                f"synapse memory: a delay must be from {block.delays[0]} to {block.delays[-1]} ticks as "
                f"described, got {wrong}; this is a defect of the emulation, report the network"
            )
        if block.segments:
            start = sort_segments(
                sums.sources, sums.delays, sums.words, n, rank, block.delays.size, high - low, words
            )
        else:
            start = sort_rows(sums.sources, sums.delays, sums.words, n, high - low, words, late)
        return _Unit(words, start, late)
    finally:
        spare.put(sums)


class _Growing:
    """The memory while it is appended to: arrays with room at the end, doubled when it is used up."""

    def __init__(self, n_axons: int, n_words: int, n_late: int) -> None:
        self.n_axons, self.n_axons_done = n_axons, 0
        self.words = Appended(np.dtype(np.uint32), n_words)
        self.late = Appended(np.dtype(np.uint16), n_late)
        self.starts = Appended(np.dtype(np.uint32), 0)

    def append(self, block: BlockSpec, unit: _Unit) -> None:
        """Append a unit."""
        if self.words.n + unit.words.size > MAX_WORDS:
            raise OverflowError(
                f"synapse memory: must hold at most {MAX_WORDS} words, got more in the first "
                f"{self.n_axons_done} of {self.n_axons} axons; use more chips, and fewer of them a thread"
            )
        self.starts.append(unit.start + np.uint32(self.words.n))
        self.words.append(unit.words)
        self.late.append(unit.late)
        self.n_axons_done += unit.start.size // (block.delays.size if block.segments else 1)


def _joined(growing: _Growing, sums: Sequence[_Sums]) -> SynapseMemory:
    growing.starts.append(np.array([growing.words.n], np.uint32))
    errors: dict[int, NDArray[np.float64]] = {}
    onto: dict[int, int] = {}
    for each in sums:
        for (projection, part), (largest, total, count) in each.errors.items():
            known = errors.setdefault(projection, np.zeros(3))
            known[:] = max(known[0], largest), known[1] + total, known[2] + count
            onto[part] = onto.get(part, 0) + int(count)
    return SynapseMemory(
        words=growing.words.filled,
        start=growing.starts.filled,
        beside=growing.late.filled,
        load=np.sum([each.load for each in sums], axis=0),
        digest=np.sum([each.digest for each in sums], axis=0, dtype=np.uint64),
        n_saturated=sum(each.n_saturated for each in sums),
        errors=tuple(
            WeightErrors(projection, float(largest), float(total), int(count))
            for projection, (largest, total, count) in sorted(errors.items())
        ),
        onto=onto,
    )
