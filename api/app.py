"""The application: its parts put together, and what it does when it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response

from api import (
    access,
    arrays,
    deployments,
    fits,
    health,
    networks,
    recordings,
    runs,
    schemas,
    spikes,
    stream,
    synapses,
    systems,
    weights,
)
from api.envelope import Envelope
from api.errors import GatewayError
from api.gateway import Gateway
from api.idempotency import Answers
from api.keys import write_key_file
from api.metrics import Metrics
from api.openapi import describe, operation_id
from api.problems import problem_of
from api.settings import Settings
from api.storage import Storage
from api.watch import Watch
from cluster import Fleet
from cluster.errors import ClusterError
from network import NetworkError

VERSION = "1"

_SMALL_BODIES = (
    access,
    systems,
    schemas,
    deployments,
    synapses,
    runs,
    spikes,
    recordings,
    weights,
    stream,
    health,
)
_LARGE_BODIES = (networks, fits)
_ANSWERED = (GatewayError, ClusterError, NetworkError, HTTPException, RequestValidationError)


def create_app(settings: Settings, fleet: Fleet) -> FastAPI:
    """Return the gateway as an ASGI application.

    Parameters
    ----------
    settings : Settings
        Where the data is and what is allowed.
    fleet : Fleet
        The chips. The caller closes it, after the application has stopped.
    """
    metrics = Metrics()
    app = FastAPI(
        title="spikerack",
        version=VERSION,
        lifespan=_lifespan(settings, fleet, metrics),
        generate_unique_id_function=operation_id,
        redoc_url=None,
        docs_url=None,
        redirect_slashes=False,  # A redirect would answer before the key is checked.
    )
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.limits.small_body_bytes)
    app.add_middleware(Envelope, metrics=metrics)
    for kind in _ANSWERED:
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(WebSocketRequestValidationError, _answer_upgrade)
    for part in _LARGE_BODIES:
        app.include_router(part.router, max_body_size=settings.limits.body_bytes)
    app.include_router(arrays.router, max_body_size=settings.limits.upload_bytes)
    for part in _SMALL_BODIES:
        app.include_router(part.router)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app


async def _answer(connection: HTTPConnection, error: Exception) -> Response:
    """Answer a request, or a websocket that is not open yet."""
    response = problem_of(error).response(connection)
    if response.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(_methods(connection)))
    return response


def _methods(connection: HTTPConnection) -> set[str]:
    """Return all methods of a path: the framework names only those of the first route that it finds."""
    methods: set[str] = set()
    for route in iter_route_contexts(connection.app.routes):
        if route.methods and route.path_regex.match(connection.scope["path"]):
            methods |= route.methods
    return methods


async def _answer_upgrade(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, WebSocketRequestValidationError)
    return await _answer(connection, RequestValidationError(error.errors()))


def _lifespan(
    settings: Settings, fleet: Fleet, metrics: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        storage = Storage(settings.data)
        try:
            gateway = app.state.gateway = Gateway(settings, fleet, metrics, storage)
            _prepare(gateway)
            watch = app.state.watch = Watch(gateway)
            watching = asyncio.create_task(watch.poll())
            yield
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        finally:
            storage.close()

    return lifespan


def _prepare(gateway: Gateway) -> None:
    Answers(gateway.storage).forget_unfinished()
    gateway.arrays.sweep()
    token = gateway.keys.issue_first() if gateway.settings.auth else None
    if token is None:
        return
    print(f"API key (shown once): {token}", flush=True)
    if gateway.settings.key_file is not None:
        write_key_file(gateway.settings.key_file, token)
