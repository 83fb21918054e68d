"""Placers: a partition of every population over the chips, whichever is chosen."""

from __future__ import annotations

import pytest

from cluster.placement import PLACERS, Slice, consecutive, even, shuffled
from network import parse_network
from tests.cluster.samples import everything_network, pair

EVERY = everything_network()


def test_placers_by_the_name_of_the_option() -> None:
    assert dict(PLACERS) == {"default": even, "consecutive": consecutive, "shuffled": shuffled}


@pytest.mark.parametrize("placer", PLACERS.values(), ids=PLACERS)
@pytest.mark.parametrize("n_chips", [1, 2, 3, 8, 64])
def test_every_neuron_stands_on_one_chip(placer, n_chips: int) -> None:
    placement = placer(EVERY, n_chips)
    assert len(placement) == n_chips
    for own in placement:
        assert list(own) == sorted(own)
        assert all(part.n > 0 for part in own)
    found = sorted((p.member, p.first + i) for own in placement for p in own for i in range(p.n))
    assert found == [(k, i) for k, member in enumerate(EVERY.members) for i in range(member.size)]


@pytest.mark.parametrize("placer", PLACERS.values(), ids=PLACERS)
def test_a_placement_is_a_function_of_the_network(placer) -> None:
    assert placer(EVERY, 3) == placer(everything_network(), 3)


@pytest.mark.parametrize("placer", PLACERS.values(), ids=PLACERS)
def test_an_empty_population_stands_nowhere(placer) -> None:
    network = pair()
    network["populations"][0]["size"] = 0
    placement = placer(parse_network(network), 2)
    assert {part.member for own in placement for part in own} == {1}


def test_even_shares_differ_by_a_neuron_at_most() -> None:
    placement = even(EVERY, 7)
    for number, member in enumerate(EVERY.members):
        shares = [sum(p.n for p in own if p.member == number) for own in placement]
        assert max(shares) - min(shares) <= 1
        assert sum(shares) == member.size


def test_even_shares_of_two_chips() -> None:
    assert even(parse_network(pair()), 2) == (
        (Slice(0, 0, 5), Slice(1, 0, 5)),
        (Slice(0, 5, 5), Slice(1, 5, 5)),
    )


def test_consecutive_shares_follow_the_order_of_declaration() -> None:
    """Populations of 6, 0, 9 and 3 neurons, sources of 4 and 1: shares of 6, and of 1, 2 and 2."""
    sources = [
        {"kind": "poisson", "name": name, "size": size, "rate_hz": 1.0} for name, size in (("s", 4), ("t", 1))
    ]
    populations = [
        {"name": name, "size": size, "model": "lif_curr_delta"}
        for name, size in (("a", 6), ("b", 0), ("c", 9), ("d", 3))
    ]
    network = parse_network(
        {"name": "n", "timestep_ms": 1.0, "seed": 1, "populations": populations, "sources": sources}
    )
    assert consecutive(network, 3) == (
        (Slice(0, 0, 6), Slice(4, 0, 1)),
        (Slice(2, 0, 6), Slice(4, 1, 2)),
        (Slice(2, 6, 3), Slice(3, 0, 3), Slice(4, 3, 1), Slice(5, 0, 1)),
    )


@pytest.mark.parametrize("n_chips", [1, 2, 7, 64])
def test_consecutive_shares_differ_by_a_neuron_at_most(n_chips: int) -> None:
    n_populations = len(EVERY.populations)
    placement = consecutive(EVERY, n_chips)
    for numbers in (range(n_populations), range(n_populations, len(EVERY.members))):
        shares = [sum(p.n for p in own if p.member in numbers) for own in placement]
        assert max(shares) - min(shares) <= 1
        assert sum(shares) == sum(EVERY.members[number].size for number in numbers)


def test_shuffled_slices_are_finer_and_follow_the_seed() -> None:
    first, second = shuffled(EVERY, 4), shuffled(everything_network(seed=8), 4)
    assert first != second
    n_even, n_shuffled = (sum(len(own) for own in placer(EVERY, 4)) for placer in (even, shuffled))
    assert n_shuffled > 1.5 * n_even
    assert all(own for own in first)
    members_of = [[p.member for p in own] for own in first]
    assert any(len(set(members)) < len(members) for members in members_of)
