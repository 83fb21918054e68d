"""What the acceptance tests share: a network, the service's processes, and the question whether it serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from network import Network
from spikerack.client import Client, Deployment, Run
from spikerack.examples import microcircuit
from spikerack.launch import Launched

# Whatever dies, the run says so within this time.
NOTICED_WITHIN_S = 5.0
# Long enough not to end before something is killed.
LONG_MS = 600_000.0
N_CHIPS = 4


def small_network() -> Network:
    """1,543 neurons that fire, with delays down to one tick: chips exchange address events in each tick."""
    return microcircuit(scale=0.02, seed=5, drive="poisson")


def deployed(client: Client) -> Deployment:
    """The small network on all chips of two boards."""
    return client.deploy(small_network(), system="rack-2x2", chips=N_CHIPS).wait()


def assert_serves(client: Client) -> None:
    """A new deployment is built and runs to its end, and its spikes have the digest of the record."""
    with deployed(client) as deployment:
        run = deployment.run(20.0).wait()
        assert run.state == "complete"
        assert run.record["n_spikes"] > 0
        assert run.verify()


def children(service: Launched) -> list[psutil.Process]:
    """All processes of the service but the supervisor itself."""
    return psutil.Process(service.process.pid).children(recursive=True)


def actors(service: Launched, name: str) -> list[psutil.Process]:
    """The service's Ray actors of one class; Ray writes the method that they execute behind their names."""
    return [process for process in children(service) if _first_word(process).startswith(f"ray::{name}")]


def child(service: Launched, *words: str) -> psutil.Process:
    """The process whose command line has all the words."""
    (found,) = (process for process in children(service) if set(words) <= set(_command(process)))
    return found


def ray_address(service: Launched) -> str:
    """Where the service's Ray head listens."""
    words = child(service, "start", "--head").cmdline()
    (port,) = (word.removeprefix("--port=") for word in words if word.startswith("--port="))
    return f"127.0.0.1:{port}"


@contextmanager
def noticed_in_time(run: Run) -> Iterator[None]:
    """The run is closed soon after what happens in the block."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < NOTICED_WITHIN_S, f"{run}: noticed too late"


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again, for so long; each question takes a request, so this does not spin."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            return False
    return True


def _first_word(process: psutil.Process) -> str:
    return next(iter(_command(process)), "")


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
