"""The service as a process of its own, for as long as a block of code needs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from spikerack.client import Client
from spikerack.serve import free_port

START_LIMIT_S = 120.0
STOP_LIMIT_S = 45.0


class LaunchError(RuntimeError):
    """The service did not come up."""


@dataclass(frozen=True)
class Launched:
    """A service that takes requests.

    Attributes
    ----------
    url : str
        Where it is.
    data : Path
        Its data folder; its first API key is in ``data/key``, its output in ``data/serve.out``.
    process : subprocess.Popen
        ``spikerack serve``.
    """

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def api_key(self) -> str:
        """The first API key."""
        return (self.data / "key").read_text().strip()

    @property
    def output(self) -> str:
        """What the service printed so far."""
        return (self.data / "serve.out").read_text(errors="replace")

    def client(self) -> Client:
        """Return a client with the first key."""
        return Client(self.url, self.api_key)


@contextmanager
def launched(
    data: Path,
    *,
    arguments: Sequence[str] = (),
    waiting: Callable[[float], None] = lambda seconds: None,
) -> Iterator[Launched]:
    """Start `spikerack serve` on a free loopback port, and end it with all that belongs to it.

    Parameters
    ----------
    data : Path
        The data folder.
    arguments : sequence of str
        Further arguments of `spikerack serve`.
    waiting : callable
        Called now and then, with the seconds waited so far, until the service is up.

    Raises
    ------
    LaunchError
        It ended at once, or was not ready after two minutes; the message has its last words.
    """
    data.mkdir(parents=True, exist_ok=True)
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "spikerack.cli", "serve", "--port", str(port), "--data", str(data)]
    with (data / "serve.out").open("wb") as output:
        process = subprocess.Popen(
            [*command, "--key-file", str(data / "key"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"SPIKERACK_AUTH": "true"},
        )
    service = Launched(f"http://127.0.0.1:{port}", data, process)
    try:
        _wait_ready(service, waiting)
        yield service
    finally:
        _stop(process)


def _wait_ready(service: Launched, waiting: Callable[[float], None]) -> None:
    begun = time.monotonic()
    while not _ready(service.url):
        waited = time.monotonic() - begun
        waiting(waited)
        if service.process.poll() is not None or waited > START_LIMIT_S:
            last_words = "\n".join(service.output.splitlines()[-30:])
            raise LaunchError(
                f"spikerack serve: must be ready, was not after {waited:.0f} s; it said:\n{last_words}"
            )
        time.sleep(0.1)


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5.0).status_code == 200
    except httpx2.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
