"""What a network is expected to take is what its chips take: axons, arrays, the memory of processes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from chip import ChipSpec
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.spec import Terminal
from cluster.axons import Ending
from cluster.estimate import Estimate
from cluster.footprint import Block, Footprint
from cluster.lowering import lower
from cluster.options import Placement
from cluster.room import PROCESS_BYTES, Room
from cluster.shares import shares
from cluster.worker import Worker, chips_of_workers
from network import Explicit, Network
from spikerack.examples import brunel, microcircuit, million
from tests.cluster.samples import everything_network, plan_of
from tests.cluster.test_fit import near_network, slow_network, wide_network

MAPPED_BYTES = 46_000_000
"""Of files, in `PROCESS_BYTES`."""


def expected_blocks(network: Network, chips: int, workers: int, placement: Placement) -> list[Any]:
    """Layout, axons, terminals and columns of the blocks of the first worker."""
    estimate = Estimate(network, chips, placement)
    share = shares(network, chips_of_workers(chips, workers), placement)[0]
    blocks = estimate.footprint(share, "float32").blocks
    return sorted((b.layout, b.n_axons, len(b.terminals), b.columns) for b in blocks)


def lowered_blocks(spec: ChipSpec) -> list[Any]:
    return sorted((b.layout, b.n, len(b.terminals), b.columns) for b in spec.blocks)


@pytest.mark.parametrize("placement", ["default", "consecutive"])
@pytest.mark.parametrize(("chips", "workers"), [(1, 1), (4, 2), (8, 8), (16, 2)])
@pytest.mark.parametrize(
    "network",
    [
        everything_network(),
        wide_network(),
        slow_network(),
        near_network(),
        microcircuit(0.1),
        brunel(0.1),
        million(1 / 64),
        million(1 / 64, targets="anywhere"),
    ],
)
def test_blocks_are_those_of_the_chips(
    network: Network, chips: int, workers: int, placement: Placement
) -> None:
    plan = plan_of(network, chips, placement=placement)
    spec = lower(plan, chips_of_workers(chips, workers)[0])
    assert expected_blocks(network, chips, workers, placement) == lowered_blocks(spec)


def test_all_layouts_occur_among_them() -> None:
    many, few = million(1 / 64), slow_network()
    blocks = expected_blocks(many, 16, 2, "consecutive") + expected_blocks(few, 1, 1, "default")
    layouts = {block[0] for block in blocks}
    assert layouts == {SEGMENTS, ROWS, QUEUED}


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    ("network", "chips", "workers"),
    [
        (microcircuit(0.1, drive="poisson"), 1, 1),
        (microcircuit(0.1), 4, 2),
        (brunel(0.5), 2, 2),
        (million(1 / 64), 16, 2),
        (million(1 / 64, targets="anywhere"), 16, 2),
        (slow_network(), 1, 1),
        (near_network(), 3, 3),
    ],
)
def test_bytes_of_synapses_are_those_of_the_chips(network: Network, chips: int, workers: int) -> None:
    split, estimate = chips_of_workers(chips, workers), Estimate(network, chips)
    built = sum(Worker(plan_of(network, chips), split, k).built().synapse_bytes for k in range(workers))
    expected = sum(
        share.count * block.n_bytes
        for share in shares(network, split, "default")
        for block in estimate.footprint(share, "float32").blocks
    )
    assert expected == pytest.approx(built, rel=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    ("example", "arguments", "options"),
    [
        ("cuba", {}, {"chips": 2}),
        ("brunel", {"scale": 0.5}, {"chips": 2}),
        ("microcircuit", {"scale": 0.2}, {"chips": 2}),
        ("million", {"scale": 1 / 16}, {"chips": 16, "placement": "consecutive"}),
        ("million", {"scale": 1 / 16, "targets": "anywhere"}, {"chips": 16, "placement": "consecutive"}),
    ],
)
def test_the_estimate_is_within_15_percent_of_a_process(
    example: str, arguments: dict[str, Any], options: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "tests.cluster.peak_memory", example]

    def measured(own: dict[str, Any]) -> dict[str, int]:
        words = [*command, json.dumps(own), json.dumps(options)]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return dict(json.loads(told))

    measured(arguments)  # compiles what no other test has, which takes memory too
    found = measured(arguments)
    assert found["estimate"] == pytest.approx(found["anonymous"] + MAPPED_BYTES, rel=0.15)


def test_processes_take_memory_without_a_network() -> None:
    threads, service, ray = Room("local", 2), Room("local", 2, alone=False), Room("ray", 2, alone=False)
    network = everything_network()
    one, none, actors = (Estimate(network, 8).n_bytes("float32", room) for room in (threads, service, ray))
    assert one - none == PROCESS_BYTES
    assert actors > none + 8 * PROCESS_BYTES


def test_blocks_in_rows_have_no_column_for_each_delay() -> None:
    estimate = Estimate(slow_network(), 1)
    (share,) = estimate.chips
    fast, slow = estimate.footprint(share, "float32").blocks
    assert (fast.layout, slow.layout) == (SEGMENTS, ROWS)
    assert fast.n_bytes == 3000 * 4 + 900_000 * 4
    assert slow.n_bytes == 3000 * 4 + 900_000 * (4 + 2)


def _block(drawing_bytes: int) -> Block:
    terminal = Terminal(0, 0, 0)
    ending = Ending(0, 0, 0, terminal, -1, np.array([3]), per_axon=2.0, count=5)
    return Block(10, SEGMENTS, {terminal}, [ending], drawing_bytes)


def test_what_a_block_is_drawn_from_is_given_back_while_the_next_is_built() -> None:
    bare, *full = (
        Footprint(tuple(map(_block, drawing)), neuron_bytes=0, n_slots=7, epoch_ticks=1)
        for drawing in ((0, 0, 0), (0, 0, 5), (2000, 2000, 0))
    )
    # three blocks of 100 words and 10 places where they begin; a unit: 14 bytes a synapse to sort in, 4 as
    # it is finished, 8 a segment
    assert bare.building_bytes(1) == 3 * 440 + 100 * (14 + 4) + 10 * 8 + 7 * 8
    assert bare.building_bytes(2) == bare.building_bytes(1) + 7 * 8
    last, first_two = (footprint.building_bytes(1) - bare.building_bytes(1) for footprint in full)
    assert last == 5
    # as the second begins, without what is made after that
    assert first_two == 2 * 2000 - 2 * 440 - 100 * 4 - 10 * 8


def test_positions_take_memory_on_each_chip() -> None:
    apart = near_network(p={"kind": "distance_linear", "at_zero": 0, "slope_per_um": 0})
    none = Explicit(sources=(), targets=())
    bare = apart.model_copy(
        update={
            "projections": (
                apart.projections[0].model_copy(update={"connectivity": none}),
                apart.projections[1],
            )
        }
    )
    room = Room("ray", 2)
    more = Estimate(apart, 3).n_bytes("float32", room) - Estimate(bare, 3).n_bytes("float32", room)
    assert more == 3 * 2 * 4900 * 2 * 8
