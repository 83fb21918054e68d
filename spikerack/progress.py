"""Progress bars on standard error, so that standard output stays clean for results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TypeAlias

# done: 0..1; detail: a few words on what is happening.
OnProgress: TypeAlias = Callable[[float, str], None]
# phase, done, detail.
OnPhase: TypeAlias = Callable[[str, float, str], None]


def silent(done: float, detail: str) -> None:
    """Show nothing."""


def shown(label: str, progress: bool | OnProgress) -> AbstractContextManager[OnProgress]:
    """Return a bar, nothing to look at, or what the caller gives instead."""
    if callable(progress):
        return nullcontext(progress)
    return bar(label) if progress else nullcontext(silent)


@contextmanager
def bar(label: str) -> Iterator[OnProgress]:
    """Show a bar while the block runs; yields what moves it.

    Without a terminal each new detail is one line, so that logs show progress too.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console.print, label)
        return
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", style="dim"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(label, total=1.0, detail="")
        yield lambda done, detail: progress.update(task, completed=done, detail=detail)
        progress.update(task, completed=1.0)


@contextmanager
def phases() -> Iterator[OnPhase]:
    """Show a bar for each phase, one below the other, while the block runs."""
    current = ""
    move: OnProgress = silent
    with ExitStack() as bars:

        def on_phase(phase: str, done: float, detail: str) -> None:
            nonlocal current, move
            if phase != current:
                bars.close()
                current, move = phase, bars.enter_context(bar(phase))
            move(done, detail)

        yield on_phase


def _lines(write: Callable[[str], None], label: str) -> OnProgress:
    last = ""

    def on_progress(done: float, detail: str) -> None:
        nonlocal last
        line = f"{label}: {int(done * 10) * 10:3d} %"
        if line != last:
            write(f"{line}  {detail}")
            last = line

    return on_progress
