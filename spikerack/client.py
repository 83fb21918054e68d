"""A client of the service that blocks. `spikerack.async_client` is its twin for asyncio.

The rules (retries, polling, paging, the stream's protocol) are in `spikerack.flows` and `spikerack.stream`;
here is only what waits and talks to sockets. What it hands out is in `spikerack.handles`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from numpy.typing import ArrayLike

from network import Network, Uploaded
from network.arrays import ArrayKind
from spikerack import calls, flows
from spikerack.access import access
from spikerack.calls import Call, Record
from spikerack.flows import Flow, Pause, Step
from spikerack.handles import Deployment, Run, SpikeStream
from spikerack.progress import OnProgress, shown
from spikerack.retry import Patience
from spikerack.uploads import upload_of
from spikerack.wire import TIMEOUT_S, http_arguments

__all__ = ["Client", "Deployment", "Run", "SpikeStream"]

T = TypeVar("T")


class Client:
    """The service, blocking.

    Parameters
    ----------
    url : str or None
        Where the service is; else ``SPIKERACK_URL``, else ``http://127.0.0.1:8787``.
    api_key : str or None
        The key to it; else ``SPIKERACK_API_KEY``.
    patience_s : float
        How long to try again when the service cannot be reached or has no room.
    transport : httpx2.BaseTransport or None
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
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = access(url, api_key)
        self.patience_s = patience_s
        self.pause = pause
        self._http = httpx2.Client(
            base_url=self.access.url, headers=self.access.headers, timeout=TIMEOUT_S, transport=transport
        )

    def __repr__(self) -> str:
        return f"Client({self.access.url})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Deployments and runs go on."""
        self._http.close()

    def systems(self) -> list[Record]:
        """Return the systems that a network can be deployed onto."""
        return self.send(calls.get_systems())

    def fit(self, network: Network | Mapping[str, Any], **options: Any) -> Record:
        """Return whether a network fits, each limit with its headroom, without deploying it."""
        return self.send(calls.post_fit(network, options))

    def upload(
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
        record = self._upload("synapses", columns, progress)
        return Uploaded.model_validate(record["connectivity"])

    def upload_spikes(
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
        record = self._upload("spikes", {"times_ms": times_ms, "neurons": neurons}, progress)
        source: Record = record["source"]
        return source

    def _upload(
        self, kind: ArrayKind, columns: Mapping[str, ArrayLike | None], progress: bool | OnProgress
    ) -> Record:
        upload = upload_of(kind, columns)
        with shown("upload", progress) as on_progress:
            return self.send(calls.post_arrays(upload, on_progress))

    def deploy(self, network: Network | Mapping[str, Any], **options: Any) -> Deployment:
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
        return Deployment(self, self.drive(flows.deploy(network, options, self.patience())))

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment by its id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return Deployment(self, self.send(calls.get_deployment(deployment_id)))

    def run(self, run_id: str) -> Run:
        """Return a run by its id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return Run(self, self.send(calls.get_run(run_id)))

    def patience(self) -> Patience:
        """Return fresh patience for one undertaking."""
        return Patience(self.patience_s)

    def send(self, call: Call[T]) -> T:
        """Carry out one request, with retries."""
        return self.drive(flows.exchange(call, self.patience()))

    def drive(self, flow: Flow[T]) -> T:
        """Carry out a flow's steps."""
        reply = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as stop:
                result: T = stop.value
                return result
            reply = self._do(step)

    def _do(self, step: Step) -> httpx2.Response | httpx2.TransportError | None:
        if isinstance(step, Pause):
            self.pause(step.seconds)
            return None
        try:
            return self._http.request(**http_arguments(step))
        except httpx2.TransportError as error:
            return error
