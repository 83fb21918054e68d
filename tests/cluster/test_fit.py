"""The dry run: its numbers are those of the chips that would be built, and it builds nothing."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from cluster import CapacityError, ChipLimits, DeployOptions, LevelSpec, System, fit, require_fit
from cluster.lowering import lower
from cluster.plan import MAX_EPOCH_TICKS, Plan
from cluster.recordings import MAX_RECORDED_VALUES
from cluster.room import Room
from cluster.worker import Worker, chips_of_workers
from network import Network, parse_network
from spikerack.examples import microcircuit
from tests.cluster.samples import RACK, everything_network, pair, plan_of

BILLION = 1_000_000_000


def system(**limits: Any) -> System:
    levels = (LevelSpec(name="board", fan_out=2), LevelSpec(name="rack", fan_out=2))
    return System(name="small", description="for tests", levels=levels, chip=ChipLimits(**limits))


def used(network: Network, chips: int) -> dict[str, int]:
    report = fit(network, RACK, DeployOptions(chips=chips))
    return {use.limit: use.used for use in report.limits}


def wide_network(n_second: int = 70_000) -> Network:
    """Populations that fill more than one bank, and projections of strengths too far apart for one shift."""
    network = pair()
    network["populations"][0]["size"], network["populations"][1]["size"] = 60_000, n_second
    weights = ({"weight": 1}, {"weight": 1000, "name": "strong"}, {"weight": 1, "name": "weak"})
    rule = {"rule": "fixed_in_degree", "n": 2}
    network["projections"] = [{**network["projections"][0], "connectivity": rule, **w} for w in weights]
    return parse_network(network)


def slow_network() -> Network:
    """Delays from one tick to two thousand, so that axons are rows, beside short ones."""
    network = pair()
    for population in network["populations"]:
        population["size"] = 3000
    delay = {"kind": "uniform", "low": 1, "high": 2000}
    first = {**network["projections"][0], "connectivity": {"rule": "fixed_in_degree", "n": 300}}
    second = {**first, "delay_ms": delay, "axonal_delay_ms": 7, "name": "slow"}
    network["projections"] = [first, second]
    return parse_network(network)


def near_network(p: dict[str, Any] | None = None) -> Network:
    """A sheet of neurons joined with those near them; the weights of another projection are recorded."""
    network = pair()
    for population in network["populations"]:
        population["size"] = 4900
        population["positions"] = {"kind": "grid", "shape": [70, 70], "extent_um": [700, 700]}
    kernel = p or {"kind": "distance_gaussian", "scale": 0.9, "sd_um": 50}
    near = {**network["projections"][0], "connectivity": {"rule": "distance_dependent", "p": kernel}}
    listed = {**network["projections"][0], "connectivity": {"rule": "one_to_one"}, "name": "recorded"}
    network["projections"] = [near, listed]
    network["recordings"] = [{"kind": "weights", "projection": "recorded", "interval_ms": 5}]
    return parse_network(network)


@pytest.mark.parametrize(
    "network", [everything_network(), wide_network(), wide_network(3), slow_network(), near_network()]
)
@pytest.mark.parametrize("chips", [1, 3, 8])
def test_limits_are_those_of_the_fullest_chip(network: Network, chips: int) -> None:
    plan = plan_of(network, chips)
    specs = [lower(plan, (chip,)) for chip in range(chips)]
    numbers = used(network, chips)
    assert numbers["chips"] == chips
    assert numbers["neurons"] == max(sum(p.n for p in spec.slices if p.bank >= 0) for spec in specs)
    assert numbers["banks"] == max(spec.n_banks for spec in specs)
    assert numbers["axons"] == max(spec.n_axons for spec in specs)
    assert numbers["delay_ticks"] == max(int(plan.delays_of(p)[-1]) for p in network.projections)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(("chips", "tolerance"), [(1, 0), (8, 0.03)])
def test_synapse_words_are_those_of_the_fullest_chip(chips: int, tolerance: float) -> None:
    network = microcircuit(0.1)
    plan = plan_of(network, chips)
    built = [Worker(plan, chips_of_workers(chips, chips), chip).built().n_synapses for chip in range(chips)]
    assert used(network, chips)["synapse_words"] == pytest.approx(max(built), rel=tolerance, abs=0)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
def test_synapses_of_a_rule_of_distance_are_expected_from_its_kernel() -> None:
    network = near_network()
    built = Worker(plan_of(network), chips_of_workers(1, 1), 0).built().n_synapses
    report = fit(network, RACK, DeployOptions())
    assert report.n_synapses == pytest.approx(built, rel=0.005)
    assert used(network, 1)["synapse_words"] == report.n_synapses


def test_synapses_onto_a_few_neurons_are_not_shared_by_all_chips() -> None:
    network = pair()
    network["populations"][0]["size"], network["populations"][1]["size"] = 1000, 1
    assert used(parse_network(network), 8)["synapse_words"] == 1000


def test_a_billion_neurons_are_answered_at_once_and_allocate_nothing() -> None:
    network = pair()
    for population in network["populations"]:
        population["size"] = BILLION
        population["inputs"] = [{"kind": "poisson", "rate_hz": 8, "weight": 1}]
        population["model"] = "lif_curr_delta"
    rule = {"rule": "fixed_in_degree", "n": 1000}
    network["projections"][0]["connectivity"] = rule
    network["sources"] = [{"kind": "poisson", "name": "drive", "size": BILLION, "rate_hz": 8}]
    described = parse_network(network)
    fit(parse_network(pair()), RACK, DeployOptions())  # what is made once, whatever is asked
    tracemalloc.start()
    begun = time.perf_counter()
    report = fit(described, RACK, DeployOptions(chips=64))
    seconds, (_, peak) = time.perf_counter() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 0.5
    assert peak < 1_000_000
    assert not report.fits
    assert report.n_neurons == 3 * BILLION
    assert report.n_synapses == 1000 * BILLION
    assert report.memory_bytes > 4 * report.n_synapses
    assert report.problems == (
        "fullest chip: neurons must be at most 1048576, got 31250000; use more chips",
        "fullest chip: banks must be at most 16, got 477; use more chips",
        "fullest chip: synapse_words must be at most 1073741824, got 15625000000; "
        "use more chips or fewer synapses",
        "fullest chip: axons must be at most 16777216, got 1000000000; "
        "use fewer sources or merge projections",
    )


@pytest.mark.parametrize(
    ("limits", "chips", "problem"),
    [
        (
            {},
            5,
            "system 'small': chips must be at most 4, got 5; use fewer chips or a larger system",
        ),
        ({"neurons": 9}, 2, "fullest chip: neurons must be at most 9, got 10; use more chips"),
        (
            {"synapse_words": 99},
            1,
            "fullest chip: synapse_words must be at most 99, got 100; use more chips or fewer synapses",
        ),
        (
            {"axons": 9},
            1,
            "fullest chip: axons must be at most 9, got 10; use fewer sources or merge projections",
        ),
        (
            {"delay_ticks": 2},
            1,
            "fullest chip: delay_ticks must be at most 2, got 3; shorten the delays or lengthen the timestep",
        ),
        (
            {"models": ("lif_curr_delta",)},
            1,
            "system 'small': population 'first' must be of a model that its chips take (lif_curr_delta), "
            "got 'lif_curr_exp'; choose another model or system",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    limits: dict[str, Any], chips: int, problem: str
) -> None:
    network, options = parse_network(pair()), DeployOptions(chips=chips)
    report = fit(network, system(**limits), options)
    assert (report.fits, report.problems) == (False, (problem,))
    with pytest.raises(CapacityError) as caught:
        require_fit(network, system(**limits), options)
    assert str(caught.value) == problem
    assert caught.value.problems == (problem,)


def test_delays_are_the_sum_of_their_parts() -> None:
    assert used(slow_network(), 1)["delay_ticks"] == 2007


def test_uploaded_lists_take_memory_while_they_are_read() -> None:
    facts = {"sha256": "0" * 64, "n": 1_000_000, "source_stop": 10, "target_stop": 10}
    weighted = {"weights": [1, 1], "weight_granule": 0}
    rules = [
        ({"rule": "fixed_total_number", "n": 1_000_000}, {"weight": 1}),
        ({"rule": "uploaded", **facts}, {"weight": 1}),
        ({"rule": "uploaded", **facts, **weighted}, {}),
        ({"rule": "uploaded", **facts, **weighted, "delays_ms": [3, 3]}, None),
    ]
    used_bytes = []
    for rule, weight in rules:
        ends = {"source": "first", "target": "second", "connectivity": rule}
        more = {} if weight is None else {"delay_ms": 3, **weight}
        network = parse_network(pair(projections=[{**ends, **more}]))
        used_bytes.append(fit(network, RACK, DeployOptions()).memory_bytes)
    assert [b - used_bytes[1] for b in used_bytes[1:]] == [0, 8_000_000, 16_000_000]
    # but the in-degrees of ten targets from one block of sources, to draw from
    assert used_bytes[1] - used_bytes[0] == 16_000_000 - 10 * 4


def test_memory_that_a_host_does_not_have_is_refused() -> None:
    network, options = parse_network(pair()), DeployOptions(chips=2)
    need = fit(network, RACK, options, Room("ray", 2)).memory_bytes
    enough, less = Room("ray", 2, need), Room("ray", 2, need - 1)
    assert require_fit(network, RACK, options, enough).limits[-1].model_dump() == {
        "where": "host",
        "limit": "memory_bytes",
        "used": need,
        "capacity": need,
        "headroom": 0,
    }
    with pytest.raises(CapacityError) as caught:
        require_fit(network, RACK, options, less)
    assert str(caught.value) == (
        f"host: memory_bytes must be at most {need - 1}, got {need}; "
        "use fewer synapses or neurons, or a host with more memory"
    )


@pytest.mark.parametrize(
    ("room", "fits"),
    [(Room("local", 1), False), (Room("local", 8), True), (Room("ray", 1), True), (None, True)],
)
def test_chips_that_share_a_thread_share_a_memory(room: Room | None, fits: bool) -> None:
    """Eight full chips: more words than one memory can name."""
    network = pair()
    network["populations"] = [
        {"name": f"cells{k}", "size": 65_536, "model": "lif_curr_delta"} for k in range(8)
    ]
    network["projections"] = [
        {
            "source": f"cells{k}",
            "target": f"cells{k}",
            "connectivity": {"rule": "fixed_in_degree", "n": 16_000},
            "weight": 1,
            "delay_ms": 1,
        }
        for k in range(8)
    ]
    options = DeployOptions(chips=8, placement="consecutive")
    report = fit(parse_network(network), RACK, options, room)
    total = 8 * 65_536 * 16_000
    assert report.fits == fits
    assert fits or report.problems == (
        f"fullest worker: joined_words must be at most 4294967295, got {total}; "
        "use more threads, or Ray, where each chip has a memory of its own",
    )


def test_chips_together_have_no_more_words_than_there_are_synapses() -> None:
    """Ten neurons on eight chips: each share is rounded up to two."""
    report = fit(parse_network(pair()), RACK, DeployOptions(chips=8), Room("local", 1))
    assert next(use.used for use in report.limits if use.limit == "joined_words") == report.n_synapses == 100


def test_too_many_banks_are_refused() -> None:
    report = fit(wide_network(), system(banks=1), DeployOptions(chips=1))
    assert report.problems == ("fullest chip: banks must be at most 1, got 2; use more chips",)


def test_what_just_fits_is_taken() -> None:
    limits = system(neurons=20, banks=1, synapse_words=100, axons=10, delay_ticks=3)
    report = require_fit(parse_network(pair()), limits, DeployOptions())
    assert report.fits
    assert [(use.limit, use.used, use.headroom) for use in report.limits] == [
        ("chips", 1, 3),
        ("neurons", 20, 0),
        ("banks", 1, 0),
        ("synapse_words", 100, 0),
        ("axons", 10, 0),
        ("delay_ticks", 3, 0),
        ("recorded_values", 0, MAX_RECORDED_VALUES),
    ]


def test_an_empty_network_fits() -> None:
    empty = parse_network({"name": "empty", "timestep_ms": 1, "seed": 0, "populations": []})
    report = fit(empty, RACK, DeployOptions())
    assert report.fits
    assert {use.limit: use.used for use in report.limits} == {
        "chips": 1,
        "neurons": 0,
        "banks": 0,
        "synapse_words": 0,
        "axons": 0,
        "delay_ticks": 1,
        "recorded_values": 0,
    }
    assert Plan(empty, RACK, DeployOptions()).epoch_ticks == MAX_EPOCH_TICKS
