"""Kill -9 of a chip's process in the middle of a run: the run says so in time, and nothing is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray

from cluster.control import RunControl
from cluster.execution import Execution
from cluster.ray_team import PrivateRayTeam
from cluster.recordings import Recordings
from cluster.team import total_digest
from network import SpikeDigest
from spikerack.examples import microcircuit
from tests.cluster.samples import plan_of

pytestmark = [pytest.mark.ray, pytest.mark.slow]

# What a run may take to say that a chip has died.
NOTICED_WITHIN_S = 5.0
# What it may take to start Ray and three chips on a busy machine, kernels to be compiled included.
STARTED_WITHIN_S = 240.0
CHIPS = 3
ENDLESS = 10**9


class Watched:
    """A sink that tells when some ticks are done."""

    def __init__(self) -> None:
        self.pairs: list[np.ndarray] = []
        self.last_tick = 0
        self.under_way = threading.Event()
        self.records: list[dict[str, Any]] = []

    def append(self, last_tick: int, pairs: np.ndarray, states: Sequence[np.ndarray]) -> None:
        self.pairs.append(pairs)
        self.last_tick = last_tick
        if last_tick > 200:
            self.under_way.set()

    def status(self, record: Mapping[str, Any]) -> None:
        self.records.append(dict(record))


def process_of(team: PrivateRayTeam, chip: int) -> psutil.Process:
    return psutil.Process(ray.get(team._chips[chip].__ray_call__.remote(lambda actor: os.getpid())))


def traces() -> set[str]:
    """What a run could leave in this process and host: shared memory and open files, but Ray's own logs."""
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    opened = {target for target in map(os.readlink, links) if target.startswith("/")}
    ours = {target for target in opened if not target.endswith(".log (deleted)")}
    return {*ours, *map(str, Path("/dev/shm").iterdir())}


def test_a_chip_that_is_killed_fails_the_run_in_time_and_nothing_is_left() -> None:
    before, others = traces(), set(psutil.Process().children(recursive=True))
    plan = plan_of(microcircuit(0.02, seed=5, drive="poisson"), CHIPS)
    team, sink, control = PrivateRayTeam(plan), Watched(), RunControl("r1", ENDLESS)
    try:
        built = team.build(lambda phase, share: None)
        recordings = Recordings.of(plan.network, [chip.columns for chip in built])
        digest = total_digest(built)
        execution = Execution(plan, team, sink, control, recordings=recordings, synapse_digest=digest)
        victim = process_of(team, 1)
        running = threading.Thread(target=execution.run)
        running.start()
        assert sink.under_way.wait(STARTED_WITHIN_S)
        family = set(psutil.Process().children(recursive=True)) - others
        victim.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        running.join(NOTICED_WITHIN_S)
        assert not running.is_alive()
        assert time.monotonic() - killed < NOTICED_WITHIN_S
    finally:
        team.close()
    assert not ray.is_initialized()
    record = sink.records[-1]
    assert record["state"] == control.state == "failed"
    assert record["tick"] == control.tick == sink.last_tick > 200
    assert record["error"] == (
        f"chip (board 0, chip 1): its process died; last complete tick: {sink.last_tick}"
    )
    assert record["conservation"] is None
    pairs = np.concatenate(sink.pairs)
    digest = SpikeDigest(0.1, sink.last_tick, plan.network.n_neurons)
    digest.update(pairs[:, 0], pairs[:, 1])
    assert (record["digest"], record["n_spikes"]) == (digest.hexdigest(), len(pairs))
    assert len(pairs) > 0

    _, alive = psutil.wait_procs(family, timeout=NOTICED_WITHIN_S)
    assert alive == []
    assert traces() <= before
    assert not Path(team._folder.name).exists()
