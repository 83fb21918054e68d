from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import (
    CountError,
    Events,
    Fabric,
    KeyRange,
    Level,
    NoRouteError,
    TableError,
    Tree,
    TreeError,
    build_tables,
    ideal,
    link_traffic,
)
from tests.router.strategies import fixed, mappings

RACK = Tree((Level("board", 2), Level("rack", 2)))
TABLES = build_tables(RACK, [KeyRange(0, 8, 0), KeyRange(8, 8, 3)], [frozenset({0, 1, 3}), frozenset()])
Mapping = tuple[Tree, list[KeyRange], list[frozenset[int]]]


def events(rows: list[tuple[int, int, int]]) -> Events:
    """Return events from rows of tick, key, chip."""
    tick, key, chip = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    return Events(tick.astype(np.uint32), key.astype(np.uint32), chip.astype(np.int32))


@fixed
@given(mappings(), st.randoms(use_true_random=False))
def test_the_ideal_fabric_delivers_each_event_to_each_destination(mapping: Mapping, random: Random) -> None:
    tree, ranges, destinations = mapping
    tables = build_tables(tree, ranges, destinations)
    keys = [
        (key, r.chip, chips)
        for r, chips in zip(ranges, destinations, strict=True)
        for key in range(r.first, r.first + r.n)
    ]
    sent = [(random.randrange(100), *random.choice(keys)) for _ in range(20 if keys else 0)]
    fabric: Fabric = ideal
    arrivals = fabric(tables, events([(tick, key, chip) for tick, key, chip, _ in sent]))
    rows = zip(arrivals.event.tolist(), arrivals.chip.tolist(), arrivals.tick.tolist(), strict=True)
    assert list(rows) == [(i, c, tick) for i, (tick, _, _, chips) in enumerate(sent) for c in sorted(chips)]
    assert arrivals.dropped == {}
    assert sum(int(counts.sum()) for counts in arrivals.events_per_entry) == len(sent)
    traffic = link_traffic(tree, tables, arrivals.events_per_entry)
    assert int(traffic.by_level.sum()) == len(arrivals.event)


def test_arrivals_of_a_few_events() -> None:
    arrivals = ideal(TABLES, events([(7, 9, 3), (7, 0, 0), (5, 7, 0)]))
    assert arrivals.event.tolist() == [1, 1, 1, 2, 2, 2]
    assert arrivals.chip.tolist() == [0, 1, 3, 0, 1, 3]
    assert arrivals.tick.tolist() == [7, 7, 7, 5, 5, 5]
    assert [counts.tolist() for counts in arrivals.events_per_entry] == [[2], [], [], [1]]
    assert arrivals.by_chip(4).tolist() == [2, 2, 0, 2]
    assert [arrivals.event.dtype, arrivals.chip.dtype, arrivals.tick.dtype] == [np.int64, np.int32, np.uint32]


def test_no_events_arrive_where_none_are_sent() -> None:
    arrivals = ideal(TABLES, events([]))
    assert len(arrivals.event) == len(arrivals.chip) == len(arrivals.tick) == 0
    assert arrivals.by_chip(4).tolist() == [0, 0, 0, 0]


def test_a_key_sent_by_a_chip_that_does_not_own_it_is_refused() -> None:
    with pytest.raises(NoRouteError) as refused:
        ideal(TABLES, events([(0, 0, 0), (0, 0, 3)]))
    assert str(refused.value) == (
        "table of chip (board 1, chip 1): every key is in one of its 1 entries, got 0x00000000; "
        "build the tables with the range of this key"
    )


@pytest.mark.parametrize("chip", [-1, 4])
def test_a_chip_that_is_not_in_the_tree_is_refused(chip: int) -> None:
    with pytest.raises(TreeError) as refused:
        ideal(TABLES, events([(0, 0, 0), (0, 0, chip)]))
    assert str(refused.value) == (
        f"tree rack[2] > board[2] > chip: chips are numbered 0 to 3, got {chip}; "
        "use a chip of this tree, or a larger one"
    )


@pytest.mark.parametrize(
    ("chosen", "got"), [(slice(0), "[]"), (slice(2), "[0, 1]"), (slice(None, None, -1), "[3, 2, 1, 0]")]
)
def test_tables_that_are_not_those_of_all_chips_are_refused(chosen: slice, got: str) -> None:
    with pytest.raises(TableError) as refused:
        ideal(TABLES[chosen], events([]))
    assert str(refused.value) == (
        f"fabric: it takes the tables of all chips in order, got {got}; pass all of build_tables"
    )


def test_events_of_uneven_arrays_are_refused() -> None:
    with pytest.raises(CountError) as refused:
        Events(np.zeros(2, dtype=np.uint32), np.zeros(2, dtype=np.uint32), np.zeros(1, dtype=np.int32))
    assert str(refused.value) == (
        "events: tick, key and chip have one length, got (2, 2, 1); give each event all three"
    )
