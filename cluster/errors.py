"""The ways a deployment can be refused or come to an end."""

from __future__ import annotations


class ClusterError(Exception):
    """Base of everything that `cluster` raises on purpose."""


class CapacityError(ClusterError, ValueError):
    """A network does not fit the system.

    Attributes
    ----------
    problems : tuple of str
        One line for each limit that is broken: where, rule, value, what to do.
    """

    def __init__(self, problems: tuple[str, ...] | list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[CapacityError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class DeploymentLost(ClusterError, RuntimeError):
    """What ran a deployment is gone: a chip, its coordinator or the Ray head died."""


class RunConflict(ClusterError, RuntimeError):
    """The deployment or run is in a state that does not allow the action; nothing was changed."""


class RefusedQuery(ClusterError, ValueError):
    """A query names what there is not, or asks for more than is answered.

    Attributes
    ----------
    path : str
        Which part of the query.
    message : str
        Rule, value, what to do.
    """

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"{path}: {message}")

    def __reduce__(self) -> tuple[type[RefusedQuery], tuple[str, str]]:
        return type(self), (self.path, self.message)


class WorkerAborted(ClusterError, RuntimeError):
    """A chip stopped because another part of its deployment raised the abort word."""


class ArraysLost(ClusterError, RuntimeError):
    """Uploaded arrays that a network names are not there, or are not what was stored."""
