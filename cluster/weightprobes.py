"""Probes of weights: from a network's recordings to the words of one chip's synapse memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chip import Chip
from chip.emulated import WeightProbe
from chip.readback import Neurons, SynapseTable, list_synapses
from cluster.plan import Plan
from cluster.recordings import Columns, RecordedSynapses, chosen, interval_ticks
from network import WeightRecording


def add_weight_probes(plan: Plan, chip: Chip) -> list[Columns]:
    """Make a chip sample the weights that the network records, and say whose they are.

    A projection whose weights are recorded has blocks of axons of its own (`cluster.axons`): all synapses of
    such a block are the projection's.
    """
    network, columns, probes = plan.network, list[Columns](), list[WeightProbe]()
    blocks: dict[int, set[int]] = {}
    for row in chip.spec.rows:
        blocks.setdefault(row.ends.projection, set()).add(row.block)
    for number, recording in enumerate(network.recordings):
        if not isinstance(recording, WeightRecording):
            continue
        place = network.projection(recording.projection)
        sources = chosen(recording.sources, plan.source_size(place))
        targets = chosen(recording.targets, plan.target_size(place))
        for block in sorted(blocks.get(place, ())):
            table = between(chip, (plan.source_of(place), sources), (plan.target_of(place), targets), block)
            step = float(table.step[0]) if table.step.size else 1.0
            probes.append(WeightProbe(table.word, step, interval_ticks(network, recording)))
            firsts = plan.member_first[plan.source_of(place)], plan.member_first[plan.target_of(place)]
            columns.append(Columns(number, synapses=_recorded(table, *firsts)))
    chip.add_weight_probes(probes)
    return columns


def between(
    chip: Chip, source: tuple[int, range], target: tuple[int, range], block: int | None = None
) -> SynapseTable:
    """Return a chip's synapses between neurons of two members, which are each given as (member, neurons).

    With a step the neurons in between are looked at, and left out.
    """
    ends = [Neurons(member, neurons.start, neurons.stop) for member, neurons in (source, target)]
    table = list_synapses(chip, source=ends[0], target=ends[1], block=block)
    if source[1].step == target[1].step == 1:
        return table
    kept = _in(table.source, source[1]) & _in(table.target, target[1])
    return SynapseTable(*(column[kept] for column in table))  # type: ignore[arg-type]


def _in(neuron: NDArray[np.uint32], neurons: range) -> NDArray[np.bool_]:
    """Return which neurons, all between the range's ends, are of the range."""
    wanted: NDArray[np.bool_] = (neuron - np.uint32(neurons.start)) % np.uint32(neurons.step) == 0
    return wanted


def _recorded(table: SynapseTable, first_source: int, first_target: int) -> RecordedSynapses:
    return RecordedSynapses(
        source=table.source + np.uint32(first_source),
        target=table.target + np.uint32(first_target),
        delay_ticks=table.delay_ticks.astype(np.int64),
        weight=table.weight,
    )
