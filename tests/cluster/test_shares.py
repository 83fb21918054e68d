"""What chips are expected to hold is what they are given, whatever the placement."""

from __future__ import annotations

import pytest

from cluster import DeployOptions, fit
from cluster.lowering import lower
from cluster.options import Placement
from cluster.plan import Plan
from cluster.shares import Piece, Share, shares
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
    (default,) = shares(lopsided(), chips_of_workers(2, 2), "default")
    assert default == Share(2, (Piece(0, 45_000, 0, 1), Piece(1, 3_000, 0, 1)))
    first, second = shares(lopsided(), chips_of_workers(2, 2), "consecutive")
    assert first == Share(1, (Piece(0, 48_000, 0, 1),))
    assert second == Share(1, (Piece(0, 42_000, 0, 1), Piece(1, 6_000, 0, 1)))
    assert (default.n_neurons, first.n_neurons, second.n_neurons) == (48_000, 48_000, 48_000)


def test_a_population_over_a_bank_stands_in_two() -> None:
    (share,) = shares(lopsided(), chips_of_workers(1, 1), "consecutive")
    assert share.pieces == (Piece(0, 65_536, 0, 1), Piece(0, 24_464, 1, 1), Piece(1, 6_000, 1, 1))
    assert share.held == {0: 90_000, 1: 6_000}
    assert share.n_banks == 2
    assert shares(lopsided(), chips_of_workers(1, 1), "default") == (share,)


def test_chips_of_a_worker_share_its_banks() -> None:
    two, three = shares(lopsided(), chips_of_workers(5, 2), "default")
    assert (two.count, three.count) == (1, 1)
    assert two.pieces == (Piece(0, 18_000, 0, 2), Piece(1, 1_200, 0, 2))
    assert three.held == {0: 54_000, 1: 3_600}


def test_chips_without_neurons_have_shares() -> None:
    network = parse_network(pair())
    own = [share.n_neurons for share in shares(network, chips_of_workers(32, 32), "consecutive")]
    assert own.count(0) == 12
    assert sum(own) == network.n_neurons


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
def test_consecutive_words_are_those_of_the_fullest_chip() -> None:
    network, options = microcircuit(0.1), DeployOptions(chips=3, placement="consecutive")
    plan = Plan(network, RACK, options)
    built = [Worker(plan, chips_of_workers(3, 3), chip).built().n_synapses for chip in range(3)]
    words = next(use.used for use in fit(network, RACK, options).limits if use.limit == "synapse_words")
    assert words == pytest.approx(max(built), rel=0.01)
