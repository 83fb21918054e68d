"""Whatever is accepted can be built: the LSB leaves room for all that can come onto a neuron at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chip import SLOT_CAPACITY, Chip
from cluster.check import check
from cluster.fit import require_fit
from cluster.lowering import lower
from cluster.quantisation import quantise_network
from network import Network, NetworkError, parse_network
from tests.cluster.samples import RACK, pair, plan_of

pytestmark = pytest.mark.usefixtures("kernels")


def cells(
    *projections: dict[str, Any], inputs: tuple[dict[str, Any], ...] = (), size: int = 100, **more: Any
) -> Network:
    """One population that projects onto itself."""
    network = pair()
    first = network["populations"][0] | {
        "model": "lif_curr_delta",
        "size": size,
        "inputs": list(inputs),
        **more,
    }
    network["populations"] = [first]
    network["projections"] = [
        {"source": "first", "target": "first", "name": f"p{k}", "delay_ms": 1.0, **projection}
        for k, projection in enumerate(projections)
    ]
    return parse_network(network)


def poisson(rate_hz: float, weight: float) -> dict[str, Any]:
    return {"kind": "poisson", "rate_hz": rate_hz, "weight": weight}


def in_degree(n: int, weight: Any) -> dict[str, Any]:
    return {"connectivity": {"rule": "fixed_in_degree", "n": n}, "weight": weight}


def onto_one(n: int, *, listed: bool, target: int = 3) -> dict[str, Any]:
    rule: dict[str, Any] = {"rule": "explicit", "sources": [0] * n, "targets": [target] * n}
    if listed:
        return {"connectivity": rule | {"weights": [1000.0] * n}}
    return {"connectivity": rule, "weight": 1000.0}


def built(network: Network) -> Chip:
    """The only chip of a network that is accepted."""
    plan = plan_of(network)
    check(network)
    require_fit(network, RACK, plan.options)
    return Chip(lower(plan, (0,)))


@pytest.mark.parametrize(
    ("network", "lost"),
    [
        (cells(in_degree(5, 0.01), inputs=(poisson(100.0, 1000.0),)), 6e-4),
        (cells(in_degree(5, 0.01), inputs=(poisson(10.0, 2000.0),)), 1e-3),
        (cells(in_degree(5, 0.001), inputs=(poisson(8000.0, 87.8),)), 6e-4),
        (cells(onto_one(100_000, listed=True)), 0.0),
        (cells(onto_one(100_000, listed=False)), 0.0),
        (cells(onto_one(100_000, listed=True), in_degree(5, 0.1)), 0.25),
        (
            cells({"connectivity": {"rule": "fixed_out_degree", "n": 1}, "weight": 5e4}, in_degree(1, 0.5)),
            1e-3,
        ),
    ],
)
def test_strong_and_weak_onto_one_neuron_can_be_built(network: Network, lost: float) -> None:
    assert built(network).memory.load.max() <= SLOT_CAPACITY
    quantised = quantise_network(network)
    assert max(q.relative_error for q in quantised.projections) <= lost


def test_weights_of_which_nothing_would_be_left_are_refused_before_anything_is_built() -> None:
    with pytest.raises(NetworkError) as refused:
        check(cells(in_degree(5, 1e-5), inputs=(poisson(10.0, 1e6),)))
    assert str(refused.value) == (
        "populations[0] must get weights at receptor 'delta' that stay above 0 in steps in which the "
        "greatest sum that can come at once is at most 2147483647, got 1e-05 from projection 'p0' "
        "beside 1e+06 from input 0 of population 'first'; narrow the range of weights"
    )
    with pytest.raises(NetworkError) as refused:
        check(cells(onto_one(100_000, listed=True), in_degree(5, 1e-3)))
    assert str(refused.value) == (
        "populations[0] must get weights at receptor 'delta' that stay above 0 in steps in which the "
        "greatest sum that can come at once is at most 2147483647, got 0.001 from projection 'p1' "
        "beside 1000 from projection 'p0'; narrow the range of weights"
    )


magnitudes = st.floats(-6.0, 6.0).map(lambda power: 10.0**power)
weights = st.one_of(
    st.builds(lambda size, sign: size * sign, magnitudes, st.sampled_from([-1.0, 1.0])),
    st.builds(lambda size: {"kind": "normal", "mean": size, "sd": size}, magnitudes),
    st.builds(lambda size: {"kind": "exponential", "mean": size}, magnitudes),
    st.builds(lambda power: {"kind": "lognormal", "log_mean": power, "log_sd": 2.0}, st.floats(-5.0, 5.0)),
)
multapses = st.booleans()
rules = st.one_of(
    st.builds(lambda n: {"rule": "fixed_in_degree", "n": n}, st.integers(0, 2000)),
    st.builds(lambda n: {"rule": "fixed_out_degree", "n": n}, st.integers(0, 300)),
    st.builds(lambda n: {"rule": "fixed_total_number", "n": n}, st.integers(0, 20_000)),
    st.builds(lambda p: {"rule": "fixed_probability", "p": p}, st.floats(0.0, 1.0)),
    st.builds(
        lambda scale, length, radius: {
            "rule": "distance_dependent",
            "p": {"kind": "distance_gaussian", "scale": scale, "sd_um": length, "mean_um": radius},
        },
        st.floats(0.0, 1.0),
        st.floats(1.0, 100.0),
        st.sampled_from([0.0, 50.0, 130.0]),
    ),
    st.sampled_from([{"rule": "one_to_one"}, {"rule": "all_to_all"}]),
    st.lists(st.integers(0, 19), max_size=300).map(
        lambda targets: {"rule": "explicit", "sources": [0] * len(targets), "targets": targets}
    ),
)
projections = st.builds(
    lambda rule, weight, bits: {"connectivity": rule, "weight": weight, "weight_bits": bits},
    rules,
    weights,
    st.sampled_from([None, None, 8, 3]),
)
inputs = st.builds(poisson, st.floats(0.0, 1e5), magnitudes)
GRID = {"kind": "grid", "shape": [5, 4], "extent_um": [100.0, 100.0]}


def refusal(network: Network) -> str:
    try:
        check(network)
    except NetworkError as problem:
        return str(problem)
    return ""


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(projections, max_size=4), st.lists(inputs, max_size=2))
def test_whatever_is_accepted_can_be_built(
    described: list[dict[str, Any]], driven: list[dict[str, Any]]
) -> None:
    network = cells(*described, inputs=tuple(driven), size=20, positions=GRID)
    refused = refusal(network)
    if refused:
        assert re.fullmatch(r"populations\[0\] must get weights at receptor 'delta' that stay .*", refused)
    else:
        built(network)
