"""What chips are expected to hold is what they are given, whatever the placement."""

from __future__ import annotations

import pytest

from cluster import DeployOptions, fit
from cluster.lowering import lower
from cluster.options import Placement
from cluster.plan import Plan
from cluster.shares import Held, shares
from cluster.worker import Worker, chips_of_workers
from network import Network, parse_network
from spikerack.examples import microcircuit, million
from tests.cluster.samples import RACK, everything_network, pair, plan_of


def lopsided() -> Network:
    """Populations of 90,000 and 6,000 neurons, which share chips when they are placed one after the other."""
    network = pair()
    network["populations"][0]["size"], network["populations"][1]["size"] = 90_000, 6_000
    network["projections"][0]["connectivity"] = {"rule": "fixed_in_degree", "n": 2}
    return parse_network(network)


def test_shares_of_populations_that_stand_apart() -> None:
    default = shares(lopsided(), 2, "default")
    assert [(share.n_chips, share.n_neurons) for share in default] == [(2, 48_000)]
    assert default[0].held == {"first": Held(45_000, range(1)), "second": Held(3_000, range(1))}
    first, second = shares(lopsided(), 2, "consecutive")
    assert first.held == {"first": Held(48_000, range(1))}
    assert second.held == {"first": Held(42_000, range(1)), "second": Held(6_000, range(1))}
    assert first.n_chips == second.n_chips == 1


def test_a_population_over_a_bank_stands_in_two() -> None:
    (share,) = shares(lopsided(), 1, "consecutive")
    assert share.held == {"first": Held(90_000, range(2)), "second": Held(6_000, range(1, 2))}
    assert shares(lopsided(), 1, "default") == (share,)


def test_chips_without_neurons_have_shares() -> None:
    network = parse_network(pair())
    assert [share.n_neurons for share in shares(network, 32, "consecutive")].count(0) == 12
    assert sum(share.n_neurons for share in shares(network, 32, "consecutive")) == network.n_neurons


@pytest.mark.parametrize("network", [lopsided(), everything_network(), million(1 / 1024)])
@pytest.mark.parametrize("chips", [1, 3, 16])
@pytest.mark.parametrize("placement", ["default", "consecutive"])
def test_limits_are_those_of_the_chips(network: Network, chips: int, placement: Placement) -> None:
    plan = plan_of(network, chips, placement=placement)
    specs = [lower(plan, (chip,)) for chip in range(chips)]
    options = DeployOptions(chips=chips, placement=placement)
    numbers = {use.limit: use.used for use in fit(network, RACK, options).limits}
    assert numbers["neurons"] == max(sum(p.n for p in spec.slices if p.bank >= 0) for spec in specs)
    assert numbers["banks"] == max(spec.n_banks for spec in specs)
    assert numbers["axons"] == max(spec.n_axons for spec in specs)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    ("network", "chips"),
    [(million(1 / 64), 16), (million(1 / 64, targets="anywhere"), 16), (microcircuit(0.1), 3)],
)
def test_consecutive_memory_and_words_are_those_of_the_chips(network: Network, chips: int) -> None:
    options = DeployOptions(chips=chips, placement="consecutive")
    plan = Plan(network, RACK, options)
    shares_of = chips_of_workers(chips, chips)
    built = [Worker(plan, shares_of, chip).built() for chip in range(chips)]
    report = fit(network, RACK, options)
    assert report.memory_bytes == pytest.approx(sum(chip.n_bytes for chip in built), rel=0.15)
    words = next(use.used for use in report.limits if use.limit == "synapse_words")
    assert words == pytest.approx(max(chip.n_synapses for chip in built), rel=0.01)
