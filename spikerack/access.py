"""Where the service is and who is asking: arguments first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from spikerack.errors import AccessError

DEFAULT_URL = "http://127.0.0.1:8787"


@dataclass(frozen=True)
class Access:
    """A service's address and the key to it; the key is never printed."""

    url: str
    api_key: str | None = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}


def access(url: str | None, api_key: str | None, *, environment: Mapping[str, str] = os.environ) -> Access:
    """Return the access that the arguments ask for, or else ``SPIKERACK_URL`` and ``SPIKERACK_API_KEY``.

    Raises
    ------
    AccessError
        The URL is not one of a web service.
    """
    chosen = url or environment.get("SPIKERACK_URL") or DEFAULT_URL
    if not chosen.startswith(("http://", "https://")):
        raise AccessError(f"url: must begin with http:// or https://, got {chosen!r}; e.g. {DEFAULT_URL}")
    return Access(chosen.rstrip("/"), api_key or environment.get("SPIKERACK_API_KEY") or None)
