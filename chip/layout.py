"""From a `ChipSpec` to `ChipArrays`: where everything stands, and what it holds at tick 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.arrays import (
    BANK,
    CORRELATED,
    HISTORY,
    N_COUNTERS,
    N_SLICE_COLUMNS,
    NEURONS,
    POISSON,
    TIMES,
    WIDTH,
    ChipArrays,
    Flight,
    Integers,
    Neurons,
    Output,
    Probes,
    Synapses,
    first_of,
    integers,
    joined,
)
from chip.currents import build_currents, currents_of, drive_of
from chip.inputs import build_inputs, values_of
from chip.lanes import Lanes, wheel_size
from chip.memory import SynapseMemory
from chip.neurons import MODEL_NUMBER, MODELS
from chip.neurons.model import Lowered, broadcast
from chip.random import Purpose, stream_key
from chip.sources import build_sources, times_of
from chip.spec import ChipSpec, SliceSpec
from chip.waveforms import WaveformTable
from network import (
    CorrelatedPoissonSource,
    PoissonSource,
    Population,
    SpikeTimesSource,
    UploadedSpikesSource,
)

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


def lower_slice(spec: ChipSpec, part: SliceSpec) -> Lowered:
    """Draw a slice's parameters and initial state and turn them into the kernel's coefficients."""
    population = part.member
    assert isinstance(population, Population)
    model = MODELS[population.model]

    def drawn(purpose: Purpose, place: int, value: Any) -> NDArray[np.float64]:
        return values_of(spec, part, value, stream_key(spec.seed, purpose, part.number, place))

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


class Builder:
    """Lays a chip's memory out, group by group."""

    def __init__(self, spec: ChipSpec, memory: SynapseMemory) -> None:
        self.spec, self.memory, self.places = spec, memory, Places.of(spec)
        self.lanes = Lanes.of(spec)
        self.dtype = np.dtype(spec.precision)
        self.lowered = [lower_slice(spec, p) if p.bank >= 0 else None for p in spec.slices]
        self.coefficients = [self._coefficients(k) for k in range(len(spec.slices))]
        self.times = [times_of(part, spec.timestep_ms) for part in spec.slices]
        self.padded = first_of([-(-p.n // 8) * 8 for p in spec.slices])

    def arrays(self) -> ChipArrays:
        """Return the chip's memory at tick 0."""
        n_banks, waveforms = self.spec.n_banks, WaveformTable(self.spec.timestep_ms)
        banks = np.array([p.bank if p.bank >= 0 else n_banks for p in self.spec.slices], np.int64)
        return ChipArrays(
            synapses=self._synapses(),
            flight=self._flight(),
            neurons=self._neurons(),
            inputs=build_inputs(self.spec, self.places.slot, waveforms),
            currents=build_currents(self.spec, self.lowered, waveforms),
            sources=build_sources(self.spec, self.times, waveforms),
            waveforms=waveforms.arrays(),  # when all others have named theirs
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
        currents = first_of([len(currents_of(p)) for p in slices])
        driven = first_of([p.n if currents_of(p) else 0 for p in slices])
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
                *currents[k : k + 2],
                driven[k],
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
            state=joined(state, self.dtype),
            coefficients=joined([flat for _, flat in self.coefficients], self.dtype),
            drive=joined(drive, self.dtype),
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
            place=joined(index, np.dtype(np.int64)),
            origin=joined(origin, np.dtype(np.float64)),
            step=np.zeros(len(sizes)),
            interval=integers(p.interval_ticks for p in self.spec.probes),
            rows=np.zeros(len(sizes), np.int64),
            sample_first=first_of(room),
            samples=np.empty(sum(room)),
        )


def sample_rows(width: int) -> int:
    """Return how many rows of `width` values a probe holds until it is drained."""
    return min(max(_SAMPLE_BYTES // (8 * max(width, 1)), 1), _SAMPLE_ROWS)


def _kind(part: SliceSpec) -> int:
    match part.member:
        case PoissonSource():
            return POISSON
        case CorrelatedPoissonSource():
            return CORRELATED
        case SpikeTimesSource() | UploadedSpikesSource():
            return TIMES
        case Population():
            return NEURONS


def _n_variables(part: SliceSpec) -> int:
    return len(MODELS[part.member.model].kernel_state) if isinstance(part.member, Population) else 0


def _origin(part: SliceSpec, lowered: Lowered, variable: Integers, neuron: Integers) -> NDArray[np.float64]:
    names = MODELS[part.member.model].kernel_state  # type: ignore[union-attr]
    table = np.stack([np.broadcast_to(lowered.origin.get(n, np.zeros(1)), (part.n,)) for n in names])
    return table[variable, neuron]
