"""The fleet behind Ray: a detached, named coordinator actor a deployment, reached by address.

The gateway may die and come back while runs go on: coordinators are detached, their names are the
deployments' ids, and all that is worth knowing is in the data folder.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

import ray

from cluster.arrays import arrays_of
from cluster.check import check
from cluster.coordinator import Coordinator
from cluster.errors import ClusterError, DeploymentLost
from cluster.fit import require_fit
from cluster.fleet import Action
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.ray_team import RayTeam
from cluster.runfile import read_record
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage
from cluster.systems import System
from network import Network

NAMESPACE = "spikerack"

_CALL_SECONDS = 90.0
_CONNECT_SECONDS = 1.0
_RELEASE_SECONDS = 15.0
_ON_THE_HEAD = {"node:__internal_head__": 0.001}
_LIVE = frozenset({"building", "ready"})


@ray.remote(num_cpus=0, max_restarts=0, max_concurrency=16)
class CoordinatorActor:
    """A `Coordinator` in a process of its own."""

    def __init__(self, deployment_id: str, plan: Plan, data: str) -> None:
        self._coordinator = Coordinator(deployment_id, plan, Path(data), RayTeam)

    def start_run(self, run_id: str, n_ticks: int) -> None:
        """Begin a run."""
        self._coordinator.start_run(run_id, n_ticks)

    def control(self, run_id: str, action: Action, ticks: int | None) -> int:
        """Pause, resume, step or cancel a run."""
        return self._coordinator.control(run_id, action, ticks)

    def synapses(self, query: SynapseQuery, limit: int, begin: tuple[int, int]) -> SynapsePage:
        """Return a part of the synapses that a query asks for."""
        return self._coordinator.synapses(query, limit, begin)

    def close(self) -> None:
        """End all that belongs to the deployment."""
        self._coordinator.close()

    def watch(self) -> None:
        """Never return: who waits for the answer is told of this process's death."""
        threading.Event().wait()


class RayFleet:
    """Deployments on a Ray cluster.

    Parameters
    ----------
    address : str
        ``host:port`` of the cluster's head.
    data : Path
        The data folder, which the head's host sees under the same path.
    namespace : str
        Where the coordinators' names live.
    """

    def __init__(self, address: str, data: Path, namespace: str = NAMESPACE) -> None:
        self.address, self.data, self.namespace = address, data, namespace
        self._lock = threading.RLock()
        self._watched: dict[str, tuple[Any, Any]] = {}
        self._lost: dict[str, str] = {}
        self._connected = False
        self._connect()

    def deploy(self, deployment_id: str, network: Network, system: System, options: DeployOptions) -> None:
        """Begin to build a deployment."""
        check(network)
        require_fit(network, system, options)
        plan = Plan(network, system, options, arrays_of(self.data))
        with self._lock:
            self._require_head()
            actor = CoordinatorActor.options(  # type: ignore[attr-defined]
                name=deployment_id, namespace=self.namespace, lifetime="detached", resources=_ON_THE_HEAD
            ).remote(deployment_id, plan, str(self.data))
            self._watch(deployment_id, actor)

    def start_run(self, deployment_id: str, run_id: str, n_ticks: int) -> None:
        """Begin a run."""
        self._call(deployment_id, "start_run", run_id, n_ticks)

    def control(self, deployment_id: str, run_id: str, action: Action, ticks: int | None = None) -> int:
        """Pause, resume, step or cancel a run; return the tick."""
        return int(self._call(deployment_id, "control", run_id, action, ticks))

    def synapses(
        self, deployment_id: str, query: SynapseQuery, limit: int, begin: tuple[int, int]
    ) -> SynapsePage:
        """Return a part of the synapses that a query asks for."""
        page: SynapsePage = self._call(deployment_id, "synapses", query, limit, begin)
        return page

    def release(self, deployment_id: str) -> None:
        """End a deployment."""
        with self._lock:
            actor, _ = self._watched.pop(deployment_id, (None, None))
        if actor is None or not self._head_answers():
            return
        with contextlib.suppress(ray.exceptions.RayError):
            ray.get(actor.close.remote(), timeout=_RELEASE_SECONDS)
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            ray.kill(actor)

    def lost(self) -> dict[str, str]:
        """Return the deployments that died since the last call, with the cause of each."""
        with self._lock:
            if self._connected and not self._head_answers():
                self._lose_all("the Ray head died")
            elif self._connected:
                self._look()
            elif self._head_answers():
                self._connect()
            lost, self._lost = self._lost, {}
            return lost

    def ready(self) -> bool:
        """Whether the head answers."""
        return self._connected and self._head_answers()

    def close(self) -> None:
        """Disconnect; deployments go on."""
        with self._lock:
            self._connected = False
            ray.shutdown()

    def _connect(self) -> None:
        """Connect, and find the deployments that were made before; those that are gone are lost."""
        # A head that died is let go only here: it may take seconds, which `lost` must not wait for.
        ray.shutdown()
        ray.init(address=self.address, namespace=self.namespace, log_to_driver=False, configure_logging=False)
        self._connected = True
        for path in sorted((self.data / "deployments").glob("*/status.json")):
            deployment_id = path.parent.name
            if (read_record(path) or {}).get("state") in _LIVE and deployment_id not in self._watched:
                try:
                    self._watch(deployment_id, ray.get_actor(deployment_id, self.namespace))
                except ValueError:
                    self._lost[deployment_id] = "its coordinator is gone"

    def _watch(self, deployment_id: str, actor: Any) -> None:
        self._watched[deployment_id] = (actor, actor.watch.remote())

    def _look(self) -> None:
        """Find the coordinators that have died."""
        watches = {watch: deployment_id for deployment_id, (_, watch) in self._watched.items()}
        if not watches:
            return
        done, _ = ray.wait(list(watches), num_returns=len(watches), timeout=0)
        for watch in done:
            deployment_id = watches[watch]
            del self._watched[deployment_id]
            self._lost[deployment_id] = "its coordinator died"

    def _lose_all(self, cause: str) -> None:
        self._lost |= dict.fromkeys(self._watched, cause)
        self._watched.clear()
        self._connected = False

    def _call(self, deployment_id: str, method: str, *arguments: Any) -> Any:
        with self._lock:
            self._require_head()
            actor, _ = self._watched.get(deployment_id, (None, None))
        if actor is None:
            raise DeploymentLost(
                f"deployment {deployment_id!r}: its chips are gone; deploy the network again"
            )
        try:
            return ray.get(getattr(actor, method).remote(*arguments), timeout=_CALL_SECONDS)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ClusterError):
                raise error.cause from None
            raise
        except ray.exceptions.RayError as error:
            raise DeploymentLost(f"deployment {deployment_id!r}: its coordinator does not answer") from error

    def _require_head(self) -> None:
        if not self._connected:
            raise DeploymentLost(
                f"Ray head {self.address}: it must be reachable, got no answer; try again in a moment"
            )

    def _head_answers(self) -> bool:
        host, _, port = self.address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS):
                return True
        except OSError:
            return False
