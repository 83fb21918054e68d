"""What every placer promises. A new placer is found by itself."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.placement import PLACERS, Placement, Slice
from network import Network
from tests.chip.networks import QUIET, delta, describe
from tests.chip.strategies import fixed

Placer = Callable[[Network, int], Placement]

pytestmark = pytest.mark.parametrize("placer", PLACERS.values(), ids=PLACERS)


def network_of(sizes: Sequence[int], *, sources: Sequence[int] = (), seed: int = 5) -> Network:
    populations = [delta(f"p{k}", size, QUIET) for k, size in enumerate(sizes)]
    poisson = [
        {"kind": "poisson", "name": f"s{k}", "size": size, "rate_hz": 1.0} for k, size in enumerate(sources)
    ]
    return describe(populations, sources=poisson).model_copy(update={"seed": seed})


def check_placement(placement: Placement, network: Network, n_chips: int) -> None:
    """Hold all that is asked of any placement."""
    assert len(placement) == n_chips
    for slices in placement:
        assert list(slices) == sorted(slices)
        assert all(part.n > 0 for part in slices)
    parts = sorted(part for slices in placement for part in slices)
    for number, member in enumerate(network.members):
        end = 0
        for part in (p for p in parts if p.member == number):
            assert part.first == end
            end += part.n
        assert end == member.size
    assert all(0 <= part.member < len(network.members) for part in parts)


sizes = st.lists(st.sampled_from([0, 1, 2, 7, 31, 97, 1009, 65_537]), max_size=5)


@fixed
@given(sizes=sizes, sources=sizes, n_chips=st.integers(1, 64), seed=st.integers(0, 2**63 - 1))
def test_every_neuron_is_placed_once(
    placer: Placer, sizes: list[int], sources: list[int], n_chips: int, seed: int
) -> None:
    network = network_of(sizes, sources=sources, seed=seed)
    check_placement(placer(network, n_chips), network, n_chips)


@pytest.mark.parametrize(
    ("sizes", "n_chips"),
    [([3], 64), ([1], 2), ([0], 4), ([0, 5, 0], 2), ([], 3), ([1] * 5, 64), ([2**31], 64)],
)
def test_more_chips_than_neurons_and_empty_populations(
    placer: Placer, sizes: list[int], n_chips: int
) -> None:
    network = network_of(sizes)
    check_placement(placer(network, n_chips), network, n_chips)


def test_one_chip_holds_everything(placer: Placer) -> None:
    network = network_of([10, 0, 7], sources=[3])
    (slices,) = placer(network, 1)
    assert sum(part.n for part in slices) == 20
    check_placement((slices,), network, 1)


@fixed
@given(sizes=sizes, n_chips=st.integers(1, 16), seed=st.integers(0, 2**63 - 1))
def test_equal_networks_are_placed_equally(placer: Placer, sizes: list[int], n_chips: int, seed: int) -> None:
    one, other = (placer(network_of(sizes, seed=seed), n_chips) for _ in range(2))
    assert one == other


def test_large_populations_are_shared_out(placer: Placer) -> None:
    placement = placer(network_of([1009, 4001, 977]), 8)
    loads = [sum(part.n for part in slices) for slices in placement]
    assert max(loads) <= 2.0 * sum(loads) / 8
    assert min(loads) > 0


def test_slices_are_plain_numbers_in_one_notation(placer: Placer) -> None:
    placement = placer(network_of([4]), 1)
    assert all(type(x) is int for part in placement[0] for x in (part.member, part.first, part.n))
    assert repr(Slice(1, 0, 4)) == "Slice(member=1, first=0, n=4)"
