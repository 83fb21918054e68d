"""From a `ChipSpec` to `ChipArrays`: where everything stands, and what it holds at tick 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.arrays import (
    BANK,
    HISTORY,
    N_COUNTERS,
    N_SLICE_COLUMNS,
    NEURONS,
    POISSON,
    TIMES,
    WIDTH,
    ChipArrays,
    Flight,
    Inputs,
    Integers,
    Neurons,
    Output,
    Probes,
    Sources,
    Synapses,
)
from chip.binomial import poisson_table
from chip.lanes import Lanes, wheel_size
from chip.memory import SynapseMemory
from chip.neurons import MODEL_NUMBER, MODELS
from chip.neurons.model import Lowered, broadcast
from chip.random import Purpose, stream_key
from chip.spec import ChipSpec, InputSpec, SliceSpec
from chip.values import draw_values, law_of
from network import DCInput, PoissonSource, Population, SpikeTimesSource

_SEGMENTS = 4096
_SPIKE_ROOM = 1 << 16
_SAMPLE_ROWS = 256
_SAMPLE_BYTES = 1 << 25
"""A probe's samples between two drains: at most 256 rows and 32 MiB, but one row in any case."""


@dataclass(frozen=True)
class Places:
    """Where the slices and banks of a chip stand in its arrays.

    Attributes
    ----------
    bank_slot, bank_pitch : (n_banks,) int64 arrays
        First slot of each bank, and slots of one receptor.
    n_slots : int
    """

    bank_slot: Integers
    bank_pitch: Integers
    n_slots: int

    @classmethod
    def of(cls, spec: ChipSpec) -> Places:
        """Lay the banks out."""
        pitch, receptors = np.zeros(spec.n_banks, np.int64), np.ones(spec.n_banks, np.int64)
        for part in spec.slices:
            if part.bank >= 0:
                pitch[part.bank] = max(pitch[part.bank], part.bank_neuron + part.n)
                receptors[part.bank] = max(receptors[part.bank], len(part.lsb))
        first = np.concatenate([[0], np.cumsum(pitch * receptors)])
        return cls(first[:-1], pitch, int(first[-1]))

    def slot(self, part: SliceSpec, receptor: int) -> int:
        """Return the slot of the slice's first neuron."""
        return int(self.bank_slot[part.bank] + receptor * self.bank_pitch[part.bank]) + part.bank_neuron


def first_of(sizes: Sequence[int]) -> Integers:
    """Return where each of consecutive ranges begins, and where the last ends: (n + 1,) int64."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(sizes, np.int64))])


def lower_slice(spec: ChipSpec, part: SliceSpec) -> Lowered:
    """Draw a slice's parameters and initial state and turn them into the kernel's coefficients."""
    population = part.member
    assert isinstance(population, Population)
    model = MODELS[population.model]

    def drawn(purpose: Purpose, place: int, value: Any) -> NDArray[np.float64]:
        return draw_values(value, stream_key(spec.seed, purpose, part.number, place), part.first, part.n)

    parameters = {
        parameter.name: drawn(
            Purpose.PARAMETER, k, population.parameters.get(parameter.name, parameter.default)
        )
        for k, parameter in enumerate(model.parameters)
    }
    initial = {
        state.name: drawn(Purpose.INITIAL, k, population.initial[state.name])
        for k, state in enumerate(model.states)
        if state.name in population.initial
    }
    return model.lower(parameters, initial, spec.timestep_ms, part.lsb)


def drive_of(spec: ChipSpec, part: SliceSpec, lowered: Lowered) -> NDArray[np.float64]:
    """Return what the constant currents add to each neuron of a slice in a tick: (n,) float64."""
    population = part.member
    assert isinstance(population, Population)
    model = MODELS[population.model]
    place = [parameter.name for parameter in model.parameters].index(model.offset_parameter)
    offset = population.parameters.get(model.offset_parameter, model.parameters[place].default)
    key = stream_key(spec.seed, Purpose.PARAMETER, part.number, place)
    current = draw_values(offset, key, part.first, part.n)
    for number, described in enumerate(population.inputs):
        if isinstance(described, DCInput):
            key = stream_key(spec.seed, Purpose.INPUT, part.number, number)
            current = current + draw_values(described.current_pa, key, part.first, part.n)
    return np.broadcast_to(lowered.drive_gain * current, (part.n,)).copy()


class Builder:
    """Lays a chip's memory out, group by group."""

    def __init__(self, spec: ChipSpec, memory: SynapseMemory) -> None:
        self.spec, self.memory, self.places = spec, memory, Places.of(spec)
        self.lanes = Lanes.of(spec)
        self.dtype = np.dtype(spec.precision)
        self.lowered = [lower_slice(spec, p) if p.bank >= 0 else None for p in spec.slices]
        self.coefficients = [self._coefficients(k) for k in range(len(spec.slices))]
        self.times = [_times(part, spec.timestep_ms) for part in spec.slices]
        self.padded = first_of([-(-p.n // 8) * 8 for p in spec.slices])

    def arrays(self) -> ChipArrays:
        """Return the chip's memory at tick 0."""
        n_banks = self.spec.n_banks
        banks = np.array([p.bank if p.bank >= 0 else n_banks for p in self.spec.slices], np.int64)
        return ChipArrays(
            synapses=self._synapses(),
            flight=self._flight(),
            neurons=self._neurons(),
            inputs=self._inputs(),
            sources=self._sources(),
            output=self._output(),
            probes=self._probes(),
            slices=self._slices(),
            bank_first=np.searchsorted(banks, np.arange(n_banks + 2)).astype(np.int64),
        )

    def _slices(self) -> Integers:
        """Return the table of slices, columns in the order of `chip.arrays`."""
        slices, places = self.spec.slices, self.places
        state = first_of([_n_variables(p) * p.n for p in slices])
        coefficient = first_of([flat.size for _, flat in self.coefficients])
        drive = first_of([p.n if p.bank >= 0 else 0 for p in slices])
        inputs = first_of([len(p.inputs) for p in slices])
        times = first_of([tick.size for tick, _ in self.times])
        lines = [
            (
                _kind(p),
                MODEL_NUMBER.get(getattr(p.member, "model", ""), -1),
                p.n,
                p.first_global,
                p.first,
                *state[k : k + 2],
                *coefficient[k : k + 2],
                self.coefficients[k][0],
                drive[k],
                places.slot(p, 0) if p.bank >= 0 else 0,
                places.bank_pitch[p.bank] if p.bank >= 0 else 0,
                *self.padded[k : k + 2],
                *inputs[k : k + 2],
                times[k + 1],
            )
            for k, p in enumerate(slices)
        ]
        return np.array(lines, np.int64).reshape(len(slices), N_SLICE_COLUMNS)

    def _synapses(self) -> Synapses:
        blocks, places, memory = self.spec.blocks, self.places, self.memory
        sizes = [block.n for block in blocks]
        slot = [int(places.bank_slot[b.bank] + b.receptor * places.bank_pitch[b.bank]) for b in blocks]
        entries = np.repeat(np.array([b.delays.size if b.segments else 1 for b in blocks], np.int64), sizes)
        return Synapses(
            words=memory.words,
            start=memory.start,
            late=memory.late,
            first_late=memory.words.size - memory.late.size,
            axon_start=np.concatenate([np.zeros(1, np.int64), np.cumsum(entries)]),
            axon_lane=np.repeat(np.array(self.lanes.of_block, np.int32), sizes),
            axon_slot=np.repeat(np.array(slot, np.int64), sizes),
            axon_shift=np.repeat(np.array([b.shift for b in blocks], np.uint8), sizes),
        )

    def _flight(self) -> Flight:
        lanes, columns = self.lanes, self.lanes.table
        ring = int((columns[:, WIDTH] * columns[:, HISTORY]).sum())
        wheel = wheel_size(self.spec)
        longest = max((int(b.delays[-1]) for b in self.spec.blocks if not b.segments), default=0)
        return Flight(
            lanes=columns,
            bank_lane=np.searchsorted(columns[:, BANK], np.arange(self.spec.n_banks + 1)).astype(np.int64),
            delays=lanes.delays,
            ring=np.empty(ring, np.uint32),
            arrived=np.zeros(int(columns[:, HISTORY].sum()), np.int32),
            buckets=np.full(longest + 1, -1, np.int32),
            wheel_next=np.empty(wheel, np.int32),
            wheel_axon=np.empty(wheel, np.uint32),
            wheel_place=np.empty(wheel, np.int64),
            wheel_sent=np.empty(wheel, np.int64),
            wheel_state=np.array([0, 0, -1], np.int64),
            segments=np.empty((_SEGMENTS, 3), np.uint32),
        )

    def _output(self) -> Output:
        fired_words = np.zeros(int(self.padded[-1]) // 8, np.uint64)
        return Output(
            fired=fired_words.view(np.uint8),
            fired_words=fired_words,
            spikes=np.empty(2 * self.spec.n_neurons + _SPIKE_ROOM, np.uint64),
            slice_end=np.zeros(len(self.spec.slices), np.int64),
            counters=np.zeros(N_COUNTERS, np.int64),
        )

    def _coefficients(self, k: int) -> tuple[bool, NDArray[Any]]:
        lowered = self.lowered[k]
        if lowered is None:
            return False, np.empty(0, self.dtype)
        return broadcast(lowered.coefficients, self.spec.slices[k].n, self.dtype)

    def _neurons(self) -> Neurons:
        state, drive = [], []
        for part, lowered in zip(self.spec.slices, self.lowered, strict=True):
            if lowered is not None:
                names = MODELS[part.member.model].kernel_state  # type: ignore[union-attr]
                state += [np.broadcast_to(lowered.initial[name], (part.n,)) for name in names]
                drive.append(drive_of(self.spec, part, lowered))
        return Neurons(
            slots=np.zeros(self.places.n_slots, np.int32),
            state=_joined(state, self.dtype),
            coefficients=_joined([flat for _, flat in self.coefficients], self.dtype),
            drive=_joined(drive, self.dtype),
        )

    def _inputs(self) -> Inputs:
        pairs = [(part, described) for part in self.spec.slices for described in part.inputs]
        tables = [self._table(described) for _, described in pairs]
        means = [self._means(part, described) for part, described in pairs]
        keys = [stream_key(self.spec.seed, Purpose.INPUT, p.number, i.number) for p, i in pairs]
        return Inputs(
            key=np.array(keys, np.uint64),
            slot=_integers(self.places.slot(p, i.receptor) for p, i in pairs),
            weight=_integers(i.weight for _, i in pairs),
            table=first_of([thresholds.size for thresholds, _ in tables]),
            thresholds=_joined([thresholds for thresholds, _ in tables], np.dtype(np.uint32)),
            guides=np.array([guide for _, guide in tables], np.int32).reshape(len(pairs), 256),
            mean_first=first_of([m.size for m in means])[:-1].copy(),
            means=_joined(means, np.dtype(np.float64)),
        )

    def _table(self, described: InputSpec) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        law = law_of(described.described.rate_hz)
        if law.varies:
            return np.zeros(0, np.uint32), np.zeros(256, np.int32)
        return poisson_table(law.bounds[0] * self.spec.timestep_ms * 1e-3)

    def _means(self, part: SliceSpec, described: InputSpec) -> NDArray[np.float64]:
        if not law_of(described.described.rate_hz).varies:
            return np.zeros(0)
        key = stream_key(self.spec.seed, Purpose.INPUT, part.number, described.number, 1)
        rates = draw_values(described.described.rate_hz, key, part.first, part.n)
        return np.maximum(rates, 0.0) * (self.spec.timestep_ms * 1e-3)

    def _sources(self) -> Sources:
        slices, h = self.spec.slices, self.spec.timestep_ms
        keys = [stream_key(self.spec.seed, Purpose.SOURCE, part.number) for part in slices]
        return Sources(
            key=np.array(keys, np.uint64),
            threshold=np.array([_threshold(part, h) for part in slices], np.uint64),
            tick=_joined([tick for tick, _ in self.times], np.dtype(np.int64)),
            neuron=_joined([neuron for _, neuron in self.times], np.dtype(np.int64)),
            cursor=first_of([tick.size for tick, _ in self.times])[:-1].copy(),
        )

    def _probes(self) -> Probes:
        index, origin = [], []
        state = first_of([_n_variables(p) * p.n for p in self.spec.slices])
        for probe in self.spec.probes:
            part, lowered = self.spec.slices[probe.slice_number], self.lowered[probe.slice_number]
            assert lowered is not None
            index.append(state[probe.slice_number] + probe.variable * part.n + probe.neuron)
            origin.append(_origin(part, lowered, probe.variable, probe.neuron))
        sizes = [places.size for places in index]
        room = [sample_rows(size) * size for size in sizes]
        return Probes(
            first=first_of(sizes),
            place=_joined(index, np.dtype(np.int64)),
            origin=_joined(origin, np.dtype(np.float64)),
            interval=_integers(p.interval_ticks for p in self.spec.probes),
            rows=np.zeros(len(sizes), np.int64),
            sample_first=first_of(room),
            samples=np.empty(sum(room)),
        )


def sample_rows(width: int) -> int:
    """Return how many rows of `width` values a probe holds until it is drained."""
    return min(max(_SAMPLE_BYTES // (8 * max(width, 1)), 1), _SAMPLE_ROWS)


def _integers(values: Any) -> Integers:
    return np.array(list(values), np.int64)


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate([*parts, np.empty(0, dtype)]).astype(dtype)


def _kind(part: SliceSpec) -> int:
    if isinstance(part.member, PoissonSource):
        return POISSON
    return TIMES if isinstance(part.member, SpikeTimesSource) else NEURONS


def _n_variables(part: SliceSpec) -> int:
    return len(MODELS[part.member.model].kernel_state) if isinstance(part.member, Population) else 0


def _threshold(part: SliceSpec, timestep_ms: float) -> int:
    if not isinstance(part.member, PoissonSource):
        return 0
    return min(int(part.member.rate_hz * timestep_ms * 1e-3 * 2.0**64), 2**64 - 1)


def _times(part: SliceSpec, timestep_ms: float) -> tuple[Integers, Integers]:
    """Return ticks and neurons (within the slice) of a spike-times source, sorted by tick."""
    if not isinstance(part.member, SpikeTimesSource):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    lists = part.member.times_ms[part.first : part.first + part.n]
    neuron = np.repeat(np.arange(part.n), [len(times) for times in lists])
    ms = np.array([time for times in lists for time in times], np.float64)
    tick = np.rint(ms / timestep_ms).astype(np.int64) - 1
    order = np.lexsort((neuron, tick))
    return tick[order], neuron[order]


def _origin(part: SliceSpec, lowered: Lowered, variable: Integers, neuron: Integers) -> NDArray[np.float64]:
    names = MODELS[part.member.model].kernel_state  # type: ignore[union-attr]
    table = np.stack([np.broadcast_to(lowered.origin.get(n, np.zeros(1)), (part.n,)) for n in names])
    return table[variable, neuron]
