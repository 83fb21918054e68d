import json
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import (
    ADDRESS_EVENTS,
    SYNAPTIC_EVENTS,
    Balance,
    Certificate,
    CountError,
    Events,
    KeyRange,
    Level,
    Tree,
    TreeError,
    build_tables,
    certify,
    expected_address_events,
    expected_by_level,
    ideal,
    link_traffic,
    merge,
)
from tests.router.strategies import addresses, fixed, mappings, path

RACK = Tree((Level("board", 2), Level("rack", 2)))
RANGES = [KeyRange(0, 8, 0), KeyRange(8, 8, 3)]
DESTINATIONS = [frozenset({0, 1, 2, 3}), frozenset({3})]
SYNAPTIC = Balance(SYNAPTIC_EVENTS, 5000, 4900, 100)
Mapping = tuple[Tree, list[KeyRange], list[frozenset[int]]]


def small(*, delivered: int = 45, dropped: int = 0) -> Certificate:
    reasons = {"full queue": dropped} if dropped else {}
    return certify(
        RACK,
        RANGES,
        destinations=DESTINATIONS,
        spikes_per_range=np.array([10, 5]),
        delivered=delivered,
        in_flight=0,
        dropped=reasons,
        synaptic_events=SYNAPTIC,
    )


@fixed
@given(mappings(), st.randoms(use_true_random=False))
def test_what_the_fabric_delivers_is_what_the_description_calls_for(mapping: Mapping, random: Random) -> None:
    tree, ranges, destinations = mapping
    keys = [(i, key) for i, r in enumerate(ranges) for key in range(r.first, r.first + r.n)]
    sent = [random.choice(keys) for _ in range(20 if keys else 0)]
    spikes = np.bincount(np.array([i for i, _ in sent], dtype=np.int64), minlength=len(ranges))
    events = Events(
        tick=np.zeros(len(sent), dtype=np.uint32),
        key=np.array([key for _, key in sent], dtype=np.uint32),
        chip=np.array([ranges[i].chip for i, _ in sent], dtype=np.int32),
    )
    tables = build_tables(tree, ranges, destinations)
    arrivals = ideal(tables, events)
    certificate = certify(
        tree,
        ranges,
        destinations=destinations,
        spikes_per_range=spikes,
        delivered=len(arrivals.event),
        in_flight=0,
        dropped=arrivals.dropped,
        synaptic_events=SYNAPTIC,
        traffic=link_traffic(tree, tables, arrivals.events_per_entry),
    )
    assert certificate.lossless
    assert certificate.traffic is not None
    assert certificate.by_level == tuple(certificate.traffic.by_level.tolist())


@fixed
@given(mappings(), st.randoms(use_true_random=False))
def test_expected_events_are_spikes_times_destinations(mapping: Mapping, random: Random) -> None:
    tree, ranges, destinations = mapping
    spikes = [random.randrange(1000) for _ in ranges]
    places = addresses(tree)
    by_level = [0] * (tree.depth + 1)
    for r, chips, n in zip(ranges, destinations, spikes, strict=True):
        for chip in chips:
            by_level[len(path(places[r.chip], places[chip])) // 2] += n
    expected = expected_by_level(tree, ranges, destinations=destinations, spikes_per_range=spikes)
    assert expected == tuple(by_level)
    assert expected_address_events(spikes, destinations) == sum(by_level)


def test_a_certificate_of_a_lossless_run() -> None:
    certificate = small()
    assert certificate.holds
    assert certificate.lossless
    assert certificate.by_level == (15, 10, 20)
    assert repr(certificate) == (
        "address events: 45 sent = 45 delivered + 0 in flight + 0 dropped; "
        "synaptic events: 5000 sent = 4900 delivered + 100 in flight + 0 dropped"
    )


def test_a_certificate_of_a_run_with_loss() -> None:
    certificate = small(delivered=42, dropped=3)
    assert certificate.holds
    assert not certificate.lossless


def test_a_certificate_of_a_run_that_lost_count() -> None:
    certificate = small(delivered=44)
    assert not certificate.holds
    assert not certificate.lossless
    assert repr(certificate).startswith("address events: 45 sent != 44 delivered + 0 in flight + 0 dropped; ")


@pytest.mark.parametrize(
    "synaptic", [Balance(SYNAPTIC_EVENTS, 5, 4), Balance(SYNAPTIC_EVENTS, 5, 4, 0, {"late": 1})]
)
def test_both_kinds_of_event_must_be_accounted_for(synaptic: Balance) -> None:
    certificate = Certificate(RACK, Balance(ADDRESS_EVENTS, 0, 0), synaptic, (0, 0, 0))
    assert certificate.holds == synaptic.holds
    assert not certificate.lossless


def test_a_certificate_is_json() -> None:
    levels = [
        {"level": 0, "name": "chip", "address_events": 15},
        {"level": 1, "name": "board", "address_events": 10},
        {"level": 2, "name": "rack", "address_events": 20},
    ]
    certificate = small(delivered=40, dropped=5)
    assert json.loads(json.dumps(certificate.to_dict())) == {
        "holds": True,
        "lossless": False,
        "address_events": {"sent": 45, "delivered": 40, "in_flight": 0, "dropped": {"full queue": 5}},
        "synaptic_events": {"sent": 5000, "delivered": 4900, "in_flight": 100, "dropped": {}},
        "by_level": levels,
        "traffic": None,
    }


def with_traffic(n: int) -> Certificate:
    tables = build_tables(RACK, RANGES, DESTINATIONS)
    empty = np.zeros(0, dtype=np.int64)
    traffic = link_traffic(RACK, tables, [np.array([n]), empty, empty, np.array([0])])
    return Certificate(RACK, Balance(ADDRESS_EVENTS, 4 * n, 4 * n), SYNAPTIC, (n, n, 2 * n), traffic)


def test_certificates_of_several_runs_add_up() -> None:
    total = merge([small(delivered=42, dropped=3), small(delivered=41, dropped=4), small()])
    assert total.address_events == Balance(ADDRESS_EVENTS, 135, 128, 0, {"full queue": 7})
    assert total.synaptic_events == Balance(SYNAPTIC_EVENTS, 15000, 14700, 300)
    assert total.by_level == (45, 30, 60)
    assert total.traffic is None


def test_traffic_adds_up_where_all_certificates_have_it() -> None:
    assert (
        merge([with_traffic(3), with_traffic(4)]).to_dict()["traffic"] == with_traffic(7).to_dict()["traffic"]
    )
    assert merge([with_traffic(3), small()]).traffic is None


def test_certificates_of_no_or_several_systems_are_refused() -> None:
    nothing = Balance(ADDRESS_EVENTS, 0, 0)
    other = Certificate(Tree((Level("board", 4),)), nothing, SYNAPTIC, (0, 0))
    for parts, n in (([], 0), ([small(), other], 2)):
        with pytest.raises(CountError) as refused:
            merge(parts)
        assert str(refused.value) == (
            f"certificate: a sum is of one system, got {n}; merge certificates of the same tree"
        )


@pytest.mark.parametrize(
    ("by_level", "message"),
    [
        ((10,), "certificate: by_level has 3 counts, got 1; count each level and the own chip"),
        ((1, 2, 3), "certificate: by_level adds up to 10 sent, got 6; count both from the same spikes"),
    ],
)
def test_levels_that_do_not_fit_are_refused(by_level: tuple[int, ...], message: str) -> None:
    with pytest.raises(CountError) as refused:
        Certificate(RACK, Balance(ADDRESS_EVENTS, 10, 10), SYNAPTIC, by_level)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("ranges", "spikes", "message"),
    [
        (
            RANGES,
            [1],
            "address events: spikes for each of 2 key ranges, got 1; give 0 to a range that kept silent",
        ),
        (
            RANGES,
            [1, -4],
            "address events: spikes of range 1 counts from 0, got -4; "
            "check for an overflow, or a difference taken the wrong way",
        ),
        (
            RANGES[:1],
            [1, 2],
            "address events: destinations for each of 1 key ranges, got 2; pass what build_tables was given",
        ),
    ],
)
def test_spikes_that_fit_no_range_are_refused(
    ranges: list[KeyRange], spikes: list[int], message: str
) -> None:
    with pytest.raises(CountError) as refused:
        expected_by_level(RACK, ranges, destinations=DESTINATIONS, spikes_per_range=spikes)
    assert str(refused.value) == message


@pytest.mark.parametrize(("chip", "target", "stray"), [(4, 0, 4), (0, 4, 4), (0, -1, -1)])
def test_chips_that_are_not_in_the_tree_are_refused(chip: int, target: int, stray: int) -> None:
    with pytest.raises(TreeError) as refused:
        expected_by_level(
            RACK, [KeyRange(0, 1, chip)], destinations=[frozenset({target})], spikes_per_range=[1]
        )
    assert str(refused.value) == (
        f"tree rack[2] > board[2] > chip: chips are numbered 0 to 3, got {stray}; "
        "use a chip of this tree, or a larger one"
    )
