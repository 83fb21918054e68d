"""Reading synapses back, of every rule, from two slices in two banks: equal to plain Python."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from chip import Chip, Terminal
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.readback import Neurons, SynapseTable, list_synapses
from network import Network, parse_network
from tests.chip.cases import LISTS, RULES, VALUES, of_value
from tests.chip.chips import LSB, Cut, Layouts, spec_of
from tests.chip.expansion import Synapse, expand, same
from tests.chip.networks import QUIET, delta, describe, explicit, times
from tests.chip.synapses import Case

CASES = {
    name: case
    for name, case in (
        RULES | LISTS | {f"weight {name}": of_value(value) for name, value in VALUES.items()}
    ).items()
    if case.columns is None and not case.codes.values.size
}


def network_of(case: Case) -> Network:
    """Return the network of a case: its populations, after one that has nothing to do with it."""
    target = "s" if case.recurrent else "t"
    names = dict.fromkeys(("s", target))
    populations = [
        delta(name, size, QUIET, positions=space and space.model_dump())
        for name, size, space in zip(names, case.sizes, case.at or (None, None), strict=False)
    ]
    projection = case.projection.model_dump() | {"target": target, "name": "the"}
    described = {"name": "case", "timestep_ms": 0.1, "seed": case.seed, "projections": [projection]}
    return parse_network(described | {"populations": [delta("other", 3, QUIET), *populations]})


def cut_up(network: Network) -> list[Cut]:
    """Put the first third of the targets into bank 0, at 65,000, and the rest into bank 1, from 5 on."""
    target = network.member(network.projections[0].target)
    third = target.size // 3
    rest = [
        Cut(member.name, 0, member.size, 2, 100)
        for member in network.members
        if member is not target and member.name != "other"
    ]
    cuts = [Cut(target.name, 0, third, 0, 65_000), Cut(target.name, third, target.size - third, 1, 5)]
    return [*cuts, *rest, Cut("other", 0, 3, 3, 0)]


LAYOUTS = pytest.mark.parametrize("layout", [SEGMENTS, ROWS, QUEUED], ids=["segments", "rows", "queued"])


@cache
def built(name: str, layout: int) -> tuple[Network, Chip]:
    network = network_of(CASES[name])
    spec = spec_of(network, cuts=cut_up(network), layouts=layout)
    assert len(spec.blocks) == (1 if layout == QUEUED else 2)
    return network, Chip(spec)


@cache
def expanded(name: str) -> list[Synapse]:
    most = 32767 * LSB
    synapses = expand(built(name, SEGMENTS)[0], 0)
    return [s._replace(weight=min(max(s.weight, -most), most)) for s in synapses]


def members(network: Network) -> tuple[int, int]:
    names = [member.name for member in network.members]
    (projection,) = network.projections
    return names.index(projection.source), names.index(projection.target)


def listed(table: SynapseTable) -> list[Synapse]:
    columns = table.source, table.target, table.delay_ticks, table.weight
    return [Synapse(*entry) for entry in zip(*(column.tolist() for column in columns), strict=True)]


@pytest.mark.parametrize(
    ("name", "layout"), [(name, layout) for name, case in CASES.items() for layout in case.layouts]
)
def test_all_synapses_are_those_of_plain_python(name: str, layout: int) -> None:
    network, chip = built(name, layout)
    source, target = members(network)
    table = list_synapses(chip, source=Neurons(source, 0, 10**6), target=Neurons(target, 0, 10**6))
    assert same(listed(table), expanded(name), LSB)
    assert set(table.receptor.tolist()) == {0}
    assert set(table.step.tolist()) == {LSB}
    assert np.array_equal(np.sort(table.word), np.arange(chip.memory.words.size))
    words = chip.memory.words[table.word].view(np.int32) >> 16
    assert np.array_equal(words * LSB, table.weight)


RANGES = [
    ((0, 5), (0, 10**6)),
    ((3, 40), (10, 11)),
    ((0, 10**6), (9, 30)),
    ((-4, 2), (2, 10**6)),
    ((7, 7), (0, 99)),
]


@LAYOUTS
@pytest.mark.parametrize("name", ["fixed_in_degree", "distance", "convolution", "explicit", "weight product"])
@pytest.mark.parametrize(("sources", "targets"), RANGES)
def test_ranges_leave_out_what_they_do_not_name(
    name: str, layout: int, sources: tuple[int, int], targets: tuple[int, int]
) -> None:
    network, chip = built(name, layout)
    source, target = members(network)
    table = list_synapses(chip, source=Neurons(source, *sources), target=Neurons(target, *targets))
    expected = [
        s
        for s in expanded(name)
        if sources[0] <= s.source < sources[1] and targets[0] <= s.target < targets[1]
    ]
    assert same(listed(table), expected, LSB)


def test_what_is_not_on_the_chip_is_not_found() -> None:
    network, chip = built("fixed_in_degree", SEGMENTS)
    source, target = members(network)
    for one, other in ((0, target), (source, 0), (target, source), (9, 9)):
        table = list_synapses(chip, source=Neurons(one, 0, 10**6), target=Neurons(other, 0, 10**6))
        assert [column.size for column in table] == [0] * 7
        assert [column.dtype.name for column in table] == [
            "uint32", "uint32", "uint16", "uint8", "float64", "int64", "float64",
        ]  # fmt: skip
    empty = SynapseTable.joined([])
    assert [column.size for column in empty] == [0] * 7


def two_receptors(**how: Any) -> Chip:
    """Return a chip with projections onto both receptors, in steps of 1 and 8 LSBs."""
    exponential = {"name": "cells", "size": 5, "model": "lif_curr_exp"}
    network = describe(
        [exponential, delta("few", 4, QUIET)],
        sources=[times((0,), (1,))],
        projections=[
            explicit([(0, 0, 1.0, 1), (1, 4, 2.0, 200)], receptor="excitatory", name="ex"),
            explicit([(1, 4, -8.0, 3), (1, 4, -16.0, 3)], receptor="inhibitory", name="in"),
            explicit([(0, 3, 0.5, 2)], name="delta") | {"target": "few"},
        ],
    )
    return Chip(spec_of(network, shifts={"in": 3}, **how))


@pytest.mark.parametrize(
    "layouts", [SEGMENTS, {"in": ROWS}, ROWS, {"in": QUEUED}, {"ex": ROWS, "delta": QUEUED}, QUEUED]
)
def test_receptors_steps_and_blocks_are_told_apart(layouts: Layouts) -> None:
    chip = two_receptors(layouts=layouts)
    source, cells = Neurons(2, 0, 2), Neurons(0, 0, 5)
    table = list_synapses(chip, source=source, target=cells)
    assert sorted(zip(listed(table), table.receptor.tolist(), table.step.tolist(), strict=True)) == [
        (Synapse(0, 0, 1, 1.0), 0, LSB),
        (Synapse(1, 4, 3, -16.0), 1, 8 * LSB),
        (Synapse(1, 4, 3, -8.0), 1, 8 * LSB),
        (Synapse(1, 4, 200, 2.0), 0, LSB),
    ]
    for number, block in enumerate(chip.spec.blocks):
        own = list_synapses(chip, source=source, target=cells, block=number)
        shifts = {(terminal.receptor, terminal.shift) for terminal in block.terminals}
        assert {
            (r, round(np.log2(step / LSB))) for r, step in zip(own.receptor, own.step, strict=True)
        } <= shifts
    if layouts == QUEUED:
        (block,) = chip.spec.blocks
        assert block.terminals == (Terminal(0, 0, 0), Terminal(0, 1, 3))
    few = list_synapses(chip, source=source, target=Neurons(1, 0, 4))
    assert listed(few) == [Synapse(0, 3, 2, 0.5)]


@LAYOUTS
def test_slices_of_one_bank_are_told_apart(layout: int) -> None:
    """Two populations side by side in a bank, met by the same source."""
    rule = {"rule": "all_to_all"}
    network = describe(
        [delta("one", 3, QUIET), delta("two", 3, QUIET)],
        sources=[times((0,), (1,))],
        projections=[
            {"source": "source", "target": name, "connectivity": rule, "weight": weight, "delay_ms": 0.1}
            for name, weight in (("one", 1.0), ("two", 2.0))
        ],
    )
    chip = Chip(spec_of(network, layouts=layout))
    for member, weight in ((0, 1.0), (1, 2.0)):
        table = list_synapses(chip, source=Neurons(2, 1, 2), target=Neurons(member, 1, 3))
        assert listed(table) == [Synapse(1, 1, 1, weight), Synapse(1, 2, 1, weight)]
