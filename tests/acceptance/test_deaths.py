"""Kill -9 of each part of the service: the run says so in time, the service goes on, nothing hangs."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest

from spikerack.client import Client
from spikerack.errors import RunFailedError
from spikerack.launch import Launched
from tests.acceptance.rack import (
    LONG_MS,
    NOTICED_WITHIN_S,
    actors,
    assert_serves,
    child,
    deployed,
    noticed_in_time,
    wait_until,
)

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def a_chip(service: Launched) -> psutil.Process:
    return actors(service, "ChipActor")[1]


def the_coordinator(service: Launched) -> psutil.Process:
    (coordinator,) = actors(service, "CoordinatorActor")
    return coordinator


def the_head(service: Launched) -> psutil.Process:
    return child(service, "start", "--head")


@pytest.mark.parametrize(
    ("victim", "cause"), [(a_chip, "chip"), (the_coordinator, "coordinator"), (the_head, "head")]
)
def test_a_death_fails_the_run_and_the_service_goes_on(
    service: Launched, client: Client, victim: Callable[[Launched], psutil.Process], cause: str
) -> None:
    deployment = deployed(client)
    run = deployment.run(LONG_MS)
    stream = run.stream()
    batches = iter(stream)
    seen = next(batches).n_ticks
    victim(service).kill()
    with noticed_in_time(run), pytest.raises(RunFailedError) as failure:
        run.wait()
    record = failure.value.record
    assert cause in record["error"]
    assert "last complete tick: " in record["error"]
    assert record["tick"] >= seen
    for batch in batches:
        seen += batch.n_ticks
    assert stream.state.end is not None
    assert (stream.state.end["state"], stream.state.end["tick"]) == ("failed", seen)
    deployment.release()
    assert_serves(client)


def test_a_gateway_that_dies_comes_back_and_the_reader_resumes(service: Launched, client: Client) -> None:
    with deployed(client) as deployment:
        run = deployment.run(2000.0)
        stream = run.stream()
        batches = iter(stream)
        next(batches)
        child(service, "-m", "api").kill()
        for _ in batches:
            pass
        run.wait()
        assert run.state == "complete"
        assert stream.state.next_tick == run.record["n_ticks"]
        assert stream.digest == run.digest
    assert_serves(client)


@pytest.mark.parametrize(("victim", "name"), [("ChipActor", "chip"), ("HostActor", "host")])
def test_a_death_between_runs_fails_the_deployment(
    service: Launched, client: Client, victim: str, name: str
) -> None:
    deployment = deployed(client)
    actors(service, victim)[0].kill()
    failed = wait_until(lambda: deployment.refresh().state == "failed", NOTICED_WITHIN_S)
    assert failed, deployment.record
    assert name in deployment.record["error"]
    assert "its process died" in deployment.record["error"]
    deployment.release()
