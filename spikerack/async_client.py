"""A client of the service for asyncio: the twin of `spikerack.client`, method for method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from numpy.typing import ArrayLike
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from network import Network, Uploaded
from network.arrays import ArrayKind
from spikerack import calls, flows
from spikerack.access import access
from spikerack.calls import Call, Record
from spikerack.flows import Flow, Pause, Step
from spikerack.progress import OnProgress, shown
from spikerack.retry import Patience
from spikerack.samples import States, Weights
from spikerack.spikes import Spikes
from spikerack.stream import QUIET_S, Mode, SpikeBatch, StreamState
from spikerack.synapses import Synapses, range_text
from spikerack.uploads import upload_of
from spikerack.views import DeploymentView, RunView, digest_of
from spikerack.wire import TIMEOUT_S, http_arguments, socket_arguments

T = TypeVar("T")


class AsyncClient:
    """The service, for asyncio.

    Parameters
    ----------
    url : str or None
        Where the service is; else ``SPIKERACK_URL``, else ``http://127.0.0.1:8787``.
    api_key : str or None
        The key to it; else ``SPIKERACK_API_KEY``.
    patience_s : float
        How long to try again when the service cannot be reached or has no room.
    transport : httpx2.AsyncBaseTransport or None
        Replaces the network, for tests.
    pause : callable
        What waits; replaced in tests.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        patience_s: float = 60.0,
        transport: httpx2.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.access = access(url, api_key)
        self.patience_s = patience_s
        self.pause = pause
        self._http = httpx2.AsyncClient(
            base_url=self.access.url, headers=self.access.headers, timeout=TIMEOUT_S, transport=transport
        )

    def __repr__(self) -> str:
        return f"AsyncClient({self.access.url})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Deployments and runs go on."""
        await self._http.aclose()

    async def systems(self) -> list[Record]:
        """Return the systems that a network can be deployed onto."""
        return await self.send(calls.get_systems())

    async def fit(self, network: Network | Mapping[str, Any], **options: Any) -> Record:
        """Return whether a network fits, each limit with its headroom, without deploying it."""
        return await self.send(calls.post_fit(network, options))

    async def upload(
        self,
        *,
        sources: ArrayLike,
        targets: ArrayLike,
        weights: ArrayLike | None = None,
        delays_ms: ArrayLike | None = None,
        progress: bool | OnProgress = False,
    ) -> Uploaded:
        """Upload a list of synapses; returns what a projection takes as its connectivity.

        Parameters
        ----------
        sources, targets : (n,) arrays of integers
            Synapse k goes from neuron ``sources[k]`` to neuron ``targets[k]``.
        weights : (n,) array of float32 or float64, or None
            In the receptor's unit; None if the projection gives the weight.
        delays_ms : (n,) array of float32 or float64, or None
            Multiples of the network's timestep; None if the projection gives the delay.
        progress : bool or callable
            Whether to show a bar, or what is told the share that is sent and a detail for people.

        Raises
        ------
        ArraysError
            An entry breaks a rule, which the error names; nothing is sent.
        BusyError
            The service has no room.
        """
        columns = {"sources": sources, "targets": targets, "weights": weights, "delays_ms": delays_ms}
        record = await self._upload("synapses", columns, progress)
        return Uploaded.model_validate(record["connectivity"])

    async def upload_spikes(
        self, *, times_ms: ArrayLike, neurons: ArrayLike, progress: bool | OnProgress = False
    ) -> Record:
        """Upload spikes; returns what an `UploadedSpikesSource` takes beside its name and size.

        Parameters
        ----------
        times_ms : (n,) array of float32 or float64, ms
            Multiples of the network's timestep, in any order.
        neurons : (n,) array of integers
            The neuron of each spike, counted from 0.
        progress : bool or callable
            As of `upload`.

        Raises
        ------
        ArraysError
            An entry breaks a rule, which the error names; nothing is sent.
        BusyError
            The service has no room.
        """
        record = await self._upload("spikes", {"times_ms": times_ms, "neurons": neurons}, progress)
        source: Record = record["source"]
        return source

    async def _upload(
        self, kind: ArrayKind, columns: Mapping[str, ArrayLike | None], progress: bool | OnProgress
    ) -> Record:
        upload = upload_of(kind, columns)
        with shown("upload", progress) as on_progress:
            return await self.send(calls.post_arrays(upload, on_progress))

    async def deploy(self, network: Network | Mapping[str, Any], **options: Any) -> AsyncDeployment:
        """Begin to deploy a network; returns at once.

        Parameters
        ----------
        network : Network or mapping
            The network, or its JSON as a mapping.
        **options
            system (a name), chips (default 1), placement (`default` or `shuffled`), precision (`float32` or
            `float64`).

        Raises
        ------
        InvalidRequestError
            The network is wrong or does not fit; the message says where and why.
        BusyError
            The service has no room.
        """
        return AsyncDeployment(self, await self.drive(flows.deploy(network, options, self.patience())))

    async def deployment(self, deployment_id: str) -> AsyncDeployment:
        """Return a deployment by its id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return AsyncDeployment(self, await self.send(calls.get_deployment(deployment_id)))

    async def run(self, run_id: str) -> AsyncRun:
        """Return a run by its id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return AsyncRun(self, await self.send(calls.get_run(run_id)))

    def patience(self) -> Patience:
        """Return fresh patience for one undertaking."""
        return Patience(self.patience_s)

    async def send(self, call: Call[T]) -> T:
        """Carry out one request, with retries."""
        return await self.drive(flows.exchange(call, self.patience()))

    async def drive(self, flow: Flow[T]) -> T:
        """Carry out a flow's steps."""
        reply = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as stop:
                result: T = stop.value
                return result
            reply = await self._do(step)

    async def _do(self, step: Step) -> httpx2.Response | httpx2.TransportError | None:
        if isinstance(step, Pause):
            await self.pause(step.seconds)
            return None
        try:
            return await self._http.request(**_awaited(http_arguments(step)))
        except httpx2.TransportError as error:
            return error


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
        asked = {
            "projection": projection,
            "source": source,
            "target": target,
            "sources": range_text("sources", sources),
            "targets": range_text("targets", targets),
        }
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
        call = partial(calls.get_states, self.id, asked)
        return await self._client.drive(flows.fetch_samples(call, self._client.patience()))

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
        call = partial(calls.get_weights, self.id, asked)
        return await self._client.drive(flows.fetch_samples(call, self._client.patience()))

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


def _awaited(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a request's arguments with a stream that does not block as long as it is not asked."""
    if "content" not in arguments:
        return arguments
    parts: Iterator[bytes] = arguments["content"]

    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return arguments | {"content": stream()}
