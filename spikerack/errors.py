"""What can go wrong between a client and the service; one class for each family of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SpikerackError(Exception):
    """Base of everything that the client raises on purpose."""


class ProblemError(SpikerackError):
    """The service answered with a problem (RFC 9457).

    Parameters
    ----------
    request : str
        What was asked, e.g. ``POST /v1/deployments``.
    status : int
        HTTP status.
    problem : mapping
        The problem document: type, title, detail and its extensions.
    """

    def __init__(self, request: str, status: int, problem: Mapping[str, Any]) -> None:
        self.request = request
        self.status = status
        self.problem = dict(problem)
        super().__init__(_message(request, status, self.problem))

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, int, dict[str, Any]]]:
        return type(self), (self.request, self.status, self.problem)

    @property
    def type(self) -> str:
        """The problem's stable type, e.g. ``/problems/does-not-fit``."""
        return str(self.problem.get("type", "about:blank"))


class InvalidRequestError(ProblemError, ValueError):
    """The request cannot be carried out as it is (400, 404 excepted, 405, 406, 413, 415, 422)."""


class AuthError(ProblemError, PermissionError):
    """The API key is missing, unknown, or not allowed to do this (401, 403)."""


class NotFoundError(ProblemError, LookupError):
    """There is no such thing, or it belongs to somebody else (404)."""


class ConflictError(ProblemError, RuntimeError):
    """The state of what was asked for forbids it; nothing was changed (409)."""


class BusyError(ProblemError, RuntimeError):
    """The service has no room now, and the client's patience is over (429, 503)."""


class ServerError(ProblemError, RuntimeError):
    """The service failed (any other 5xx)."""


class AccessError(SpikerackError, ValueError):
    """The service's address is not one."""


class OutputError(SpikerackError, ValueError):
    """A file that was asked for cannot be written."""


class UnreachableError(SpikerackError, ConnectionError):
    """The service could not be reached within the client's patience."""


class StreamError(SpikerackError, RuntimeError):
    """A stream broke its protocol or was refused for good."""


class DeploymentFailedError(SpikerackError, RuntimeError):
    """A deployment could not be built.

    Attributes
    ----------
    record : dict
        The deployment as the service describes it.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = dict(record)
        super().__init__(f"deployment {record['id']} is {record['state']}: {record.get('error')}")

    def __reduce__(self) -> tuple[type[DeploymentFailedError], tuple[dict[str, Any]]]:
        return type(self), (self.record,)


class RunFailedError(SpikerackError, RuntimeError):
    """A run ended as `failed`.

    Attributes
    ----------
    record : dict
        The run as the service describes it; `tick` and `error` say when and why.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = dict(record)
        super().__init__(f"run {record['id']} failed at tick {record['tick']}: {record.get('error')}")

    def __reduce__(self) -> tuple[type[RunFailedError], tuple[dict[str, Any]]]:
        return type(self), (self.record,)


_BY_STATUS: dict[int, type[ProblemError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    409: ConflictError,
    429: BusyError,
    503: BusyError,
}


def problem_error(request: str, status: int, problem: Mapping[str, Any]) -> ProblemError:
    """Return the error that stands for a problem document."""
    family = ServerError if status >= 500 else InvalidRequestError
    return _BY_STATUS.get(status, family)(request, status, problem)


def _message(request: str, status: int, problem: Mapping[str, Any]) -> str:
    what = problem.get("detail") or problem.get("title") or "no explanation given"
    unsaid = [error for error in problem.get("errors", ()) if error["message"] not in what]
    return "\n".join(
        [f"{request}: {status}, {what}", *(f"  {error['path']}: {error['message']}" for error in unsaid)]
    )
