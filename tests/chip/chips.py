"""Chips for tests: a network becomes the specification of one chip, which then runs alone.

`cluster` does this for many chips; here it is done anew, in the plainest way, so that tests of a chip do
not hang on it: one LSB for everything, and axons in the order of projections.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chip import MODELS, AxonBlock, Chip, ChipSpec, InputSpec, ProbeSpec, SliceSpec, Terminal
from chip.arrays import QUEUED, SEGMENTS
from chip.delays import possible_delays
from chip.delivery import push
from chip.positions import period_of, positions_of
from chip.queues import read_arrivals
from chip.rows import RowSpec
from chip.rules import Ends
from chip.tick import advance_tick
from network import Network, PoissonInput, Population

LSB = 2.0**-6

Layouts = int | Mapping[str, int]
"""The layout of all projections, or of those that are named; the others are in segments."""


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
    layouts: Layouts = SEGMENTS,
    epoch_ticks: int = 1,
) -> ChipSpec:
    """Return the specification of a chip that holds the neurons of `cuts`, all by default.

    `shifts` gives projections, by name, a step of 2**shift LSBs.
    """
    slices = tuple(_slice(network, cut, lsb) for cut in (cuts or whole(network)))
    blocks, rows = _rows(network, slices, shifts or {}, lsb, layouts)
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
    place = first_global, cut.first, cut.n, cut.bank, cut.bank_neuron
    return SliceSpec(member, number, *place, lsb=lsbs, inputs=inputs)


class _Ending(NamedTuple):
    """A projection onto a slice."""

    number: int
    place: int
    terminal: Terminal
    layout: int
    delays: np.ndarray


def _rows(
    network: Network,
    slices: tuple[SliceSpec, ...],
    shifts: Mapping[str, int],
    lsb: float,
    layouts: Layouts,
) -> tuple[tuple[AxonBlock, ...], tuple[RowSpec, ...]]:
    """Give each projection a block of axons of its own for each slice that it leads to.

    Queued projections of one source share one block, wherever they lead.
    """
    endings = [
        _ending(network, slices, number, place, shifts, layouts)
        for number, projection in enumerate(network.projections)
        for place, part in enumerate(slices)
        if part.member is network.member(projection.target)
    ]
    joined: dict[Any, list[_Ending]] = {}
    for ending in sorted(endings, key=lambda ending: ending.layout):
        source = network.projections[ending.number].source
        key = source if ending.layout == QUEUED else (ending.number, ending.place)
        joined.setdefault(key, []).append(ending)
    blocks = tuple(_block(network, together) for together in joined.values())
    queued = sorted({t for block in blocks if block.layout == QUEUED for t in block.terminals})
    rows = []
    for number, together in enumerate(joined.values()):
        for ending in together:
            projection, part = network.projections[ending.number], slices[ending.place]
            rows.append(
                RowSpec(
                    projection,
                    ends_of(network, ending.number, part.first, part.n),
                    block=number,
                    terminal=queued.index(ending.terminal) if ending.layout == QUEUED else 0,
                    slice_number=ending.place,
                    receptor=ending.terminal.receptor,
                    step=lsb * 2.0**ending.terminal.shift,
                    shift=ending.terminal.shift,
                    timestep_ms=network.timestep_ms,
                )
            )
    return blocks, tuple(rows)


def _ending(
    network: Network,
    slices: tuple[SliceSpec, ...],
    number: int,
    place: int,
    shifts: Mapping[str, int],
    layouts: Layouts,
) -> _Ending:
    projection, part = network.projections[number], slices[place]
    receptor = MODELS[part.member.model].receptor(projection.receptor)
    terminal = Terminal(part.bank, receptor, shifts.get(projection.name, 0))
    layout = layouts if isinstance(layouts, int) else layouts.get(projection.name, SEGMENTS)
    delays = possible_delays(projection, network.timestep_ms, network.reach_um(projection))
    return _Ending(number, place, terminal, layout, delays if delays.size else np.ones(1, np.int64))


def _block(network: Network, together: Sequence[_Ending]) -> AxonBlock:
    """Return the block that some endings share."""
    source = network.member(network.projections[together[0].number].source)
    return AxonBlock(
        source=network.members.index(source),
        n=source.size,
        terminals=tuple(sorted({ending.terminal for ending in together})),
        delays=np.unique(np.concatenate([ending.delays for ending in together])),
        layout=together[0].layout,
    )


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
            self.read()
            advance_tick(self.chip.arrays, self.tick)
            drained = self.chip.drain_spikes()
            for neuron in (drained & np.uint64(0xFFFFFFFF)).tolist():
                self._push(neuron)
            spikes += [(word >> 32, word & 0xFFFFFFFF) for word in drained.tolist()]
            self.chip.make_room()
            self.tick += 1
        return spikes

    def read(self) -> int:
        """Read all rows that have arrived; return how often there were not enough chunks."""
        n = 0
        while not read_arrivals(
            self.chip.arrays.synapses, self.chip.arrays.flight.queues, self.chip.arrays.output.counters
        ):
            self.chip.make_room()
            n += 1
        return n

    def _has_room(self) -> bool:
        """Return whether each probe can take one more sample."""
        probes = self.chip.arrays.probes
        ends = probes.sample_first[:-1] + (probes.rows + 1) * np.diff(probes.first)
        return bool(np.all(ends <= probes.sample_first[1:]))

    def _push(self, neuron: int) -> None:
        part = self._members[max(first for first in self._members if first <= neuron)]
        arrays, within = self.chip.arrays, neuron - part.first_global + part.first
        for number, block in enumerate(self.chip.spec.blocks):
            if block.source == part.number:
                push(arrays.synapses, arrays.flight, arrays.output.counters, number, within, self.tick)

    def states(self, n_ticks: int) -> list[np.ndarray]:
        """Advance and return the samples of each probe."""
        self.run(n_ticks)
        return self.chip.drain_samples()
