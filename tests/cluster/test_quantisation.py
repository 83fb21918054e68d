"""Weights as integers over a whole network: what shares a slot shares its LSB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chip.laws import REACH_SD
from cluster.quantisation import quantise_network, weight_range
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


def of(*, n: int = 10, positions: dict[str, Any] | None = None, **projection: Any) -> Network:
    """The pair with its projection's fields replaced, both populations of `n` neurons."""
    network = pair()
    for population in network["populations"]:
        population["size"] = n
        if positions is not None:
            population["positions"] = positions
    network["projections"][0] |= projection
    network["projections"][0] = {k: v for k, v in network["projections"][0].items() if v is not None}
    return parse_network(network)


LINE = {"kind": "grid", "shape": [10], "extent_um": [100]}
LOGNORMAL = {"kind": "lognormal", "log_mean": 0, "log_sd": 0.5}
KERNEL = {
    "rule": "convolution",
    "source_shape": [1, 2, 5],
    "kernel_shape": [1, 1, 1, 3],
    "kernel": [0.5, -12, 0.25],
    "padding": [0, 1],
}


@pytest.mark.parametrize(
    ("changes", "largest"),
    [
        ({"weight": {"kind": "exponential", "mean": 2}}, 14.0),
        ({"weight": {"kind": "exponential", "mean": 2, "high": 5}}, 5.0),
        ({"weight": {"kind": "gamma", "shape": 4, "scale": 0.5}}, 8.0),
        (
            {"weight": LOGNORMAL},
            math.exp(0.125) * (1 + 6 * math.sqrt(math.exp(0.25) - 1)),
        ),
        ({"weight": {"kind": "sum", "of": [-3, {"kind": "uniform", "low": -2, "high": 0}]}}, 5.0),
        ({"weight": {"kind": "product", "of": [-3, {"kind": "exponential", "mean": 1}]}}, 21.0),
        ({"weight": {"kind": "array", "values": [0.5] * 99 + [-7.25]}, "n": 10}, 7.25),
        (
            {"weight": {"kind": "distance_linear", "at_zero": 1, "slope_per_um": -0.5}, "positions": LINE},
            49.0,
        ),
        ({"weight": {"kind": "distance_gaussian", "scale": -6, "sd_um": 9}, "positions": LINE}, 6.0),
        ({"weight": None, "connectivity": KERNEL}, 12.0),
    ],
)
def test_values_of_every_kind_have_a_largest(changes: dict[str, Any], largest: float) -> None:
    network = of(**changes)
    found = weight_range(network, network.projections[0]).largest
    assert found == pytest.approx(largest, rel=1e-6)
    assert largest * (1 - 1e-6) <= 32767 * quantise_network(network).projections[0].step


@pytest.mark.parametrize(
    ("changes", "exact"),
    [
        ({"weight": {"kind": "array", "values": [0.5] * 99 + [-7.25]}}, True),
        ({"weight": {"kind": "array", "values": [0.5] * 99 + [0.1]}}, False),
        ({"weight": None, "connectivity": KERNEL}, True),
        ({"weight": {"kind": "sum", "of": [0.5, 0.25]}}, True),
        ({"weight": LOGNORMAL}, False),
    ],
)
def test_what_the_description_lists_is_exact_when_it_can_be(changes: dict[str, Any], exact: bool) -> None:
    (line,) = quantise_network(of(**changes)).report(of(**changes))
    assert line["exact"] == exact == (line["relative_error"] == 0.0)


def uploaded(least: float, greatest: float, granule: int | None) -> dict[str, Any]:
    facts = {"weights": [least, greatest], "weight_granule": granule}
    return {"rule": "uploaded", "sha256": "0" * 64, "n": 50, "source_stop": 10, "target_stop": 10, **facts}


@pytest.mark.parametrize(("granule", "exact"), [(-3, True), (-40, False)])
def test_an_upload_is_quantised_by_its_facts(granule: int, exact: bool) -> None:
    network = of(weight=None, connectivity=uploaded(-8.0, 100.0, granule))
    (projection,) = quantise_network(network).projections
    assert projection.exact == exact
    assert 32767 * projection.step >= 100.0


def test_bits_leave_shares_of_the_largest_weight() -> None:
    network = of(weight={"kind": "uniform", "low": 0, "high": 3}, weight_bits=2)
    quantised = quantise_network(network)
    codes = quantised.projections[0].codes
    assert codes is not None
    assert codes.values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert (codes.integers * quantised.projections[0].step).tolist() == [0.0, 1.0, 2.0, 3.0]
    (line,) = quantised.report(network)
    assert (line["bits"], line["codebook_size"], line["relative_error"]) == (2, None, 0.5 / 3.0)


@pytest.mark.parametrize("bits", [None, 16])
def test_sixteen_bits_are_all_there_are(bits: int | None) -> None:
    network = of(weight=LOGNORMAL, weight_bits=bits)
    quantised = quantise_network(network)
    assert quantised == quantise_network(of(weight=LOGNORMAL))
    assert quantised.projections[0].codes is None
    assert quantised.report(network)[0]["bits"] == 16


def test_a_codebook_is_sorted_and_told() -> None:
    network = of(weight={"kind": "uniform", "low": -3, "high": 3}, codebook=[4, -2, 0.5, 900])
    quantised = quantise_network(network)
    codes = quantised.projections[0].codes
    assert codes is not None
    assert codes.values.tolist() == [-2.0, 0.5, 4.0]
    (line,) = quantised.report(network)
    assert (line["bits"], line["codebook_size"], line["exact"]) == (None, 4, False)
    assert line["relative_error"] == 1.75 / 3.0  # 2.25 is as near to 0.5 as to 4


def test_a_codebook_serves_draws_beyond_the_span() -> None:
    network = of(weight=LOGNORMAL, codebook=[1, 20])
    codes = quantise_network(network).projections[0].codes
    assert codes is not None
    assert codes.values.tolist() == [1.0, 20.0]  # the span ends at 4.75, draws at 23.8


def test_the_report_tells_what_the_chips_measured() -> None:
    network = of(weight=0.1)
    (line,) = quantise_network(network).report(network, {0: (0.25, 3.0, 12)})
    assert (line["largest_error"], line["mean_error"]) == (0.25, 0.25)
    (line,) = quantise_network(network).report(network, {0: (0.0, 0.0, 0)})
    assert (line["largest_error"], line["mean_error"]) == (None, None)


def test_the_error_of_an_input_needs_no_chip() -> None:
    network = onto_second(inputs=({"kind": "poisson", "rate_hz": 1000, "weight": 0.1},))
    (line,) = quantise_network(network).report(network)
    error = abs(round(0.1 / line["step"]) * line["step"] - 0.1)
    assert (line["largest_error"], line["mean_error"]) == (error, error)
    assert line["relative_error"] == error / 0.1


def test_a_modulated_input_counts_at_its_greatest() -> None:
    steps = {"kind": "steps", "times_ms": [0, 10], "values": [1, 400]}
    plain, modulated = (
        quantise_network(onto_second(inputs=({"kind": "poisson", "rate_hz": 1e5, "weight": 0.1, **more},)))
        for more in ({}, {"modulation": steps})
    )
    assert plain.lsb[1, 0] == 2.0**-18
    assert modulated.lsb[1, 0] == 2.0**-16  # 40,000 events of 0.1 are 4,000: an eighth of 2**31 LSBs
