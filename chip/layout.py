"""From a `ChipSpec` to `ChipArrays`: where everything stands, and what it holds at tick 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chip.arrays import (
    CORRELATED,
    N_BLOCK_COLUMNS,
    N_COUNTERS,
    N_SLICE_COLUMNS,
    NEURONS,
    POISSON,
    TIMES,
    ChipArrays,
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
from chip.lanes import LaneTable, build_flight
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

LINE_BYTES = 64
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
                pitch[part.bank] = max(pitch[part.bank], padded(part.bank_neuron + part.n, 4))
                receptors[part.bank] = max(receptors[part.bank], len(part.lsb))
        first = np.concatenate([[0], np.cumsum(pitch * receptors)])
        return cls(first[:-1], pitch, int(first[-1]))

    def slot(self, part: SliceSpec, receptor: int) -> int:
        """Return the slot of the slice's first neuron."""
        return self.bank_slot_of(part.bank, receptor) + part.bank_neuron

    def bank_slot_of(self, bank: int, receptor: int) -> int:
        """Return the slot of a bank's neuron 0."""
        return int(self.bank_slot[bank] + receptor * self.bank_pitch[bank])


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
        self.lanes = LaneTable.of(spec, self.places.bank_slot_of)
        self.dtype = np.dtype(spec.precision)
        self.lowered = [lower_slice(spec, p) if p.bank >= 0 else None for p in spec.slices]
        self.coefficients = [self._coefficients(k) for k in range(len(spec.slices))]
        self.times = [times_of(part, spec.timestep_ms) for part in spec.slices]
        self.countdown_first = first_of([padded(p.n, 1) if p.bank >= 0 else 0 for p in spec.slices])
        self.state_first = first_of([_n_variables(p) * padded(p.n, self.dtype.itemsize) for p in spec.slices])

    def arrays(self) -> ChipArrays:
        """Return the chip's memory at tick 0."""
        n_banks, waveforms = self.spec.n_banks, WaveformTable(self.spec.timestep_ms)
        banks = np.array([p.bank if p.bank >= 0 else n_banks for p in self.spec.slices], np.int64)
        return ChipArrays(
            synapses=self._synapses(),
            flight=build_flight(self.spec, self.lanes, self.places.bank_slot_of),
            neurons=self._neurons(),
            inputs=build_inputs(self.spec, self.places.slot, waveforms),
            currents=build_currents(self.spec, self.lowered, waveforms),
            sources=build_sources(self.spec, self.times, waveforms),
            waveforms=waveforms.arrays(),  # when all others have named theirs
            output=self._output(),
            probes=self._probes(),
            slices=self._slices(),
            bank_first=np.searchsorted(banks, np.arange(n_banks + 2)).astype(np.int64),
            bank_slot=np.append(self.places.bank_slot, self.places.n_slots),
        )

    def _slices(self) -> Integers:
        """Return the table of slices, columns in the order of `chip.arrays`."""
        slices, places = self.spec.slices, self.places
        coefficient = first_of([flat.size for _, flat in self.coefficients])
        drive = first_of([padded(p.n, self.dtype.itemsize) if p.bank >= 0 else 0 for p in slices])
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
                *self.state_first[k : k + 2],
                *coefficient[k : k + 2],
                self.coefficients[k][0],
                drive[k],
                places.slot(p, 0) if p.bank >= 0 else 0,
                places.bank_pitch[p.bank] if p.bank >= 0 else 0,
                self.countdown_first[k],
                *inputs[k : k + 2],
                times[k + 1],
                *currents[k : k + 2],
                driven[k],
            )
            for k, p in enumerate(slices)
        ]
        return np.array(lines, np.int64).reshape(len(slices), N_SLICE_COLUMNS)

    def _synapses(self) -> Synapses:
        memory = self.memory
        return Synapses(
            words=memory.words,
            start=memory.start,
            beside=memory.beside,
            first_beside=memory.words.size - memory.beside.size,
            blocks=self._blocks(),
        )

    def _blocks(self) -> Integers:
        """Return the table of blocks, columns in the order of `chip.arrays`."""
        blocks = self.spec.blocks
        entry = first_of([block.n * block.columns for block in blocks])
        lines = []
        for k, block in enumerate(blocks):
            bank, receptor, shift = block.terminals[0]
            slot = self.places.bank_slot_of(bank, receptor)
            lines.append((block.layout, entry[k], block.columns, self.lanes.of_block[k], slot, shift))
        return np.array(lines, np.int64).reshape(len(blocks), N_BLOCK_COLUMNS)

    def _output(self) -> Output:
        longest = max((part.n for part in self.spec.slices), default=0)
        fired_words = aligned(np.zeros(padded(longest, 1) // 8, np.uint64))
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
                state += [self._padded(np.broadcast_to(lowered.initial[name], (part.n,))) for name in names]
                drive.append(self._padded(drive_of(self.spec, part, lowered)))
        return Neurons(
            slots=aligned(np.zeros(self.places.n_slots, np.int32)),
            state=aligned(joined(state, self.dtype)),
            countdown=aligned(np.zeros(int(self.countdown_first[-1]), self._countdown_dtype)),
            coefficients=joined([flat for _, flat in self.coefficients], self.dtype),
            drive=aligned(joined(drive, self.dtype)),
        )

    @property
    def _countdown_dtype(self) -> np.dtype[Any]:
        longest = max(
            (float(np.max(own.refractory_ticks, initial=0.0)) for own in self.lowered if own), default=0.0
        )
        return np.dtype(np.uint8 if longest <= 255 else np.uint32)

    def _padded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.pad(values, (0, padded(values.size, self.dtype.itemsize) - values.size))

    def _probes(self) -> Probes:
        index, origin = [], []
        for probe in self.spec.probes:
            part, lowered = self.spec.slices[probe.slice_number], self.lowered[probe.slice_number]
            assert lowered is not None
            width = padded(part.n, self.dtype.itemsize)
            index.append(self.state_first[probe.slice_number] + probe.variable * width + probe.neuron)
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


def padded(n: int, n_bytes: int) -> int:
    """Return how many values of `n_bytes` each make `n` of them whole cache lines."""
    per_line = LINE_BYTES // n_bytes
    return -(-n // per_line) * per_line


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that begins with a cache line: vectors that cross lines take twice as long to load."""
    room = np.empty(array.nbytes + LINE_BYTES, np.uint8)
    first = -room.ctypes.data % LINE_BYTES
    copy = room[first : first + array.nbytes].view(array.dtype)
    copy[:] = array
    return copy


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
