"""Ours and a peer's beside each other."""

import re

import pytest

from benchmarks.beside import (
    Competitor,
    complete,
    event_rows,
    n_recurrent_synapses,
    ns_per_event,
    one_digest,
    ratios,
    rival_rows,
    same_rate,
    same_synapses,
)
from benchmarks.report import Target
from spikerack.builder import NetworkBuilder, fixed_probability
from spikerack.examples import EXAMPLES
from tests.benchmarks.results import ours, theirs

NEST = Competitor("nest", "nest_network", "NEST", {"threads": 2}, Target(30.0, 60.0, "higher"))


@pytest.mark.parametrize(
    ("example", "n"), [("brunel", 15_625_000), ("cuba", 320_000), ("microcircuit", 298_880_970)]
)
def test_synapses_between_neurons(example: str, n: int) -> None:
    assert n_recurrent_synapses(EXAMPLES[example]()) == n


def test_synapses_that_a_rule_does_not_fix_are_not_counted() -> None:
    net = NetworkBuilder("some", timestep_ms=0.1, seed=1)
    cells = net.population("cells", 10, "lif_curr_delta", tau_m_ms=10.0)
    net.connect(cells, cells, fixed_probability(0.5), weight=1.0, delay_ms=1.0)
    message = (
        "projection 'cells->cells': rule must fix the number of synapses, got 'fixed_probability'; "
        "count them otherwise"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        n_recurrent_synapses(net.build())


def test_time_of_an_event() -> None:
    """Half a second for 32 Hz x 15.6 million: 5e8 events, 1 ns each."""
    assert ns_per_event(0.5, 32.0, 15_625_000) == pytest.approx(1.0)


def test_runs_must_be_complete() -> None:
    assert complete("x", [ours(), ours()]).holds
    check = complete("x", [ours(), ours(summary={"state": "complete_with_loss"})])
    assert (check.what, check.holds) == (
        "x: every run must be complete, got complete, complete_with_loss",
        False,
    )


@pytest.mark.parametrize("key", ["digest", "synapse_digest"])
def test_digests_must_be_one(key: str) -> None:
    assert one_digest("x", [ours(), ours()]).holds
    check = one_digest("x", [ours(), ours(summary={key: "e" * 32})])
    assert not check.holds
    assert check.what.startswith("x: the digests of all 2 runs must be one, got dddddddddddd of synapses ")
    assert "eeeeeeeeeeee" in check.what


def test_rates_must_be_within_the_tolerance() -> None:
    mine = [ours(rate_hz=99.0), ours(rate_hz=101.0)]
    check = same_rate(mine, (NEST, [theirs(rate_hz=102.0)]), 1100.0, 0.02)
    assert check.what == (
        "NEST: mean rate must be that of ours from 0 to 1100 ms, 100.000 Hz, within 2%, got 102.000"
    )
    assert check.holds
    for rate in (102.1, 97.9):
        assert not same_rate(mine, (NEST, [theirs(rate_hz=rate)]), 1100.0, 0.02).holds


def test_a_peer_must_have_built_the_synapses() -> None:
    network = EXAMPLES["cuba"]()
    assert same_synapses(network, (NEST, [theirs(n_synapses=320_000)])).holds
    check = same_synapses(network, (NEST, [theirs(n_synapses=320_000), theirs(n_synapses=1)]))
    assert (check.what, check.holds) == ("NEST: must have built 320,000 synapses, got 1, 320,000", False)


def test_ratios_are_of_the_same_turn() -> None:
    assert ratios([10.0, 30.0], [1.0, 2.0, 5.0]) == (10.0, 15.0)
    mine = [ours(realtime_factor=0.5), ours(realtime_factor=1.0)]
    time, ratio = rival_rows(mine, (NEST, [theirs(realtime_factor=20.0)]))
    assert (time.measure, time.values, time.note) == ("NEST", (20.0,), "from 100 to 1100 ms")
    assert (ratio.measure, ratio.values) == ("NEST, against spikerack", (40.0,))
    assert ratio.to_dict()["reached"] == "must"


def test_each_has_events_of_its_own_rate() -> None:
    rows = event_rows([ours()], [(NEST, [theirs(realtime_factor=30.0, rate_hz=16.0)])], 15_625_000)
    assert [(row.measure, row.values) for row in rows] == [
        ("spikerack, a synaptic event", (pytest.approx(1.0),)),
        ("NEST, a synaptic event", (pytest.approx(120.0),)),
        ("NEST, a synaptic event, against spikerack", (pytest.approx(120.0),)),
    ]
