"""Why a deployment could not be built, as its record says it: where, rule, value, what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from chip import SlotOverflow
from cluster.errors import ClusterError, DeploymentLost

_FULL = (errno.ENOSPC, errno.EDQUOT)
_ASKED_FOR = re.compile(r"Unable to allocate (\S+ \S+)")  # As NumPy says it.


def cause_of(problem: Exception) -> str:
    """Return what the record of a deployment says of an error that ended its building.

    Errors of ours say themselves what to do; an exhausted host is told as such, wherever it was noticed; what
    nobody foresaw is kept as it is, for who it is reported to.
    """
    origins = list(_origins(problem))
    if any(isinstance(origin, MemoryError) for origin in origins):
        return f"building failed: {_where(problem)}: {_memory(origins)}"
    if any(isinstance(origin, OSError) and origin.errno in _FULL for origin in origins):
        rule = "must have room for what is built, got none"
        return f"building failed: disk: {rule}; delete runs or arrays, or ask the operator for room"
    text = str(problem) or type(problem).__name__
    advised = isinstance(problem, ClusterError | SlotOverflow) and "; " in text
    return f"building failed: {text}" + ("" if advised else "; report it with the network's id")


def _origins(problem: BaseException | None) -> Iterator[BaseException]:
    """Give an error and those that it was raised from, also in another process (Ray's ``cause``)."""
    while problem is not None:
        yield problem
        remote = getattr(problem, "cause", None)
        problem = remote if isinstance(remote, BaseException) else problem.__cause__


def _where(problem: Exception) -> str:
    return str(problem).partition(": ")[0] if isinstance(problem, DeploymentLost) else "chips"


def _memory(origins: list[BaseException]) -> str:
    found = next(filter(None, (_ASKED_FOR.search(str(origin)) for origin in origins)), None)
    asked = found[1] if found else "more than that"
    rule = f"must be built within the host's free memory, got a need of {asked}"
    return f"{rule}; use more chips or release deployments"
