"""Weights as integers over a whole network: what shares a slot shares its LSB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chip.values import REACH_SD
from cluster.quantisation import quantise_network
from network import Network, parse_network
from tests.cluster.samples import everything_network, pair


def onto_second(*weights: Any, n_sources: int = 10, inputs: tuple[dict[str, Any], ...] = ()) -> Network:
    """The pair with one all-to-all projection for each weight, all onto the one receptor of `second`."""
    network = pair()
    network["populations"][0]["size"] = n_sources
    network["populations"][1]["inputs"] = list(inputs)
    network["projections"] = [
        {**network["projections"][0], "name": f"p{k}", "weight": weight} for k, weight in enumerate(weights)
    ]
    return parse_network(network)


def test_each_slot_has_an_lsb_that_is_a_power_of_two() -> None:
    network = everything_network()
    quantised = quantise_network(network)
    assert set(quantised.lsb) == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)}
    assert all(math.frexp(lsb)[0] == 0.5 for lsb in quantised.lsb.values())
    assert quantised.lsb[1, 1] == 1.0  # nothing inhibits `inh`
    onto = [(1, 0), (0, 0), (0, 1), (2, 0), (2, 0), (0, 0), (2, 0)]
    for slot, projection in zip(onto, quantised.projections, strict=True):
        assert math.ldexp(1.0, projection.lsb_exponent) == quantised.lsb[slot]
        assert projection.step == quantised.lsb[slot] * 2**projection.shift
    assert set(quantised.inputs) == {(0, 0), (1, 0), (2, 0)}
    assert math.ldexp(1.0, quantised.inputs[2, 0].lsb_exponent) == quantised.lsb[2, 0]


def test_strengths_too_far_apart_for_one_step_share_the_lsb() -> None:
    quantised = quantise_network(onto_second(0.7, 1e4))
    weak, strong = quantised.projections
    assert strong.shift > weak.shift
    for projection in (weak, strong):
        assert projection.step == quantised.lsb[1, 0] * 2**projection.shift


def test_weights_that_are_multiples_of_a_power_of_two_are_exact() -> None:
    quantised = quantise_network(onto_second(1.5, -0.25, 96))
    assert all(projection.exact for projection in quantised.projections)
    assert [w / p.step for w, p in zip((1.5, -0.25, 96), quantised.projections, strict=True)] == [
        round(w / p.step) for w, p in zip((1.5, -0.25, 96), quantised.projections, strict=True)
    ]


@pytest.mark.parametrize(
    ("weights", "most"),
    [((0.1,), 2**-14), ((0.1, -0.3), 2**-13), ((87.81, -351.24, 1000), 2**-10), ((1e-6, 1e6), 2**15)],
)
def test_the_reported_error_bounds_the_real_one(weights: tuple[float, ...], most: float) -> None:
    network = onto_second(*weights)
    for weight, line in zip(weights, quantise_network(network).report(network), strict=True):
        error = abs(round(weight / line["step"]) * line["step"] - weight) / abs(weight)
        assert error <= line["relative_error"] < most
        assert line["exact"] == (error == 0)


def test_the_report_names_each_projection_and_input() -> None:
    network = everything_network()
    report = quantise_network(network).report(network)
    assert [line["where"] for line in report] == [
        "projection 'exc->inh'",
        "projection 'exc->exc'",
        "projection 'inh->exc'",
        "projection 'exc->leaky'",
        "projection 'leaky->leaky'",
        "projection 'drive->exc'",
        "projection 'probe->leaky'",
        "population 'exc', input 0",
        "population 'inh', input 0",
        "population 'leaky', input 0",
    ]
    exact = [line["where"] for line in report if line["exact"]]
    assert exact == [
        "projection 'leaky->leaky'",
        "projection 'drive->exc'",
        "projection 'probe->leaky'",
        "population 'leaky', input 0",
    ]


def test_an_input_adds_into_the_slot_of_its_receptor() -> None:
    drive = {"kind": "poisson", "rate_hz": 1000, "weight": 4.5}
    quantised = quantise_network(onto_second(1000, inputs=(drive,)))
    assert (quantised.inputs[1, 0].exact, quantised.projections[0].exact) == (True, True)
    assert quantised.lsb[1, 0] == math.ldexp(1.0, quantised.inputs[1, 0].lsb_exponent)


def test_the_lsb_follows_from_the_description_and_not_from_the_draws() -> None:
    weights = {"kind": "normal", "mean": 1, "sd": 0.3}
    network = onto_second(weights)
    other = network.model_copy(update={"seed": 12345})
    assert quantise_network(network) == quantise_network(other)
    bound = 1 + REACH_SD * 0.3
    assert bound <= 32767 * quantise_network(network).projections[0].step < 2 * bound


def test_a_slot_has_room_for_eight_times_the_expected_sum() -> None:
    few, many = (quantise_network(onto_second(0.1, n_sources=n)) for n in (10, 1_000_000))
    assert 0.1 / few.projections[0].step > 16_000
    lsb, total = many.lsb[1, 0], 0.1 * 1_000_000
    assert total <= 2**28 * lsb < 2 * total


def test_listed_weights_count_by_their_largest() -> None:
    network = pair()
    explicit = {"rule": "explicit", "sources": [0, 1, 2], "targets": [0, 0, 1], "weights": [0.5, -48, 0]}
    network["projections"] = [
        {"source": "first", "target": "second", "connectivity": explicit, "delay_ms": 1}
    ]
    (projection,) = quantise_network(parse_network(network)).projections
    assert projection.exact
    assert np.abs(48 / projection.step) <= 32767


def test_a_projection_of_no_weight_is_exact() -> None:
    silent = quantise_network(onto_second(0))
    assert (silent.projections[0].exact, silent.projections[0].relative_error) == (True, 0.0)
    mixed = quantise_network(onto_second(0, 0.1))
    assert mixed.projections[0].exact
    assert mixed.projections[1] == quantise_network(onto_second(0.1)).projections[0]
