"""One uvicorn process that serves the gateway until it is told to stop, and then lets go in good order.

On SIGTERM uvicorn stops accepting, closes every websocket with 1012 (*service restart*; the viewer resumes
with its next tick), and lets requests finish. Runs know nothing of it: they go on in Ray.
"""

from __future__ import annotations

import signal
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.settings import Settings

DRAIN_S = 10
VIEWER_MESSAGE_BYTES = 4096


class ViewerConnection(WebSocketsSansIOProtocol):
    """A websocket that can be closed although its peer does not read, and makes no noise when it is gone.

    uvicorn waits with every message, a close too, until the peer has read what was sent before, and closes
    the transport only when all of it is gone: a viewer that has stalled for good would hold its socket and
    its task for ever. A message to a viewer whose connection was just closed is no fault of the application,
    and neither is a refusal before the upgrade: uvicorn takes both for one, and logs it as an error.
    """

    async def send(self, message: Any) -> None:
        """Send a message; a close goes behind what waits, and after a grace the connection is cut."""
        if message["type"] == "websocket.close" and not self.writable.is_set():
            self.writable.set()
            self.loop.call_later(self.close_timeout, self.transport.abort)
        try:
            await super().send(message)
        except RuntimeError:
            if message["type"] == "websocket.send" and self.close_sent:
                raise ClientDisconnected from None
            raise
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # It has been answered.


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Return a server for `app` that has not started."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ws=ViewerConnection,
        ws_per_message_deflate=False,
        ws_max_size=VIEWER_MESSAGE_BYTES,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
        lifespan="on",
    )
    return uvicorn.Server(config)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve `app` until SIGTERM or SIGINT; return when all is drained."""
    # uvicorn sends itself the signal again when it has drained; the process would die of it there.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    make_server(app, settings).run()
