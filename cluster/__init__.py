"""From a network to running chips: plan, lower, exchange, run; in threads or in Ray actors.

What it is not: the emulated chip (`chip`), where events go (`router`), or the web (`api`). Start reading at
`cluster.plan` (everything that all parts agree on), `cluster.lowering` (a chip's specification),
`cluster.loop` (the compiled worker loop) with `cluster.exchange`, then `cluster.execution` (a run) and
`cluster.coordinator`.
"""

from cluster.check import check
from cluster.errors import CapacityError, ClusterError, DeploymentLost, RunConflict
from cluster.fit import FitReport, LimitUse, fit, require_fit
from cluster.fleet import Action, Fleet
from cluster.local import RunOutcome, run_local
from cluster.local_fleet import LocalFleet
from cluster.options import DeployOptions
from cluster.room import Room
from cluster.systems import DEFAULT_SYSTEM, SYSTEMS, ChipLimits, LevelSpec, System

__all__ = [
    "DEFAULT_SYSTEM",
    "SYSTEMS",
    "Action",
    "CapacityError",
    "ChipLimits",
    "ClusterError",
    "DeployOptions",
    "DeploymentLost",
    "FitReport",
    "Fleet",
    "LevelSpec",
    "LimitUse",
    "LocalFleet",
    "Room",
    "RunConflict",
    "RunOutcome",
    "System",
    "check",
    "fit",
    "require_fit",
    "run_local",
]
