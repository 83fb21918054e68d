"""How a run ends when something fails: state, cause, last tick, and nobody is left waiting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cluster import DeploymentLost, DeployOptions, run_local
from cluster.control import RunControl
from cluster.execution import run_meta
from cluster.recordings import Recordings
from cluster.runfile import RunReader, RunWriter, mark_failed
from cluster.team import ThreadTeam
from cluster.worker import Advance, Worker
from network import SpikeDigest
from tests.cluster.executions import FailingTeam, Memory, execution_of, run_with
from tests.cluster.samples import everything_network, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()


def test_a_team_that_fails_in_the_middle_ends_the_run_with_cause_and_tick() -> None:
    team, sink = FailingTeam(plan_of(EVERY, 2)), Memory()
    team.advance_to = 60
    record, control = run_with(team, 100_000, sink)
    assert sink.appended[0] == 50
    tick = sink.appended[-1]
    assert 50 <= tick <= 60
    assert record["state"] == control.state == "failed"
    assert record["tick"] == control.tick == tick
    assert record["error"] == f"chip (board 0, chip 1): its process died; last complete tick: {tick}"
    assert record["conservation"] is None
    whole = run_local(EVERY, n_ticks=tick, options=DeployOptions(chips=2))
    digest = SpikeDigest(0.1, tick, EVERY.n_neurons)
    digest.update(whole.tick, whole.neuron)
    assert record["digest"] == digest.hexdigest()
    assert record["n_spikes"] == whole.tick.size
    assert sink.records[-1] == record


def test_the_error_is_that_of_the_chip_that_failed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Worker.advance

    def dies(worker: Worker, until: int) -> Advance:
        if 1 in worker.chips and until > 50:
            raise MemoryError("chip (board 0, chip 1): no memory for the spikes")
        return advance(worker, until)

    monkeypatch.setattr(Worker, "advance", dies)
    record, control = run_with(ThreadTeam(plan_of(EVERY, 3)), 100_000)
    assert record["error"] == "chip (board 0, chip 1): no memory for the spikes; last complete tick: 50"
    assert (control.state, control.tick) == ("failed", 50)


def test_a_team_that_fails_at_the_very_end_fails_the_run() -> None:
    team = FailingTeam(plan_of(EVERY))
    team.tally_error = DeploymentLost("chip (board 0, chip 0): its process died")
    record, control = run_with(team, 70)
    assert (record["state"], control.state) == ("failed", "failed")
    assert record["error"] == "chip (board 0, chip 0): its process died; last complete tick: 70"


def test_an_event_that_is_missing_makes_a_run_complete_with_loss() -> None:
    team = FailingTeam(plan_of(EVERY))
    team.missing = 1
    record, control = run_with(team, 70)
    assert record["state"] == control.state == "complete_with_loss"
    assert not record["conservation"]["holds"]


def test_a_run_whose_record_was_closed_ends() -> None:
    sink = Memory(fail_status=DeploymentLost("run 'r1': its record was closed by another process"))
    record, control = run_with(ThreadTeam(plan_of(EVERY)), 70, sink)
    assert record["state"] == control.state == "complete"


def test_a_run_whose_record_cannot_be_written_ends_all_the_same() -> None:
    team, control = ThreadTeam(plan_of(EVERY)), RunControl("r1", 70)
    sink = Memory(fail_status=OSError("no space left on device"))
    try:
        execution = execution_of(team, control, sink)
        with pytest.raises(OSError, match=r"^no space left on device$"):
            execution.run()
    finally:
        team.close()
    assert control.state == "complete"


def test_a_run_whose_spikes_cannot_be_kept_fails_without_a_digest() -> None:
    class Full(Memory):
        def append(self, last_tick: int, pairs: np.ndarray, states: Sequence[np.ndarray] = ()) -> None:
            if self.appended:
                assert len(pairs)
                raise OSError("no space left on device")
            super().append(last_tick, pairs, states)

    sink = Full()
    record, control = run_with(ThreadTeam(plan_of(EVERY)), 100_000, sink)
    assert (record["state"], control.state, control.tick) == ("failed", "failed", 50)
    assert record["error"] == "no space left on device; last complete tick: 50"
    assert record["digest"] is record["recorded_digest"] is None
    assert sink.records[-1] == record


def test_a_run_stops_when_its_record_is_closed_while_it_runs(tmp_path: Path) -> None:
    plan = plan_of(EVERY, 2)

    class Closed(RunWriter):
        def append(self, last_tick: int, pairs: np.ndarray, states: Sequence[np.ndarray] = ()) -> None:
            super().append(last_tick, pairs, states)
            mark_failed(self.folder, "its coordinator died")

    writer = Closed(tmp_path / "r1", run_meta(plan, "r1", 100_000, Recordings.of(plan.network, [[], []])))
    record, control = run_with(ThreadTeam(plan), 100_000, writer)
    writer.close()
    assert (record["state"], control.state) == ("failed", "failed")
    status = RunReader(tmp_path / "r1").status()
    assert (status["state"], status["error"]) == ("failed", "its coordinator died; last complete tick: 50")
