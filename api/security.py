"""Who calls, and whether they may: parameters for routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers

from api.errors import Forbidden, Unauthorized
from api.gateway import Gateway, TheGateway
from api.keys import ANYBODY, Key, Scope

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    bearerFormat="srk_<id>_<secret>",
    description="The first key is printed when the gateway starts on an empty data folder.",
)


def key_of_token(gateway: Gateway, token: str | None) -> Key:
    """Return the caller's key.

    Raises
    ------
    Unauthorized
        There is no token, or it is not valid.
    """
    if not gateway.settings.auth:
        return ANYBODY
    if token is None:
        raise Unauthorized(
            "Authorization: must be 'Bearer srk_<id>_<secret>', got nothing of the kind; send an API key"
        )
    return gateway.keys.check(token)


def token_of(headers: Headers) -> str | None:
    """Return the bearer token of a request's headers."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def require_scope(key: Key, scope: Scope) -> Key:
    """Return `key` if it has the scope.

    Raises
    ------
    Forbidden
        It has not.
    """
    if scope not in key.scopes:
        raise Forbidden(
            f"API key {key.id}: needs the scope {scope}, has {', '.join(sorted(key.scopes)) or 'none'}"
        )
    return key


def _caller(
    gateway: TheGateway, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Key:
    return key_of_token(gateway, credentials.credentials if credentials else None)


def _reader(key: Annotated[Key, Depends(_caller)]) -> Key:
    return require_scope(key, "read")


def _runner(key: Annotated[Key, Depends(_caller)]) -> Key:
    return require_scope(key, "run")


def _admin(key: Annotated[Key, Depends(_caller)]) -> Key:
    return require_scope(key, "admin")


Reader = Annotated[Key, Depends(_reader)]
"""The caller, who may read."""
Runner = Annotated[Key, Depends(_runner)]
"""The caller, who may store, deploy and run."""
Admin = Annotated[Key, Depends(_admin)]
"""The caller, who may make and revoke keys."""
