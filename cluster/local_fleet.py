"""The fleet in threads of this process: for tests, notebooks and a service without Ray."""

from __future__ import annotations

from pathlib import Path

from cluster.arrays import arrays_of
from cluster.check import check
from cluster.coordinator import Coordinator
from cluster.errors import DeploymentLost
from cluster.fit import require_fit
from cluster.fleet import Action
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage
from cluster.systems import System
from cluster.team import ThreadTeam
from network import Network


class LocalFleet:
    """Runs every deployment in this process; all end with it.

    Parameters
    ----------
    data : Path
        The data folder.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self._coordinators: dict[str, Coordinator] = {}

    def deploy(self, deployment_id: str, network: Network, system: System, options: DeployOptions) -> None:
        """Begin to build a deployment."""
        check(network)
        require_fit(network, system, options)
        plan = Plan(network, system, options, arrays_of(self.data))
        self._coordinators[deployment_id] = Coordinator(deployment_id, plan, self.data, ThreadTeam)

    def start_run(self, deployment_id: str, run_id: str, n_ticks: int) -> None:
        """Begin a run."""
        self._of(deployment_id).start_run(run_id, n_ticks)

    def control(self, deployment_id: str, run_id: str, action: Action, ticks: int | None = None) -> int:
        """Pause, resume, step or cancel a run; return the tick."""
        return self._of(deployment_id).control(run_id, action, ticks)

    def synapses(
        self, deployment_id: str, query: SynapseQuery, limit: int, begin: tuple[int, int]
    ) -> SynapsePage:
        """Return a part of the synapses that a query asks for."""
        return self._of(deployment_id).synapses(query, limit, begin)

    def release(self, deployment_id: str) -> None:
        """End a deployment."""
        coordinator = self._coordinators.pop(deployment_id, None)
        if coordinator is not None:
            coordinator.close()

    def lost(self) -> dict[str, str]:
        """Return nothing: threads do not die alone."""
        return {}

    def ready(self) -> bool:
        """Whether new deployments can be taken: always."""
        return True

    def close(self) -> None:
        """End all deployments."""
        for deployment_id in list(self._coordinators):
            self.release(deployment_id)

    def _of(self, deployment_id: str) -> Coordinator:
        if deployment_id not in self._coordinators:
            raise DeploymentLost(
                f"deployment {deployment_id!r}: its chips are gone; deploy the network again"
            )
        return self._coordinators[deployment_id]
