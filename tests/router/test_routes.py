import pickle

import pytest
from hypothesis import given

from router import Level, Route, RouteError, Tree, TreeError, decode_route, encode_route
from tests.router.strategies import addresses, fixed, prefixes, routes

RACK = Tree((Level("board", 2), Level("rack", 2)))
WIDE = Tree((Level("board", 64), Level("rack", 64)))


@fixed
@given(routes())
def test_decoding_gives_the_destinations_back(case: tuple[Tree, int, frozenset[int]]) -> None:
    tree, source, destinations = case
    route = encode_route(tree, source, destinations=destinations)
    assert decode_route(route) == destinations
    assert encode_route(tree, source, destinations=decode_route(route)) == route


@fixed
@given(routes())
def test_a_route_climbs_no_further_than_its_farthest_destination(
    case: tuple[Tree, int, frozenset[int]],
) -> None:
    tree, source, destinations = case
    route = encode_route(tree, source, destinations=destinations)
    assert route.here == (source in destinations)
    assert route.level == max((tree.level_between(source, chip) for chip in destinations), default=0)


@fixed
@given(routes())
def test_a_route_has_one_mask_for_each_router_that_multicasts(
    case: tuple[Tree, int, frozenset[int]],
) -> None:
    tree, source, destinations = case
    route = encode_route(tree, source, destinations=destinations)
    places = addresses(tree)
    expected = []
    for height in range(route.level, 0, -1):
        for router in prefixes(tree, height):
            below = {places[chip][: len(router) + 1] for chip in destinations - {source}}
            bits = {prefix[-1] for prefix in below if prefix[:-1] == router}
            if bits:
                expected.append(sum(1 << bit for bit in bits))
    assert list(route.masks) == expected


@pytest.mark.parametrize("chips", [range(4096), [4095], [0, 63, 64, 127, 4032], range(63, 4096, 64)])
def test_masks_use_all_64_bits(chips: range | list[int]) -> None:
    destinations = frozenset(chips) - {7}
    assert decode_route(encode_route(WIDE, 7, destinations=destinations)) == destinations


@pytest.mark.parametrize(
    ("destinations", "notation"),
    [
        (set(), "nowhere"),
        ({0}, "here"),
        ({1}, "up 1 {board 0: 10}"),
        ({0, 1}, "here, up 1 {board 0: 10}"),
        ({3}, "up 2 {rack: 10, board 1: 10}"),
        ({0, 1, 2, 3}, "here, up 2 {rack: 11, board 0: 10, board 1: 11}"),
    ],
)
def test_notation(destinations: set[int], notation: str) -> None:
    route = encode_route(RACK, 0, destinations=destinations)
    assert route.notation == notation
    assert repr(route) == f"(board 0, chip 0) -> {notation}"


def test_notation_names_routers_from_the_top() -> None:
    hall = Tree((Level("board", 2), Level("rack", 2), Level("hall", 3)))
    route = encode_route(hall, 0, destinations={5, 8})
    masks = "hall: 110, rack 1: 01, rack 2: 01, rack 1 board 0: 10, rack 2 board 0: 01"
    assert repr(route) == f"(rack 0, board 0, chip 0) -> up 3 {{{masks}}}"


def test_routes_are_values() -> None:
    route = encode_route(RACK, 0, destinations={1, 2})
    assert pickle.loads(pickle.dumps(route)) == route
    assert hash(route) == hash(encode_route(RACK, 0, destinations={2, 1}))


@pytest.mark.parametrize(
    ("level", "masks", "rule"),
    [
        (3, (), "a route climbs 0 to 2 levels, got 3; use encode_route"),
        (-1, (), "a route climbs 0 to 2 levels, got -1; use encode_route"),
        (0, (1,), "the bits set call for 0 masks, got 1; give one mask a router, breadth first"),
        (2, (1, 2, 3), "the bits set call for 2 masks, got 3; give one mask a router, breadth first"),
        (2, (3, 2), "2 masks at level 'board', got 1; give one mask a router, breadth first"),
        (
            2,
            (0,),
            "a mask of level 'rack' is 1 to 0b11, got 0b0; set a bit for each child that has destinations",
        ),
        (
            1,
            (4,),
            "a mask of level 'board' is 1 to 0b11, got 0b100; set a bit for each child that has destinations",
        ),
        (1, (-1,), "a mask is a 64-bit word, got -0x1; use encode_route"),
        (1, (2**64,), "a mask is a 64-bit word, got 0x10000000000000000; use encode_route"),
        (1, (3,), "the masks leave out the chip itself, got 0; mark it as here"),
    ],
)
def test_masks_that_describe_no_route_are_refused(level: int, masks: tuple[int, ...], rule: str) -> None:
    with pytest.raises(RouteError) as refused:
        Route(RACK, 0, False, level, masks)
    assert str(refused.value) == f"route from chip (board 0, chip 0): {rule}"


@pytest.mark.parametrize(("source", "destinations", "stray"), [(4, {0}, 4), (0, {1, 4}, 4), (0, {-1}, -1)])
def test_chips_that_are_not_in_the_tree_are_refused(source: int, destinations: set[int], stray: int) -> None:
    with pytest.raises(TreeError) as refused:
        encode_route(RACK, source, destinations=destinations)
    assert str(refused.value) == (
        f"tree rack[2] > board[2] > chip: chips are numbered 0 to 3, got {stray}; "
        "use a chip of this tree, or a larger one"
    )
