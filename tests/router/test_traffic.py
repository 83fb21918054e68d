import json
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import (
    CountError,
    KeyRange,
    Level,
    Table,
    Traffic,
    Tree,
    build_tables,
    link_traffic,
    merge_traffic,
)
from tests.router.strategies import DirectedLink, addresses, fixed, mappings, path, prefixes

RACK = Tree((Level("board", 2), Level("rack", 2)))
Mapping = tuple[Tree, list[KeyRange], list[frozenset[int]]]


def counted(traffic: Traffic) -> dict[DirectedLink, int]:
    """Return the count of every directed link that carried something."""
    counts = {}
    for direction, heights in (("up", traffic.up), ("down", traffic.down)):
        for height, nodes in enumerate(heights):
            for prefix, n in zip(prefixes(traffic.tree, height), nodes.tolist(), strict=True):
                counts[direction, prefix] = n
    return {link: n for link, n in counts.items() if n}


@fixed
@given(mappings(), st.randoms(use_true_random=False))
def test_a_multicast_crosses_the_union_of_its_paths_once(mapping: Mapping, random: Random) -> None:
    tree, ranges, destinations = mapping
    tables = build_tables(tree, ranges, destinations)
    places = addresses(tree)
    events = [np.array([random.randrange(5) for _ in table.first], dtype=np.int64) for table in tables]
    expected: dict[DirectedLink, int] = {}
    by_level = [0] * (tree.depth + 1)
    for table, counts in zip(tables, events, strict=True):
        for first, n in zip(table.first.tolist(), counts.tolist(), strict=True):
            chips = next(
                d for r, d in zip(ranges, destinations, strict=True) if r.first <= first < r.first + r.n
            )
            paths = [path(places[table.chip], places[chip]) for chip in chips]
            for link in set().union(*paths):
                expected[link] = expected.get(link, 0) + n
            for links in paths:
                by_level[len(links) // 2] += n
    traffic = link_traffic(tree, tables, events)
    assert counted(traffic) == {link: n for link, n in expected.items() if n}
    assert traffic.by_level.tolist() == by_level


def tables() -> tuple[Table, ...]:
    return build_tables(
        RACK, [KeyRange(0, 8, 0), KeyRange(8, 8, 3)], [frozenset({0, 1, 2, 3}), frozenset({3})]
    )


def small(n: int) -> Traffic:
    empty = np.zeros(0, dtype=np.int64)
    return link_traffic(RACK, tables(), [np.array([n]), empty, empty, np.array([5])])


def test_counts_of_a_broadcast() -> None:
    traffic = small(10)
    assert [counts.tolist() for counts in traffic.up] == [[10, 0, 0, 0], [10, 0]]
    assert [counts.tolist() for counts in traffic.down] == [[0, 10, 10, 10], [0, 10]]
    assert traffic.by_level.tolist() == [15, 10, 20]
    assert repr(traffic) == "traffic: board 10 up 30 down, rack 10 up 10 down"


def test_traffic_is_json() -> None:
    assert json.loads(json.dumps(small(10).to_dict())) == {
        "levels": [
            {"level": 1, "name": "board", "up": 10, "down": 30},
            {"level": 2, "name": "rack", "up": 10, "down": 10},
        ],
        "links": [
            {"level": 1, "name": "board", "node": "(board 0, chip 0)", "up": 10, "down": 0},
            {"level": 1, "name": "board", "node": "(board 0, chip 1)", "up": 0, "down": 10},
            {"level": 1, "name": "board", "node": "(board 1, chip 0)", "up": 0, "down": 10},
            {"level": 1, "name": "board", "node": "(board 1, chip 1)", "up": 0, "down": 10},
            {"level": 2, "name": "rack", "node": "(board 0)", "up": 10, "down": 0},
            {"level": 2, "name": "rack", "node": "(board 1)", "up": 0, "down": 10},
        ],
    }
    assert small(0).to_dict()["links"] == []


def test_counts_are_exact_beyond_float64() -> None:
    assert small(2**53 + 1).to_dict()["levels"][0]["up"] == 2**53 + 1


def test_traffic_adds_up() -> None:
    total = merge_traffic([small(10), small(32)])
    assert total.to_dict() == small(42).to_dict()
    assert total.by_level.tolist() == [52, 42, 84]


def test_a_thousand_chips_that_send_to_all() -> None:
    hall = Tree((Level("board", 8), Level("rack", 8), Level("hall", 16)))
    senders = [0, 511, 1023]
    everyone = frozenset(range(1024))
    built = build_tables(hall, [KeyRange(chip, 1, chip) for chip in senders], [everyone] * 3)
    traffic = link_traffic(hall, built, [np.ones(table.n_entries, dtype=np.int64) for table in built])
    # A broadcast comes down every link but those of its own chip, board and rack.
    assert [int(counts.sum()) for counts in traffic.up] == [3, 3, 3]
    assert [int(counts.sum()) for counts in traffic.down] == [3 * 1023, 3 * 127, 3 * 15]
    assert traffic.by_level.tolist() == [3, 3 * 7, 3 * 56, 3 * 960]


@pytest.mark.parametrize(
    ("tree", "events", "message"),
    [
        (
            RACK,
            [[1]],
            "traffic: one array of counts for each of 4 tables, got 1; "
            "give zeros to a chip that sent nothing",
        ),
        (
            RACK,
            [[1], [], [], []],
            "table of chip (board 1, chip 1): counts have the shape (1,), got (0,); "
            "count the events of each entry",
        ),
        (
            RACK,
            [[-1], [], [], [0]],
            "table of chip (board 0, chip 0): counts start at 0, got -1; check for an overflow",
        ),
        (
            Tree((Level("board", 4),)),
            [[1], [], [], [0]],
            "table of chip (board 0, chip 0): it is of the tree board[4] > chip, "
            "got rack[2] > board[2] > chip; pass the tree that it was built for",
        ),
    ],
)
def test_counts_that_fit_no_table_are_refused(tree: Tree, events: list[list[int]], message: str) -> None:
    with pytest.raises(CountError) as refused:
        link_traffic(tree, tables(), [np.array(n, dtype=np.int64) for n in events])
    assert str(refused.value) == message


def test_traffic_of_no_or_several_systems_is_refused() -> None:
    other = link_traffic(Tree((Level("board", 4),)), [], [])
    for parts, n in (([], 0), ([small(1), other], 2)):
        with pytest.raises(CountError) as refused:
            merge_traffic(parts)
        assert (
            str(refused.value) == f"traffic: a sum is of one system, got {n}; add counters of the same tree"
        )
