"""The team of Ray actors: the same answers as threads, its errors, and its end."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray

import cluster.ray_team
from cluster.errors import DeploymentLost
from cluster.ray_team import RayTeam
from cluster.synapsequery import SynapseQuery
from cluster.synapses import read_page
from cluster.team import ThreadTeam, total_digest
from network import parse_network
from tests.cluster.samples import everything_network, overloaded, plan_of

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EVERY = everything_network()
SECONDS = 20.0


@pytest.fixture(scope="module", autouse=True)
def _two_slots() -> Iterator[None]:
    """A Ray cluster with room for two chips, whose files are removed."""
    with tempfile.TemporaryDirectory(prefix="srk-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local",
            num_cpus=2,
            resources={"chip": 2.0},
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
        )
        yield
        ray.shutdown()


def actors() -> list[psutil.Process]:
    """The processes of chips and hosts that are alive."""
    return [p for p in psutil.Process().children(recursive=True) if "Actor" in command(p)]


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def assert_all_is_let_go() -> None:
    """All processes end, and all slots are free again."""
    psutil.wait_procs(actors(), timeout=SECONDS)
    assert actors() == []
    deadline = time.monotonic() + SECONDS
    while ray.available_resources().get("chip") != 2.0:
        assert time.monotonic() < deadline


def test_actors_answer_as_threads_do() -> None:
    plan = plan_of(EVERY, 2, placement="shuffled")
    told: list[tuple[str, float]] = []
    answers, pages = [], []
    for team in (ThreadTeam(plan), RayTeam(plan)):
        built = team.build(lambda phase, share: told.append((phase, share)))
        runs = []
        for _ in range(2):
            team.reset()
            runs.append([team.advance(until) for until in (3, 200)])
        answers.append((built, runs, team.tallies()))
        pages.append(read_page(plan, SynapseQuery(source="exc"), team.synapses, limit=1000))
        assert team.peak_bytes() > 10_000_000
        processes = actors()
        team.close()
        team.close()
    assert len(processes) == 3
    assert_all_is_let_go()
    (built, threads, tallies), (built_there, there, tallies_there) = answers
    assert built == built_there
    assert pages[0].following == pages[1].following is not None
    for here, remote in zip(pages[0].synapses, pages[1].synapses, strict=True):
        assert np.array_equal(here, remote)
    assert total_digest(built) == total_digest(built_there)
    for run in (*threads, *there):
        for mine, first in zip(run, threads[0], strict=True):
            for a, b in zip(mine, first, strict=True):
                assert a.tick == b.tick
                assert np.array_equal(a.spikes, b.spikes)
                assert all(np.array_equal(x, y) for x, y in zip(a.samples, b.samples, strict=True))
    assert sum(a.spikes.size for a in threads[0][1]) > 100
    assert [t.received for t in tallies] == [t.received for t in tallies_there]
    phases = list(dict.fromkeys(phase for phase, _ in told))
    assert phases[:2] == ["building chips", "compiling kernels"]
    assert phases[2:] == ["waiting for a host", "starting chips"]


def test_too_few_slots_are_refused_and_nothing_stays_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.ray_team, "_RESERVE_SECONDS", 0.1)
    team = RayTeam(plan_of(EVERY, 3))
    with pytest.raises(DeploymentLost) as caught:
        team.build(lambda phase, share: None)
    assert str(caught.value) == (
        "cluster: free chip slots on one host must be at least 3, got 2 on all hosts together; "
        "release a deployment, use fewer chips, or start workers with more"
    )
    team.close()
    assert_all_is_let_go()


def test_a_chip_that_cannot_be_built_is_named_with_the_cause(tmp_path: Path) -> None:
    team = RayTeam(replace(plan_of(parse_network(overloaded(tmp_path)), 1), arrays=str(tmp_path)))
    with pytest.raises(DeploymentLost) as caught:
        team.build(lambda phase, share: None)
    team.close()
    assert_all_is_let_go()
    assert str(caught.value) == (
        "chip (board 0, chip 0): population 'second', receptor 'delta': the weights onto one neuron must add "
        "up to at most 2147483647 LSBs, got 2184500000 onto neuron 0, most of it from its synapses; use "
        "fewer synapses or weights of a narrower range"
    )


@pytest.mark.parametrize("victim", ["chip", "host"])
def test_a_death_between_calls_is_noticed_and_named(victim: str) -> None:
    team = RayTeam(plan_of(EVERY, 2))
    team.build(lambda phase, share: None)
    team.reset()
    team.advance(10)
    assert team.died() is None
    killed = team._chips[1] if victim == "chip" else team._host
    pid = ray.get(killed.__ray_call__.remote(lambda actor: os.getpid()))
    os.kill(pid, signal.SIGKILL)
    ray.wait(list(team._watches), timeout=SECONDS)
    name = {"chip": "chip (board 0, chip 1)", "host": "host"}[victim]
    assert team.died() == f"{name}: its process died"
    with pytest.raises(DeploymentLost, match=f"^{re.escape(name)}: its process died$"):
        team.advance(10**9)
    team.close()
    assert team.died() is None
    assert_all_is_let_go()
