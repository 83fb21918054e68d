"""A gateway behind a real socket, with scripted chips."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from api import create_app
from api.serving import make_server
from tests.api.conftest import Caller, settings_in
from tests.api.scripted import ScriptedFleet


@contextmanager
def served_in(folder: Path, **changes: Any) -> Iterator[tuple[Caller, int]]:
    """Give a caller and the port of a gateway that serves from a thread."""
    settings = settings_in(folder, port=0, **changes)
    fleet = ScriptedFleet(settings.data)
    server = make_server(create_app(settings, fleet), settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            yield Caller(http, fleet, (folder / "key").read_text().strip()), port
    finally:
        server.should_exit = True
        thread.join()
        fleet.close()
