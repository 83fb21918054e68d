"""The user's door: describe a network, deploy it, run it, read its spikes.

Start reading at `spikerack.client` (the service from Python; `spikerack.async_client` is its twin, and what
they hand out is in `spikerack.handles`) and `spikerack.builder` (networks that read like a methods section);
both know the network language only. Their rules stand apart from their sockets: `spikerack.calls` (each
request), `spikerack.flows` (what takes more than one) and `spikerack.stream` (the protocol of spikes). The
command line is `spikerack.cli`, the service's supervisor `spikerack.serve`, and `spikerack.examples` holds
published networks.

Nothing is imported before it is used, so that ``spikerack --help`` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikerack.async_client import AsyncClient
    from spikerack.builder import NetworkBuilder
    from spikerack.client import Client
    from spikerack.errors import SpikerackError
    from spikerack.spikes import Spikes

__all__ = ["AsyncClient", "Client", "NetworkBuilder", "SpikerackError", "Spikes"]

_HOME = {
    "AsyncClient": "spikerack.async_client",
    "Client": "spikerack.client",
    "NetworkBuilder": "spikerack.builder",
    "SpikerackError": "spikerack.errors",
    "Spikes": "spikerack.spikes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'spikerack' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
