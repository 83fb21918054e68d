"""One run: what the stopwatch says, what counts as a rate, and a run in a process of its own."""

import io

import numpy as np
import pytest

from benchmarks.one_run import OneRun, Stopwatch, mean_rate_hz, measure, run
from cluster import RunOutcome
from spikerack.examples import EXAMPLES


def stopwatch(*points: tuple[float, float]) -> Stopwatch:
    watch = Stopwatch()
    watch.seconds, watch.shares = [second for second, _ in points], [share for _, share in points]
    return watch


def test_the_warm_up_is_left_out() -> None:
    """1,000 ms, of which 100 are warm-up: timed from the first report after them, at 200 ms."""
    watch = stopwatch((3.0, 0.0), (5.0, 0.09), (6.0, 0.2), (8.0, 0.7), (9.0, 1.0))
    assert watch.realtime_factor(100.0, 1000.0) == (pytest.approx(3.0 / 0.8), 200.0)


def test_a_report_at_the_warm_ups_end_is_after_it() -> None:
    assert stopwatch((0.0, 0.0), (1.0, 0.25), (2.0, 1.0)).realtime_factor(250.0, 1000.0)[1] == 250.0


def test_a_run_of_few_reports_is_timed_whole() -> None:
    assert stopwatch((3.0, 0.0), (3.1, 0.6), (3.2, 1.0)).realtime_factor(100.0, 1000.0) == (
        pytest.approx(0.2),
        0.0,
    )


def test_only_reports_of_running_count(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Stopwatch()
    for phase, share in (("building chips", 0.5), ("running", 0.0), ("running", 1.0)):
        watch(phase, share, "")
    assert watch.shares == [0.0, 1.0]
    assert capsys.readouterr().out.count('"running"') == 1


def test_spikes_of_sources_and_after_the_end_are_not_in_the_rate() -> None:
    network = EXAMPLES["cuba"](scale=0.01)
    n_neurons = sum(population.size for population in network.populations)
    tick = np.array([0, 99, 99, 100], np.uint32)
    neuron = np.array([0, n_neurons - 1, n_neurons, 0], np.uint32)
    outcome = RunOutcome(tick, neuron, {}, [], {})
    assert mean_rate_hz(network, outcome, 10.0) == pytest.approx(2 / n_neurons / 0.01)


@pytest.mark.slow
def test_a_run_apart_is_the_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = OneRun("cuba", {"scale": 0.1, "seed": 3}, 2, 20.0, 80.0, statistics_ms=(20.0, 100.0))
    apart = run(asked)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    here = measure(asked)
    assert apart.summary == here.summary
    assert apart.summary["state"] == "complete"
    assert (apart.rate_hz, apart.statistics) == (here.rate_hz, here.statistics)
    assert list(apart.statistics or ()) == ["exc", "inh"]
    assert apart.peak_pss_bytes > 50_000_000
    assert apart.expected_bytes == here.expected_bytes > 50_000_000
    assert apart.ready_seconds > 0 < apart.realtime_factor
