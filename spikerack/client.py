"""A client of the service that blocks. `spikerack.async_client` is its twin for asyncio.

The rules (retries, polling, paging, the stream's protocol) are in `spikerack.flows` and `spikerack.stream`;
here is only what waits and talks to sockets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from numpy.typing import ArrayLike
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

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
            system (a name), chips (default 1), placement (`default` or `shuffled`), precision (`float32` or
            `float64`).

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


class Deployment(DeploymentView):
    """A network on a system. As a context manager it is released at the end."""

    def __init__(self, client: Client, record: Record) -> None:
        super().__init__(record)
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def refresh(self) -> Self:
        """Ask the service how the deployment is."""
        self.record = self._client.send(calls.get_deployment(self.id))
        return self

    def wait(self, *, progress: bool = False) -> Self:
        """Wait until it is built.

        Raises
        ------
        DeploymentFailedError
            It could not be built.
        """
        with shown("build", progress) as on_progress:
            flow = flows.wait_ready(self.id, self._client.patience(), flows.building(on_progress))
            self.record = self._client.drive(flow)
        return self

    def run(self, duration_ms: float) -> Run:
        """Begin a run, once the deployment is built.

        Raises
        ------
        ConflictError
            It has an active run.
        """
        if self.state == "building":
            self.wait()
        return Run(self._client, self._client.send(calls.post_run(self.id, duration_ms)))

    def synapses(
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
            self.wait()
        return self._client.drive(flows.fetch_synapses(self.id, self._client.patience(), asked))

    def release(self) -> None:
        """End the deployment and give its chips back. Its runs' spikes stay."""
        self._client.send(calls.delete_deployment(self.id))


class Run(RunView):
    """An execution of a deployment."""

    def __init__(self, client: Client, record: Record) -> None:
        super().__init__(record)
        self._client = client

    def refresh(self) -> Self:
        """Ask the service how the run is."""
        self.record = self._client.send(calls.get_run(self.id))
        return self

    def wait(self, *, progress: bool = False) -> Self:
        """Wait until the run has ended.

        Raises
        ------
        RunFailedError
            It failed; the error says at which tick and why.
        """
        with shown("run", progress) as on_progress:
            flow = flows.wait_ended(self.id, self._client.patience(), flows.running(on_progress))
            self.record = self._client.drive(flow)
        return self

    def pause(self) -> int:
        """Pause; returns the tick where it took effect."""
        return self._client.send(calls.post_control(self.id, "pause"))

    def resume(self) -> int:
        """Go on after a pause; returns the tick."""
        return self._client.send(calls.post_control(self.id, "resume"))

    def step(self, ticks: int) -> int:
        """Advance a paused run by `ticks`; returns the tick that it reached."""
        return self._client.send(calls.post_control(self.id, "step", ticks))

    def cancel(self) -> int:
        """End the run early; returns the last tick."""
        return self._client.send(calls.post_control(self.id, "cancel"))

    def stream(
        self, *, from_tick: int | None = None, mode: Mode = "lossless", population: str | None = None
    ) -> SpikeStream:
        """Return the run's spikes while it runs, or later, as an iterator over batches."""
        state = StreamState(
            self.id, from_tick=from_tick, mode=mode, population=population, patience=self._client.patience()
        )
        return SpikeStream(self._client, state)

    def spikes(
        self, population: str | None = None, *, from_tick: int | None = None, to_tick: int | None = None
    ) -> Spikes:
        """Return the spikes of the ticks done so far, in [from_tick, to_tick)."""
        flow = flows.fetch_spikes(
            self.id, self._client.patience(), population=population, from_tick=from_tick, to_tick=to_tick
        )
        return self._client.drive(flow)

    def states(
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
        return self._client.drive(flows.fetch_samples(call, self._client.patience()))

    def weights(
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
        return self._client.drive(flows.fetch_samples(call, self._client.patience()))

    def verify(self) -> bool:
        """Whether the spikes that the service hands out have the digest of those that the run has kept."""
        self.refresh()
        recorded = self.recorded_digest
        return recorded is not None and digest_of(self.spikes(), self.tick) == recorded


class SpikeStream:
    """Iterates over a run's spikes as they happen, and resumes by itself after a broken connection.

    Attributes
    ----------
    state : StreamState
        Where the reader stands; after the end, `state.end` and `state.digest`.
    """

    def __init__(self, client: Client, state: StreamState) -> None:
        self._client = client
        self.state = state

    @property
    def digest(self) -> str | None:
        """Digest of what was received, when that was a whole run."""
        return self.state.digest

    def __iter__(self) -> Iterator[SpikeBatch]:
        while self.state.end is None:
            try:
                yield from self._connected()
            except (OSError, EOFError, WebSocketException) as error:
                self._client.pause(self.state.delay_after(error))

    def _connected(self) -> Iterator[SpikeBatch]:
        with connect(
            self.state.url(self._client.access.url), **socket_arguments(self._client.access.headers)
        ) as socket:
            while self.state.end is None:
                batch = self.state.handle(socket.recv(timeout=QUIET_S))
                if batch is not None:
                    yield batch
