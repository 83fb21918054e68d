"""What an `AsyncClient` hands out: the twins of `spikerack.handles`, method for method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Self

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from spikerack import calls, flows
from spikerack.calls import Record
from spikerack.progress import shown
from spikerack.samples import States, Weights
from spikerack.spikes import Spikes
from spikerack.stream import QUIET_S, Mode, SpikeBatch, StreamState
from spikerack.synapses import Synapses, query_of
from spikerack.views import DeploymentView, RunView, digest_of
from spikerack.wire import socket_arguments

if TYPE_CHECKING:
    from spikerack.async_client import AsyncClient


class AsyncDeployment(DeploymentView):
    """A network on a system. As a context manager it is released at the end."""

    def __init__(self, client: AsyncClient, record: Record) -> None:
        super().__init__(record)
        self._client = client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    async def refresh(self) -> Self:
        """Ask the service how the deployment is."""
        self.record = await self._client.send(calls.get_deployment(self.id))
        return self

    async def wait(self, *, progress: bool = False) -> Self:
        """Wait until it is built.

        Raises
        ------
        DeploymentFailedError
            It could not be built.
        """
        with shown("build", progress) as on_progress:
            flow = flows.wait_ready(self.id, self._client.patience(), flows.building(on_progress))
            self.record = await self._client.drive(flow)
        return self

    async def run(self, duration_ms: float) -> AsyncRun:
        """Begin a run, once the deployment is built.

        Raises
        ------
        ConflictError
            It has an active run.
        """
        if self.state == "building":
            await self.wait()
        return AsyncRun(self._client, await self._client.send(calls.post_run(self.id, duration_ms)))

    async def synapses(
        self,
        projection: str | None = None,
        *,
        source: str | None = None,
        target: str | None = None,
        sources: range | None = None,
        targets: range | None = None,
    ) -> Synapses:
        """Return synapses as they stand in the chips' memories, once the deployment is built.

        Parameters
        ----------
        projection : str or None
            Those of one projection, and of all others of its source, target and receptor; or
        source, target : str or None
            those between two populations, or of one with all others.
        sources, targets : range or None
            Which of their neurons, counted within the population; None for all.

        Raises
        ------
        InvalidRequestError
            There is no such thing, or more than 10,000,000 synapses are to be expected.
        """
        asked = query_of(projection, source=source, target=target, sources=sources, targets=targets)
        if self.state == "building":
            await self.wait()
        return await self._client.drive(flows.fetch_synapses(self.id, self._client.patience(), asked))

    async def release(self) -> None:
        """End the deployment and give its chips back. Its runs' spikes stay."""
        await self._client.send(calls.delete_deployment(self.id))


class AsyncRun(RunView):
    """An execution of a deployment."""

    def __init__(self, client: AsyncClient, record: Record) -> None:
        super().__init__(record)
        self._client = client

    async def refresh(self) -> Self:
        """Ask the service how the run is."""
        self.record = await self._client.send(calls.get_run(self.id))
        return self

    async def wait(self, *, progress: bool = False) -> Self:
        """Wait until the run has ended.

        Raises
        ------
        RunFailedError
            It failed; the error says at which tick and why.
        """
        with shown("run", progress) as on_progress:
            flow = flows.wait_ended(self.id, self._client.patience(), flows.running(on_progress))
            self.record = await self._client.drive(flow)
        return self

    async def pause(self) -> int:
        """Pause; returns the tick where it took effect."""
        return await self._client.send(calls.post_control(self.id, "pause"))

    async def resume(self) -> int:
        """Go on after a pause; returns the tick."""
        return await self._client.send(calls.post_control(self.id, "resume"))

    async def step(self, ticks: int) -> int:
        """Advance a paused run by `ticks`; returns the tick that it reached."""
        return await self._client.send(calls.post_control(self.id, "step", ticks))

    async def cancel(self) -> int:
        """End the run early; returns the last tick."""
        return await self._client.send(calls.post_control(self.id, "cancel"))

    def stream(
        self, *, from_tick: int | None = None, mode: Mode = "lossless", population: str | None = None
    ) -> AsyncSpikeStream:
        """Return the run's spikes while it runs, or later, as an iterator over batches."""
        state = StreamState(
            self.id, from_tick=from_tick, mode=mode, population=population, patience=self._client.patience()
        )
        return AsyncSpikeStream(self._client, state)

    async def spikes(
        self, population: str | None = None, *, from_tick: int | None = None, to_tick: int | None = None
    ) -> Spikes:
        """Return the spikes of the ticks done so far, in [from_tick, to_tick)."""
        flow = flows.fetch_spikes(
            self.id, self._client.patience(), population=population, from_tick=from_tick, to_tick=to_tick
        )
        return await self._client.drive(flow)

    async def states(
        self, recording: int = 0, *, from_tick: int | None = None, to_tick: int | None = None
    ) -> States:
        """Return the samples of recording number `recording`, one of states, in [from_tick, to_tick).

        Raises
        ------
        NotFoundError, InvalidRequestError
            There is no such recording, or it is of another kind.
        """
        asked = {"recording": recording, "from_tick": from_tick, "to_tick": to_tick}
        flow = flows.fetch_samples(calls.get_states, self.id, self._client.patience(), asked)
        return await self._client.drive(flow)

    async def weights(
        self, recording: int = 0, *, from_tick: int | None = None, to_tick: int | None = None
    ) -> Weights:
        """Return the samples of recording number `recording`, one of weights, in [from_tick, to_tick).

        Raises
        ------
        NotFoundError, InvalidRequestError
            There is no such recording, or it is of another kind.
        """
        asked = {"recording": recording, "from_tick": from_tick, "to_tick": to_tick}
        flow = flows.fetch_samples(calls.get_weights, self.id, self._client.patience(), asked)
        return await self._client.drive(flow)

    async def verify(self) -> bool:
        """Whether the spikes that the service hands out have the digest of those that the run has kept."""
        await self.refresh()
        recorded = self.recorded_digest
        return recorded is not None and digest_of(await self.spikes(), self.tick) == recorded


class AsyncSpikeStream:
    """Iterates over a run's spikes as they happen, and resumes by itself after a broken connection.

    Attributes
    ----------
    state : StreamState
        Where the reader stands; after the end, `state.end` and `state.digest`.
    """

    def __init__(self, client: AsyncClient, state: StreamState) -> None:
        self._client = client
        self.state = state

    @property
    def digest(self) -> str | None:
        """Digest of what was received, when that was a whole run."""
        return self.state.digest

    async def __aiter__(self) -> AsyncIterator[SpikeBatch]:
        while self.state.end is None:
            try:
                async with aclosing(self._connected()) as batches:
                    async for batch in batches:
                        yield batch
            except (OSError, EOFError, WebSocketException) as error:
                await self._client.pause(self.state.delay_after(error))

    async def _connected(self) -> AsyncGenerator[SpikeBatch]:
        async with connect(
            self.state.url(self._client.access.url), **socket_arguments(self._client.access.headers)
        ) as socket:
            while self.state.end is None:
                async with asyncio.timeout(QUIET_S):
                    message = await socket.recv()
                batch = self.state.handle(message)
                if batch is not None:
                    yield batch
