"""What takes more than one request, without I/O: retries, polling, paging.

Theory of operation
-------------------
A flow is a generator that yields steps (`Send` a request, `Pause`) and returns a result. `Client` and
`AsyncClient` carry the steps out and send back what came of them: a response, or the transport's error as a
value. So each rule stands here once, for both, and tests play the service without a socket or a clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import httpx2

from network import Network
from spikerack.calls import (
    Call,
    Part,
    Record,
    get_deployment,
    get_run,
    get_spikes,
    get_synapses,
    post_deployment,
    post_network,
)
from spikerack.errors import DeploymentFailedError, RunFailedError, UnreachableError, problem_error
from spikerack.progress import OnProgress
from spikerack.retry import Patience, parse_retry_after
from spikerack.samples import Samples
from spikerack.spikes import Spikes, joined
from spikerack.synapses import Synapses
from spikerack.synapses import joined as joined_synapses

T = TypeVar("T")

POLL_S = 0.2
ENDED = frozenset({"complete", "complete_with_loss", "failed", "cancelled"})
_GATEWAY_TROUBLE = frozenset({502, 504})


@dataclass(frozen=True)
class Send:
    """Carry out a request; the reply is the response, or the transport's error."""

    call: Call[Any]
    idempotency_key: str | None


@dataclass(frozen=True)
class Pause:
    """Let time pass; the reply is None."""

    seconds: float


Step: TypeAlias = Send | Pause
Flow: TypeAlias = Generator[Step, Any, T]
OnRecord: TypeAlias = Callable[[Record], None]


def building(on_progress: OnProgress) -> OnRecord:
    """Return what shows a deployment's records as progress."""
    return lambda record: on_progress(float(record["progress"]), str(record["phase"]))


def running(on_progress: OnProgress) -> OnRecord:
    """Return what shows a run's records as progress."""
    return lambda record: on_progress(float(record["progress"]), f"{record['state']}, tick {record['tick']}")


def exchange(call: Call[T], patience: Patience) -> Flow[T]:
    """Carry out one request, again and again where that can help.

    What can help is another attempt after a broken connection, after a proxy's 502 or 504, and after any
    answer that says when to come back. A POST carries the same idempotency key in all its attempts.

    Raises
    ------
    ProblemError
        The service refused, or had no room until the client's patience was over.
    UnreachableError
        The connection failed until then.
    """
    key = uuid.uuid4().hex if call.method == "POST" else None
    while True:
        reply = yield Send(call, key)
        if isinstance(reply, httpx2.TransportError):
            yield Pause(patience.delay_s(f"{call}: {type(reply).__name__}: {reply}"))
            continue
        if reply.status_code < 400:
            patience.reset()
            return call.read(reply)
        yield Pause(_delay_after(call, reply, patience))


def _delay_after(call: Call[Any], response: httpx2.Response, patience: Patience) -> float:
    problem = problem_error(str(call), response.status_code, _problem(response))
    retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
    if retry_after_s is None and response.status_code not in _GATEWAY_TROUBLE:
        raise problem
    try:
        return patience.delay_s(str(problem), retry_after_s)
    except UnreachableError:
        raise problem from None


def _problem(response: httpx2.Response) -> dict[str, Any]:
    if "json" not in response.headers.get("Content-Type", ""):
        return {"title": response.reason_phrase}
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"title": response.reason_phrase}


def deploy(
    network: Network | Mapping[str, Any], options: Mapping[str, Any], patience: Patience
) -> Flow[Record]:
    """Store a network, begin to deploy it, and return the deployment's record."""
    stored = yield from exchange(post_network(network), patience)
    return (yield from exchange(post_deployment(stored["id"], options), patience))


def wait_ready(deployment_id: str, patience: Patience, on_record: OnRecord) -> Flow[Record]:
    """Wait until a deployment is built.

    Raises
    ------
    DeploymentFailedError
        It could not be built, or was released meanwhile.
    """
    while True:
        record = yield from exchange(get_deployment(deployment_id), patience)
        on_record(record)
        if record["state"] == "ready":
            return record
        if record["state"] != "building":
            raise DeploymentFailedError(record)
        yield Pause(POLL_S)


def wait_ended(run_id: str, patience: Patience, on_record: OnRecord) -> Flow[Record]:
    """Wait until a run has ended.

    Raises
    ------
    RunFailedError
        It failed. The other ends (complete, complete with loss, cancelled) are returned.
    """
    while True:
        record = yield from exchange(get_run(run_id), patience)
        on_record(record)
        if record["state"] == "failed":
            raise RunFailedError(record)
        if record["state"] in ENDED:
            return record
        yield Pause(POLL_S)


def fetch_synapses(deployment_id: str, patience: Patience, asked: Mapping[str, str | None]) -> Flow[Synapses]:
    """Fetch all synapses that are asked for, part by part."""
    parts: list[Synapses] = []
    cursor: str | None = None
    while True:
        part = yield from exchange(get_synapses(deployment_id, asked, cursor), patience)
        parts.append(part.content)
        if part.next is None:
            return joined_synapses(parts)
        cursor = part.next


def fetch_samples(
    get: Callable[[str, Mapping[str, int | None], str | None], Call[Part[Samples]]],
    run_id: str,
    patience: Patience,
    asked: Mapping[str, int | None],
) -> Flow[Samples]:
    """Fetch all samples of a recording, part by part; `get` makes the request for a cursor."""
    part = yield from exchange(get(run_id, asked, None), patience)
    parts = [part.content]
    while part.next is not None:
        part = yield from exchange(get(run_id, asked, part.next), patience)
        parts.append(part.content)
    return parts[0].joined(parts)


def fetch_spikes(
    run_id: str, patience: Patience, *, population: str | None, from_tick: int | None, to_tick: int | None
) -> Flow[Spikes]:
    """Fetch the spikes of complete ticks, page by page."""
    pages: list[Spikes] = []
    cursor: str | None = None
    while True:
        call = get_spikes(run_id, population=population, from_tick=from_tick, to_tick=to_tick, cursor=cursor)
        page = yield from exchange(call, patience)
        pages.append(page.spikes)
        if page.next is None:
            return joined(pages)
        cursor = page.next
