"""Control of one run: pause, resume, step and cancel take effect at a boundary and answer with its tick."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cluster.errors import RunConflict
from cluster.fleet import Action

ALLOWED: dict[Action, frozenset[str]] = {
    "pause": frozenset({"running"}),
    "resume": frozenset({"paused"}),
    "step": frozenset({"paused"}),
    "cancel": frozenset({"running", "paused"}),
}
"""In which states of a run each action is taken."""


class RunControl:
    """Where the thread that runs and the threads that control meet.

    The running thread calls `boundary` between advances; others call `act`.

    Parameters
    ----------
    run_id : str
    n_ticks : int

    Attributes
    ----------
    on_change : callable
        Told the new state, paused or running, before anyone who waits is answered.
    """

    def __init__(self, run_id: str, n_ticks: int) -> None:
        self.run_id, self.n_ticks = run_id, n_ticks
        self.on_change: Callable[[str], None] = lambda state: None
        self.state = "running"
        self.tick = 0
        self._stop_at = n_ticks
        self._cancelled = False
        self._changed = threading.Condition()

    def __repr__(self) -> str:
        return f"RunControl({self.run_id!r}, {self.state} at tick {self.tick} of {self.n_ticks})"

    def boundary(self, tick: int) -> int | None:
        """Say that all ticks before `tick` are done; wait while paused.

        Returns
        -------
        int or None
            The tick before which to stop next; None when cancelled.
        """
        with self._changed:
            self.tick = tick
            while tick >= self._stop_at and not self._cancelled:
                self._set("paused")
                self._changed.wait()
            if self._cancelled:
                return None
            self._set("running")
            return self._stop_at

    def end(self, state: str, tick: int) -> None:
        """Say that the run has ended; whoever waits is answered."""
        with self._changed:
            self.state, self.tick = state, tick
            self._changed.notify_all()

    def cancel(self) -> None:
        """Make the next boundary end the run, whatever its state; does not wait."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def act(self, action: Action, ticks: int | None = None, timeout_s: float = 60.0) -> int:
        """Take an action; return the tick at which it took effect.

        Parameters
        ----------
        ticks : int or None
            How far to step; None for one.

        Raises
        ------
        RunConflict
            The run's state does not allow it, and nothing was changed; or no boundary came within
            `timeout_s`.
        """
        with self._changed:
            self._refuse(action)
            stepping = action in ("resume", "step")
            self._stop_at = {
                "pause": 0,
                "resume": self.n_ticks,
                "step": min(self.tick + (ticks or 1), self.n_ticks),
                "cancel": self._stop_at,
            }[action]
            self._cancelled = self._cancelled or action == "cancel"
            if stepping:
                self._set("running")
            self._changed.notify_all()
            if action == "resume":
                return self.tick
            left = ("running", "paused") if action == "cancel" else ("running",)
            if not self._changed.wait_for(lambda: self.state not in left, timeout_s):
                raise RunConflict(
                    f"run {self.run_id!r}: {action} must meet a boundary within {timeout_s:g} s; ask again"
                )
            return self.tick

    def _refuse(self, action: Action) -> None:
        if self.state not in ALLOWED[action]:
            allowed = " or ".join(sorted(ALLOWED[action]))
            rule = f"to {action} it must be {allowed}, got {self.state}"
            raise RunConflict(f"run {self.run_id!r}: {rule}; look at its state first")

    def _set(self, state: str) -> None:
        if state != self.state:
            self.on_change(state)
            self.state = state
            self._changed.notify_all()
