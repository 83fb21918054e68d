"""A run's files: a reader beside a growing writer, late readers, records that somebody else has closed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.errors import DeploymentLost
from cluster.recordings import RecordedSynapses
from cluster.runfile import (
    TERMINAL,
    RunReader,
    RunWriter,
    close_open_runs,
    mark_failed,
    read_record,
    write_record,
)

RECORDINGS = [
    {
        "kind": "state",
        "population": "a",
        "variables": ["v_mv", "i_ex_pa"],
        "n_neurons": 3,
        "interval_ticks": 5,
    },
    {"kind": "state", "population": "b", "variables": ["v_mv"], "n_neurons": 1, "interval_ticks": 1},
]
META: dict[str, Any] = {"run": "r1", "n_ticks": 100, "n_neurons": 10, "recordings": []}


def pairs_of(*pairs: tuple[int, int]) -> np.ndarray:
    return np.array(pairs, np.uint32).reshape(-1, 2)


def spikes(reader: RunReader, *bounds: int, limit: int | None = None) -> list[tuple[int, int]]:
    tick, neuron = reader.read(*bounds, limit=limit)
    assert (tick.dtype, neuron.dtype) == (np.uint32, np.uint32)
    return list(zip(tick.tolist(), neuron.tolist(), strict=True))


@pytest.fixture
def writer(tmp_path: Path):
    made = RunWriter(tmp_path / "r1", META)
    yield made
    made.close()


ALL = [(0, 3), (0, 7), (4, 1), (12, 0), (12, 9), (19, 2)]


def write_all(writer: RunWriter) -> None:
    writer.append(10, pairs_of(*ALL[:3]))
    writer.append(11, pairs_of())
    writer.append(15, pairs_of(*ALL[3:5]))
    writer.append(20, pairs_of(ALL[5]))


def test_what_is_appended_is_read(writer: RunWriter) -> None:
    write_all(writer)
    reader = RunReader(writer.folder)
    assert (reader.last_tick, reader.n_spikes, writer.n_spikes) == (20, 6, 6)
    assert spikes(reader, 0, 20) == ALL
    assert reader.meta == META


@pytest.mark.parametrize("from_tick", [-5, 0, 1, 4, 5, 9, 10, 11, 12, 13, 15, 19, 20, 99])
@pytest.mark.parametrize("to_tick", [0, 1, 5, 10, 12, 13, 20, 2**33])
def test_a_range_of_ticks(writer: RunWriter, from_tick: int, to_tick: int) -> None:
    write_all(writer)
    expected = [(tick, neuron) for tick, neuron in ALL if from_tick <= tick < to_tick]
    reader = RunReader(writer.folder)
    assert spikes(reader, from_tick, to_tick) == expected
    assert spikes(reader, from_tick, to_tick, limit=2) == expected[:2]
    assert spikes(reader, from_tick, to_tick, limit=0) == []


def test_a_reader_sees_complete_ticks_while_the_writer_goes_on(tmp_path: Path) -> None:
    reader = RunReader(tmp_path / "r1")
    assert (reader.last_tick, reader.n_spikes, reader.ended) == (0, 0, False)
    assert (spikes(reader, 0, 100), reader.status()) == ([], {})
    with pytest.raises(FileNotFoundError) as caught:
        _ = reader.meta
    assert str(caught.value) == "r1: the run has not started; ask again later"
    writer = RunWriter(tmp_path / "r1", META)
    writer.append(10, pairs_of(*ALL[:3]))
    assert (reader.last_tick, spikes(reader, 0, 100)) == (10, ALL[:3])
    writer.append(15, pairs_of(*ALL[3:5]))
    assert (reader.last_tick, spikes(reader, 10, 100)) == (15, ALL[3:5])
    writer.append(20, pairs_of(ALL[5]))
    writer.close()
    assert spikes(reader, 0, 100) == ALL


def test_reader_and_writer_at_the_same_time(tmp_path: Path) -> None:
    n_ticks, seen = 400, []
    done = threading.Event()

    def write() -> None:
        writer = RunWriter(tmp_path / "r1", META)
        for tick in range(n_ticks):
            writer.append(tick + 1, pairs_of(*((tick, neuron) for neuron in range(tick % 4))))
        writer.close()
        done.set()

    writing = threading.Thread(target=write)
    writing.start()
    reader, next_tick = RunReader(tmp_path / "r1"), 0
    while next_tick < n_ticks:
        last = reader.last_tick
        seen += spikes(reader, next_tick, last)
        next_tick = last
        if done.is_set():
            assert reader.last_tick == n_ticks
    writing.join()
    assert seen == [(tick, neuron) for tick in range(n_ticks) for neuron in range(tick % 4)]


def test_a_reader_resumes_by_tick(writer: RunWriter) -> None:
    write_all(writer)
    first = spikes(RunReader(writer.folder), 0, 12)
    again = spikes(RunReader(writer.folder), 12, 20)
    assert first + again == ALL


def test_a_half_written_index_record_is_not_read(writer: RunWriter) -> None:
    writer.append(10, pairs_of(*ALL[:3]))
    reader = RunReader(writer.folder)
    record = np.array([15, 5], "<i8").tobytes()
    with (writer.folder / "spikes.bin").open("ab") as file:
        file.write(pairs_of(*ALL[3:5]).tobytes()[:-3])
    for half in (record[:1], record[1:9], record[9:15]):
        with (writer.folder / "index.bin").open("ab") as file:
            file.write(half)
        assert (reader.last_tick, reader.n_spikes) == (10, 3)
        assert (spikes(reader, 0, 100), spikes(RunReader(writer.folder), 0, 100)) == (ALL[:3], ALL[:3])
    with (writer.folder / "spikes.bin").open("ab") as file:
        file.write(pairs_of(*ALL[3:5]).tobytes()[-3:])
    with (writer.folder / "index.bin").open("ab") as file:
        file.write(record[15:])
    assert (reader.last_tick, spikes(reader, 0, 100)) == (15, ALL[:5])


def test_a_closed_run_fails_at_its_last_complete_tick_and_takes_no_more(writer: RunWriter) -> None:
    writer.status({"state": "running", "tick": 7, "n_ticks": 100, "progress": 0.07, "digest": None})
    writer.append(10, pairs_of(*ALL[:3]))
    with (writer.folder / "index.bin").open("ab") as file:
        file.write(b"\0" * 9)
    mark_failed(writer.folder, "its coordinator died")
    reader = RunReader(writer.folder)
    status = reader.status()
    assert status.pop("ended")
    assert status == {
        "state": "failed",
        "tick": 10,
        "n_spikes": 3,
        "n_recorded_spikes": 3,
        "n_ticks": 100,
        "progress": 0.1,
        "digest": None,
        "error": "its coordinator died; last complete tick: 10",
    }
    assert reader.ended
    sizes = {path.name: path.stat().st_size for path in writer.folder.iterdir()}
    refusal = "run 'r1': its record was closed by another process; start a new run"
    for late in (
        lambda: writer.append(15, pairs_of(*ALL[3:5])),
        lambda: writer.status({"state": "complete"}),
    ):
        with pytest.raises(DeploymentLost) as caught:
            late()
        assert str(caught.value) == refusal
    assert {path.name: path.stat().st_size for path in writer.folder.iterdir()} == sizes


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_run_that_has_ended_is_left_as_it_is(writer: RunWriter, state: str) -> None:
    record = {"state": state, "tick": 100, "error": None, "digest": "abc"}
    writer.status(record)
    assert RunReader(writer.folder).ended
    mark_failed(writer.folder, "its coordinator died")
    assert RunReader(writer.folder).status() == record


def test_a_run_that_died_before_it_wrote_anything_is_failed(tmp_path: Path) -> None:
    mark_failed(tmp_path / "r1", "the Ray head died")
    reader = RunReader(tmp_path / "r1")
    assert reader.ended
    assert (reader.status()["state"], reader.status()["tick"]) == ("failed", 0)
    assert reader.status()["error"] == "the Ray head died; last complete tick: 0"
    assert spikes(reader, 0, 100) == []


def test_open_runs_are_closed_with_their_cause_and_ended_ones_left(tmp_path: Path) -> None:
    records = {"r1": "running", "r2": "complete", "r3": "paused", "r4": "failed"}
    for run, state in records.items():
        writer = RunWriter(tmp_path / "runs" / run, META)
        writer.append(10, pairs_of())
        writer.status({"state": state, "tick": 10, "n_ticks": 100, "error": None})
        writer.close()
    (tmp_path / "runs" / "r5").mkdir()
    close_open_runs(tmp_path, "the service was stopped")
    found = {run: RunReader(tmp_path / "runs" / run).status() for run in (*records, "r5")}
    assert {run: status.get("state") for run, status in found.items()} == {
        "r1": "failed",
        "r2": "complete",
        "r3": "failed",
        "r4": "failed",
        "r5": None,
    }
    cause = "the service was stopped; last complete tick: 10"
    assert [found[run]["error"] for run in records] == [cause, None, cause, None]


def with_states(tmp_path: Path) -> RunReader:
    """A run of 12 ticks in three appends; each sample is its tick, variable and neuron as a number."""
    writer = RunWriter(tmp_path / "r1", META | {"recordings": RECORDINGS})
    for begin, end in ((0, 4), (4, 11), (11, 12)):
        rows = [
            [t * 100 + v * 10 + n for v in range(2) for n in range(3)]
            for t in range(begin, end)
            if (t + 1) % 5 == 0
        ]
        every = np.arange(begin, end, dtype=float).reshape(-1, 1)
        writer.append(end, pairs_of(), [np.array(rows, float).reshape(-1, 6), every])
    writer.close()
    return RunReader(tmp_path / "r1")


@pytest.mark.parametrize("bounds", [(0, 12), (4, 5), (5, 9), (4, 10), (9, 12), (0, 4), (3, 2), (50, 60)])
def test_states_have_the_ticks_at_whose_end_they_were_taken(tmp_path: Path, bounds: tuple[int, int]) -> None:
    reader = with_states(tmp_path)
    tick, values = reader.states(0, *bounds)
    assert tick.tolist() == [t for t in (4, 9) if bounds[0] <= t < bounds[1]]
    assert values.shape == (tick.size, 2, 3)
    for t, row in zip(tick.tolist(), values.tolist(), strict=True):
        assert row == [[t * 100 + v * 10 + n for n in range(3)] for v in range(2)]
    tick, values = reader.states(1, *bounds)
    assert tick.tolist() == list(range(bounds[0], min(bounds[1], 12)))
    assert values.reshape(-1).tolist() == tick.tolist()


def test_states_of_incomplete_ticks_are_not_read(tmp_path: Path) -> None:
    reader = with_states(tmp_path)
    with (reader.folder / "states-1.bin").open("ab") as file:
        file.write(np.array([12.0, 13.0], "<f8").tobytes())
    assert reader.states(1, 0, 100)[0].tolist() == list(range(12))


def test_weights_stand_beside_states_and_their_synapses_are_named(tmp_path: Path) -> None:
    weights = {"kind": "weights", "projection": "a->b", "n_synapses": 2, "interval_ticks": 2}
    spikes = {"kind": "spikes", "population": "a", "start": 0, "stop": 1, "step": 1, "n_neurons": 1}
    synapses = RecordedSynapses(
        np.array([0, 1], np.uint32), np.array([5, 4], np.uint32), np.array([3, 70_000]), np.array([1.5, -2])
    )
    meta = META | {"recordings": [spikes, weights, RECORDINGS[1]]}
    writer = RunWriter(tmp_path / "r1", meta, {1: synapses})
    none = np.empty((0, 0))
    writer.append(3, pairs_of(), [none, np.array([[1.0, 2.0]]), np.array([[0.0], [1.0], [2.0]])])
    writer.append(4, pairs_of(), [none, np.array([[3.0, 4.0]]), np.array([[3.0]])])
    writer.close()
    reader = RunReader(tmp_path / "r1")
    for mine, theirs in zip(reader.synapses(1), synapses, strict=True):
        assert np.array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    tick, values = reader.weights(1, 0, 100)
    assert (tick.tolist(), values.tolist()) == ([1, 3], [[1, 2], [3, 4]])
    assert reader.weights(1, 2, 3)[1].shape == (0, 2)
    assert reader.states(2, 0, 100)[1].ravel().tolist() == [0, 1, 2, 3]
    names = ["index.bin", "meta.json", "spikes.bin", "states-2.bin", "synapses-1.npz", "weights-1.bin"]
    assert sorted(path.name for path in reader.folder.iterdir()) == names


def test_a_record_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert read_record(path) is None
    write_record(path, {"tick": 1})
    write_record(path, {"tick": 2})
    assert read_record(path) == {"tick": 2}
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        write_record(path, {"tick": float("nan")})
    assert read_record(path) == {"tick": 2}
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


def test_threads_that_replace_one_record_do_not_disturb_each_other(tmp_path: Path) -> None:
    path, errors = tmp_path / "status.json", []

    def write(who: int) -> None:
        try:
            for k in range(50):
                write_record(path, {"who": who, "k": k, "long": "x" * 2000})
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert len(json.loads(path.read_text())["long"]) == 2000
    assert errors == []
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]
