"""The team of Ray actors: the same answers as threads, its errors, and its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
import ray

import cluster.ray_team
from cluster.errors import DeploymentLost
from cluster.ray_team import RayTeam
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
    family = psutil.Process().children(recursive=True)
    return [p for p in family if p.is_running() and "Actor" in " ".join(p.cmdline())]


def test_actors_answer_as_threads_do() -> None:
    plan = plan_of(EVERY, 2, placement="shuffled")
    told: list[tuple[str, float]] = []
    answers = []
    for team in (ThreadTeam(plan), RayTeam(plan)):
        built = team.build(lambda phase, share: told.append((phase, share)))
        runs = []
        for _ in range(2):
            team.reset()
            runs.append([team.advance(until) for until in (3, 200)])
        answers.append((built, runs, team.tallies()))
        assert team.peak_bytes() > 10_000_000
        processes = actors()
        team.close()
        team.close()
    assert len(processes) == 3
    psutil.wait_procs(processes, timeout=SECONDS)
    assert actors() == []
    (built, threads, tallies), (built_there, there, tallies_there) = answers
    assert built == built_there
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
    assert actors() == []


def test_a_chip_that_cannot_be_built_is_named_with_the_cause() -> None:
    team = RayTeam(plan_of(parse_network(overloaded()), 1))
    with pytest.raises(DeploymentLost) as caught:
        team.build(lambda phase, share: None)
    team.close()
    assert str(caught.value) == (
        "chip (board 0, chip 0): population 'second', receptor 'delta': the weights onto one neuron must add "
        "up to at most 2147483647 LSBs, got 2184500000 onto neuron 0; use fewer synapses or weights of a "
        "narrower range"
    )
