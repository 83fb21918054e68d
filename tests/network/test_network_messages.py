"""Refusals of sources, projections and recordings, matched whole."""

from __future__ import annotations

from typing import Any

import pytest

from tests.network.samples import REMOVED, broken, message

EXPLICIT = ("projections", 1, "connectivity")
DELAY = ("projections", 3, "delay_ms")

# Where the demo is broken, with what, and what is said.
CASES: list[tuple[tuple[str | int, ...], Any, str]] = [
    # sources
    (
        ("sources", 0, "kind"),
        REMOVED,
        "sources[0].kind must be one of 'poisson', 'correlated_poisson', 'spike_times', 'uploaded_spikes', "
        "got nothing; "
        "give the populations that only emit spikes",
    ),
    (
        ("sources", 0, "rate_hz"),
        -1,
        "sources[0].rate_hz must be >= 0, got -1; give the rate of each neuron in Hz",
    ),
    (
        ("sources", 0, "rate_hz"),
        10_001,
        "sources[0].rate_hz must be at most 10000, one spike a tick of 0.1 ms, got 10001; "
        "lower it, or use more neurons",
    ),
    (
        ("sources", 1, "size"),
        3,
        "sources[1].times_ms must have one list for each of 3 neurons, got 2; "
        "add empty lists for silent neurons",
    ),
    (
        ("sources", 1, "times_ms", 1),
        [1, "2"],
        "sources[1].times_ms[1][1] must be a number, got '2'; give the spike times of each neuron in ms",
    ),
    (
        ("sources", 1, "times_ms"),
        [[], [0.1, 0.25]],
        "sources[1].times_ms[1][1] must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
    (
        ("sources", 1, "times_ms"),
        [[0.0], []],
        "sources[1].times_ms[0][0] must be > 0, got 0; the shortest is timestep_ms, 0.1",
    ),
    (
        ("sources", 1, "times_ms"),
        [[2.0, 3.0], [0.5, 0.5]],
        "sources[1].times_ms[1][1] must be later than the spike before it, 0.5, got 0.5; "
        "sort the times and remove repeats",
    ),
    # names
    (
        ("populations", 1, "name"),
        "exc",
        "populations[1].name must be unique, got 'exc' like populations[0]; give another name",
    ),
    (
        ("sources", 0, "name"),
        "exc",
        "sources[0].name must be unique, got 'exc' like populations[0]; give another name",
    ),
    (
        ("projections", 4, "name"),
        "forward",
        "projections[4].name must be unique, got 'forward' like projections[0]; give another name",
    ),
    # projections
    (
        ("projections", 0, "source"),
        "ex",
        "projections[0].source must name a population or source, got 'ex'; "
        "the network has 'exc', 'inh', 'drive', 'probe'",
    ),
    (
        ("projections", 0, "target"),
        "ex",
        "projections[0].target must name a population, got 'ex'; the network has 'exc', 'inh'",
    ),
    (
        ("projections", 0, "target"),
        "drive",
        "projections[0].target must name a population, got source 'drive'; sources only emit spikes",
    ),
    (
        ("projections", 0, "source"),
        3,
        "projections[0].source must be text, got 3; give the name of the population or source that sends",
    ),
    (
        ("projections", 0, "connectivity", "rule"),
        "ring",
        "projections[0].connectivity.rule must be one of 'one_to_one', 'all_to_all', 'fixed_in_degree', "
        "'fixed_out_degree', 'fixed_total_number', 'fixed_probability', 'distance_dependent', 'small_world', "
        "'convolution', 'pooling', 'explicit', 'uploaded', got 'ring'; give the connectivity rule",
    ),
    (
        ("projections", 0, "connectivity", "n"),
        2.5,
        "projections[0].connectivity.n must be a whole number, got 2.5; give the synapses onto each neuron",
    ),
    (
        ("projections", 0, "connectivity", "n"),
        2**31 + 1,
        "projections[0].connectivity.n must be <= 2147483648, got 2147483649; "
        "give the synapses onto each neuron",
    ),
    (
        ("projections", 2, "connectivity", "n"),
        -1,
        "projections[2].connectivity.n must be >= 0, got -1; give the number of synapses",
    ),
    (
        ("projections", 0, "connectivity"),
        {"rule": "one_to_one"},
        "projections[0].connectivity must join equal sizes, got 800 and 200; use another rule",
    ),
    (
        (*EXPLICIT, "sources", 1),
        -1,
        "projections[1].connectivity.sources[1] must be >= 0, got -1; "
        "give the source neuron of each synapse, counted from 0",
    ),
    (
        (*EXPLICIT, "sources", 1),
        2,
        "projections[1].connectivity.sources[1] must be < 2, the population's size, got 2; "
        "neurons are counted from 0",
    ),
    (
        (*EXPLICIT, "targets", 2),
        2**70,
        "projections[1].connectivity.targets[2] must be < 800, the population's size, "
        "got 1180591620717411303424; neurons are counted from 0",
    ),
    (
        (*EXPLICIT, "targets"),
        [1],
        "projections[1].connectivity.targets must have as many entries as sources, 3, got 1; "
        "give one entry for each synapse",
    ),
    (
        (*EXPLICIT, "weights", 0),
        float("nan"),
        "projections[1].connectivity.weights[0] must be finite, got nan; "
        "give the weight of each synapse, or null if the projection gives it",
    ),
    (
        (*EXPLICIT, "weights"),
        None,
        "projections[1].weight must be given, got nothing; "
        "add weight, or connectivity.weights of the explicit rule",
    ),
    (
        ("projections", 1, "delay_ms"),
        1.5,
        "projections[1].delay_ms must not be given beside connectivity.delays_ms, got 1.5; "
        "remove one of the two",
    ),
    (
        ("projections", 0, "delay_ms"),
        REMOVED,
        "projections[0].delay_ms must be given, got nothing; "
        "add delay_ms, or connectivity.delays_ms of the explicit rule",
    ),
    # delays
    (
        (*EXPLICIT, "delays_ms", 1),
        0.04,
        "projections[1].connectivity.delays_ms[1] must be a multiple of timestep_ms, 0.1, got 0.04; "
        "the nearest is 0.1",
    ),
    (DELAY, 0, "projections[3].delay_ms must be > 0, got 0; the shortest is timestep_ms, 0.1"),
    (
        DELAY,
        0.25,
        "projections[3].delay_ms must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
    (
        DELAY,
        6553.6,
        "projections[3].delay_ms must be at most 65535 ticks of 0.1 ms, got 6553.6; "
        "shorten it or raise timestep_ms",
    ),
    (
        DELAY,
        {"kind": "uniform", "low": 0.04, "high": 1},
        "projections[3].delay_ms.low must be at least half of timestep_ms, 0.05, got 0.04; "
        "a delay is one tick or more",
    ),
    (
        DELAY,
        {"kind": "normal", "mean": 1.5, "sd": 0.75},
        "projections[3].delay_ms must be at least half of timestep_ms, 0.05, got -5.25 at its lowest; "
        "a delay is one tick or more",
    ),
    (
        DELAY,
        {"kind": "uniform", "low": 1, "high": 6554},
        "projections[3].delay_ms.high must stay below 65535 and a half ticks of 0.1 ms, got 6554; "
        "lower it or raise timestep_ms",
    ),
    (
        DELAY,
        {"kind": "normal", "mean": 5000, "sd": 1000, "low": 1},
        "projections[3].delay_ms must stay below 65535 and a half ticks of 0.1 ms, got 14000 at its highest; "
        "lower it or raise timestep_ms",
    ),
    # recordings
    (
        ("recordings", 0, "kind"),
        "spike",
        "recordings[0].kind must be one of 'state', 'spikes', 'weights', got 'spike'; "
        "give the recordings of spikes, state variables and weights",
    ),
    (
        ("recordings", 0, "population"),
        "drive",
        "recordings[0].population must name a population, got 'drive'; the network has 'exc', 'inh'",
    ),
    (
        ("recordings", 0, "variables"),
        [],
        "recordings[0].variables must not be empty, got []; give the names of the state variables",
    ),
    (
        ("recordings", 0, "variables"),
        ["v"] * 101,
        "recordings[0].variables must have at most 100 entries, got ['v', 'v', 'v', 'v', ...]; "
        "give the names of the state variables",
    ),
    (
        ("recordings", 0, "variables"),
        ["v_mv", "v_mv"],
        "recordings[0].variables must be unique, got 'v_mv' twice; remove one",
    ),
    (
        ("recordings", 0, "neurons", "stop"),
        801,
        "recordings[0].neurons.stop must be <= 800, the population's size, got 801; lower it",
    ),
    (
        ("recordings", 0, "neurons", "start"),
        11,
        "recordings[0].neurons.start must be <= stop, 10, got 11; lower start or raise stop",
    ),
    (
        ("recordings", 0, "neurons", "step"),
        0,
        "recordings[0].neurons.step must be >= 1, got 0; give the step from neuron to neuron",
    ),
    (
        ("recordings", 0, "neurons", "step"),
        10**30,
        "recordings[0].neurons.step must be <= 4294967296, got 1000000000000000000000000000000; "
        "give the step from neuron to neuron",
    ),
    (
        ("recordings", 0, "neurons", "start"),
        2**32 + 1,
        "recordings[0].neurons.start must be <= 4294967296, got 4294967297; give the first neuron",
    ),
    (
        ("recordings", 0, "neurons", "stop"),
        2**32 + 1,
        "recordings[0].neurons.stop must be <= 4294967296, got 4294967297; give the neuron to stop before",
    ),
    (
        ("recordings", 0, "interval_ms"),
        0.25,
        "recordings[0].interval_ms must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3",
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), CASES, ids=[case[2][:60] for case in CASES])
def test_message(path: tuple[str | int, ...], value: Any, expected: str) -> None:
    assert message(broken(path, value)) == expected
