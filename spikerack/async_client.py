"""A client of the service for asyncio: the twin of `spikerack.client`, method for method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from numpy.typing import ArrayLike

from network import Network, Uploaded
from network.arrays import ArrayKind
from spikerack import calls, flows
from spikerack.access import access
from spikerack.async_handles import AsyncDeployment, AsyncRun, AsyncSpikeStream
from spikerack.calls import Call, Record
from spikerack.flows import Flow, Pause, Step
from spikerack.progress import OnProgress, shown
from spikerack.retry import Patience
from spikerack.uploads import upload_of
from spikerack.wire import TIMEOUT_S, http_arguments

__all__ = ["AsyncClient", "AsyncDeployment", "AsyncRun", "AsyncSpikeStream"]

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
            system (a name), chips (default 1), placement (`default`, `consecutive` or `shuffled`), precision
            (`float32` or `float64`).

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


def _awaited(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a request's arguments with a stream that does not block as long as it is not asked."""
    if "content" not in arguments:
        return arguments
    parts: Iterator[bytes] = arguments["content"]

    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return arguments | {"content": stream()}
