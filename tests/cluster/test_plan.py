"""What all parts of a deployment agree on: epochs, destinations, tables."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from cluster.placement import Slice
from cluster.plan import MAX_EPOCH_TICKS, Plan
from network import parse_network
from router import lookup
from tests.cluster.samples import everything_network, pair, placed, plan_of

EVERY = everything_network()


def with_delays(*delays: Any) -> dict[str, Any]:
    """The pair with projections first->second, second->first and second->second of these delays."""
    ends = [("first", "second", None), ("second", "first", "excitatory"), ("second", "second", None)]
    return pair(
        projections=[
            {
                "source": source,
                "target": target,
                "receptor": receptor,
                "connectivity": {"rule": "all_to_all"},
                "weight": 1,
                "delay_ms": delay,
            }
            for (source, target, receptor), delay in zip(ends, delays, strict=False)
        ]
    )


@pytest.mark.parametrize(
    ("delays", "chips", "epoch"),
    [
        ((3, 5, 7), 2, 3),
        ((5, 7, 2), 3, 2),
        ((5, {"kind": "uniform", "low": 3.5, "high": 9}), 2, 4),
        ((5, {"kind": "uniform", "low": 3.4, "high": 9.4}), 2, 3),
        ((5, {"kind": "lognormal", "log_mean": 1, "log_sd": 0.5, "low": 2.5}), 2, 3),
        ((100, 90), 2, MAX_EPOCH_TICKS),
        ((3, 5, 7), 1, MAX_EPOCH_TICKS),
        ((3, 100), 1, MAX_EPOCH_TICKS),
        ((), 2, MAX_EPOCH_TICKS),
    ],
)
def test_an_epoch_is_the_least_delay_that_crosses_chips(
    delays: tuple[Any, ...], chips: int, epoch: int
) -> None:
    assert plan_of(parse_network(with_delays(*delays)), chips).epoch_ticks == epoch


def test_axonal_and_dendritic_parts_of_a_delay_count_together() -> None:
    network = with_delays(2, 30)
    network["projections"][0]["axonal_delay_ms"] = {"kind": "uniform", "low": 4, "high": 6}
    plan = plan_of(parse_network(network), 2)
    assert plan.epoch_ticks == 6
    assert plan.delays_of(plan.network.projections[0]).tolist() == [6, 7, 8]


def test_a_delay_within_one_chip_does_not_shorten_the_epoch() -> None:
    network = parse_network(with_delays(6, 5, 1))
    whole = [Slice(0, 0, 10), Slice(1, 0, 10)]
    assert placed(network, ((whole[0],), (whole[1],))).epoch_ticks == 5
    assert placed(network, ((whole[0], Slice(1, 0, 4)), (Slice(1, 4, 6),))).epoch_ticks == 1


def test_an_explicit_list_of_delays_counts_by_its_least() -> None:
    network = pair()
    explicit = {"rule": "explicit", "sources": [0, 1], "targets": [0, 1], "delays_ms": [9, 2]}
    network["projections"] = [
        {"source": "first", "target": "second", "connectivity": explicit, "weight": 1},
    ]
    plan = plan_of(parse_network(network), 2)
    assert plan.epoch_ticks == 2
    assert plan.delays_of(plan.network.projections[0]).tolist() == [2, 9]


def test_destinations_are_the_chips_of_the_targets_of_each_population() -> None:
    network = parse_network(with_delays(3, 5))
    plan = placed(network, ((Slice(0, 0, 10),), (Slice(1, 0, 4),), (Slice(1, 4, 6),)))
    assert plan.chips_of == (frozenset({0}), frozenset({1, 2}))
    assert plan.destinations_of == (frozenset({1, 2}), frozenset({0}))
    assert plan.range_destinations == (frozenset({1, 2}), frozenset({0}), frozenset({0}))
    assert [plan.n_neurons_of(chip) for chip in range(3)] == [10, 4, 6]
    assert [plan.chip_name(chip) for chip in range(3)] == [
        "chip (board 0, chip 0)",
        "chip (board 0, chip 1)",
        "chip (board 0, chip 2)",
    ]


@pytest.mark.parametrize("placement", ["default", "shuffled"])
@pytest.mark.parametrize("chips", [1, 3, 20])
def test_tables_cover_every_spike(chips: int, placement: str) -> None:
    plan = plan_of(EVERY, chips, placement=placement)
    targets_of = {member.name: set() for member in EVERY.members}
    for projection in EVERY.projections:
        targets_of[projection.source] |= chips_with(plan, projection.target)
    n = 0
    for chip, own in enumerate(plan.placement):
        table = plan.tables[chip]
        for part in own:
            member = EVERY.members[part.member]
            for neuron in range(part.first, part.first + part.n):
                entry = lookup(table, EVERY.offsets[member.name] + neuron)
                reached = set(table.dest[table.dest_start[entry] : table.dest_start[entry + 1]].tolist())
                assert reached == targets_of[member.name] - {chip}
                assert bool(table.here[entry]) == (chip in targets_of[member.name])
                n += 1
    assert n == EVERY.n_neurons
    assert sum(int(table.n.sum()) for table in plan.tables) == n


def chips_with(plan: Plan, name: str) -> set[int]:
    numbers = [member.name for member in plan.network.members]
    return {c for c, own in enumerate(plan.placement) for part in own if numbers[part.member] == name}


def test_a_plan_that_was_sent_elsewhere_is_the_same() -> None:
    plan = plan_of(EVERY, 3, placement="shuffled")
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan
    assert again.placement == plan.placement
    assert again.quantised == plan.quantised
    for mine, theirs in zip(plan.tables, again.tables, strict=True):
        assert mine.notation == theirs.notation
        assert np.array_equal(mine.dest, theirs.dest)
