"""From a plan to one chip's specification: banks, axons, rows, inputs and probes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chip import BANK_NEURONS, MODELS, ChipSpec, InputSpec, ProbeSpec, SliceSpec
from cluster.axons import Axons
from cluster.placement import Slice
from cluster.plan import Plan
from network import PoissonInput, Population
from network.recording import StateRecording

_LINE_NEURONS = 16
_WORTH_A_LINE = 256
"""Neurons of a slice from which on its slots begin with a cache line."""


def lower(plan: Plan, chips: Sequence[int]) -> ChipSpec:
    """Return the specification of some chips that one worker emulates, built as one with common banks."""
    slices = (*_neuron_slices(plan, chips), *_source_slices(plan, chips))
    axons = Axons(plan, slices)
    return ChipSpec(
        name=", ".join(plan.chip_name(chip) for chip in chips),
        seed=plan.network.seed,
        timestep_ms=plan.network.timestep_ms,
        precision=plan.options.precision,
        n_banks=1 + max((part.bank for part in slices), default=-1),
        slices=slices,
        blocks=axons.blocks,
        rows=axons.rows,
        probes=tuple(_probes(plan, slices)),
        epoch_ticks=plan.epoch_ticks if len(chips) < plan.n_chips else 1,
    )


def count_axons(plan: Plan, chip: int) -> int:
    """Return the axons of a chip that has a worker of its own."""
    return sum(block.n for block in Axons(plan, tuple(_neuron_slices(plan, (chip,)))).blocks)


def bank_pieces(slices: Sequence[Slice], n_populations: int) -> Iterator[tuple[Slice, int, int]]:
    """Fill banks one after the other, cutting slices where a bank is full.

    Yields
    ------
    piece, bank, number of its first neuron within the bank
    """
    bank, used = 0, 0
    for part in slices:
        first, left = part.first, part.n if part.member < n_populations else 0
        while left:
            if part.n >= _WORTH_A_LINE:
                used = -(-used // _LINE_NEURONS) * _LINE_NEURONS
            if used == BANK_NEURONS:
                bank, used = bank + 1, 0
            n = min(left, BANK_NEURONS - used)
            yield Slice(part.member, first, n), bank, used
            first, left, used = first + n, left - n, used + n


def _neuron_slices(plan: Plan, chips: Sequence[int]) -> Iterator[SliceSpec]:
    populations = plan.network.populations
    placed = [(part, chip) for chip in chips for part in plan.placement[chip]]
    chip_of = {(part.member, part.first): chip for part, chip in placed}
    chip = -1
    for piece, bank, bank_neuron in bank_pieces([part for part, _ in placed], len(populations)):
        chip = chip_of.get((piece.member, piece.first), chip)  # a piece goes on from the one before
        population = populations[piece.member]
        n_receptors = len(MODELS[population.model].receptors)
        yield SliceSpec(
            member=population,
            number=piece.member,
            first_global=plan.member_first[piece.member] + piece.first,
            first=piece.first,
            n=piece.n,
            bank=bank,
            bank_neuron=bank_neuron,
            chip=chip,
            lsb=tuple(plan.quantised.lsb[piece.member, r] for r in range(n_receptors)),
            inputs=tuple(_inputs(plan, population, piece.member)),
        )


def _source_slices(plan: Plan, chips: Sequence[int]) -> Iterator[SliceSpec]:
    for chip in chips:
        for part in plan.placement[chip]:
            if part.member >= len(plan.network.populations):
                first_global = plan.member_first[part.member] + part.first
                member = plan.network.members[part.member]
                yield SliceSpec(
                    member=member,
                    number=part.member,
                    first_global=first_global,
                    first=part.first,
                    n=part.n,
                    bank=-1,
                    bank_neuron=0,
                    chip=chip,
                    spikes=plan.spikes_of(member),
                )


def _inputs(plan: Plan, population: Population, number: int) -> Iterator[InputSpec]:
    for place, described in enumerate(population.inputs):
        if isinstance(described, PoissonInput):
            quantised = plan.quantised.inputs[number, place]
            integer = round(described.weight / quantised.step) << quantised.shift
            yield InputSpec(described, place, MODELS[population.model].receptor(described.receptor), integer)


def _probes(plan: Plan, slices: tuple[SliceSpec, ...]) -> Iterator[ProbeSpec]:
    """Return, for each recording, what this chip samples of it."""
    places: dict[str, list[int]] = {}
    for place, part in enumerate(slices):
        places.setdefault(part.member.name, []).append(place)
    for number, recording in enumerate(plan.network.recordings):
        if not isinstance(recording, StateRecording):
            continue
        wanted = np.arange(recording.neurons.start, recording.neurons.stop, recording.neurons.step)
        for place in places.get(recording.population, ()):
            part = slices[place]
            mine = np.flatnonzero((wanted >= part.first) & (wanted < part.first + part.n))
            if mine.size:
                yield _probe(plan, number, place, part, wanted, mine)


def _probe(plan: Plan, number: int, place: int, part: SliceSpec, wanted: Any, mine: Any) -> ProbeSpec:
    recording = plan.network.recordings[number]
    assert isinstance(recording, StateRecording)
    names = MODELS[part.member.model].kernel_state  # type: ignore[union-attr]
    variables = np.array([names.index(name) for name in recording.variables], np.int64)
    columns = (np.arange(variables.size)[:, None] * wanted.size + mine[None, :]).ravel()
    return ProbeSpec(
        recording=number,
        columns=columns,
        slice_number=place,
        variable=np.repeat(variables, mine.size),
        neuron=np.tile(wanted[mine] - part.first, variables.size),
        interval_ticks=plan.network.ticks(recording.interval_ms),
    )
