"""Rows of synapses as rules, as memory, and as a list that plain Python expands from the same draws."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.connectivity import Ends, rows_of
from chip.memory import RowSpec, SynapseMemory, build
from chip.random import Purpose, below
from chip.values import law_of, sample
from network import AllToAll, Explicit, OneToOne, Projection, Value
from tests.chip.oracle import draws, key_of

STEP = 2.0**-6


class Synapse(NamedTuple):
    """One synapse: numbers within its populations, delay in ticks, weight in steps."""

    source: int
    target: int
    delay: int
    weight: int


def row(
    rule: Any,
    *,
    sizes: tuple[int, int],
    part: tuple[int, int] | None = None,
    weight: Value | None = 1.0,
    delay_ms: Value | None = 1.0,
    **more: Any,
) -> RowSpec:
    """Return the row of a projection onto targets [low, high) of `part`, all of them by default.

    `sizes` are those of the source and the target population.
    """
    low, high = part or (0, sizes[1])
    fields: dict[str, Any] = {"axon": 0, "slice_number": 0, "receptor": 0, "step": STEP, "shift": 0}
    ends = Ends(more.pop("seed", 7), more.pop("projection", 0), *sizes, low, high - low)
    described = Projection(source="s", target="t", connectivity=rule, weight=weight, delay_ms=delay_ms)
    return RowSpec(described, ends, timestep_ms=0.1, **(fields | more))


def memory_of(*rows: RowSpec, axons: int | None = None, places: Any = None) -> SynapseMemory:
    """Return the memory of rows; by default of slices that begin their bank and have their own slots."""
    first = np.cumsum([0, *(spec.ends.n for spec in rows)]).tolist()
    targets = places or [(0, slot) for slot in first[:-1]]
    n_axons = axons or max((spec.axon + spec.ends.n_sources for spec in rows), default=0)
    return build(rows, targets=targets, n_axons=n_axons, n_slots=first[-1])


def decoded(memory: SynapseMemory) -> NDArray[np.int64]:
    """Return axon, delay, target within the bank and weight of every word, in memory's order: (n, 4)."""
    counts = np.diff(memory.start.astype(np.int64))
    segment = np.repeat(np.arange(counts.size), counts)
    target = (memory.words & np.uint32(0xFFFF)).astype(np.int64)
    weight = memory.words.view(np.int32).astype(np.int64) >> 16
    n_delays = memory.delays.size
    return np.stack([segment // n_delays, memory.delays[segment % n_delays], target, weight], axis=1)


def synapses_of(spec: RowSpec) -> list[Synapse]:
    """Return the synapses of a row, sorted, as its memory holds them; targets within the population."""
    table = decoded(memory_of(spec))
    table[:, 0] -= spec.axon
    table[:, 2] += spec.ends.first
    return sorted(Synapse(source, target, delay, weight) for source, delay, target, weight in table.tolist())


def expanded(spec: RowSpec) -> list[Synapse]:
    """Return the same, one synapse after the other in plain Python.

    The i-th synapse of a target has draws 2 i (its source) and 2 i + 1 (the low half its weight, the high
    half its delay) of the target's key.
    """
    rule, ends, described = spec.projection.connectivity, spec.ends, spec.projection
    key, out = key_of(ends.seed, Purpose.SYNAPSE, ends.projection), []
    for target, n in zip(range(ends.first, ends.first + ends.n), _in_degree(spec), strict=True):
        of_target = draws(key, target)[0]
        listed = [k for k, t in enumerate(getattr(rule, "targets", ())) if t == target]
        for i in range(n):
            entry = listed[i] if listed else -1
            bits, swapped = (
                draws(of_target, 2 * i + 1)[0],
                draws(of_target, 2 * i + 1).view(np.uint32)[::-1],
            )
            weight = _value(described.weight, getattr(rule, "weights", None), entry, bits)
            delay = _value(
                described.delay_ms, getattr(rule, "delays_ms", None), entry, swapped.copy().view(np.uint64)[0]
            )
            steps = max(-32767, min(32767, round(weight / spec.step)))
            source = _source(rule, ends, target, i, entry, draws(of_target, 2 * i)[0])
            out.append(Synapse(source, target, max(1, int(delay / 0.1 + 0.5)), steps))
    return sorted(out)


def _in_degree(spec: RowSpec) -> list[int]:
    return rows_of(spec.projection.connectivity, spec.ends).in_degree.tolist()


def _source(rule: Any, ends: Ends, target: int, i: int, entry: int, bits: np.uint64) -> int:
    if isinstance(rule, Explicit):
        return rule.sources[entry]
    if isinstance(rule, OneToOne):
        return target
    return i if isinstance(rule, AllToAll) else below(bits, ends.n_sources)


def _value(described: Value | None, listed: Any, entry: int, bits: np.uint64) -> float:
    return listed[entry] if described is None else sample(law_of(described), bits)
