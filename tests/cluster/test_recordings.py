"""Recordings: which spikes are kept, how chips' samples become whole rows, how much an advance may sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cluster import CapacityError, DeployOptions, fit, require_fit, run_local
from cluster.coordinator import Coordinator
from cluster.execution import run_meta
from cluster.recordings import (
    ADVANCE_VALUES,
    MAX_RECORDED_VALUES,
    Columns,
    RecordedSynapses,
    Recordings,
    recorded_mask,
    recorded_neurons,
    recorded_values,
    sample_bytes,
)
from cluster.runfile import RunReader, mark_failed, read_record, write_record
from cluster.team import ThreadTeam
from network import Network, SpikeDigest, parse_network
from tests.cluster.deployments import finish
from tests.cluster.samples import RACK, everything, everything_network, pair, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

N_TICKS = 400


def spikes_of(population: str, *neurons: int) -> dict[str, Any]:
    """A recording of spikes: start, stop and step, or of all neurons."""
    given = dict(zip(("start", "stop", "step"), neurons, strict=False)) if neurons else None
    return {"kind": "spikes", "population": population, "neurons": given}


SOME = [spikes_of("inh", 3, 40, 7), spikes_of("exc", 10, 90), spikes_of("exc", 50, 100), spikes_of("drive")]
NAMED = {*range(123, 160, 7), *range(10, 100), *range(210, 240)}


def recorded(recordings: list[dict[str, Any]]) -> Network:
    return parse_network(everything(recordings=recordings))


def test_which_neurons_are_recorded() -> None:
    assert recorded_neurons(everything_network()) is None
    assert recorded_mask(everything_network()) is None
    network = recorded(SOME)
    assert recorded_neurons(network) == [
        range(123, 160, 7),
        range(10, 90),
        range(50, 100),
        range(210, 240),
    ]
    mask = recorded_mask(network)
    assert mask is not None
    assert set(np.flatnonzero(mask).tolist()) == NAMED


@pytest.mark.parametrize("chips", [1, 3])
def test_named_neurons_are_kept_and_all_are_counted(chips: int) -> None:
    options = DeployOptions(chips=chips)
    whole = run_local(recorded([]), n_ticks=N_TICKS, options=options)
    some = run_local(recorded(SOME), n_ticks=N_TICKS, options=options)
    kept = np.isin(whole.neuron, list(NAMED))
    assert 0 < kept.sum() < kept.size
    assert np.array_equal(some.tick, whole.tick[kept])
    assert np.array_equal(some.neuron, whole.neuron[kept])
    for fact in ("digest", "n_spikes", "rates_hz", "conservation", "synapse_digest"):
        assert some.summary[fact] == whole.summary[fact]
    assert whole.summary["recorded_digest"] == whole.summary["digest"]
    assert whole.summary["n_recorded_spikes"] == whole.summary["n_spikes"] == whole.tick.size
    digest = SpikeDigest(0.1, N_TICKS, 243)
    digest.update(some.tick, some.neuron)
    assert some.summary["recorded_digest"] == digest.hexdigest() != some.summary["digest"]
    assert some.summary["n_recorded_spikes"] == some.tick.size


def test_a_recording_of_no_neuron_keeps_no_spikes() -> None:
    outcome = run_local(recorded([spikes_of("exc", 5, 5)]), n_ticks=N_TICKS)
    assert outcome.tick.size == outcome.summary["n_recorded_spikes"] == 0 < outcome.summary["n_spikes"]
    assert [rows.shape for rows in outcome.states] == [(0, 0)]


def test_recordings_keep_their_numbers() -> None:
    states = everything()["recordings"]
    mixed = run_local(recorded([SOME[0], states[1], SOME[1], states[0]]), n_ticks=50)
    plain = run_local(recorded(states), n_ticks=50)
    assert [rows.shape for rows in mixed.states] == [(0, 0), (50, 1, 3), (0, 0), (10, 2, 13)]
    assert np.array_equal(mixed.states[1], plain.states[1])
    assert np.array_equal(mixed.states[3], plain.states[0])


def test_readers_are_told_which_neurons_are_recorded() -> None:
    network = recorded([*SOME[:2], everything()["recordings"][1]])
    meta = run_meta(plan_of(network), "r1", 10, Recordings.of(network, [[]]))
    assert meta["recorded"] == [[123, 160, 7], [10, 90, 1]]
    assert meta["recordings"][:2] == [
        {"kind": "spikes", "population": "inh", "start": 3, "stop": 40, "step": 7, "n_neurons": 6},
        {"kind": "spikes", "population": "exc", "start": 10, "stop": 90, "step": 1, "n_neurons": 80},
    ]
    assert meta["recordings"][2]["kind"] == "state"


def test_files_hold_what_is_kept(tmp_path: Any) -> None:
    network = recorded(SOME)
    coordinator = Coordinator("d1", plan_of(network, 2), tmp_path, ThreadTeam)
    finish("build d1")
    coordinator.start_run("r1", N_TICKS)
    finish("run r1")
    coordinator.close()
    reader, outcome = RunReader(tmp_path / "runs" / "r1"), run_local(network, n_ticks=N_TICKS)
    tick, neuron = reader.read(0, N_TICKS)
    assert np.array_equal(tick, outcome.tick)
    assert np.array_equal(neuron, outcome.neuron)
    status = reader.status()
    for fact in ("digest", "recorded_digest", "n_spikes", "n_recorded_spikes", "rates_hz"):
        assert status[fact] == outcome.summary[fact]
    assert reader.n_spikes == status["n_recorded_spikes"] < status["n_spikes"]
    assert sorted(path.name for path in reader.folder.iterdir()) == [
        "index.bin",
        "meta.json",
        "spikes.bin",
        "status.json",
    ]


def test_a_run_that_died_counts_kept_spikes_by_its_file_and_all_by_its_last_report(tmp_path: Any) -> None:
    network = recorded(SOME)
    coordinator = Coordinator("d1", plan_of(network), tmp_path, ThreadTeam)
    finish("build d1")
    coordinator.start_run("r1", N_TICKS)
    finish("run r1")
    coordinator.close()
    path = tmp_path / "runs" / "r1" / "status.json"
    record = read_record(path)
    assert record is not None
    write_record(path, record | {"state": "running", "n_recorded_spikes": 1})
    mark_failed(path.parent, "its coordinator died")
    closed = read_record(path)
    assert closed is not None
    assert (closed["n_spikes"], closed["n_recorded_spikes"]) == (
        record["n_spikes"],
        record["n_recorded_spikes"],
    )


SYNAPSES = RecordedSynapses(
    source=np.array([4, 1, 4, 1, 4], np.uint32),
    target=np.array([7, 9, 7, 9, 6], np.uint32),
    delay_ticks=np.array([3, 2, 3, 1, 5]),
    weight=np.array([2.0, 1.0, -1.0, 8.0, 0.0]),
)
ORDER = [3, 1, 4, 2, 0]


def weighed(interval_ms: float = 1.0) -> Network:
    recording = {"kind": "weights", "projection": "first->second", "interval_ms": interval_ms}
    return parse_network(pair(recordings=[spikes_of("first"), recording]))


def test_columns_of_all_chips_are_put_into_one_order() -> None:
    parts = [SYNAPSES.taken(np.array(places)) for places in ([1, 3], [0, 2], [4])]
    chips = [[Columns(1, synapses=parts[0])], [], [Columns(1, synapses=p) for p in parts[1:]]]
    recordings = Recordings.of(weighed(), chips)
    merged = recordings.synapses[1]
    for column, expected in zip(merged, SYNAPSES.taken(np.array(ORDER)), strict=True):
        assert np.array_equal(column, expected)
        assert column.dtype == expected.dtype
    assert [(number, places.tolist()) for chip in recordings.places for number, places in chip] == [
        (1, [1, 0]),
        (1, [4, 3]),
        (1, [2]),
    ]
    assert recordings.width(0) == 0
    assert recordings.width(1) == 5
    samples = [[part.weight[None, :].repeat(2, axis=0)] for part in parts]
    whole = recordings.rows([samples[0], [], [samples[1][0], samples[2][0]]])
    assert whole[0].shape == (0, 0)
    assert whole[1].tolist() == [merged.weight.tolist()] * 2


def test_the_order_does_not_depend_on_the_chips() -> None:
    one = Recordings.of(weighed(), [[Columns(1, synapses=SYNAPSES)]]).synapses[1]
    three = Recordings.of(
        weighed(), [[Columns(1, synapses=SYNAPSES.taken(np.array(p)))] for p in ([2, 4], [0], [3, 1])]
    ).synapses[1]
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_a_recording_of_weights_without_synapses_is_empty() -> None:
    recordings = Recordings.of(weighed(), [[], []])
    assert recordings.width(1) == 0
    assert [rows.shape for rows in recordings.rows([[], []])] == [(0, 0), (0, 0)]
    assert recordings.describe()[1] == {
        "kind": "weights",
        "projection": "first->second",
        "source": "first",
        "target": "second",
        "n_synapses": 0,
        "interval_ticks": 1,
    }


def test_an_advance_samples_so_much() -> None:
    assert Recordings.of(everything_network(), [[]]).max_ticks == int(ADVANCE_VALUES / (26 / 5 + 3))
    assert Recordings.of(recorded([spikes_of("exc")]), [[]]).max_ticks > 2**62


def wide(n_neurons: int, n_variables: int = 1) -> Network:
    network = pair(projections=[])
    network["populations"][0]["size"] = n_neurons
    variables = ["v_mv", "i_ex_pa", "i_in_pa"][:n_variables]
    network["recordings"] = [
        {
            "kind": "state",
            "population": "first",
            "variables": variables,
            "neurons": {"stop": n_neurons},
            "interval_ms": 1,
        }
    ]
    return parse_network(network)


def test_more_than_fits_into_a_sample_is_refused() -> None:
    just = MAX_RECORDED_VALUES // 2
    assert recorded_values(wide(just, 2)) == MAX_RECORDED_VALUES
    assert fit(wide(just, 2), RACK, DeployOptions(chips=64)).fits
    with pytest.raises(CapacityError) as caught:
        require_fit(wide(just + 1, 2), RACK, DeployOptions(chips=64))
    assert str(caught.value) == (
        "all chips: recorded_values must be at most 4194304, got 4194306; "
        "record fewer neurons, variables or synapses"
    )


@pytest.mark.parametrize(
    ("sources", "targets", "n_values"),
    [
        (None, None, 100),
        ((0, 10, 3), None, 40),
        (None, (9, 10), 10),
        ((2, 4), (5, 8, 2), 4),
        ((3, 3), None, 0),
    ],
)
def test_expected_values_of_a_recording_of_weights(sources: Any, targets: Any, n_values: int) -> None:
    names = ("start", "stop", "step")
    ends = {"sources": sources, "targets": targets}
    chosen = {k: v and dict(zip(names, v, strict=False)) for k, v in ends.items()}
    recording = {"kind": "weights", "projection": "first->second", "interval_ms": 1.0, **chosen}
    assert recorded_values(parse_network(pair(recordings=[recording]))) == n_values


def test_sampled_buffers_are_part_of_the_estimate() -> None:
    few, many = wide(1000), wide(1000, 3)
    memory = [fit(network, RACK, DeployOptions()).memory_bytes for network in (few, many)]
    assert memory[1] - memory[0] == sample_bytes(many) - sample_bytes(few) == 8 * 2000 * 258
    assert sample_bytes(wide(MAX_RECORDED_VALUES)) == 3 * 8 * MAX_RECORDED_VALUES
