import pickle

import numpy as np
import pytest
from hypothesis import given

from router import Level, Tree, TreeError
from tests.router.strategies import addresses, fixed, prefixes, trees

RACK = Tree((Level("board", 2), Level("rack", 3)))
HALL = Tree((Level("board", 8), Level("rack", 8), Level("hall", 16)))


@fixed
@given(trees())
def test_addresses_count_through_the_tree_from_left_to_right(tree: Tree) -> None:
    expected = addresses(tree)
    assert tree.n_chips == len(expected)
    assert [tree.address(chip) for chip in range(tree.n_chips)] == expected
    assert [tree.chip(address) for address in expected] == list(range(tree.n_chips))


@fixed
@given(trees())
def test_each_height_has_its_nodes_above_equal_shares_of_chips(tree: Tree) -> None:
    for height in range(tree.depth + 1):
        nodes = prefixes(tree, height)
        assert tree.n_nodes(height) == len(nodes)
        above = [nodes[chip // tree.stride(height)] for chip in range(tree.n_chips)]
        assert above == [address[: tree.depth - height] for address in addresses(tree)]


@fixed
@given(trees())
def test_the_level_between_two_chips_is_the_length_of_the_climb(tree: Tree) -> None:
    chips = np.arange(tree.n_chips, dtype=np.int32)
    places = addresses(tree)
    for chip in (0, tree.n_chips // 2, tree.n_chips - 1):
        expected = []
        for place in places:
            shared = [a == b for a, b in zip(place, places[chip], strict=True)] + [False]
            expected.append(tree.depth - shared.index(False))
        assert tree.levels_from(chip, chips).tolist() == expected
        assert [tree.level_between(chip, other) for other in range(min(tree.n_chips, 30))] == expected[:30]


def test_a_tree_of_thousands_of_chips() -> None:
    assert HALL.n_chips == 1024
    assert HALL.address(1023) == (15, 7, 7)
    assert HALL.chip((1, 0, 0)) == 64
    assert HALL.level_between(0, 64) == 3


def test_notation_of_trees_chips_and_nodes() -> None:
    assert repr(RACK) == "rack[3] > board[2] > chip"
    assert RACK.format(5) == "(board 2, chip 1)"
    assert RACK.format(2, height=1) == "(board 2)"
    assert RACK.format(0, height=2) == "(rack)"
    assert HALL.format(1023) == "(rack 15, board 7, chip 7)"
    assert HALL.path(127, height=1) == ("rack 15", "board 7")
    assert Tree((Level("board", 4),)).format(3) == "(chip 3)"
    assert [RACK.level_name(level) for level in range(3)] == ["chip", "board", "rack"]


def test_trees_are_values() -> None:
    again = Tree((Level("board", 2), Level("rack", 3)))
    assert again == RACK
    assert hash(again) == hash(RACK)
    assert pickle.loads(pickle.dumps(RACK)) == RACK
    assert Tree((Level("board", 3), Level("rack", 2))) != RACK


def test_a_tree_at_its_limits() -> None:
    assert Tree((Level("board", 64), Level("rack", 64), Level("hall", 16))).n_chips == 65_536
    assert Tree(tuple(Level(f"level {i}", 1) for i in range(127))).level_between(0, 0) == 0


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((), "tree: a tree has 1 to 127 levels, got 0; give it a level, such as a board"),
        ((("board", 0),), "level 'board': fan_out is 1 to 64, got 0; split the level in two"),
        ((("board", 65),), "level 'board': fan_out is 1 to 64, got 65; split the level in two"),
        (
            (("", 2),),
            "tree: the name of a level is neither empty nor that of the leaves, got ''; "
            "name the level, for example 'board'",
        ),
        (
            (("chip", 2),),
            "tree: the name of a level is neither empty nor that of the leaves, got 'chip'; "
            "name the level, for example 'board'",
        ),
        (
            (("board", 2), ("board", 2)),
            "tree: the names of its levels differ, got board, board; rename a level",
        ),
        (
            (("board", 64), ("rack", 64), ("hall", 17)),
            "tree hall[17] > rack[64] > board[64] > chip: at most 65536 chips, got 69632; lower a fan_out",
        ),
    ],
)
def test_a_tree_that_cannot_be_is_refused(levels: tuple[tuple[str, int], ...], message: str) -> None:
    with pytest.raises(TreeError) as refused:
        Tree(tuple(Level(name, fan_out) for name, fan_out in levels))
    assert str(refused.value) == message


@pytest.mark.parametrize("chip", [-1, 6])
def test_a_chip_that_is_not_in_the_tree_is_refused(chip: int) -> None:
    message = (
        f"tree rack[3] > board[2] > chip: chips are numbered 0 to 5, got {chip}; "
        "use a chip of this tree, or a larger one"
    )
    for call in (RACK.address, lambda c: RACK.level_between(0, c), lambda c: RACK.level_between(c, 0)):
        with pytest.raises(TreeError) as refused:
            call(chip)
        assert str(refused.value) == message


@pytest.mark.parametrize("address", [(0,), (0, 0, 0), (3, 0), (0, 2), (-1, 0)])
def test_an_address_that_is_not_in_the_tree_is_refused(address: tuple[int, ...]) -> None:
    with pytest.raises(TreeError) as refused:
        RACK.chip(address)
    assert str(refused.value) == (
        f"tree rack[3] > board[2] > chip: an address is 2 numbers below (3, 2), got {address}; "
        "use an address of this tree"
    )
