"""Chips for tests: a network becomes the specification of one chip, which then runs alone.

`cluster` does this for many chips; here it is done anew, in the plainest way, so that tests of a chip do
not hang on it: one LSB for everything, and axons in the order of projections.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chip import MODELS, AxonBlock, Chip, ChipSpec, InputSpec, ProbeSpec, SliceSpec
from chip.connectivity import Ends
from chip.memory import RowSpec, possible_delays
from chip.tick import advance_tick, push
from network import Network, PoissonInput, Population

LSB = 2.0**-6


class Cut(NamedTuple):
    """Where neurons `first ... first + n - 1` of a member stand; bank -1 for those of a source."""

    member: str
    first: int
    n: int
    bank: int = 0
    bank_neuron: int = 0


def whole(network: Network) -> list[Cut]:
    """Return the cuts that put all populations into one bank, one after the other."""
    cuts, place = [], 0
    for member in network.members:
        is_population = isinstance(member, Population)
        cuts.append(Cut(member.name, 0, member.size, 0 if is_population else -1, place))
        place += member.size if is_population else 0
    return cuts


def spec_of(
    network: Network,
    *,
    cuts: Sequence[Cut] | None = None,
    precision: Any = "float64",
    shifts: Mapping[str, int] | None = None,
    lsb: float = LSB,
) -> ChipSpec:
    """Return the specification of a chip that holds the neurons of `cuts`, all by default.

    `shifts` gives projections, by name, a step of 2**shift LSBs.
    """
    slices = tuple(_slice(network, cut, lsb) for cut in (cuts or whole(network)))
    blocks, rows = _rows(network, slices, shifts or {}, lsb)
    delays = [possible_delays(projection, network.timestep_ms) for projection in network.projections]
    return ChipSpec(
        name="chip (board 0, chip 0)",
        seed=network.seed,
        timestep_ms=network.timestep_ms,
        precision=precision,
        n_banks=1 + max(part.bank for part in slices),
        slices=slices,
        blocks=blocks,
        rows=rows,
        probes=tuple(_probe(network, slices, number) for number in range(len(network.recordings))),
        history_ticks=1 + max((int(ticks[-1]) for ticks in delays if ticks.size), default=1),
    )


def _slice(network: Network, cut: Cut, lsb: float) -> SliceSpec:
    member = network.member(cut.member)
    number = network.members.index(member)
    first_global = network.offsets[cut.member] + cut.first
    if not isinstance(member, Population):
        return SliceSpec(member, number, first_global, cut.first, cut.n, -1, 0)
    model = MODELS[member.model]
    inputs = tuple(
        InputSpec(given, k, model.receptor(given.receptor), round(given.weight / lsb))
        for k, given in enumerate(member.inputs)
        if isinstance(given, PoissonInput)
    )
    lsbs = (lsb,) * len(model.receptors)
    return SliceSpec(member, number, first_global, cut.first, cut.n, cut.bank, cut.bank_neuron, lsbs, inputs)


def _rows(
    network: Network, slices: tuple[SliceSpec, ...], shifts: Mapping[str, int], lsb: float
) -> tuple[tuple[AxonBlock, ...], tuple[RowSpec, ...]]:
    blocks, rows, n_axons = [], [], 0
    for number, projection in enumerate(network.projections):
        source, target = network.member(projection.source), network.member(projection.target)
        receptor = MODELS[target.model].receptor(projection.receptor)
        shift = shifts.get(projection.name, 0)
        for place, part in enumerate(slices):
            if part.member is target:
                source_number = network.members.index(source)
                blocks.append(AxonBlock(source_number, source.size, n_axons, part.bank, receptor, shift))
                ends = Ends(network.seed, number, source.size, target.size, part.first, part.n)
                step, h = lsb * 2.0**shift, network.timestep_ms
                rows.append(RowSpec(projection, ends, n_axons, place, receptor, step, shift, h))
                n_axons += source.size
    return tuple(blocks), tuple(rows)


def _probe(network: Network, slices: tuple[SliceSpec, ...], number: int) -> ProbeSpec:
    """Sample the first slice of the recorded population."""
    recording = network.recordings[number]
    place = next(k for k, part in enumerate(slices) if part.member.name == recording.population)
    names = MODELS[slices[place].member.model].kernel_state
    neurons = np.array(recording.neurons.range, np.int64)
    return ProbeSpec(
        recording=number,
        columns=np.arange(len(recording.variables) * neurons.size),
        slice_number=place,
        variable=np.repeat([names.index(name) for name in recording.variables], neurons.size),
        neuron=np.tile(neurons, len(recording.variables)),
        interval_ticks=network.ticks(recording.interval_ms),
    )


class Lone:
    """A chip that runs alone: its spikes go to its own axons. `tick` is the next."""

    def __init__(self, spec: ChipSpec) -> None:
        self.chip, self.tick = Chip(spec), 0
        self._members = {part.first_global: part for part in spec.slices}

    def run(self, n_ticks: int) -> list[tuple[int, int]]:
        """Advance, and return (tick, global number) of all spikes, in order."""
        spikes: list[tuple[int, int]] = []
        for _ in range(n_ticks):
            advance_tick(self.chip.arrays, self.tick)
            drained = self.chip.drain_spikes()
            for neuron in (drained & np.uint64(0xFFFFFFFF)).tolist():
                self._push(neuron)
            spikes += [(word >> 32, word & 0xFFFFFFFF) for word in drained.tolist()]
            self.tick += 1
        return spikes

    def _push(self, neuron: int) -> None:
        part = self._members[max(first for first in self._members if first <= neuron)]
        arrays, within = self.chip.arrays, neuron - part.first_global + part.first
        for block in self.chip.spec.blocks:
            if block.source == part.number:
                push(arrays.synapses, arrays.flight, arrays.output.counters, block.first + within, self.tick)

    def states(self, n_ticks: int) -> list[np.ndarray]:
        """Advance and return the samples of each probe."""
        self.run(n_ticks)
        return self.chip.drain_samples()
