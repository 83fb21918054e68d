"""Runs that take turns, so that what else a machine does meets all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")


def take_turns(
    actions: Mapping[str, Callable[[int], T]], runs: int, *, at_most: Mapping[str, int] | None = None
) -> dict[str, list[T]]:
    """Do all actions `runs` times: in each turn each once, in order; the progress is on standard error.

    Parameters
    ----------
    actions : mapping from name to callable
        Told the number of the turn, from 0.
    runs : int
    at_most : mapping from name to int, optional
        Actions that are done in the first turns only.

    Returns
    -------
    mapping from name to list
        What each action returned, by turn.
    """
    turns = [
        (turn, name) for turn in range(runs) for name in actions if turn < (at_most or {}).get(name, runs)
    ]
    results: dict[str, list[T]] = {name: [] for name in actions}
    with Progress(console=Console(stderr=True)) as shown:
        bar = shown.add_task("", total=len(turns))
        for turn, name in turns:
            shown.update(bar, description=f"run {turn + 1} of {runs}: {name}")
            results[name].append(actions[name](turn))
            shown.advance(bar)
    return results
