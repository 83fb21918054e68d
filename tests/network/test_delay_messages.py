"""Refusals of delays of two parts, and of arrays of values, matched whole; and what just passes."""

from __future__ import annotations

from typing import Any

import pytest

from network import parse_network
from tests.network.samples import REMOVED, joined, message, populated

P = "projections[0]"
SQUARE = {"kind": "grid", "shape": [5], "extent_um": [100]}
NORMAL = {"kind": "normal", "mean": 1, "sd": 0.5}
UNIFORM = {"kind": "uniform", "low": 0.02, "high": 1}


def array(*values: float) -> dict[str, Any]:
    return {"kind": "array", "values": values}


def delayed(delay_ms: Any, axonal_delay_ms: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a network of five neurons, on a line, that are joined one to one."""
    rule = fields.pop("rule", {"rule": "one_to_one"})
    end = populated("a", 5, positions=SQUARE)
    return joined(rule, end, delay_ms=delay_ms, axonal_delay_ms=axonal_delay_ms, **fields)


def listed(*delays_ms: float) -> dict[str, Any]:
    n = len(delays_ms)
    return {"rule": "explicit", "sources": [0] * n, "targets": [0] * n, "delays_ms": delays_ms}


def uploaded(low: float, high: float, n: int = 2) -> dict[str, Any]:
    stop = min(n, 1)
    return {
        "rule": "uploaded",
        "sha256": "0" * 64,
        "n": n,
        "source_stop": stop,
        "target_stop": stop,
        "delays_ms": [low, high],
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    # two exact parts
    (
        delayed(0, 0),
        f"{P}.delay_ms must be at least timestep_ms, 0.1, together with axonal_delay_ms, "
        "got 0 and 0 at the least; raise one of them",
    ),
    (
        delayed(0.25, 1),
        f"{P}.delay_ms must be a multiple of timestep_ms, 0.1, got 0.25; the nearest are 0.2 and 0.3",
    ),
    (
        delayed(1, 0.04),
        f"{P}.axonal_delay_ms must be a multiple of timestep_ms, 0.1, got 0.04; the nearest are 0 and 0.1",
    ),
    (delayed(1, -1), f"{P}.axonal_delay_ms must be >= 0, got -1; time starts at 0"),
    (
        delayed(6000, 553.6),
        f"{P}.delay_ms must be at most 65535 ticks of 0.1 ms together with axonal_delay_ms, "
        "got 6000 and 553.6 at the most; shorten one of them or raise timestep_ms",
    ),
    # drawn parts
    (
        delayed(UNIFORM, {**UNIFORM, "low": 0.02}),
        f"{P}.delay_ms must be at least half of timestep_ms, 0.05, together with axonal_delay_ms, "
        "got 0.02 and 0.02 at the least; raise one of them",
    ),
    (
        delayed(UNIFORM, 0),
        f"{P}.delay_ms must be at least half of timestep_ms, 0.05, together with axonal_delay_ms, "
        "got 0.02 and 0 at the least; raise one of them",
    ),
    (
        delayed({**UNIFORM, "low": -1}, 1),
        f"{P}.delay_ms.low must be >= 0, got -1; raise it",
    ),
    (
        delayed(1, NORMAL),
        f"{P}.axonal_delay_ms must be >= 0, got -3.5 at its lowest; raise it",
    ),
    (
        delayed(UNIFORM, 6553.5),
        f"{P}.delay_ms must be at most 65535 ticks of 0.1 ms together with axonal_delay_ms, "
        "got 1 and 6553.5 at the most; shorten one of them or raise timestep_ms",
    ),
    (
        delayed({"kind": "exponential", "mean": 1000, "low": 1}),
        f"{P}.delay_ms must stay below 65535 and a half ticks of 0.1 ms, got 37000 at its highest; "
        "lower it or raise timestep_ms",
    ),
    (
        delayed({"kind": "distance_linear", "at_zero": 0.04, "slope_per_um": 1}),
        f"{P}.delay_ms must be at least half of timestep_ms, 0.05, got 0.04 at its lowest; "
        "a delay is one tick or more",
    ),
    (
        delayed({"kind": "distance_linear", "at_zero": 3.1, "slope_per_um": -0.04}),
        f"{P}.delay_ms must be at least half of timestep_ms, 0.05, got -0.8999999999999999 at its lowest; "
        "a delay is one tick or more",
    ),
    # lists and arrays
    (
        delayed(array(1, 2, 0, 4, 5)),
        f"{P}.delay_ms.values[2] must be > 0, got 0; the shortest is timestep_ms, 0.1",
    ),
    (
        delayed(array(1, 2, 0.25, 4, 5), 0),
        f"{P}.delay_ms.values[2] must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
    (
        delayed(array(1, 0, 1, 1, 1), array(0, 1, 1, 1, 1)),
        f"{P}.delay_ms.values must be at least timestep_ms, 0.1, together with axonal_delay_ms, "
        "got 0 and 0 at the least; raise one of them",
    ),
    (
        delayed(REMOVED, -0.1, rule=listed(0.1)),
        f"{P}.axonal_delay_ms must be >= 0, got -0.1; time starts at 0",
    ),
    (
        delayed(REMOVED, 0, rule=listed(0.1, 0)),
        f"{P}.connectivity.delays_ms must be at least timestep_ms, 0.1, together with axonal_delay_ms, "
        "got 0 and 0 at the least; raise one of them",
    ),
    (
        delayed(REMOVED, rule=uploaded(0, 1)),
        f"{P}.connectivity.delays_ms[0] must be > 0, got 0; the shortest is timestep_ms, 0.1",
    ),
    (
        delayed(REMOVED, rule=uploaded(1, 6553.6)),
        f"{P}.connectivity.delays_ms[1] must be at most 65535 ticks of 0.1 ms, got 6553.6; "
        "shorten it or raise timestep_ms",
    ),
    (
        delayed(REMOVED, rule=uploaded(2, 1)),
        f"{P}.connectivity.delays_ms must be the least before the greatest, got (2.0, 1.0); "
        "give what the upload answered",
    ),
    # arrays of which length, with which rule
    (
        delayed(array(1, 2)),
        f"{P}.delay_ms.values must have 5 entries, one for each synapse, got 2; give as many",
    ),
    (
        delayed(1, array(1, 2)),
        f"{P}.axonal_delay_ms.values must have 5 entries, one for each synapse, got 2; give as many",
    ),
    (
        delayed(1, weight=array(1, 2), rule={"rule": "all_to_all"}),
        f"{P}.weight.values must have 25 entries, one for each synapse, got 2; give as many",
    ),
    (
        delayed(1, weight=array(*range(20)), rule={"rule": "all_to_all", "allow_autapses": False}),
        f"{P}.weight must be no array where autapses are left out, got one of 20 values; "
        "allow autapses, or list the synapses with the rule 'explicit'",
    ),
    (
        delayed(1, weight=array(1, 2), rule={"rule": "fixed_in_degree", "n": 2}),
        f"{P}.weight must be no array with the rule 'fixed_in_degree', got one of 2 values; "
        "list the synapses with the rule 'explicit'",
    ),
    (
        delayed(array(1), rule={"rule": "explicit", "sources": [0], "targets": [0]}),
        f"{P}.delay_ms must be no array with the rule 'explicit', got one of 1 values; "
        "list the values with the synapses",
    ),
    # weights
    (
        delayed(
            1, weight={"kind": "product", "of": [1e200, {"kind": "uniform", "low": -1, "high": 1}, 1e200]}
        ),
        f"{P}.weight.of[2] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from -inf to inf; lower it",
    ),
    (
        delayed(1, weight={"kind": "product", "of": [1e200, 1e200, 0], "low": 0, "high": 1}),
        f"{P}.weight.of[1] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from inf to inf; lower it",
    ),
    (
        delayed({"kind": "product", "of": [1e200, 1e200, 0], "low": 1, "high": 1}),
        f"{P}.delay_ms.of[1] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from inf to inf; lower it",
    ),
    (
        delayed(1, axonal_delay_ms={"kind": "product", "of": [1e200, 1e200, 0]}),
        f"{P}.axonal_delay_ms.of[1] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from inf to inf; lower it",
    ),
    (
        delayed(1, codebook=[]),
        f"{P}.codebook must not be empty, got []; "
        "give the weights that a synapse can have, 256 at most, or null for any",
    ),
    (
        delayed(1, codebook=[1, 2], weight_bits=3),
        f"{P}.weight_bits must not be given beside codebook, got 3; remove one of the two",
    ),
    (
        delayed(1, weight_bits=17),
        f"{P}.weight_bits must be <= 16, got 17; "
        "give the bits of a synapse's weight, 1 to 16, or null for 16",
    ),
    (
        delayed(1, weight={"kind": "sum", "of": [1, array(1)]}),
        f"{P}.weight.of[1].kind must be one of 'uniform', 'normal', 'lognormal', 'exponential', 'gamma', "
        "'distance_linear', 'distance_exponential', 'distance_gaussian', got 'array'; "
        "give the terms, one to four",
    ),
    (
        delayed(1, weight={"kind": "sum", "of": [1] * 5}),
        f"{P}.weight.of must have at most 4 entries, got [1, 1, 1, 1, ...]; give the terms, one to four",
    ),
]


@pytest.mark.parametrize(("data", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_message(data: dict[str, Any], expected: str) -> None:
    assert message(data) == expected


TAKEN = [
    delayed(0, 0.1),
    delayed(0.1, 0),
    delayed(6000, 553.5),
    delayed(0, UNIFORM | {"low": 0.05}),
    delayed(UNIFORM, {**UNIFORM, "low": 0.03}),
    delayed(NORMAL | {"sd": 0.1}, {"kind": "exponential", "mean": 3}),
    delayed({"kind": "normal", "mean": 1.5, "sd": 0.1}),
    delayed({"kind": "distance_linear", "at_zero": 3.1, "slope_per_um": -0.03}),
    delayed({"kind": "distance_exponential", "scale": 3, "length_um": 100}),
    delayed(array(0.1, 0.2, 0.3, 0.4, 6553.5)),
    delayed(array(0, 0, 0, 0, 0), array(1, 1, 1, 1, 1)),
    delayed(1, weight=array(*range(25)), rule={"rule": "all_to_all"}),
    delayed(REMOVED, 0, rule=listed()),
    delayed(REMOVED, 0.1, rule=listed(0, 0.1)),
    delayed(REMOVED, rule=uploaded(0.1, 6553.5)),
    delayed(REMOVED, rule=uploaded(0, 0, n=0)),
    delayed(1, codebook=[-3, 0.5], weight=7),
]


@pytest.mark.parametrize("data", TAKEN, ids=range(len(TAKEN)))
def test_taken(data: dict[str, Any]) -> None:
    assert parse_network(parse_network(data).model_dump_json()) == parse_network(data)


def test_an_array_of_pairs_between_two_populations_needs_no_autapses() -> None:
    rule = {"rule": "all_to_all", "allow_autapses": False}
    ends = populated("a", 2), populated("b", 3)
    network = parse_network(joined(rule, *ends, weight=array(*range(6))))
    assert network.projections[0].weight.values == (0, 1, 2, 3, 4, 5)  # type: ignore[union-attr]


def test_empty_populations_take_empty_arrays() -> None:
    parse_network(joined({"rule": "one_to_one"}, populated("a", 0), weight=array(), delay_ms=array()))
