"""Synapses read back from the chips' memories: against a slow expansion, in parts, and what is refused."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cluster.synapses
from cluster import DeployOptions, LocalFleet
from cluster.errors import DeploymentLost, RefusedQuery, RunConflict
from cluster.synapsequery import SynapseQuery, select
from cluster.synapses import SynapsePage, Synapses, read_page, windows
from cluster.team import ThreadTeam
from network import Network, WeightRecording, parse_network
from tests.cluster.deployments import finish, held
from tests.cluster.executions import run_with
from tests.cluster.samples import RACK, everything_network, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

Row = tuple[int, int, int, str, float]
ALL = 10**6


def mixed() -> Network:
    """Populations of both models; rules that can be expanded by hand; parallel projections; two receptors."""
    exp, delta = ({"model": model} for model in ("lif_curr_exp", "lif_curr_delta"))
    rng = np.random.default_rng(3)
    sources, targets = rng.integers(0, 9, 60).tolist(), rng.integers(0, 13, 60).tolist()
    listed = {"rule": "explicit", "sources": sources, "targets": targets}
    listed |= {"weights": (rng.integers(-40, 40, 60) * 0.25).tolist()}
    listed |= {"delays_ms": rng.choice([1.0, 2.0, 7.0, 300.0], 60).tolist()}
    every, each = {"rule": "all_to_all"}, {"rule": "one_to_one"}
    return parse_network(
        {
            "name": "mixed",
            "timestep_ms": 0.5,
            "seed": 11,
            "populations": [
                {"name": "a", "size": 9, **exp},
                {"name": "b", "size": 13, **exp},
                {"name": "c", "size": 9, **delta},
            ],
            "sources": [{"kind": "poisson", "name": "s", "size": 4, "rate_hz": 5}],
            "projections": [
                projection("a", "b", listed, "listed", receptor="excitatory"),
                projection("a", "b", every, "all", weight=-2.5, delay_ms=1.5, receptor="inhibitory"),
                projection("a", "b", every, "again", weight=-2.5, delay_ms=2.5, receptor="inhibitory"),
                projection("a", "c", each, "each", weight=0.75, delay_ms=3),
                projection("c", "c", every, "own", weight=-0.5, delay_ms=1),
                projection("s", "c", every, "drive", weight=8, delay_ms=0.5),
                projection("b", "a", every, "back", weight=1, delay_ms=1, receptor="excitatory"),
            ],
        }
    )


def projection(source: str, target: str, rule: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "connectivity": rule, "name": name, **more}


def expanded(network: Network, *names: str) -> list[Row]:
    """All synapses of some projections, sorted: a plain walk through the description."""
    rows: list[Row] = []
    for one in network.projections:
        if one.name not in names:
            continue
        rule, firsts = one.connectivity, (network.offsets[one.source], network.offsets[one.target])
        sizes = network.member(one.source).size, network.member(one.target).size
        pairs: Iterator[tuple[int, int]] = itertools.product(range(sizes[0]), range(sizes[1]))
        if rule.rule == "one_to_one":
            pairs = zip(range(sizes[0]), range(sizes[1]), strict=True)
        if rule.rule == "explicit":
            pairs = zip(rule.sources, rule.targets, strict=True)
        for k, (source, target) in enumerate(pairs):
            weight = rule.weights[k] if rule.rule == "explicit" else one.weight
            ms = rule.delays_ms[k] if rule.rule == "explicit" else one.delay_ms
            ends = source + firsts[0], target + firsts[1]
            rows.append((*ends, round(ms / network.timestep_ms), one.receptor or "delta", float(weight)))
    return in_order(rows)


def in_order(rows: list[Row]) -> list[Row]:
    """Sort by source, target, delay, receptor (in the model's order), weight."""
    receptors = ["excitatory", "inhibitory", "delta"]
    return sorted(rows, key=lambda row: (*row[:3], receptors.index(row[3]), row[4]))


def rows_of(page: SynapsePage) -> list[Row]:
    s = page.synapses
    kinds = [page.groups[k].receptor for k in s.kind.tolist()]
    columns = s.source.tolist(), s.target.tolist(), s.delay_ticks.tolist(), kinds, s.weight.tolist()
    return list(zip(*columns, strict=True))


@pytest.fixture(scope="module", params=[(1, "default"), (3, "shuffled")], ids=str)
def team(request: pytest.FixtureRequest, kernels: None) -> Iterator[ThreadTeam]:
    chips, placement = request.param
    made = ThreadTeam(plan_of(mixed(), chips, placement=placement))
    made.build(lambda phase, share: None)
    yield made
    made.close()


def read(team: ThreadTeam, limit: int = ALL, begin: tuple[int, int] = (0, 0), **query: Any) -> SynapsePage:
    return read_page(team.plan, SynapseQuery(**query), team.synapses, limit=limit, begin=begin)


@pytest.mark.parametrize(
    ("query", "names", "groups"),
    [
        ({"projection": "listed"}, ["listed"], [("a", "b", "excitatory", ("listed",))]),
        ({"projection": "again"}, ["all", "again"], [("a", "b", "inhibitory", ("all", "again"))]),
        (
            {"source": "a", "target": "b"},
            ["listed", "all", "again"],
            [("a", "b", "excitatory", ("listed",)), ("a", "b", "inhibitory", ("all", "again"))],
        ),
        ({"projection": "each"}, ["each"], [("a", "c", "delta", ("each",))]),
        (
            {"target": "c"},
            ["each", "own", "drive"],
            [("a", "c", "delta", ("each",)), ("c", "c", "delta", ("own",)), ("s", "c", "delta", ("drive",))],
        ),
        (
            {"source": "a"},
            ["listed", "all", "again", "each"],
            [
                ("a", "b", "excitatory", ("listed",)),
                ("a", "b", "inhibitory", ("all", "again")),
                ("a", "c", "delta", ("each",)),
            ],
        ),
        ({"source": "s", "target": "b"}, [], []),
    ],
)
def test_what_is_read_is_what_was_described(
    team: ThreadTeam, query: dict[str, Any], names: list[str], groups: list[tuple[Any, ...]]
) -> None:
    page = read(team, **query)
    assert rows_of(page) == expanded(team.plan.network, *names)
    assert [tuple(group) for group in page.groups] == groups
    assert page.following is None


@pytest.mark.parametrize("sources", [None, range(9), range(2, 7), range(1, 9, 3), range(8, 9), range(4, 4)])
@pytest.mark.parametrize("targets", [None, range(13), range(5, 6), range(0, 13, 4), range(3, 12, 2)])
def test_neurons_may_be_chosen(team: ThreadTeam, sources: range | None, targets: range | None) -> None:
    page = read(team, source="a", target="b", sources=sources, targets=targets)
    wanted = [
        row
        for row in expanded(team.plan.network, "listed", "all", "again")
        if row[0] in (sources or range(9 if sources is None else 0))
        and row[1] - 9 in (targets or range(13 if targets is None else 0))
    ]
    assert rows_of(page) == wanted
    assert len(wanted) > 0 or sources == range(4, 4)


@pytest.mark.parametrize("limit", [1, 7, 26, 27, 100, 293, 294, 295])
@pytest.mark.parametrize("window", [1, 50, 1 << 20])
def test_parts_make_the_whole(
    monkeypatch: pytest.MonkeyPatch, team: ThreadTeam, limit: int, window: int
) -> None:
    monkeypatch.setattr(cluster.synapses, "_WINDOW", window)
    whole, parts, begin = rows_of(read(team, source="a", target="b")), [], (0, 0)
    assert len(whole) == 60 + 2 * 9 * 13
    while True:
        page = read(team, limit, begin, source="a", target="b")
        parts += rows_of(page)
        if page.following is None:
            break
        assert len(page.synapses.source) == limit
        begin = page.following
    assert parts == whole


def test_a_part_may_begin_where_there_is_nothing(team: ThreadTeam) -> None:
    page = read(team, begin=(9, 0), source="a", target="b")
    assert (rows_of(page), page.following) == ([], None)


def test_windows_are_as_large_as_what_is_wanted() -> None:
    network = mixed()
    selection = select(network, SynapseQuery(source="a", target="b", targets=range(0, 13, 2)))
    found = [
        [(k, pair.sources) for k, pair in window]
        for window in windows(selection, [network.offsets[m.name] for m in network.members], limit=60)
    ]
    # Each source has 294 / 9 synapses, of which 7 / 13 go to the chosen targets: 3.4 sources give 60.
    assert found == [[(0, range(4))], [(0, range(4, 8))], [(0, range(8, 9))]]


def test_synapses_are_read_beside_a_run_and_do_not_change_it() -> None:
    alone, _ = run_with(ThreadTeam(plan_of(everything_network(), 2)), 300)
    pages: list[SynapsePage] = []

    class Reading(ThreadTeam):
        def advance(self, until: int) -> Any:
            advanced = super().advance(until)
            query = SynapseQuery(source="exc", target="inh")
            pages.append(read_page(self.plan, query, self.synapses, limit=ALL))
            return advanced

    record, _ = run_with(Reading(plan_of(everything_network(), 2)), 300)
    assert record["digest"] == alone["digest"]
    assert len(pages) > 1
    assert pages[0].synapses.source.size == 800
    for column, first in zip(pages[-1].synapses, pages[0].synapses, strict=True):
        assert np.array_equal(column, first)


def test_only_a_deployment_that_is_ready_is_read(tmp_path: Path) -> None:
    coordinator, team = held(tmp_path)
    query = SynapseQuery(source="exc", target="inh")
    with pytest.raises(RunConflict) as caught:
        coordinator.synapses(query, ALL, (0, 0))
    assert str(caught.value) == (
        "deployment 'd1': to read its synapses it must be ready, got building; look at its state first"
    )
    team.go.set()
    finish("build d1")
    assert coordinator.synapses(query, ALL, (0, 0)).synapses.source.size == 800
    with pytest.raises(RefusedQuery):
        coordinator.synapses(SynapseQuery(), ALL, (0, 0))
    coordinator.close()
    with pytest.raises(RunConflict) as caught:
        coordinator.synapses(query, ALL, (0, 0))
    assert str(caught.value) == (
        "deployment 'd1': to read its synapses it must be ready, got released; look at its state first"
    )
    with pytest.raises(DeploymentLost, match=r"^deployment: released$"):
        team.synapses(())


def test_a_fleet_reads_the_deployment_of_that_name(tmp_path: Path) -> None:
    fleet = LocalFleet(tmp_path)
    try:
        fleet.deploy("d1", mixed(), RACK, DeployOptions(chips=2))
        finish("build d1")
        page = fleet.synapses("d1", SynapseQuery(projection="each"), 4, (0, 0))
        assert rows_of(page) == expanded(mixed(), "each")[:4]
        assert page.following == (4, 0)
        with pytest.raises(DeploymentLost) as caught:
            fleet.synapses("d2", SynapseQuery(projection="each"), 4, (0, 0))
        assert str(caught.value) == "deployment 'd2': its chips are gone; deploy the network again"
    finally:
        fleet.close()


def recording(**more: Any) -> dict[str, Any]:
    return {"kind": "weights", "projection": "exc->exc", "interval_ms": 5.0, **more}


@pytest.mark.parametrize(("chips", "placement"), [(1, "default"), (3, "shuffled")])
def test_recorded_weights_are_those_that_are_read(chips: int, placement: str) -> None:
    some = {"sources": {"start": 5, "stop": 100, "step": 3}, "targets": {"stop": 60}}
    network = everything_network(recordings=[recording(), recording(**some)])
    team = ThreadTeam(plan_of(network, chips, placement=placement))
    kept: list[Any] = []

    class Kept:
        def append(self, last_tick: int, pairs: Any, states: Any) -> None:
            kept.append(states)

        def status(self, record: Any) -> None:
            pass

    pages = []
    for chosen in ({}, {"sources": range(5, 100, 3), "targets": range(60)}):
        built = ThreadTeam(team.plan)
        built.build(lambda phase, share: None)
        query = SynapseQuery(projection="exc->exc", **chosen)
        pages.append(read_page(team.plan, query, built.synapses, limit=ALL))
        built.close()
    run_with(team, 120, Kept())
    for number, page in enumerate(pages):
        rows = np.concatenate([states[number] for states in kept])
        assert rows.shape == (2, page.synapses.source.size)
        assert np.array_equal(rows, np.tile(page.synapses.weight, (2, 1)))
        assert np.unique(rows).size > 100
    assert pages[0].synapses.source.size == 1500


def test_only_a_recorded_projection_has_axons_of_its_own() -> None:
    network = mixed()
    weights = WeightRecording(projection="all", interval_ms=1.0)
    one, two = (
        ThreadTeam(plan_of(n)) for n in (network, network.model_copy(update={"recordings": (weights,)}))
    )
    try:
        n_axons = [team.build(lambda phase, share: None)[0].chips[0].n_axons for team in (one, two)]
        pages = [read(team, source="a", target="b") for team in (one, two)]
    finally:
        one.close()
        two.close()
    assert n_axons[1] == n_axons[0] + 9
    assert rows_of(pages[0]) == rows_of(pages[1])


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ({}, "projection", "must be given, or source or target, got none; name what to read"),
        (
            {"projection": "all", "target": "b"},
            "target",
            "must not be given beside projection, got 'b'; leave one out",
        ),
        (
            {"projection": "al"},
            "projection",
            "must be a projection of the network (listed, all, again, each, own, drive, back), got 'al'; "
            "see the network",
        ),
        (
            {"source": "x"},
            "source",
            "must be a population or source of the network (a, b, c, s), got 'x'; see the network",
        ),
        (
            {"target": "s"},
            "target",
            "must be a population of the network (a, b, c), got 's'; see the network",
        ),
        (
            {"target": "c", "sources": range(2)},
            "sources",
            "must be of one source, got 0:2:1 of 3; name the source or the projection",
        ),
        (
            {"source": "a", "targets": range(1, 5, 2)},
            "targets",
            "must be of one target, got 1:5:2 of 2; name the target or the projection",
        ),
        (
            {"source": "a", "target": "b", "sources": range(3, 10)},
            "sources",
            "must stop at 9, the size of 'a', or before, got 3:10:1; lower it",
        ),
        (
            {"projection": "each", "targets": range(10)},
            "targets",
            "must stop at 9, the size of 'c', or before, got 0:10:1; lower it",
        ),
    ],
)
def test_what_is_refused(query: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(RefusedQuery) as caught:
        select(mixed(), SynapseQuery(**query))
    assert (caught.value.path, caught.value.message, str(caught.value)) == (
        path,
        message,
        f"{path}: {message}",
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.path, again.message) == (RefusedQuery, path, message)


def test_more_than_is_answered_is_refused() -> None:
    large = {"name": "large", "timestep_ms": 1, "seed": 1}
    ends = [{"name": name, "size": 10_000, "model": "lif_curr_delta"} for name in "ab"]
    large |= {"populations": ends}
    large |= {"projections": [projection("a", "b", {"rule": "all_to_all"}, "ab", weight=1, delay_ms=1)]}
    network = parse_network(large)
    with pytest.raises(RefusedQuery) as caught:
        select(network, SynapseQuery(projection="ab", targets=range(1001)))
    assert str(caught.value) == (
        "targets: must leave at most 10000000 synapses to be expected, got 10010000; "
        "ask for fewer sources or targets, one part after the other"
    )
    assert select(network, SynapseQuery(projection="ab", targets=range(0, 10_000, 10))).expected == (
        (10_000.0, 1000.0),
    )


def test_no_synapses_are_joined_to_none() -> None:
    assert [column.size for column in Synapses.joined([])] == [0] * 5
