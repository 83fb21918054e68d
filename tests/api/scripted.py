"""A fleet whose runs do what a test says, tick by tick, through the real run files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cluster.errors import DeploymentLost, RunConflict
from cluster.fleet import Action
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.recordings import RecordedSynapses, Recordings, recorded_mask, recorded_neurons
from cluster.runfile import TERMINAL, RunWriter, now, read_record, write_record
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage, Synapses, Window, read_page
from cluster.systems import SYSTEMS, System
from network import Network, SpikeDigest

NEXT = {"pause": "paused", "resume": "running", "step": "paused", "cancel": "cancelled"}


class ScriptedFleet:
    """Implements `cluster.Fleet`. Nothing moves unless a test moves it.

    Parameters
    ----------
    data : Path
        The data folder that it shares with the gateway.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.is_ready = True
        self.next_state = "ready"
        self.networks: dict[str, Network] = {}
        self.writers: dict[str, RunWriter] = {}
        self.digests: dict[str, tuple[SpikeDigest, SpikeDigest]] = {}
        self.masks: dict[str, NDArray[np.bool_] | None] = {}
        self.synapses_of: dict[int, RecordedSynapses] = {}
        self.recordings: dict[str, list[dict[str, Any]]] = {}
        self.owners: dict[str, str] = {}
        self.ticks: dict[str, int] = {}
        self._lost: dict[str, str] = {}

    def deploy(self, deployment_id: str, network: Network, system: System, options: DeployOptions) -> None:
        self.networks[deployment_id] = network
        self.build(deployment_id, self.next_state)

    def build(self, deployment_id: str, state: str, **more: Any) -> None:
        folder = self.data / "deployments" / deployment_id
        folder.mkdir(parents=True, exist_ok=True)
        record = {"state": state, "phase": state, "progress": 1.0, "error": None, "report": {"chips": []}}
        write_record(folder / "status.json", record | more)

    def start_run(self, deployment_id: str, run_id: str, n_ticks: int) -> None:
        if deployment_id not in self.networks:
            raise DeploymentLost(f"deployment {deployment_id}: must be alive, and is gone; deploy again")
        if any(self._status(other)["state"] not in TERMINAL for other in self.writers):
            raise RunConflict(
                f"deployment {deployment_id}: must have no active run, has one; wait for its end"
            )
        network, recorded = self.networks[deployment_id], recorded_neurons(self.networks[deployment_id])
        recordings = Recordings(network, (), self.synapses_of)
        members = [
            {"name": m.name, "first": network.offsets[m.name], "size": m.size, "kind": "population"}
            for m in network.members
        ]
        meta: dict[str, Any] = {
            "run": run_id,
            "timestep_ms": network.timestep_ms,
            "n_ticks": n_ticks,
            "n_neurons": network.n_neurons,
            "seed": network.seed,
            "populations": members,
            "recorded": None if recorded is None else [[r.start, r.stop, r.step] for r in recorded],
            "recordings": recordings.describe(),
        }
        self.owners[run_id] = deployment_id
        self.recordings[run_id] = meta["recordings"]
        self.writers[run_id] = RunWriter(self.data / "runs" / run_id, meta, self.synapses_of)
        self.masks[run_id] = recorded_mask(network)
        sizes = network.timestep_ms, n_ticks, network.n_neurons
        self.digests[run_id] = SpikeDigest(*sizes), SpikeDigest(*sizes)
        self.ticks[run_id] = 0
        self._write(run_id, "running", n_ticks=n_ticks)

    def advance(self, run_id: str, to_tick: int, pairs: ArrayLike = ()) -> None:
        """Complete the ticks up to, and not with, `to_tick`, with these (tick, neuron) spikes.

        A value that is recorded in tick t is t + 0.25 times the index of the recorded neuron or synapse.
        """
        spikes, mask = np.asarray(pairs, np.uint32).reshape(-1, 2), self.masks[run_id]
        kept = spikes if mask is None else spikes[mask[spikes[:, 1]]]
        for digest, counted in zip(self.digests[run_id], (spikes, kept), strict=True):
            digest.update(counted[:, 0], counted[:, 1])
        states = [_samples(spec, self.ticks[run_id], to_tick) for spec in self.recordings[run_id]]
        self.writers[run_id].append(to_tick, kept, states)
        self.ticks[run_id] = to_tick
        self._write(run_id, self._status(run_id)["state"])

    def end(self, run_id: str, state: str = "complete") -> str:
        digest, recorded = (digest.hexdigest(self.ticks[run_id]) for digest in self.digests[run_id])
        self._write(run_id, state, digest=digest, recorded_digest=recorded, ended=now())
        self.writers[run_id].close()
        return digest

    def lose(self, deployment_id: str, cause: str) -> None:
        del self.networks[deployment_id]
        self._lost[deployment_id] = cause

    def control(self, deployment_id: str, run_id: str, action: Action, ticks: int | None = None) -> int:
        if deployment_id not in self.networks:
            raise DeploymentLost(f"deployment {deployment_id}: must be alive, and is gone; deploy again")
        if self._status(run_id).get("state", "complete") in TERMINAL:
            raise RunConflict(f"run {run_id}: {action} needs an active run, and it has ended; start another")
        if action == "cancel":
            self.end(run_id, "cancelled")
        else:
            self.ticks[run_id] += ticks or 0
            self._write(run_id, NEXT[action])
        return self.ticks[run_id]

    def synapses(
        self, deployment_id: str, query: SynapseQuery, limit: int, begin: tuple[int, int]
    ) -> SynapsePage:
        """Read a network in which every pair that is asked for has one synapse of receptor 0.

        Its delay is the target's number within its population plus 1, its weight the source's times 0.25.
        """
        if deployment_id not in self.networks:
            raise DeploymentLost(f"deployment {deployment_id}: must be alive, and is gone; deploy again")
        plan = Plan(self.networks[deployment_id], SYSTEMS["rack-2x2"], DeployOptions())
        listed = partial(_every_pair, plan.member_first)
        return read_page(plan, query, lambda window: [listed(window)], limit=limit, begin=begin)

    def release(self, deployment_id: str) -> None:
        self.networks.pop(deployment_id, None)
        for run_id in self.writers:
            if self.owners[run_id] == deployment_id and self._status(run_id)["state"] not in TERMINAL:
                self.end(run_id, "cancelled")

    def lost(self) -> dict[str, str]:
        lost, self._lost = self._lost, {}
        return lost

    def ready(self) -> bool:
        return self.is_ready

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()

    def _status(self, run_id: str) -> dict[str, Any]:
        return read_record(self.data / "runs" / run_id / "status.json") or {}

    def _write(self, run_id: str, state: str, **more: Any) -> None:
        before = self._status(run_id) or {"realtime_factor": 2.0, "engine_version": "1", "started": now()}
        n_spikes, n_recorded = (digest.n_spikes for digest in self.digests[run_id])
        counts = {"tick": self.ticks[run_id], "n_spikes": n_spikes, "n_recorded_spikes": n_recorded}
        counts |= {"progress": 0.5}
        record = before | counts | {"state": state} | more
        write_record(self.data / "runs" / run_id / "status.json", record)


def _every_pair(firsts: tuple[int, ...], window: Window) -> Synapses:
    parts = []
    for number, pair in window:
        source, target = (grid.ravel() for grid in np.meshgrid(pair.sources, pair.targets, indexing="ij"))
        parts.append(
            Synapses(
                source=(source + firsts[pair.source]).astype(np.uint32),
                target=(target + firsts[pair.target]).astype(np.uint32),
                delay_ticks=(target + 1).astype(np.uint16),
                weight=0.25 * source,
                kind=np.full(source.size, number << 8, np.int64),
            )
        )
    return Synapses.joined(parts)


def _samples(spec: dict[str, Any], from_tick: int, to_tick: int) -> NDArray[np.float64]:
    if spec["kind"] == "spikes":
        return np.empty((0, 0))
    every, n = spec["interval_ticks"], spec["n_synapses" if spec["kind"] == "weights" else "n_neurons"]
    ticks = (np.arange(from_tick // every, to_tick // every) + 1) * every - 1
    return ticks[:, None] + 0.25 * np.arange(n)
