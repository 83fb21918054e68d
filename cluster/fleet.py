"""How the service reaches the chips: one protocol, with Ray or with threads of this process behind it."""

from __future__ import annotations

from typing import Literal, Protocol

from cluster.options import DeployOptions
from cluster.synapsequery import SynapseQuery
from cluster.synapses import SynapsePage
from cluster.systems import System
from network import Network

Action = Literal["pause", "resume", "step", "cancel"]


class Fleet(Protocol):
    """Deploys networks and controls runs. State is read from the data folder's records, not from here.

    ``deployments/<id>/status.json`` and ``runs/<id>/`` (see `cluster.runfile`) are written by what runs the
    deployment; they stay readable when it is gone.
    """

    def deploy(self, deployment_id: str, network: Network, system: System, options: DeployOptions) -> None:
        """Begin to build a deployment; returns at once.

        Raises
        ------
        DeploymentLost
            The backend cannot be reached.
        """

    def start_run(self, deployment_id: str, run_id: str, n_ticks: int) -> None:
        """Begin a run of `n_ticks` from tick 0, with all state as deployed.

        Raises
        ------
        RunConflict
            The deployment is not ready, or has an active run.
        DeploymentLost
            It is gone.
        """

    def control(self, deployment_id: str, run_id: str, action: Action, ticks: int | None = None) -> int:
        """Pause, resume, step or cancel a run at its next boundary; return the tick where it took effect.

        Raises
        ------
        RunConflict
            The run's state does not allow it.
        DeploymentLost
            It is gone.
        """

    def synapses(
        self, deployment_id: str, query: SynapseQuery, limit: int, begin: tuple[int, int]
    ) -> SynapsePage:
        """Return at most `limit` synapses, from `begin` on, as they stand in the chips' memories now.

        Raises
        ------
        RunConflict
            The deployment is not ready.
        RefusedQuery
            The query names what there is not, or asks for too much.
        DeploymentLost
            It is gone.
        """

    def release(self, deployment_id: str) -> None:
        """End a deployment and all that belongs to it. Idempotent."""

    def lost(self) -> dict[str, str]:
        """Return the deployments that died since the last call, with the cause of each."""

    def ready(self) -> bool:
        """Whether new deployments can be taken."""

    def close(self) -> None:
        """Let go of the backend. With Ray, deployments go on; with threads they end."""
