"""Pause, resume, step, cancel: at a boundary, answered with its tick; refused where the table says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from cluster.control import ALLOWED, RunControl
from cluster.errors import RunConflict

# A lost wake-up shows as a hang.
pytestmark = pytest.mark.timeout(60)

SECONDS = 20.0
ENDLESS = 10**12

STATES = ("running", "paused", "complete", "complete_with_loss", "failed", "cancelled")

# By action: the states in which it is taken.
TABLE = {
    "pause": {"running"},
    "resume": {"paused"},
    "step": {"paused"},
    "cancel": {"running", "paused"},
}


class Runner(threading.Thread):
    """What `Execution` does with a control: advances of up to `stride` ticks from boundary to boundary."""

    def __init__(self, control: RunControl, stride: int = 10) -> None:
        super().__init__(daemon=True)
        self.control, self.stride = control, stride
        self.boundaries: list[int] = []
        self.start()

    def run(self) -> None:
        tick, state = 0, "complete"
        while tick < self.control.n_ticks:
            self.boundaries = [*self.boundaries[-50:], tick]
            stop = self.control.boundary(tick)
            if stop is None:
                state = "cancelled"
                break
            tick = min(tick + self.stride, stop, self.control.n_ticks)
        self.control.end(state, tick)


class Log:
    """Remembers what the control says of its state, and in which thread."""

    def __init__(self, control: RunControl) -> None:
        self.states: list[str] = []
        control.on_change = self.states.append


@pytest.fixture
def control() -> Iterator[RunControl]:
    """A control whose run is cancelled when the test is over, so that no thread is left."""
    made = RunControl("r1", ENDLESS)
    yield made
    made.cancel()


def in_state(control: RunControl, state: str) -> None:
    """Bring a new control into a state."""
    if state == "paused":
        Runner(control)
        control.act("pause", timeout_s=SECONDS)
    elif state != "running":
        control.end(state, 40)


def facts(control: RunControl) -> tuple[object, ...]:
    return repr(control), control.on_change, control._stop_at, control._cancelled


def test_the_table_of_actions() -> None:
    assert ALLOWED == TABLE


@pytest.mark.parametrize(
    ("action", "state"), [(a, s) for a, s in product(TABLE, STATES) if s not in TABLE[a]]
)
def test_a_refused_action_says_why_and_changes_nothing(control: RunControl, action: str, state: str) -> None:
    in_state(control, state)
    log, before = Log(control), facts(control)
    with pytest.raises(RunConflict) as caught:
        control.act(action, 5)
    rule = {"pause": "running", "resume": "paused", "step": "paused", "cancel": "paused or running"}[action]
    assert str(caught.value) == (
        f"run 'r1': to {action} it must be {rule}, got {state}; look at its state first"
    )
    assert facts(control) == before
    assert log.states == []


def test_pause_step_resume_cancel(control: RunControl) -> None:
    log, runner = Log(control), Runner(control)
    paused = control.act("pause", timeout_s=SECONDS)
    assert control.state == "paused"
    assert (control.tick, runner.boundaries[-1]) == (paused, paused)
    assert paused % 10 == 0

    assert control.act("step", 7, timeout_s=SECONDS) == paused + 7
    assert control.act("step", timeout_s=SECONDS) == paused + 8
    assert control.act("step", 25, timeout_s=SECONDS) == paused + 33
    assert runner.boundaries[-3:] == [paused + 18, paused + 28, paused + 33]
    assert control.state == "paused"
    with pytest.raises(RunConflict):
        control.act("pause")
    assert control.tick == paused + 33

    assert control.act("resume") == paused + 33
    assert control.state == "running"
    ended = control.act("cancel", timeout_s=SECONDS)
    runner.join(SECONDS)
    assert not runner.is_alive()
    assert (control.state, control.tick) == ("cancelled", ended)
    assert ended >= paused + 33
    assert log.states == ["paused", *["running", "paused"] * 3, "running"]


def test_a_paused_run_is_cancelled_where_it_stands(control: RunControl) -> None:
    runner = Runner(control)
    paused = control.act("pause", timeout_s=SECONDS)
    assert control.act("cancel", timeout_s=SECONDS) == paused
    runner.join(SECONDS)
    assert (control.state, control.tick) == ("cancelled", paused)


def test_a_step_does_not_go_beyond_the_end() -> None:
    control = RunControl("r1", 25)
    held = threading.Event()
    control.on_change = lambda state: held.set()
    with pytest.raises(RunConflict):
        control.act("pause", timeout_s=0)
    runner = Runner(control)
    assert held.wait(SECONDS)
    assert control.act("step", 10, timeout_s=SECONDS) == 10
    assert control.act("step", 1000, timeout_s=SECONDS) == 25
    runner.join(SECONDS)
    assert (control.state, control.tick) == ("complete", 25)


def test_who_waits_for_a_pause_is_answered_when_the_run_ends_first() -> None:
    control = RunControl("r1", 10)
    assert control.boundary(0) == 10
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(control.act, "pause", timeout_s=SECONDS)
        while control._stop_at == 10 and not asked.done():
            pass
        control.end("complete", 10)
        assert asked.result(SECONDS) == 10
    assert (control.state, control.tick) == ("complete", 10)


def test_an_action_without_a_boundary_in_time_says_so() -> None:
    control = RunControl("r1", 10)
    with pytest.raises(RunConflict) as caught:
        control.act("pause", timeout_s=0)
    assert str(caught.value) == "run 'r1': pause must meet a boundary within 0 s; ask again"
    assert control.state == "running"


@pytest.mark.parametrize("others", [("pause",), ("cancel",), ("pause", "cancel", "pause")])
def test_a_cancel_is_not_undone_by_what_is_asked_before_the_boundary(others: tuple[str, ...]) -> None:
    control = RunControl("r1", 10)
    for action in ("cancel", *others):
        with pytest.raises(RunConflict):
            control.act(action, timeout_s=0)
    assert control.boundary(4) is None


def test_a_cancel_after_a_pause_wins() -> None:
    control = RunControl("r1", 10)
    with pytest.raises(RunConflict):
        control.act("pause", timeout_s=0)
    control.cancel()
    assert control.boundary(4) is None


def test_the_state_is_told_before_anyone_is_answered(control: RunControl) -> None:
    told = []
    control.on_change = lambda state: told.append((state, control.state))
    Runner(control)
    control.act("pause", timeout_s=SECONDS)
    control.act("resume")
    assert told == [("paused", "running"), ("running", "paused")]


def test_boundaries_of_a_free_run() -> None:
    control = RunControl("r1", 100)
    assert repr(control) == "RunControl('r1', running at tick 0 of 100)"
    assert [control.boundary(tick) for tick in (0, 30, 60)] == [100, 100, 100]
    assert repr(control) == "RunControl('r1', running at tick 60 of 100)"
