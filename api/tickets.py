"""One-use tickets: how a browser, which cannot set headers on a websocket, shows that it holds a key."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

from api.errors import Unauthorized
from api.keys import Key

LIFE_S = 30.0
MOST = 10_000


class Tickets:
    """Tickets that have not been used. They live in memory: their life is shorter than a restart.

    Parameters
    ----------
    clock : callable
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[bytes, tuple[float, Key]] = {}

    def issue(self, key: Key) -> str:
        """Return a new ticket for the holder of `key`; the oldest ones give way when there are too many."""
        self._forget_old()
        ticket = secrets.token_urlsafe(24)
        self._open[_hash(ticket)] = (self._clock() + LIFE_S, key)
        return ticket

    def redeem(self, ticket: str) -> Key:
        """Use up a ticket; return the key it stands for.

        Raises
        ------
        Unauthorized
            It is unknown, used, or older than `LIFE_S`.
        """
        until, key = self._open.pop(_hash(ticket), (0.0, None))
        if key is None or until <= self._clock():
            raise Unauthorized(
                f"ticket: must be unused and at most {LIFE_S:.0f} s old, and is not; ask for a new one"
            )
        return key

    def _forget_old(self) -> None:
        at = self._clock()
        keep = [(name, entry) for name, entry in self._open.items() if entry[0] > at]
        self._open = dict(keep[-(MOST - 1) :])


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
