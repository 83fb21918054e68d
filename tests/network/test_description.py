from __future__ import annotations

import copy
import pickle

import pytest
from pydantic import ValidationError

from network import Explicit, Network, NetworkError, Population, Projection, parse_network
from tests.network.samples import demo


@pytest.fixture
def network() -> Network:
    return parse_network(demo())


def test_members_are_populations_then_sources(network: Network) -> None:
    assert [member.name for member in network.members] == ["exc", "inh", "drive", "probe"]


def test_offsets_number_all_neurons_through(network: Network) -> None:
    assert network.offsets == {"exc": 0, "inh": 800, "drive": 1000, "probe": 1100}
    assert network.n_neurons == 1102


def test_synapses_follow_from_the_rules(network: Network) -> None:
    # fixed_in_degree 100 x 200, explicit 3, fixed_total_number 4,000, one_to_one 200, all_to_all 200 x 800
    assert network.n_synapses == 20_000 + 3 + 4_000 + 200 + 160_000


def test_member_by_name(network: Network) -> None:
    assert network.member("probe").size == 2
    with pytest.raises(KeyError, match=r"^'nobody'$"):
        network.member("nobody")


def test_projection_by_name(network: Network) -> None:
    assert network.projections[network.projection("drive->exc")].source == "drive"
    with pytest.raises(KeyError, match=r"^'nobody'$"):
        network.projection("nobody")


def test_what_a_network_keeps_of_its_names_is_no_part_of_it(network: Network) -> None:
    fresh = parse_network(demo())
    smaller = network.populations[0].model_copy(update={"size": 7})
    assert network.offsets["inh"] == 800
    assert network == fresh
    assert network.model_dump_json() == fresh.model_dump_json()
    assert dict(network) == dict(fresh)
    assert pickle.dumps(network) == pickle.dumps(parse_network(demo()))
    for copied in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network), copy.copy(network)):
        assert copied == fresh
        assert copied.offsets == network.offsets
    changed = network.model_copy(update={"populations": (smaller, *network.populations[1:])})
    assert changed.offsets["inh"] == 7
    assert changed.member("exc") is smaller


def test_numbers_become_floats_and_defaults_are_filled_in(network: Network) -> None:
    assert network.populations[0].inputs[1].model_dump() == {"kind": "dc", "current_pa": 100.0}
    assert network.populations[1] == Population(name="inh", size=200, model="lif_curr_exp")
    assert network.projections[2].receptor is None


def test_a_projection_is_named_after_its_ends(network: Network) -> None:
    assert [projection.name for projection in network.projections] == [
        "forward",
        "probe->exc",
        "drive->exc",
        "inh->inh",
        "inh->exc",
    ]


def test_explicit_lists_replace_weight_and_delay(network: Network) -> None:
    projection = network.projections[1]
    assert projection.weight is None
    assert projection.delay_ms is None
    assert isinstance(projection.connectivity, Explicit)
    assert projection.connectivity.weights == (1.5, -2.0, 3.0)


def test_long_lists_stay_out_of_the_repr(network: Network) -> None:
    assert repr(network.projections[1].connectivity) == "Explicit(rule='explicit')"


def test_recorded_neurons_are_a_range(network: Network) -> None:
    assert network.recordings[0].neurons.range == range(0, 10, 1)


def test_frozen(network: Network) -> None:
    with pytest.raises(ValidationError):
        network.seed = 2


def test_pickles(network: Network) -> None:
    assert pickle.loads(pickle.dumps(network)) == network


def test_empty_populations_are_allowed() -> None:
    empty = {"name": "none", "size": 0, "model": "lif_curr_exp"}
    rules = [
        {"rule": "all_to_all"},
        {"rule": "fixed_in_degree", "n": 5},
        {"rule": "fixed_total_number", "n": 0},
    ]
    projections = [
        {
            "name": str(i),
            "source": "none",
            "target": "none",
            "connectivity": rule,
            "weight": 1,
            "delay_ms": 1,
        }
        for i, rule in enumerate(rules)
    ]
    network = parse_network(demo(populations=[empty], sources=[], projections=projections, recordings=[]))
    assert (network.n_neurons, network.n_synapses) == (0, 0)


def test_built_from_parts() -> None:
    """The classes may be used directly; they take the same values."""
    rule = Explicit(sources=(0,), targets=(0,))
    network = Network(
        name="direct",
        timestep_ms=1,
        seed=0,
        populations=(Population(name="a", size=1, model="lif_curr_delta"),),
        projections=(Projection(source="a", target="a", connectivity=rule, weight=1, delay_ms=1),),
    )
    assert parse_network(network.model_dump()) == network


@pytest.mark.parametrize(
    ("ms", "ticks"), [(0, 0), (0.1, 1), (1.5, 15), (0.3, 3), (1000, 10_000), (429496729.5, 4294967295)]
)
def test_ticks(network: Network, ms: float, ticks: int) -> None:
    assert network.ticks(ms) == ticks


@pytest.mark.parametrize(
    ("ms", "message"),
    [
        (0.15, "time_ms must be a multiple of timestep_ms, 0.1, got 0.15; the nearest are 0.1 and 0.2"),
        (-1.0, "time_ms must be > 0, got -1; the shortest is timestep_ms, 0.1"),
        (
            429496729.6,
            "time_ms must be at most 4294967295 ticks of 0.1 ms, got 429496729.6; "
            "shorten it or raise timestep_ms",
        ),
    ],
)
def test_ticks_refuses_what_is_off_the_grid(network: Network, ms: float, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        network.ticks(ms)
    assert str(caught.value) == message


def test_ticks_names_the_time_in_the_error(network: Network) -> None:
    with pytest.raises(NetworkError) as caught:
        network.ticks(0.01, where="duration_ms")
    assert caught.value.errors == (
        ("duration_ms", "must be a multiple of timestep_ms, 0.1, got 0.01; the nearest is 0.1"),
    )
