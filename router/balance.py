"""The account of one kind of event: sent = delivered + in flight + dropped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Any, SupportsIndex

from router.errors import CountError

ADDRESS_EVENTS = "address events"
SYNAPTIC_EVENTS = "synaptic events"


@dataclass(frozen=True, slots=True, repr=False)
class Balance:
    """The account of one kind of event.

    Prints as ``address events: 1200 sent = 1180 delivered + 20 in flight + 0 dropped``, with ``!=`` where it
    does not add up and the reasons in brackets where something was dropped.

    Parameters
    ----------
    kind : str
        What is counted.
    sent : int
        Events that were to be delivered, one for each destination.
    delivered : int
        Events that were.
    in_flight : int
        Events emitted but not yet received when the count was taken.
    dropped : mapping of str to int
        Events that will never be delivered, by reason.

    Raises
    ------
    CountError
        If a count is negative.
    """

    kind: str
    sent: int
    delivered: int
    in_flight: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("sent", "delivered", "in_flight"):
            object.__setattr__(self, name, check_count(self.kind, name, getattr(self, name)))
        dropped = {
            reason: check_count(self.kind, f"dropped ({reason})", n) for reason, n in self.dropped.items()
        }
        object.__setattr__(self, "dropped", dropped)

    @property
    def n_dropped(self) -> int:
        """Events dropped for whatever reason."""
        return sum(self.dropped.values())

    @property
    def holds(self) -> bool:
        """Whether every event sent is accounted for."""
        return self.sent == self.delivered + self.in_flight + self.n_dropped

    @property
    def lossless(self) -> bool:
        """Whether every event sent was delivered or still will be."""
        return self.holds and self.n_dropped == 0

    def to_dict(self) -> dict[str, Any]:
        """Return the account for JSON: ``{sent, delivered, in_flight, dropped: {reason: n}}``."""
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "in_flight": self.in_flight,
            "dropped": dict(self.dropped),
        }

    def __repr__(self) -> str:
        sign = "=" if self.holds else "!="
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.dropped.items() if n)
        counts = f"{self.delivered} delivered + {self.in_flight} in flight + {self.n_dropped} dropped"
        return f"{self.kind}: {self.sent} sent {sign} {counts}" + (f" ({reasons})" if reasons else "")


def merge_balances(balances: Sequence[Balance]) -> Balance:
    """Return the account of several of one kind together, of which there is at least one."""
    dropped: Counter[str] = Counter()
    for balance in balances:
        dropped.update(balance.dropped)
    return Balance(
        kind=balances[0].kind,
        sent=sum(balance.sent for balance in balances),
        delivered=sum(balance.delivered for balance in balances),
        in_flight=sum(balance.in_flight for balance in balances),
        dropped=dropped,
    )


def check_count(kind: str, name: str, value: SupportsIndex) -> int:
    """Return a count as a plain integer, which JSON knows and which does not overflow.

    Raises
    ------
    CountError
        If it is negative.
    """
    count = index(value)
    if count < 0:
        raise CountError(
            kind, f"{name} counts from 0", count, "check for an overflow, or a difference taken the wrong way"
        )
    return count
