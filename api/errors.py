"""The ways a request or a stream can be refused. `api.problems` says how each is answered."""

from __future__ import annotations

from typing import Any


class GatewayError(Exception):
    """Base of everything that the gateway raises on purpose.

    Parameters
    ----------
    detail : str
        Where: rule, got value; what to do.
    **extra
        Numbers and names of this occurrence. They become members of the problem document.
        `retry_after`, in seconds, becomes the header ``Retry-After`` too.
    """

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.detail, self.extra)


def _again(kind: type[GatewayError], detail: str, extra: dict[str, Any]) -> GatewayError:
    return kind(detail, **extra)


class MalformedRequest(GatewayError, ValueError):
    """A body is not JSON."""


class InvalidRequest(GatewayError, ValueError):
    """A parameter or a body is not what the API takes."""


class UnsupportedSubprotocol(GatewayError, ValueError):
    """A stream was asked for in a protocol that is not spoken here."""


class Unauthorized(GatewayError, PermissionError):
    """No key, or one that is not valid."""


class Forbidden(GatewayError, PermissionError):
    """A valid key that lacks the scope, or a web page from an origin that is not allowed."""


class NotFound(GatewayError, LookupError):
    """Nothing of this id belongs to the caller."""


class NotAcceptable(GatewayError, ValueError):
    """No format that the client accepts is on offer."""


class RefusedTransition(GatewayError, RuntimeError):
    """The state of a deployment or run does not allow the action."""


class NetworkInUse(GatewayError, RuntimeError):
    """A network with live deployments cannot be deleted."""


class ArraysInUse(GatewayError, RuntimeError):
    """Arrays that a stored network names cannot be deleted."""


class IdempotencyInProgress(GatewayError, RuntimeError):
    """The first request with this Idempotency-Key has not been answered yet."""


class IdempotencyMismatch(GatewayError, ValueError):
    """An Idempotency-Key came back with another body."""


class UnsupportedMediaType(GatewayError, ValueError):
    """The body is of a type that the resource does not take."""


class OverLimit(GatewayError, ValueError):
    """An estimate is above what this service ever takes."""


class QuotaExceeded(GatewayError, RuntimeError):
    """The caller holds as many of something as one owner may."""


class NoCapacity(GatewayError, RuntimeError):
    """It would fit, but not beside what is deployed now."""


class Unavailable(GatewayError, RuntimeError):
    """A part of the service that is needed does not answer."""


class SlowViewer(GatewayError, TimeoutError):
    """A viewer did not read for so long that its stream was closed."""


class UnexpectedMessage(GatewayError, ValueError):
    """A viewer sent something on a stream that only flows the other way."""
