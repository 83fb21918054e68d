"""The microcircuit's benchmark: what is run, what is compared, what is said."""

import json
import re
from typing import Any

import pytest

from benchmarks import microcircuit
from benchmarks.microcircuit import VARIANTS, Circuit
from spikerack.reference import microcircuit_statistics
from tests.benchmarks.results import broken, medians, ours, theirs

FULL = Circuit(1.0, duration_ms=5000.0, peer_ms=300.0)
SMALL = Circuit(0.1, duration_ms=5000.0, peer_ms=300.0)
SEED = microcircuit_statistics(1.0)["seeds"]["1"]


def results(**factors: float) -> dict[str, Any]:
    """Two turns of each variant; those of the second twice as slow."""
    other = {"digest": "p" * 64}
    return {
        name: [
            ours(
                realtime_factor=factor * turn,
                statistics=SEED if name == "dc" else None,
                summary=other if name == "poisson" else {},
            )
            for turn in (1, 2)
        ]
        for name, factor in factors.items()
    }


ALL = {"dc": 0.6, "poisson": 0.8, "ray": 0.9, "chips4": 0.9, "chips8": 1.2}


def test_targets_are_those_of_full_scale() -> None:
    rows = FULL.report(results(**ALL), []).rows
    goals = {row.measure: (row.target.must, row.target.moonshot) for row in rows if row.target}
    assert goals == {
        "DC, 2 chips in threads": (0.9, 0.5),
        "Poisson, 2 chips in threads": (1.4, 0.8),
        "DC, 2 chips as Ray actors": (1.2, 0.6),
        "DC, 4 chips in threads, against 2": (1.6, 1.2),
        "DC, 8 chips in threads, against 2": (1.6, 1.2),
        "DC, 2 chips in threads, building": (20.0, 8.0),
        "DC, 2 chips in threads, peak memory": (2.0, 1.4),
        "DC, 2 chips in threads: expected memory is off by": (15.0, 5.0),
        "DC, 2 chips as Ray actors: expected memory is off by": (15.0, 5.0),
    }
    assert [row.target for row in SMALL.rows(results(**ALL))] == [None] * len(rows)


def test_ratios_are_of_the_same_turn_and_memory_in_gigabytes() -> None:
    found = medians(FULL.report(results(**ALL), []))
    assert found["DC, 2 chips in threads"] == pytest.approx(0.9)
    assert found["DC, 8 chips in threads, against 2"] == pytest.approx(2.0)
    assert found["DC, 2 chips in threads, building"] == 10.0
    assert found["DC, 2 chips in threads, peak memory"] == pytest.approx(1.5)
    assert found["DC, 2 chips in threads: expected memory is off by"] == pytest.approx(8.0)


def test_all_hold_when_nothing_differs() -> None:
    report = FULL.report(results(**ALL), [])
    assert broken(report) == []
    assert len(report.checks) == len(VARIANTS) + 2 + 40


@pytest.mark.parametrize("name", ["ray", "chips8"])
def test_one_digest_that_differs_is_seen(name: str) -> None:
    found = results(**ALL)
    found[name][1] = ours(summary={"digest": "e" * 64})
    [what] = broken(FULL.report(found, []))
    assert what.startswith("dc, all chips and backends: the digests of all 8 runs must be one, got ")


def test_statistics_that_differ_are_seen() -> None:
    found = results(dc=0.6)
    found["dc"][0] = ours(statistics=SEED | {"L5I": SEED["L6I"] | {"rate_hz": 20.0}})
    what = broken(FULL.report(found, []))
    number = r"\d+\.\d{4}"
    assert re.fullmatch(
        rf"L5I rate_hz 20\.0000, in NEST {number}: must be at most {number} apart, got {number}", what[0]
    )
    assert {line.split()[0] for line in what} == {"L5I"}


def test_nest_beside_ours() -> None:
    found = results(dc=0.5)
    nest = theirs(n_synapses=298_880_970, realtime_factor=100.0, build_seconds=90.0, rate_hz=32.0)
    report = FULL.report(found, [nest])
    assert broken(report) == []
    name = FULL.nest.what
    told = {key: value for key, value in medians(report).items() if key.startswith(name)}
    assert told == {
        name: 100.0,
        f"{name}, against spikerack": pytest.approx(200.0),
        f"{name}, building": 90.0,
        f"{name}, peak memory": pytest.approx(10.0),
    }
    silent = theirs(n_synapses=298_880_970, build_seconds=90.0, rate_hz=0.1)
    assert len(broken(FULL.report(found, [silent]))) == 1


def test_what_the_others_rest_on_is_always_run() -> None:
    assert FULL.chosen([]) == list(VARIANTS)
    assert FULL.chosen(["chips8"]) == ["dc", "chips8"]
    assert SMALL.chosen(["ray"]) == ["dc", "poisson", "ray"]
    assert [FULL.one_run(name).statistics_ms is not None for name in VARIANTS] == [True] + [False] * 4
    assert SMALL.one_run("poisson").statistics_ms is not None


def test_a_run_that_is_too_short_for_the_statistics_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        microcircuit.main(["--seconds", "2.3"])
    assert capsys.readouterr().err.splitlines()[-1] == (
        "python -m benchmarks.microcircuit: error: --seconds: must be at least 2.4, for the windows that are "
        "compared, got 2.3; raise it"
    )
    assert Circuit(1.0, 2400.0, 300.0).too_short is None
    assert Circuit(1.0, 2400.0, 2401.0).too_short is not None


@pytest.mark.slow
def test_the_command_runs_at_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--scale", "0.1", "--seconds", "2.4", "--runs", "1", "--only", "chips4", "--json"]
    assert microcircuit.main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert all(check["holds"] for check in report["checks"])
    assert len(report["rows"]) == 7
