"""Refusals of inputs, sources, waveforms, positions and recordings, matched whole; and what just passes."""

from __future__ import annotations

from typing import Any

import pytest

from network import parse_network
from tests.network.samples import alone, joined, message, populated

LINEAR = {"kind": "distance_linear", "at_zero": 1, "slope_per_um": -0.05}
GRID = {"kind": "grid", "shape": [5], "extent_um": [100]}
STEPS = {"kind": "steps", "times_ms": [0, 10], "values": [1, 2]}
SHA256 = "0" * 64


def array(*values: float) -> dict[str, Any]:
    return {"kind": "array", "values": values}


def driven(**fields: Any) -> dict[str, Any]:
    """Return a network with one input into five neurons."""
    return alone(populations=[populated("a", 5, inputs=[fields])])


def sourced(kind: str = "poisson", **fields: Any) -> dict[str, Any]:
    """Return a network with a source of five neurons."""
    return alone(sources=[{"kind": kind, "name": "s", "size": 5, **fields}])


def placed(positions: Any, size: int = 5, **fields: Any) -> dict[str, Any]:
    """Return a network with a population that has positions."""
    return alone(populations=[populated("a", size, positions=positions, **fields)])


def free(*coordinates: Any) -> dict[str, Any]:
    return {"kind": "free", "extent_um": [100] * len(coordinates), "coordinates_um": coordinates}


def apart(rule: dict[str, Any], one: Any, other: Any, **fields: Any) -> dict[str, Any]:
    """Return a network with a projection between two populations that have positions."""
    return joined(rule, populated("a", 5, positions=one), populated("b", 5, positions=other), **fields)


def recorded(**fields: Any) -> dict[str, Any]:
    """Return a network with a recording, of population a (5), source s (3), and projection p."""
    source = {"kind": "poisson", "name": "s", "size": 3, "rate_hz": 1}
    network = joined({"rule": "all_to_all"}, populated("a", 5), name="p")
    network["projections"][0]["source"] = "s"
    return {**network, "sources": [source], "recordings": [fields]}


A, S, P, R = "populations[0]", "sources[0]", "projections[0]", "recordings[0]"
DISTANT = {"rule": "distance_dependent", "p": {"kind": "distance_exponential", "scale": 1, "length_um": 50}}

REFUSED: list[tuple[dict[str, Any], str]] = [
    # inputs
    (
        driven(kind="poisson", rate_hz=array(1, 2), weight=1),
        f"{A}.inputs[0].rate_hz.values must have 5 entries, one for each neuron, got 2; give as many",
    ),
    (
        driven(kind="dc", current_pa=array(1, 2)),
        f"{A}.inputs[0].current_pa.values must have 5 entries, one for each neuron, got 2; give as many",
    ),
    (
        driven(kind="current", current_pa=LINEAR, waveform=STEPS),
        f"{A}.inputs[0].current_pa must be no function of distance in a population without positions, "
        "got 'distance_linear'; give the population positions",
    ),
    (
        driven(kind="poisson", rate_hz={"kind": "sum", "of": [LINEAR]}, weight=1),
        f"{A}.inputs[0].rate_hz must be no function of distance in a population without positions, "
        "got 'sum'; give the population positions",
    ),
    (
        placed(GRID, inputs=[{"kind": "poisson", "rate_hz": LINEAR, "weight": 1}]),
        f"{A}.inputs[0].rate_hz must be >= 0, got -1.5; raise its lowest value",
    ),
    (
        driven(
            kind="poisson",
            rate_hz=1,
            weight=1,
            modulation={"kind": "sine", "offset": 1, "amplitude": -2, "frequency_hz": 1},
        ),
        f"{A}.inputs[0].modulation must be >= 0, got -1 at its lowest; raise it",
    ),
    (
        driven(kind="noise", sd_pa=1, interval_ms=0.25),
        f"{A}.inputs[0].interval_ms must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
    (
        driven(kind="noise", sd_pa=-1, interval_ms=1),
        f"{A}.inputs[0].sd_pa must be >= 0, got -1; give the standard deviation of the current in pA",
    ),
    # parameters and initial values
    (
        alone(populations=[populated("a", 5, parameters={"tau m": array(1)})]),
        f"{A}.parameters['tau m'].values must have 5 entries, one for each neuron, got 1; give as many",
    ),
    (
        alone(populations=[populated("a", 5, initial={"v_mv": LINEAR})]),
        f"{A}.initial.v_mv must be no function of distance in a population without positions, "
        "got 'distance_linear'; give the population positions",
    ),
    (
        alone(populations=[populated("a", 5, initial={"v_mv": {"kind": "product", "of": [1e308, 10]}})]),
        f"{A}.initial.v_mv.of[0] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from 1e+308 to 1e+308; lower it",
    ),
    (
        alone(
            populations=[
                populated("a", 5, initial={"v_mv": {"kind": "product", "of": [1e200, 1e200, 0], "high": 1}})
            ]
        ),
        f"{A}.initial.v_mv.of[1] must keep the product of the terms so far within 1e+300 of 0, "
        "got values from inf to inf; lower it",
    ),
    (
        alone(
            populations=[populated("a", 5, initial={"v_mv": {"kind": "sum", "of": [9e299, 2e299, -9e299]}})]
        ),
        f"{A}.initial.v_mv.of[1] must keep the sum of the terms so far within 1e+300 of 0, "
        "got values from 1.1e+300 to 1.1e+300; lower it",
    ),
    # waveforms
    (
        driven(kind="current", waveform={**STEPS, "times_ms": [0, 0.25]}),
        f"{A}.inputs[0].waveform.times_ms[1] must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
    (
        driven(kind="current", waveform={**STEPS, "times_ms": [-1, 0]}),
        f"{A}.inputs[0].waveform.times_ms[0] must be >= 0, got -1; time starts at 0",
    ),
    (
        driven(kind="current", waveform={**STEPS, "times_ms": [1, 1]}),
        f"{A}.inputs[0].waveform.times_ms[1] must be later than the time before it, 1, got 1; "
        "sort the times and remove repeats",
    ),
    (
        driven(kind="current", waveform={**STEPS, "values": [1]}),
        f"{A}.inputs[0].waveform.values must have as many entries as times_ms, 2, got 1; "
        "give one for each time",
    ),
    (
        driven(
            kind="current",
            waveform={"kind": "ramp", "start_ms": 0.04, "stop_ms": 1e9, "first": 0, "last": 1},
        ),
        f"{A}.inputs[0].waveform.start_ms must be a multiple of timestep_ms, 0.1, got 0.04; "
        "the nearest are 0 and 0.1\n"
        f"{A}.inputs[0].waveform.stop_ms must be at most 4294967295 ticks of 0.1 ms, got 1000000000; "
        "shorten it or raise timestep_ms",
    ),
    (
        driven(kind="current", waveform={"kind": "ramp", "start_ms": 2, "stop_ms": 2, "first": 0, "last": 1}),
        f"{A}.inputs[0].waveform.stop_ms must be > start_ms, 2, got 2; raise it",
    ),
    (
        driven(kind="current", waveform={"kind": "chirp"}),
        f"{A}.inputs[0].waveform.kind must be one of 'steps', 'ramp', 'sine', got 'chirp'; "
        "give the course of the current over time",
    ),
    # sources
    (
        sourced(rate_hz=6000, modulation=STEPS),
        f"{S}.rate_hz must be at most 5000, one spike a tick of 0.1 ms at 2 times the rate, got 6000; "
        "lower it, or use more neurons",
    ),
    (
        sourced(rate_hz=1, modulation={**STEPS, "values": [1, -1]}),
        f"{S}.modulation must be >= 0, got -1 at its lowest; raise it",
    ),
    (
        sourced("correlated_poisson", rate_hz=2000, correlation=0.1),
        f"{S}.rate_hz must be at most 1000, one spike a tick of 0.1 ms of the process that is copied with "
        "correlation 0.1, got 2000; lower it, or raise the correlation",
    ),
    (
        sourced("correlated_poisson", rate_hz=2000, correlation=0.25, modulation=STEPS),
        f"{S}.rate_hz must be at most 1250, one spike a tick of 0.1 ms of the process that is copied with "
        "correlation 0.25 at 2 times the rate, got 2000; lower it, or raise the correlation",
    ),
    (
        sourced("correlated_poisson", rate_hz=1, correlation=0),
        f"{S}.correlation must be > 0, got 0; give the correlation of each pair of neurons, above 0 to 1",
    ),
    (
        sourced("uploaded_spikes", sha256=SHA256, n=3, neuron_stop=6),
        f"{S}.neuron_stop must be at most 5, the source's size, got 6; make the source larger",
    ),
    # positions
    (
        placed({"kind": "grid", "shape": [2, 3], "extent_um": [100, 100]}),
        f"{A}.positions.shape must have 5 cells, one for each neuron, got 2 x 3; "
        "change it or the population's size",
    ),
    (
        placed({"kind": "grid", "shape": [5], "extent_um": [100, 100]}),
        f"{A}.positions.shape must have as many entries as extent_um, 2, got 1; give one for each dimension",
    ),
    (
        placed({**GRID, "centre_um": [0, 0]}),
        f"{A}.positions.centre_um must have as many entries as extent_um, 1, got 2; "
        "give one for each dimension",
    ),
    (
        placed({**GRID, "extent_um": [0]}),
        f"{A}.positions.extent_um[0] must be >= 1e-06, got 0; "
        "give the extent of the space in each dimension in um",
    ),
    (
        placed({**GRID, "periodic": "yes"}),
        f"{A}.positions.periodic must be true or false, got 'yes'; "
        "give whether the space is a torus: true or false",
    ),
    (
        placed(free({"kind": "product", "of": [1e200, 1e200, 0], "low": 0, "high": 1})),
        f"{A}.positions.coordinates_um[0].of[1] must keep the product of the terms so far within 1e+300 "
        "of 0, got values from inf to inf; lower it",
    ),
    (
        placed(free(0, array(1, 2))),
        f"{A}.positions.coordinates_um[1].values must have 5 entries, one for each neuron, got 2; "
        "give as many",
    ),
    (
        placed(free(LINEAR)),
        f"{A}.positions.coordinates_um[0] must be no function of distance, got 'distance_linear'; "
        "give a number, a distribution or an array",
    ),
    (
        placed(free({"kind": "normal", "mean": 0, "sd": 1e12})),
        f"{A}.positions.coordinates_um[0] must stay between -1e+12 and 1e+12, "
        "got values from -9000000000000 to 9000000000000; check the unit",
    ),
    (
        sourced(rate_hz=1, positions={**GRID, "shape": [4]}),
        f"{S}.positions.shape must have 5 cells, one for each neuron, got 4; "
        "change it or the population's size",
    ),
    # distance between two populations
    (
        apart(DISTANT, GRID, None),
        f"{P}.connectivity must have positions at both ends to depend on distance, got none for 'b'; "
        "give them",
    ),
    (
        apart({"rule": "one_to_one"}, None, None, weight=LINEAR),
        f"{P}.weight must have positions at both ends to depend on distance, got none for 'a', 'b'; "
        "give them",
    ),
    (
        apart({"rule": "one_to_one"}, GRID, {**GRID, "extent_um": [99.5]}, delay_ms=LINEAR),
        f"{P}.delay_ms must join positions of the same extent_um to depend on distance, "
        "got 100 um and 99.5 um; change one of them",
    ),
    (
        apart({"rule": "one_to_one"}, free(0, 0), GRID, axonal_delay_ms=LINEAR),
        f"{P}.axonal_delay_ms must join positions of the same extent_um to depend on distance, "
        "got 100 x 100 um and 100 um; change one of them",
    ),
    (
        apart(DISTANT, GRID, {**GRID, "periodic": True}),
        f"{P}.connectivity must join positions of the same boundary to depend on distance, "
        "got not periodic and periodic; change one of them",
    ),
    (
        apart({**DISTANT, "radius_um": 51}, {**GRID, "periodic": True}, {**GRID, "periodic": True}),
        f"{P}.connectivity.radius_um must be at most 50, half of the least periodic extent_um, got 51; "
        "lower it, or give null for any distance",
    ),
    (
        apart({"rule": "distance_dependent", "p": {"kind": "normal"}}, GRID, GRID),
        f"{P}.connectivity.p.kind must be one of 'distance_linear', 'distance_exponential', "
        "'distance_gaussian', got 'normal'; give the probability as a function of distance",
    ),
    (
        apart({"rule": "one_to_one"}, GRID, GRID, weight={**LINEAR, "slope_per_um": 1e308}),
        f"{P}.weight.slope_per_um must be <= 1e+30, got 1e+308; give the change of the value with each um",
    ),
    # recordings
    (
        recorded(kind="spikes", population="p"),
        f"{R}.population must name a population or source, got 'p'; the network has 'a', 's'",
    ),
    (
        recorded(kind="spikes", population="s", neurons={"stop": 4}),
        f"{R}.neurons.stop must be <= 3, the population's size, got 4; lower it",
    ),
    (
        recorded(kind="weights", projection="a", interval_ms=0.25),
        f"{R}.projection must name a projection, got 'a'; the network has 'p'\n"
        f"{R}.interval_ms must be a multiple of timestep_ms, 0.1, got 0.25; the nearest are 0.2 and 0.3",
    ),
    (
        recorded(kind="weights", projection="p", interval_ms=1, sources={"stop": 4}, targets={"stop": 6}),
        f"{R}.sources.stop must be <= 3, the source's size, got 4; lower it\n"
        f"{R}.targets.stop must be <= 5, the target's size, got 6; lower it",
    ),
]


@pytest.mark.parametrize(("data", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_message(data: dict[str, Any], expected: str) -> None:
    assert message(data) == expected


TAKEN = [
    driven(kind="poisson", rate_hz=array(1, 2, 3, 4, 5), weight=1, modulation=STEPS),
    driven(kind="current", waveform={"kind": "steps", "times_ms": [], "values": []}),
    driven(kind="current", waveform={"kind": "ramp", "start_ms": 0, "stop_ms": 0.1, "first": 0, "last": 1}),
    driven(kind="noise", sd_pa=0, interval_ms=0.1),
    placed(GRID, inputs=[{"kind": "poisson", "rate_hz": {**LINEAR, "at_zero": 2.5}, "weight": 1}]),
    placed(
        GRID, initial={"v_mv": {"kind": "sum", "of": [LINEAR, {"kind": "gamma", "shape": 1, "scale": 2}]}}
    ),
    placed(free(array()), size=0, initial={"v_mv": array()}),
    placed({"kind": "grid", "shape": [0, 3], "extent_um": [100, 100]}, size=0),
    placed({"kind": "grid", "shape": [1, 1, 1], "extent_um": [1, 2, 3]}, size=1),
    sourced(rate_hz=5000, modulation=STEPS),
    sourced("correlated_poisson", rate_hz=10_000, correlation=1),
    sourced("uploaded_spikes", sha256=SHA256, n=3, neuron_stop=5),
    apart({**DISTANT, "radius_um": 50}, {**GRID, "periodic": True}, {**GRID, "periodic": True}),
    apart(DISTANT, GRID, {**GRID, "centre_um": [1000]}),
    apart({"rule": "all_to_all"}, GRID, free(0, 0)),
    recorded(kind="spikes", population="a", neurons={"start": 5, "stop": 5}),
    recorded(kind="weights", projection="p", interval_ms=1, sources={"stop": 3}, targets={"stop": 5}),
]


@pytest.mark.parametrize("data", TAKEN, ids=range(len(TAKEN)))
def test_taken(data: dict[str, Any]) -> None:
    assert parse_network(parse_network(data).model_dump_json()) == parse_network(data)


def test_a_recording_of_a_projection_with_an_unknown_end_waits_for_it() -> None:
    data = recorded(kind="weights", projection="p", interval_ms=1, sources={"stop": 4})
    data["projections"][0]["source"] = "nobody"
    assert message(data) == (
        f"{P}.source must name a population or source, got 'nobody'; the network has 'a', 's'"
    )


def test_reach_is_that_of_the_projections_that_depend_on_distance() -> None:
    near = parse_network(apart(DISTANT, GRID, {**GRID, "centre_um": [1000]}))
    assert near.reach_um(near.projections[0]) == 1100.0
    round_trip = parse_network(apart(DISTANT, {**GRID, "periodic": True}, {**GRID, "periodic": True}))
    assert round_trip.reach_um(round_trip.projections[0]) == 50.0
    indifferent = parse_network(apart({"rule": "all_to_all"}, GRID, free(0, 0)))
    assert indifferent.reach_um(indifferent.projections[0]) == 0.0
