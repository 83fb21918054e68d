"""How requests and streams are put to the HTTP and websocket libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
from websockets.typing import Subprotocol

from spikerack.flows import Send
from spikerack.stream import MAX_MESSAGE_BYTES, SUBPROTOCOL

TIMEOUT_S = 30.0
UPLOAD_TIMEOUT_S = 1800.0
"""The service answers an upload when all of it is checked and on the disk."""


def http_arguments(step: Send) -> dict[str, Any]:
    """Return a request as the HTTP library takes it."""
    call = step.call
    headers = {"Accept": f"{call.accept}, application/problem+json"}
    if step.idempotency_key is not None:
        headers["Idempotency-Key"] = step.idempotency_key
    body = {} if call.body is None else {"json": call.body}
    if call.content is not None:
        headers["Content-Type"] = "application/msgpack"
        body = {"content": call.content(), "timeout": httpx2.Timeout(TIMEOUT_S, read=UPLOAD_TIMEOUT_S)}
    return {"method": call.method, "url": call.path, "params": dict(call.params), "headers": headers, **body}


def socket_arguments(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return how to open a stream's socket."""
    return {
        "subprotocols": [Subprotocol(SUBPROTOCOL)],
        "additional_headers": dict(headers),
        "compression": None,
        "max_size": MAX_MESSAGE_BYTES,
        # The service's heartbeats say that the connection lives; pings would end that of a slow reader.
        "ping_interval": None,
    }
