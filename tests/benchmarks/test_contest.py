"""Brunel's and the CUBA network against peers: who competes, what is said, what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import beside, brunel, contest, cuba
from benchmarks.contest import contest_parser, require_peers
from benchmarks.one_run import OneRun
from benchmarks.peers.summaries import statistics_of
from benchmarks.turns import take_turns
from tests.benchmarks.results import broken, medians, ours, theirs


def test_turns_are_taken_in_order() -> None:
    done: list[tuple[str, int]] = []

    def action(name: str) -> object:
        return lambda turn: done.append((name, turn)) or f"{name}{turn}"

    results = take_turns({"a": action("a"), "b": action("b")}, 3, at_most={"b": 1})  # type: ignore[dict-item]
    assert done == [("a", 0), ("b", 0), ("a", 1), ("a", 2)]
    assert results == {"a": ["a0", "a1", "a2"], "b": ["b0"]}


def test_brunel_tells_times_ratios_and_events() -> None:
    found = brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"])
    [nest] = found.competitors
    report = found.report([ours(), ours()], [(nest, [theirs(n_synapses=15_625_000)] * 2)])
    assert report.name == "brunel"
    assert broken(report) == []
    assert len(report.checks) == 4
    assert medians(report) == {
        "spikerack, 2 chips in threads": 0.5,
        nest.what: 20.0,
        f"{nest.what}, against spikerack": 40.0,
        "spikerack, a synaptic event": pytest.approx(1.0),
        f"{nest.what}, a synaptic event": pytest.approx(40.0),
        f"{nest.what}, a synaptic event, against spikerack": pytest.approx(40.0),
        "spikerack, 2 chips in threads: mean rate": 32.0,
        "spikerack, 2 chips in threads: expected memory is off by": pytest.approx(8.0),
    }
    assert [row.note for row in report.rows[:2]] == ["from 150 to 10100 ms", "from 100 to 1100 ms"]
    goals = [(row.target.must, row.target.moonshot, row.target.better) for row in report.rows if row.target]
    assert goals == [(30.0, 60.0, "higher"), (15.0, 5.0, "lower")]
    assert report.rows[-1].note == "1.380 GB expected, 1.500 measured"


def test_a_peer_that_fires_otherwise_breaks_the_report() -> None:
    found = brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"])
    peers = [theirs(n_synapses=15_625_000, rate_hz=33.0)]
    assert len(broken(found.report([ours()], [(found.competitors[0], peers)]))) == 1


def statistics(seed: int, rate_hz: float = 30.0) -> dict[str, Any]:
    """Return the statistics of 100 Poisson neurons in 2 s."""
    fired = np.random.default_rng(seed).random((20_000, 100)) < rate_hz * 1e-4
    tick, neuron = np.nonzero(fired)
    network = {"timestep_ms": 0.1, "populations": [{"name": "cells", "size": 100}]}
    return statistics_of(network, tick + 1000, neuron, 100.0, 2100.0)


def test_statistics_are_compared_with_three_seeds_or_more() -> None:
    found = brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"])
    [nest] = found.competitors
    peers = [theirs(n_synapses=15_625_000, statistics=statistics(seed)) for seed in range(1, 4)]
    report = found.report([ours(statistics=statistics(4))], [(nest, peers)])
    assert broken(report) == []
    assert len(report.checks) == 9
    assert sum(f"in {nest.what}" in check.what for check in report.checks) == 5
    assert len(found.report([ours()], [(nest, peers[:2])]).checks) == 4


def test_neurons_that_fire_otherwise_break_the_report() -> None:
    found = brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"])
    [nest] = found.competitors
    peers = [theirs(n_synapses=15_625_000, statistics=statistics(seed)) for seed in range(1, 4)]
    report = found.report([ours(statistics=statistics(4, rate_hz=35.0))], [(nest, peers)])
    assert any(what.startswith("cells rate_hz") for what in broken(report))


def test_peers_statistics_are_of_the_window_in_any_order() -> None:
    """Spikes at ticks 10, 14, 16 and 24 have intervals of 4, 2 and 8: a mean of 14 / 3, squares of 28."""
    network = {"timestep_ms": 0.1, "populations": [{"name": "a", "size": 2}, {"name": "b", "size": 1}]}
    tick, neuron = np.array([16, 30, 24, 9, 10, 10, 14]), np.array([0, 0, 0, 1, 0, 2, 0])
    found = statistics_of(network, tick, neuron, 1.0, 3.0)
    assert found["a"]["rate_hz"] == pytest.approx(4 / 2 / 2e-3)
    assert found["b"]["rate_hz"] == pytest.approx(1 / 2e-3)
    mean = 14 / 3
    assert found["a"]["isi_cv"]["mean"] == pytest.approx((28 - mean**2) ** 0.5 / mean, abs=1e-3)


@pytest.mark.parametrize(("runs", "asked"), [(3, 2000.0), (2, None)])
def test_both_sides_take_statistics_of_one_window(
    runs: int, asked: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def ran(asked_of_us: OneRun) -> Any:
        seen.append(asked_of_us.statistics_ms)
        return ours()

    def peer(script: str, network: Any, settings: dict[str, Any]) -> Any:
        seen.append((settings["warm_up_ms"], settings["statistics_ms"], settings["duration_ms"]))
        return theirs()

    monkeypatch.setattr(contest, "run", ran)
    monkeypatch.setattr(contest, "compile_kernels", lambda asked_of_us: None)
    monkeypatch.setattr(beside, "run_peer", peer)
    brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"]).hold(runs)
    window = None if asked is None else (100.0, 100.0 + asked)
    assert seen == [window, (100.0, asked, 1000.0)] * runs


def test_small_networks_and_short_runs_compare_the_mean_rate_alone() -> None:
    made = {"chips": 2, "peers": ["nest"]}
    assert brunel.contest(scale=1.0, seconds=10.0, **made).compares_statistics
    assert not brunel.contest(scale=0.5, seconds=10.0, **made).compares_statistics
    assert not cuba.contest(scale=1.0, seconds=1.0, **made).compares_statistics


def test_the_report_says_that_statistics_are_not_compared() -> None:
    found = brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=["nest"])
    [nest] = found.competitors
    report = found.report([ours()], [(nest, [theirs(n_synapses=15_625_000)])])
    assert report.title == (
        "Brunel's network, g 5, eta 2; of statistics only the mean rate is compared: others at full scale, "
        "from 2 s and 3 runs on"
    )
    assert found.report([ours()], []).title == "Brunel's network, g 5, eta 2"


def test_without_a_peer_only_ours_is_told() -> None:
    found = cuba.contest(scale=1.0, chips=2, seconds=10.0, peers=[])
    assert found.competitors == []
    assert list(medians(found.report([ours()], []))) == [
        "spikerack, 2 chips in threads",
        "spikerack, 2 chips in threads: mean rate",
        "spikerack, 2 chips in threads: expected memory is off by",
    ]


def test_cuba_meets_each_configuration_of_its_peers() -> None:
    found = cuba.contest(scale=1.0, chips=2, seconds=10.0, peers=["brian2", "nest"])
    brian2 = [each for each in found.competitors if each.peer == "brian2"]
    assert {each.settings["precision"] for each in brian2} == {"float64", "float32"}
    assert 0 in {each.settings["threads"] for each in brian2}
    assert len({each.what for each in found.competitors}) == len(found.competitors)
    assert {each.target for each in found.competitors} == {cuba.TARGET}
    assert (cuba.TARGET.must, cuba.TARGET.moonshot, cuba.TARGET.better) == (3.0, 10.0, "higher")


def test_a_smaller_network_has_no_targets() -> None:
    small = {"scale": 0.1, "chips": 2, "seconds": 0.5}
    assert [c.target for c in brunel.contest(**small, peers=["nest"]).competitors] == [None]
    assert {c.target for c in cuba.contest(**small, peers=["nest", "brian2"]).competitors} == {None}


def test_rates_are_compared_within_both_runs() -> None:
    assert brunel.contest(scale=1.0, chips=2, seconds=10.0, peers=[]).rate_until_ms == 1100.0
    assert brunel.contest(scale=1.0, chips=2, seconds=0.5, peers=[]).rate_until_ms == 600.0


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_a_missing_peer_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = contest_parser("cuba", "about", ("nest", "brian2"))
    with pytest.raises(SystemExit, match=r"^2$"):
        require_peers(parser, ["nest"], environment=tmp_path / ".venv-peers")
    assert refused(capsys) == (
        "python -m benchmarks.cuba: error: --peer nest: must be installed in .venv-peers, got none; "
        "run make bench-peers"
    )


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--scale", "1.5", "must be > 0 and <= 1, got 1.5; 1 is the published size"),
        ("--seconds", "0", "must be > 0, got 0; give another"),
    ],
)
def test_options_out_of_range_are_refused(
    option: str, value: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        contest_parser("cuba", "about", ()).parse_args([option, value])
    assert refused(capsys) == f"python -m benchmarks.cuba: error: argument {option}: {rule}"


@pytest.mark.slow
@pytest.mark.parametrize("module", [brunel, cuba])
def test_the_commands_run_by_themselves(module: object, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--scale", "0.05", "--seconds", "0.2", "--runs", "2", "--json"]
    assert module.main(arguments) == 0  # type: ignore[attr-defined]
    report = json.loads(capsys.readouterr().out)
    assert all(check["holds"] for check in report["checks"])
    assert [len(row["values"]) for row in report["rows"]] == [2] * len(report["rows"])
    assert min(value for row in report["rows"] for value in row["values"]) > 0
