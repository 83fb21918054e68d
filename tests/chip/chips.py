"""Chips for tests: a network becomes the specification of one chip, which then runs alone.

`cluster` does this for many chips; here it is done anew, in the plainest way, so that tests of a chip do
not hang on it: one LSB for everything, and axons in the order of projections.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chip import MODELS, AxonBlock, Chip, ChipSpec, InputSpec, ProbeSpec, SliceSpec
from chip.delays import possible_delays
from chip.delivery import push
from chip.positions import period_of, positions_of
from chip.rows import RowSpec
from chip.rules import Ends
from chip.tick import advance_tick
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
    in_rows: Collection[str] = (),
    epoch_ticks: int = 1,
) -> ChipSpec:
    """Return the specification of a chip that holds the neurons of `cuts`, all by default.

    `shifts` gives projections, by name, a step of 2**shift LSBs; those named by `in_rows` are laid out in
    rows, the others in segments.
    """
    slices = tuple(_slice(network, cut, lsb) for cut in (cuts or whole(network)))
    blocks, rows = _rows(network, slices, shifts or {}, lsb, in_rows)
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
        epoch_ticks=epoch_ticks,
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
    network: Network,
    slices: tuple[SliceSpec, ...],
    shifts: Mapping[str, int],
    lsb: float,
    in_rows: Collection[str],
) -> tuple[tuple[AxonBlock, ...], tuple[RowSpec, ...]]:
    """Give each projection a block of axons of its own for each slice that it leads to."""
    blocks: list[AxonBlock] = []
    rows, n_axons = [], 0
    numbered = sorted(enumerate(network.projections), key=lambda pair: pair[1].name in in_rows)
    for number, projection in numbered:
        source, target = network.member(projection.source), network.member(projection.target)
        receptor = MODELS[target.model].receptor(projection.receptor)
        shift, h = shifts.get(projection.name, 0), network.timestep_ms
        delays = possible_delays(projection, h, network.reach_um(projection))
        delays = delays if delays.size else np.ones(1, np.int64)
        for place, part in enumerate(slices):
            if part.member is target:
                member, segments = network.members.index(source), projection.name not in in_rows
                ends, step = ends_of(network, number, part.first, part.n), lsb * 2.0**shift
                rows.append(RowSpec(projection, ends, len(blocks), place, receptor, step, shift, h))
                blocks.append(
                    AxonBlock(member, source.size, n_axons, part.bank, receptor, shift, delays, segments)
                )
                n_axons += source.size
    return tuple(blocks), tuple(rows)


def ends_of(network: Network, number: int, first: int, n: int) -> Ends:
    """Return the ends of projection `number`: targets ``first ... first + n - 1``."""
    projection = network.projections[number]
    source, target = network.member(projection.source), network.member(projection.target)
    space: dict[str, Any] = {}
    if source.positions is not None and target.positions is not None:
        members = network.members.index(source), network.members.index(target)
        space = {
            "source_um": positions_of(source.positions, network.seed, members[0], 0, source.size),
            "target_um": positions_of(target.positions, network.seed, members[1], first, n),
            "period_um": period_of(source.positions),
        }
    return Ends(network.seed, number, source.size, target.size, first, n, recurrent=source is target, **space)


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
            assert self._has_room(), "drain the samples first"
            advance_tick(self.chip.arrays, self.tick)
            drained = self.chip.drain_spikes()
            for neuron in (drained & np.uint64(0xFFFFFFFF)).tolist():
                self._push(neuron)
            spikes += [(word >> 32, word & 0xFFFFFFFF) for word in drained.tolist()]
            self.chip.make_room()
            self.tick += 1
        return spikes

    def _has_room(self) -> bool:
        """Return whether each probe can take one more sample."""
        probes = self.chip.arrays.probes
        ends = probes.sample_first[:-1] + (probes.rows + 1) * np.diff(probes.first)
        return bool(np.all(ends <= probes.sample_first[1:]))

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
