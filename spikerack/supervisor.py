"""Keeps sibling processes alive: starts them in order, restarts the one that dies, ends all of them.

It knows nothing of Ray or of the gateway; `spikerack.serve` says what to run.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from websockets.client import backoff

from spikerack.processes import adopt_orphans, bound_to_parent, end, orphans

POLL_S = 0.1


class SiblingFailedError(RuntimeError):
    """A sibling cannot be kept alive."""


@dataclass(frozen=True)
class Sibling:
    """A process to keep alive.

    Attributes
    ----------
    name : str
        What messages call it.
    command : sequence of str
        Program and arguments.
    environment : mapping
        All of its environment.
    ready : callable
        Awaited again and again until it says that the process does its work.
    log : Path or None
        Where its output goes; None for this process's own output.
    grace_s : float
        How long it may take to end after SIGTERM.
    before_end : callable
        Called before it is told to end, not when it dies by itself.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    log: Path | None = None
    grace_s: float = 15.0
    before_end: Callable[[], None] = lambda: None


class Restarts:
    """Says how long to wait before the next restart, and when there is no point in another.

    Parameters
    ----------
    limit : int
        Deaths in a row, each after less than `steady_s`, until giving up.
    steady_s : float
        A process that lived this long is forgiven its earlier deaths.
    """

    def __init__(self, limit: int = 6, steady_s: float = 60.0) -> None:
        self.limit = limit
        self.steady_s = steady_s
        self._forget()

    def delay_s(self, lived_s: float) -> float | None:
        """Return the seconds to wait after a death, None to give up."""
        if lived_s >= self.steady_s:
            self._forget()
        self._deaths += 1
        return next(self._delays) if self._deaths < self.limit else None

    def _forget(self) -> None:
        self._deaths = 0
        self._delays: Generator[float] = backoff(0.5, 0.5, 10.0)


class Supervisor:
    """Keeps siblings alive until it is told to stop.

    Parameters
    ----------
    siblings : sequence of Sibling
        In the order of their start; they are ended in the opposite order.
    say : callable
        Takes one line for the operator.
    restarts : callable
        Makes the rule of restarts for each sibling.
    """

    def __init__(
        self,
        siblings: Sequence[Sibling],
        say: Callable[[str], None],
        restarts: Callable[[], Restarts] = Restarts,
    ) -> None:
        self.siblings = siblings
        self.say = say
        self._restarts = restarts
        self._running: dict[str, asyncio.subprocess.Process] = {}
        # Held while a child is born, lest another sibling's funeral takes it for an orphan.
        self._children = asyncio.Lock()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Supervise until SIGTERM or SIGINT; `on_ready` is called once all siblings are ready.

        Raises
        ------
        SiblingFailedError
            One of them died too often in a row; all others are ended.
        """
        asyncio.run(self._run(on_ready))

    async def _run(self, on_ready: Callable[[], None]) -> None:
        adopt_orphans()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        work = asyncio.create_task(self._supervise(on_ready))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, stopped):
                task.cancel()
            results = await asyncio.gather(work, stopped, return_exceptions=True)
            await self._end_all()
        if isinstance(results[0], Exception):
            raise results[0]

    async def _supervise(self, on_ready: Callable[[], None]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for sibling in self.siblings:
                    group.create_task(self._keep(sibling))
                    await self._until_ready(sibling)
                on_ready()
        except* SiblingFailedError as failures:
            raise failures.exceptions[0] from None

    async def _until_ready(self, sibling: Sibling) -> None:
        while not await sibling.ready():
            await asyncio.sleep(POLL_S)

    async def _keep(self, sibling: Sibling) -> None:
        restarts = self._restarts()
        while True:
            born = time.monotonic()
            code = await self._live(sibling)
            delay = restarts.delay_s(time.monotonic() - born)
            if delay is None:
                raise SiblingFailedError(_obituary(sibling, code, restarts.limit))
            self.say(f"{sibling.name} {_ended(code)}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)

    async def _live(self, sibling: Sibling) -> int:
        async with self._children:
            process = self._running[sibling.name] = await _start(sibling)
        code = await process.wait()
        del self._running[sibling.name]
        await self._end_orphans()
        return code

    async def _end_all(self) -> None:
        for sibling in reversed(self.siblings):
            process = self._running.pop(sibling.name, None)
            if process is not None and process.returncode is None:
                sibling.before_end()
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), sibling.grace_s)
                except TimeoutError:
                    process.kill()
                    await process.wait()
            await self._end_orphans()

    async def _end_orphans(self) -> None:
        async with self._children:
            known = [process.pid for process in self._running.values()]
            # Killing one may orphan others, which are ours from then on.
            while found := orphans(known):
                await asyncio.to_thread(end, found)


async def _start(sibling: Sibling) -> asyncio.subprocess.Process:
    with nullcontext() if sibling.log is None else sibling.log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *bound_to_parent(sibling.command),
            env=dict(sibling.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _obituary(sibling: Sibling, code: int, deaths: int) -> str:
    message = f"{sibling.name}: must stay alive, {_ended(code)}, {deaths} times in a row"
    if sibling.log is None:
        return f"{message}; its output is above"
    lines = sibling.log.read_text(errors="replace").splitlines()[-20:]
    return "\n".join([f"{message}; the end of {sibling.log}:", *lines])
