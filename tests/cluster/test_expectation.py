"""Expected numbers of synapses, against all pairs counted one by one."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chip.positions import period_of, positions_of
from cluster import expectation
from cluster.expectation import expected_fan_in, expected_synapses, expected_total, greatest_fan_in
from network import Network, parse_network
from network.connectivity import DistanceDependent
from tests.cluster.samples import empty_in_space, pair


def grid(*shape: int, cell_um: float = 10.0, **more: Any) -> dict[str, Any]:
    return {"kind": "grid", "shape": list(shape), "extent_um": [cell_um * n for n in shape], **more}


def free(*coordinates: Any, extent_um: float = 600.0, **more: Any) -> dict[str, Any]:
    return {
        "kind": "free",
        "coordinates_um": list(coordinates),
        "extent_um": [extent_um] * len(coordinates),
        **more,
    }


def uniform(low: float, high: float) -> dict[str, Any]:
    return {"kind": "uniform", "low": low, "high": high}


def normal(mean: float, sd: float) -> dict[str, Any]:
    return {"kind": "normal", "mean": mean, "sd": sd}


EXPONENTIAL = {"p": {"kind": "distance_exponential", "scale": 0.8, "length_um": 30}}
GAUSSIAN = {"p": {"kind": "distance_gaussian", "scale": 1.5, "sd_um": 40}}
RING = {"p": {"kind": "distance_gaussian", "scale": 0.5, "sd_um": 5, "mean_um": 100}}
DISC = {"p": {"kind": "distance_linear", "at_zero": 0.3, "slope_per_um": 0}, "radius_um": 75}
CONE = {"p": {"kind": "distance_linear", "at_zero": 0.9, "slope_per_um": -0.004}}
KERNELS = [EXPONENTIAL, GAUSSIAN, RING, DISC, CONE]


def placed(
    source: dict[str, Any],
    target: dict[str, Any],
    rule: dict[str, Any],
    sizes: tuple[int, int],
    **projection: Any,
) -> Network:
    network = pair()
    for population, size, positions in zip(network["populations"], sizes, (source, target), strict=True):
        population |= {"size": size, "positions": positions}
    network["projections"][0] |= {"connectivity": {"rule": "distance_dependent", **rule}, **projection}
    return parse_network(network)


def counted(network: Network) -> float:
    """The sum of the probabilities of all pairs."""
    (projection,) = network.projections
    rule = projection.connectivity
    assert isinstance(rule, DistanceDependent)
    members = [network.member(name) for name in (projection.source, projection.target)]
    numbers = [network.members.index(member) for member in members]
    places = [
        positions_of(member.positions, network.seed, number, 0, member.size)  # type: ignore[arg-type]
        for member, number in zip(members, numbers, strict=True)
    ]
    period = period_of(members[0].positions)  # type: ignore[arg-type]
    total = 0.0
    for number, place in enumerate(places[0]):
        offset = np.abs(places[1] - place)
        offset = np.minimum(offset, np.where(np.isfinite(period), period - offset, offset))
        distance = np.sqrt(np.sum(offset**2, axis=1))
        p = np.clip(kernel(rule, distance), 0.0, 1.0)
        if rule.radius_um is not None:
            p[distance > rule.radius_um] = 0.0
        if projection.source == projection.target and not rule.allow_autapses:
            p[number] = 0.0
        total += float(p.sum())
    return total


def kernel(rule: DistanceDependent, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    p: Any = rule.p
    if p.kind == "distance_linear":
        return np.asarray(p.at_zero + p.slope_per_um * distance)
    if p.kind == "distance_exponential":
        return np.asarray(p.scale * np.exp(-distance / p.length_um))
    return np.asarray(p.scale * np.exp(-((distance - p.mean_um) ** 2) / (2 * p.sd_um**2)))


def recurrent(network: Network, **rule: Any) -> Network:
    """The network with its projection from the first population onto itself."""
    described = network.model_dump()
    described["projections"][0]["target"] = "first"
    described["projections"][0]["connectivity"] |= rule
    return parse_network(described)


@pytest.mark.parametrize("rule", KERNELS)
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(900,), (33, 20), (9, 9, 9)])
def test_equal_grids_are_counted_exactly(
    shape: tuple[int, ...], periodic: bool, rule: dict[str, Any]
) -> None:
    positions, n = grid(*shape, cell_um=20, periodic=periodic), math.prod(shape)
    network = placed(positions, positions, rule, (n, n))
    assert expected_synapses(network, network.projections[0]) == pytest.approx(counted(network), abs=0.5001)


@pytest.mark.parametrize("rule", KERNELS)
@pytest.mark.parametrize("allow_autapses", [False, True])
def test_a_neuron_meets_itself_only_where_it_may(rule: dict[str, Any], allow_autapses: bool) -> None:
    positions = grid(33, 20, periodic=True)
    network = recurrent(placed(positions, positions, rule, (660, 660)), allow_autapses=allow_autapses)
    assert expected_synapses(network, network.projections[0]) == pytest.approx(counted(network), abs=0.5001)


EVEN = [
    (grid(30, 25, cell_um=20), grid(16, 10, extent_um=[600, 500]), (750, 160), 0.02),
    (grid(40, 35), grid(40, 35, centre_um=[103.0, -52.0]), (1400, 1400), 0.02),
    (grid(600, cell_um=5), grid(500, cell_um=6), (600, 500), 0.02),
    (free(0.0, 0.0), grid(60, 60), (1, 3600), 0.03),
    (grid(1, 60, extent_um=[600, 600]), grid(60, 60), (60, 3600), 0.03),
]


@pytest.mark.parametrize("rule", KERNELS)
@pytest.mark.parametrize(("source", "target", "sizes", "tolerance"), EVEN)
def test_unequal_grids_are_estimated_within_a_few_percent(
    source: dict[str, Any],
    target: dict[str, Any],
    sizes: tuple[int, int],
    tolerance: float,
    rule: dict[str, Any],
) -> None:
    network = placed(source, target, rule, sizes)
    expected = expected_synapses(network, network.projections[0])
    assert expected == pytest.approx(counted(network), rel=tolerance)


CIRCLE = [
    {"kind": "array", "values": [200 * f(2 * math.pi * k / 2000) for k in range(2000)]}
    for f in (math.cos, math.sin)
]
DRAWN = [
    # 3,000 x 3,000 pairs whose places are drawn: about 2 % of sampling error in the count itself
    (free(uniform(-300, 300), uniform(-300, 300)), free(uniform(-300, 300), uniform(-100, 300)), 3000, 0.05),
    (
        free(uniform(-300, 300), uniform(-300, 300), periodic=True),
        free(uniform(-300, 300), uniform(-100, 300), periodic=True),
        3000,
        0.05,
    ),
    (free(normal(0, 100), uniform(-300, 300)), free(normal(50, 50), 0.0), 3000, 0.08),
    (free(*CIRCLE), free(uniform(-300, 300), uniform(-300, 300)), 2000, 0.06),
    (free(*CIRCLE), free(*CIRCLE), 2000, 0.02),
]


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("rule", KERNELS)
@pytest.mark.parametrize(("source", "target", "n", "tolerance"), DRAWN)
def test_drawn_and_listed_places_are_estimated_within_a_few_percent(
    source: dict[str, Any], target: dict[str, Any], n: int, tolerance: float, rule: dict[str, Any]
) -> None:
    network = placed(source, target, rule, (n, n))
    expected = expected_synapses(network, network.projections[0])
    assert expected == pytest.approx(counted(network), rel=tolerance)


def test_nothing_is_expected_beyond_the_kernel() -> None:
    never = {"p": {"kind": "distance_linear", "at_zero": 0, "slope_per_um": -1}}
    positions = grid(20, 20)
    network = placed(positions, positions, never, (400, 400))
    assert expected_synapses(network, network.projections[0]) == 0


def test_a_million_neurons_take_no_longer() -> None:
    positions = grid(1000, 1000)
    network = placed(positions, positions, GAUSSIAN, (1_000_000, 1_000_000))
    begun = time.perf_counter()
    expected = expected_synapses(network, network.projections[0])
    assert time.perf_counter() - begun < 0.25
    # of an infinite plane, p clipped to 1 within r1, then falling: the sheet's edge takes less than 2 %
    within = 40 * math.sqrt(2 * math.log(1.5))
    a_neuron = (math.pi * within**2 + 2 * math.pi * 40**2) / 100
    assert expected == pytest.approx(1e6 * a_neuron, rel=0.02)


@pytest.mark.parametrize(
    ("rule", "synapses", "fan_in"),
    [
        ({"rule": "all_to_all"}, 144, 12.0),
        ({"rule": "all_to_all", "allow_autapses": False}, 132, 12.0),
        ({"rule": "fixed_probability", "p": 0.5}, 72, 6.0),
        ({"rule": "fixed_probability", "p": 0.5, "allow_autapses": False}, 66, 6.0),
        ({"rule": "fixed_in_degree", "n": 5}, 60, 5.0),
        ({"rule": "fixed_out_degree", "n": 4, "allow_autapses": False}, 48, 4.0),
        ({"rule": "fixed_total_number", "n": 30}, 30, 2.5),
        ({"rule": "small_world", "k": 4, "p_rewire": 0.2}, 48, 4.0),
        ({"rule": "one_to_one"}, 12, 1.0),
        ({"rule": "pooling", "source_shape": [1, 3, 4], "window": [3, 3], "padding": [1, 1]}, 70, 9.0),
        (
            {
                "rule": "pooling",
                "source_shape": [1, 3, 4],
                "window": [2**20 - 1] * 2,
                "padding": [2**19 - 1] * 2,
            },
            144,
            12.0,
        ),
    ],
)
def test_rules_say_how_many(rule: dict[str, Any], synapses: int, fan_in: float) -> None:
    network = pair()
    network["populations"][0]["size"] = 12
    network["projections"][0] |= {"connectivity": rule, "target": "first", "receptor": "excitatory"}
    described = parse_network(network)
    (projection,) = described.projections
    assert expected_synapses(described, projection) == synapses
    assert expected_fan_in(described, projection) == fan_in


def test_empty_populations_have_no_synapses_at_any_distance() -> None:
    network = parse_network(empty_in_space())
    assert [expected_synapses(network, p) for p in network.projections] == [0, 0]
    assert [expected_fan_in(network, p) for p in network.projections] == [0.0, 0.0]


def test_a_neuron_inside_receives_from_all_places_of_a_kernel() -> None:
    rule = {
        "rule": "convolution",
        "source_shape": [1, 2, 5],
        "kernel_shape": [1, 1, 1, 3],
        "kernel": [0.5, 1, 0.5],
        "padding": [0, 1],
    }
    network = pair()
    network["projections"][0] = {
        "source": "first",
        "target": "second",
        "connectivity": rule,
        "delay_ms": 1,
    }
    described = parse_network(network)
    assert expected_synapses(described, described.projections[0]) == 26
    assert expected_fan_in(described, described.projections[0]) == 3.0


def test_all_projections_count_together() -> None:
    network = pair()
    network["projections"].append({**network["projections"][0], "name": "again", "target": "first"})
    network["projections"][1] |= {
        "receptor": "excitatory",
        "connectivity": {"rule": "all_to_all", "allow_autapses": False},
    }
    assert expected_total(parse_network(network)) == 100 + 90


def many(scales: list[float], **positions: Any) -> Network:
    """Two populations, joined by a rule of distance for each scale."""
    first, second = ({**positions}, {**positions})
    described = placed(first, second, EXPONENTIAL, (64, 64)).model_dump()
    (projection,) = described["projections"]
    described["projections"] = [
        projection
        | {"name": f"j{k}"}
        | {"connectivity": projection["connectivity"] | {"p": EXPONENTIAL["p"] | {"scale": scale}}}
        for k, scale in enumerate(scales)
    ]
    return parse_network(described)


def test_beyond_a_limit_the_greatest_probability_stands_for_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    scales = [0.2, 0.2, 0.4, 0.8]
    network = many(scales, **grid(8, 8))
    exact = [expected_synapses(network, p) for p in network.projections]
    assert exact == [pytest.approx(counted_of(network, k), abs=0.5001) for k in range(4)]
    monkeypatch.setattr(expectation, "MOST_INTEGRALS", 2)
    network = many(scales, **grid(8, 8))
    assert [expected_synapses(network, p) for p in reversed(network.projections)] == [
        round(0.8 * 64 * 64),
        *reversed(exact[:3]),
    ]


def counted_of(network: Network, number: int) -> float:
    described = network.model_dump()
    described["projections"] = [described["projections"][number]]
    return counted(parse_network(described))


@pytest.mark.parametrize(
    ("rule", "bound"),
    [
        (EXPONENTIAL, 0.8),
        (GAUSSIAN, 1.0),
        (CONE, 0.9),
        ({"p": {"kind": "distance_linear", "at_zero": -0.1, "slope_per_um": 0.01}, "radius_um": 40}, 0.3),
        ({"p": {"kind": "distance_linear", "at_zero": 0.1, "slope_per_um": 0.01}}, 1.0),
        ({"p": {"kind": "distance_gaussian", "scale": -1.0, "sd_um": 40}}, 0.0),
    ],
)
def test_the_greatest_probability_bounds_that_of_any_pair(
    rule: dict[str, Any], bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectation, "MOST_INTEGRALS", 0)
    network = placed(grid(8, 8), grid(8, 8), rule, (64, 64))
    assert expected_synapses(network, network.projections[0]) == round(bound * 64 * 64) >= counted(network)


def test_an_integral_is_taken_once_for_equal_rules_and_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []
    integral = expectation._mean_probability

    def counting(*arguments: Any) -> tuple[bool, float]:
        taken.append(arguments)
        return integral(*arguments)

    monkeypatch.setattr(expectation, "_mean_probability", counting)
    network = many([0.2, 0.3, 0.2], **grid(8, 8))
    for _ in range(2):
        assert expected_total(network) > 0
    assert len(taken) == 2


def test_listed_coordinates_count_as_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation, "MOST_INTEGRALS", 19)
    line = {"kind": "array", "values": [float(k) for k in range(64)]}
    network = many([0.2, 0.3], **free(line, extent_um=64.0))
    first, second = (expected_synapses(network, p) for p in network.projections)
    assert first < 0.2 * 64 * 64
    assert second == round(0.3 * 64 * 64)


FALLING = {"rule": "distance_dependent", "p": {"kind": "distance_exponential", "scale": 0.5, "length_um": 9}}
RISING = {
    "rule": "distance_dependent",
    "p": {"kind": "distance_gaussian", "scale": 0.2, "sd_um": 5, "mean_um": 300},
}


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ({"rule": "one_to_one"}, 1),
        ({"rule": "all_to_all"}, 400),
        ({"rule": "fixed_in_degree", "n": 7}, 7),
        ({"rule": "small_world", "k": 6, "p_rewire": 0.5}, 6),
        ({"rule": "explicit", "sources": [0, 1, 2, 2], "targets": [5, 5, 0, 5], "weights": [1.0] * 4}, 3),
        ({"rule": "explicit", "sources": [], "targets": [], "weights": []}, 0),
        ({"rule": "fixed_out_degree", "n": 4}, 4 + 8 * 2 + 24),
        ({"rule": "fixed_total_number", "n": 1600}, 4 + 8 * 2 + 24),
        ({"rule": "fixed_total_number", "n": 10}, 10),
        ({"rule": "fixed_out_degree", "n": 399, "allow_multapses": False}, 400),
        ({"rule": "fixed_probability", "p": 0.01}, 4 + 8 * 2 + 24),
        ({"rule": "fixed_probability", "p": 0.9}, 400),
        # all pairs counted, the mean is 2.40 and the centre has 2.67; the bound is for a corner's quarter
        (FALLING, int(9.6 + 8 * math.sqrt(9.6) + 24)),
        (RISING, int(80 + 8 * math.sqrt(80) + 24)),
    ],
)
def test_the_greatest_fan_in_of_each_rule(rule: dict[str, Any], most: float) -> None:
    network = placed(grid(20, 20), grid(20, 20), {"p": CONE["p"]}, (400, 400)).model_dump()
    listed = {"weight": None} if "weights" in rule else {}
    network["projections"] = list(network["projections"])
    network["projections"][0] |= {"source": "second", "target": "second", "connectivity": rule, **listed}
    described = parse_network(network)
    assert greatest_fan_in(described, described.projections[0]) == most
