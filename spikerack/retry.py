"""When to try again: jittered, growing delays that honour Retry-After, within a deadline.

The delays are those of `websockets`; here they get jitter, the server's wish and an end.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from websockets.client import backoff

from spikerack.errors import UnreachableError

RETRIED_STATUSES = frozenset({429, 502, 503, 504})


class Patience:
    """Decides how long to wait before the next attempt, and when to give up.

    Parameters
    ----------
    limit_s : float
        Seconds from the first failure in a row until giving up.
    clock : callable
        Monotonic seconds.
    jitter : callable
        Uniform numbers in [0, 1), which keep many clients from coming back at the same moment.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._jitter = jitter
        self._since: float | None = None
        self._delays: Generator[float] | None = None

    def reset(self) -> None:
        """Forget the failures: something worked."""
        self._since = self._delays = None

    def delay_s(self, cause: str, retry_after_s: float | None = None) -> float:
        """Return the seconds to wait before the next attempt.

        Parameters
        ----------
        cause : str
            What just failed, for the error's message.
        retry_after_s : float or None
            What the server asked for; it is never undercut.

        Raises
        ------
        UnreachableError
            The wait would end after the deadline.
        """
        now = self._clock()
        if self._since is None or self._delays is None:
            self._since, self._delays = now, backoff(0.2, 0.2, 5.0)
        delay = next(self._delays) * (0.5 + 0.5 * self._jitter())
        delay = max(delay, retry_after_s or 0.0)
        if now + delay - self._since > self.limit_s:
            raise UnreachableError(
                f"{cause}; gave up after {now - self._since:.1f} s of trying (limit {self.limit_s:g} s); "
                "check that the service runs and that the URL is right"
            )
        return delay


def parse_retry_after(header: str | None, *, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or an HTTP date."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
