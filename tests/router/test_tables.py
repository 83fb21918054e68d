import pickle
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import (
    KeyRange,
    Level,
    NoRouteError,
    Table,
    TableError,
    Tree,
    TreeError,
    build_tables,
    decode_route,
    find_entries,
    lookup,
)
from router.tables import _starts
from tests.router.strategies import fixed, mappings

RACK = Tree((Level("board", 2), Level("rack", 2)))
Mapping = tuple[Tree, list[KeyRange], list[frozenset[int]]]


def brute_force(
    ranges: list[KeyRange], destinations: list[frozenset[int]]
) -> dict[int, tuple[int, frozenset[int]]]:
    """Return the chip and the destinations of every key."""
    pairs = zip(ranges, destinations, strict=True)
    return {key: (r.chip, chips) for r, chips in pairs for key in range(r.first, r.first + r.n)}


@fixed
@given(mappings())
def test_every_key_goes_to_its_destinations_and_to_no_others(mapping: Mapping) -> None:
    tree, ranges, destinations = mapping
    tables = build_tables(tree, ranges, destinations)
    assert [table.chip for table in tables] == list(range(tree.n_chips))
    expected = brute_force(ranges, destinations)
    for key, (chip, chips) in expected.items():
        table = tables[chip]
        entry = lookup(table, key)
        assert decode_route(table.route(entry)) == chips
        assert bool(table.here[entry]) == (chip in chips)
        dest = table.dest[table.dest_start[entry] : table.dest_start[entry + 1]].tolist()
        assert dest == sorted(chips - {chip})
    assert sum(int(table.n.sum()) for table in tables) == len(expected)


@fixed
@given(mappings())
def test_tables_have_no_more_entries_than_they_need(mapping: Mapping) -> None:
    tree, ranges, destinations = mapping
    keys = brute_force(ranges, destinations)
    changes = [0] * tree.n_chips
    for key, here in keys.items():
        changes[here[0]] += keys.get(key - 1) != here
    assert [table.n_entries for table in build_tables(tree, ranges, destinations)] == changes


@fixed
@given(mappings(), st.randoms(use_true_random=False))
def test_the_order_of_ranges_does_not_matter(mapping: Mapping, random: Random) -> None:
    tree, ranges, destinations = mapping
    pairs = list(zip(ranges, destinations, strict=True))
    random.shuffle(pairs)
    shuffled = build_tables(tree, [r for r, _ in pairs], [d for _, d in pairs])
    assert [t.notation for t in shuffled] == [t.notation for t in build_tables(tree, ranges, destinations)]


def small() -> tuple[Table, ...]:
    ranges = [
        KeyRange(0, 800, 0),
        KeyRange(800, 0, 0),
        KeyRange(800, 200, 0),
        KeyRange(1000, 50, 0),
        KeyRange(1100, 1, 3),
    ]
    return build_tables(
        RACK, ranges, [frozenset({0, 1, 3}), frozenset(), frozenset({0, 1, 3}), frozenset(), {3}]
    )


def test_arrays_of_a_small_table() -> None:
    table = small()[0]
    assert table.first.tolist() == [0, 1000]
    assert table.n.tolist() == [1000, 50]
    assert table.here.tolist() == [True, False]
    assert table.level.tolist() == [2, 0]
    assert table.mask_start.tolist() == [0, 3, 3]
    assert table.mask.tolist() == [0b11, 0b10, 0b10]
    assert table.dest_start.tolist() == [0, 2, 2]
    assert table.dest.tolist() == [1, 3]
    assert table.n_bytes == 8 + 8 + 2 + 2 + 12 + 24 + 12 + 8


def test_arrays_have_the_types_that_kernels_are_compiled_for() -> None:
    for table in small():
        assert [table.first.dtype, table.n.dtype, table.here.dtype] == [np.uint32, np.uint32, np.bool_]
        assert [table.level.dtype, table.mask.dtype, table.mask_start.dtype] == [np.int8, np.uint64, np.int32]
        assert [table.dest.dtype, table.dest_start.dtype] == [np.int32, np.int32]
        assert len(table.dest_start) == len(table.mask_start) == table.n_entries + 1
        assert table.dest.flags.c_contiguous


def test_notation() -> None:
    tables = small()
    assert repr(tables[0]) == "table of chip (board 0, chip 0): 2 entries, 3 masks"
    assert tables[0].notation == (
        "table of chip (board 0, chip 0): 2 entries, 3 masks\n"
        "  0x00000000+1000 -> here, up 2 {rack: 11, board 0: 10, board 1: 10}\n"
        "  0x000003e8+50 -> nowhere"
    )
    assert tables[1].notation == "table of chip (board 0, chip 1): 0 entries, 0 masks"
    assert tables[3].format(0) == "0x0000044c+1 -> here"
    assert repr(KeyRange(800, 200, 1)) == "0x00000320+200"


def test_a_table_pickles() -> None:
    table = small()[0]
    again = pickle.loads(pickle.dumps(table))
    assert again.notation == table.notation
    assert again.dest.tolist() == table.dest.tolist()


def test_the_last_key_is_found() -> None:
    tables = build_tables(RACK, [KeyRange(0, 2**32 - 1, 2)], [frozenset({0})])
    assert lookup(tables[2], 2**32 - 2) == 0


def test_many_keys_are_found_at_once() -> None:
    table = small()[0]
    keys = np.array([1049, 0, 999, 1000], dtype=np.uint32)
    assert find_entries(table, keys).tolist() == [1, 0, 0, 1]
    assert find_entries(table, keys[:0]).tolist() == []


@pytest.mark.parametrize(
    ("chip", "key", "message"),
    [
        (0, 1050, "table of chip (board 0, chip 0): every key is in one of its 2 entries, got 0x0000041a; "),
        (0, -1, "table of chip (board 0, chip 0): every key is in one of its 2 entries, got -0x0000001; "),
        (3, 0, "table of chip (board 1, chip 1): every key is in one of its 1 entries, got 0x00000000; "),
        (1, 7, "table of chip (board 0, chip 1): every key is in one of its 0 entries, got 0x00000007; "),
    ],
)
def test_a_key_without_entry_is_refused(chip: int, key: int, message: str) -> None:
    with pytest.raises(NoRouteError) as refused:
        lookup(small()[chip], key)
    assert str(refused.value) == message + "build the tables with the range of this key"


@pytest.mark.parametrize(("first", "n"), [(-1, 1), (0, -1), (2**32 - 2, 2), (0, 2**32)])
def test_a_range_outside_the_keys_is_refused(first: int, n: int) -> None:
    with pytest.raises(TableError) as refused:
        KeyRange(first, n, 0)
    assert str(refused.value) == (
        f"key range: keys are 0 to 4294967294, got {n} from {first} on; number fewer neurons"
    )


@pytest.mark.parametrize("order", [1, -1])
def test_ranges_that_overlap_are_refused_even_on_two_chips(order: int) -> None:
    ranges = [KeyRange(0, 10, 0), KeyRange(9, 5, 3)][::order]
    with pytest.raises(TableError) as refused:
        build_tables(RACK, ranges, [frozenset({1}), frozenset({1})])
    assert str(refused.value) == (
        "routing tables: every key belongs to one range, got 0x00000000+10 on chip (board 0, chip 0) "
        "and 0x00000009+5 on chip (board 1, chip 1); give each neuron a number of its own"
    )


def test_a_range_without_destinations_is_refused() -> None:
    with pytest.raises(TableError) as refused:
        build_tables(RACK, [KeyRange(0, 10, 0)], [])
    assert str(refused.value) == (
        "routing tables: one set of destinations for each of 1 key ranges, got 0; "
        "give an empty set to a range without target"
    )


@pytest.mark.parametrize(("chip", "destinations", "stray"), [(4, {0}, 4), (0, {2, 9}, 9), (0, {-2, 1}, -2)])
def test_chips_that_are_not_in_the_tree_are_refused(chip: int, destinations: set[int], stray: int) -> None:
    with pytest.raises(TreeError) as refused:
        build_tables(RACK, [KeyRange(0, 10, chip)], [frozenset(destinations)])
    assert str(refused.value) == (
        f"tree rack[2] > board[2] > chip: chips are numbered 0 to 3, got {stray}; "
        "use a chip of this tree, or a larger one"
    )


def test_a_table_that_an_int32_cannot_index_is_refused() -> None:
    with pytest.raises(TableError) as refused:
        _starts([2**30, 2**30], where="table of chip (chip 0)")
    assert str(refused.value) == (
        "table of chip (chip 0): at most 2147483647 masks or destinations, got 2147483648; "
        "put fewer populations on this chip"
    )
    assert _starts([2**30, 2**30 - 1], where="").tolist() == [0, 2**30, 2**31 - 1]
