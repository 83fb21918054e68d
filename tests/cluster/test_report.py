"""The mapping report: what the chips measured while they built is within what the description promises."""

from __future__ import annotations

from typing import Any

import pytest

from chip.memory import WeightErrors
from cluster.report import mapping_report, measured_errors
from cluster.worker import Built, Worker, chips_of_workers
from network import Network, parse_network
from tests.cluster.samples import pair, plan_of

UNIFORM = {"kind": "uniform", "low": 0, "high": 3}
LOGNORMAL = {"kind": "lognormal", "log_mean": 0, "log_sd": 1}


def weighted(**projection: Any) -> Network:
    network = pair()
    for population in network["populations"]:
        population["size"] = 60
    network["projections"][0] |= projection
    return parse_network(network)


def line_of(network: Network, chips: int) -> tuple[dict[str, Any], dict[str, Any]]:
    plan, shares = plan_of(network, chips), chips_of_workers(chips, chips)
    report = mapping_report(plan, [Worker(plan, shares, chip).built() for chip in range(chips)], 0.0)
    return report["quantisation"][0], report


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    ("projection", "largest", "mean_share"),
    [
        ({"weight": 0.1}, 0.1, 1.0),
        ({"weight": UNIFORM}, 3.0, 0.5),
        ({"weight": UNIFORM, "weight_bits": 4}, 3.0, 0.5),
        ({"weight": UNIFORM, "weight_bits": 1}, 3.0, 0.5),
        ({"weight": UNIFORM, "codebook": [0.5, 2.5]}, 3.0, 5 / 12),
        ({"weight": 1.0, "codebook": [-1.25, 0.625]}, 1.0, 1.0),
    ],
)
def test_measured_errors_are_within_the_bound(
    projection: dict[str, Any], largest: float, mean_share: float
) -> None:
    line, report = line_of(weighted(**projection), 1)
    bound = line["relative_error"] * largest
    assert report["n_saturated_weights"] == 0
    assert 0.9 * bound <= line["largest_error"] <= bound * (1 + 1e-9)
    assert line["mean_error"] == pytest.approx(mean_share * bound, rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    "projection",
    [{"weight": 0.75, "weight_bits": 1}, {"weight": -3, "codebook": [-3, 2]}, {"weight": 4096.5}],
)
def test_what_is_called_exact_lost_nothing(projection: dict[str, Any]) -> None:
    line, _ = line_of(weighted(**projection), 2)
    assert (line["exact"], line["largest_error"], line["mean_error"]) == (True, 0.0, 0.0)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("more", [{}, {"weight_bits": 6}, {"codebook": [0.1, 1, 10, 100]}])
def test_errors_are_the_same_on_any_number_of_chips(more: dict[str, Any]) -> None:
    one, three = (line_of(weighted(weight=LOGNORMAL, **more), chips) for chips in (1, 3))
    assert one[0] == three[0]
    assert one[1]["synapse_digest"] == three[1]["synapse_digest"]
    assert one[1]["n_saturated_weights"] == three[1]["n_saturated_weights"]


def built(*errors: WeightErrors) -> Built:
    return Built((), 0, 0, (0, 0), weight_errors=errors)


def test_errors_of_all_chips_are_merged() -> None:
    chips = [
        built(WeightErrors(0, 0.5, 2.0, 10), WeightErrors(2, 0.0, 0.0, 0)),
        built(WeightErrors(0, 0.25, 1.0, 20)),
        built(),
    ]
    assert measured_errors(chips) == {0: (0.5, 3.0, 30), 2: (0.0, 0.0, 0)}
