"""`spikerack serve`: a Ray head and the gateway, side by side, or the gateway beside somebody else's cluster.

The two are siblings, so that the gateway may die and come back while runs go on, and so that nothing of
either is left when this process ends. Ray is never open: its head asks every caller for a token, which is
made here, readable by this user only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2

from cluster.runfile import close_open_runs
from spikerack.supervisor import Sibling, Supervisor

# Chips exchange address events by files of their own; Ray's object store only carries small replies.
_OBJECT_STORE_BYTES = 200_000_000
# Ray takes tens of seconds to end while actors are at work. It need not end well: what is worth keeping is in
# the data folder.
_RAY_GRACE_S = 3.0
_RAY_IS_UP = b"Ray runtime started"


@dataclass(frozen=True)
class ServeOptions:
    """What an operator chooses.

    Attributes
    ----------
    data : Path
        The data folder; made when it is missing.
    host, port : str, int
        Where the gateway listens; port 0 for any free one.
    address : str or None
        A Ray cluster to join, as host:port; None to start a head of our own.
    chips : int
        Emulated chips that the head offers at most, over all deployments.
    key_file : Path or None
        Where the first API key is written, with mode 0600.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8787
    address: str | None = None
    chips: int = 64
    key_file: Path | None = None


class ServeError(RuntimeError):
    """The service cannot be started as asked."""


def serve(options: ServeOptions, *, on_ready: Callable[[str], None], say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, and leave nothing behind.

    Parameters
    ----------
    options : ServeOptions
        What to serve.
    on_ready : callable
        Takes the service's URL once it takes requests.
    say : callable
        Takes lines for the operator: what died, and when it is started again.

    Raises
    ------
    ServeError
        The data folder is in use, or the token of the cluster to join is missing.
    spikerack.supervisor.SiblingFailedError
        The head or the gateway died too often in a row.
    """
    _make_private(options.data)
    (options.data / "logs").mkdir(exist_ok=True)
    port = options.port or free_port(options.host)
    url = url_of(options.host, port)
    with _only_one(options.data), tempfile.TemporaryDirectory(prefix="srk-", dir="/tmp") as private:
        temporary = f"{private}/ray"  # Ray opens its folder to everybody; the one above it stays ours.
        if options.address is None:
            environment = _ray_environment(make_token(options.data / "ray_token"))
            address = f"127.0.0.1:{free_port('127.0.0.1')}"
            command = _head(address, options.chips, temporary)
            # The runs end with the head; whoever asks later is to know why.
            before_end: Callable[[], None] = partial(close_open_runs, options.data, "the service was stopped")
        else:
            environment = _joining_environment(os.environ)
            address, command = options.address, _visitor(options.address, temporary)
            before_end = _nothing
        node = _ray_node(command, environment, options.data / "logs" / "ray.log", before_end)
        gateway = _gateway(options, port, address, environment)
        Supervisor([node, gateway], say).run(lambda: on_ready(url))


def make_token(path: Path) -> Path:
    """Make the file with Ray's token unless it is there; only this user can read it, and it is whole."""
    if path.exists():
        return path
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    return path


def free_port(host: str) -> int:
    """Return a port of `host` that nobody listens on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def url_of(host: str, port: int) -> str:
    """Return the URL at which this host reaches what listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    with (data / "serve.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServeError(
                f"data folder {data}: must have one server, another one uses it; stop that, or choose --data"
            ) from None
        yield


def _ray_environment(token: Path) -> dict[str, str]:
    authentication = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token.resolve())}
    return {**os.environ, **authentication, "RAY_USAGE_STATS_ENABLED": "0"}


def _joining_environment(environment: Mapping[str, str]) -> dict[str, str]:
    mode = environment.get("RAY_AUTH_MODE", "token")
    if mode == "token" and not environment.keys() & {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}:
        raise ServeError(
            "--address: needs the token of that cluster, got none; "
            "set RAY_AUTH_TOKEN_PATH to its file, or RAY_AUTH_MODE=disabled if it is open"
        )
    return {**environment, "RAY_AUTH_MODE": mode, "RAY_USAGE_STATS_ENABLED": "0"}


def _ray_start(*arguments: str) -> list[str]:
    store = f"--object-store-memory={_OBJECT_STORE_BYTES}"
    ray = "from ray.scripts.scripts import main; main()"
    return [
        sys.executable,
        "-c",
        ray,
        "start",
        "--block",
        "--num-gpus=0",
        store,
        "--disable-usage-stats",
        *arguments,
    ]


def _head(address: str, chips: int, temporary: str) -> list[str]:
    host, port = address.split(":")
    where = (f"--port={port}", f"--node-ip-address={host}", f"--temp-dir={temporary}")
    resources = f"--resources={json.dumps({'chip': chips})}"
    return _ray_start("--head", *where, resources, "--include-dashboard=false", "--include-log-monitor=false")


def _visitor(address: str, temporary: str) -> list[str]:
    """A node that offers nothing: a Ray driver, as the gateway is one, needs a node on its own host."""
    return _ray_start(f"--address={address}", "--num-cpus=0", f"--temp-dir={temporary}")


def _nothing() -> None:
    """Somebody else's cluster goes on, and its runs with it."""


def _ray_node(
    command: list[str], environment: dict[str, str], log: Path, before_end: Callable[[], None]
) -> Sibling:
    async def is_up() -> bool:
        return log.exists() and _RAY_IS_UP in log.read_bytes()

    log.unlink(missing_ok=True)
    return Sibling("ray", command, environment, is_up, log, _RAY_GRACE_S, before_end)


def _gateway(options: ServeOptions, port: int, address: str, environment: dict[str, str]) -> Sibling:
    settings = {
        "SPIKERACK_DATA": str(options.data.resolve()),
        "SPIKERACK_HOST": options.host,
        "SPIKERACK_PORT": str(port),
        "SPIKERACK_BACKEND": "ray",
        "SPIKERACK_RAY_ADDRESS": address,
        "PYTHONUNBUFFERED": "1",
    }
    if options.key_file is not None:
        settings["SPIKERACK_KEY_FILE"] = str(options.key_file.resolve())
    ready = _answers(f"{url_of(options.host, port)}/readyz")
    return Sibling("gateway", [sys.executable, "-m", "api"], environment | settings, ready)


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        try:
            async with httpx2.AsyncClient(timeout=5.0) as client:
                return (await client.get(url)).status_code == 200
        except httpx2.TransportError:
            return False

    return ready
