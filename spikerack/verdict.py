"""Whether a run is what it should be: against the service's own other answers, and against NEST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikerack.reference import RateBand
from spikerack.spikes import Spikes
from spikerack.stream import StreamState
from spikerack.views import RunView, digest_of


@dataclass(frozen=True)
class Check:
    """Something that must hold, and what was found."""

    claim: str
    found: str
    holds: bool


@dataclass(frozen=True)
class RateCheck:
    """A population's mean rate beside that of a reference simulator."""

    population: str
    rate_hz: float
    band: RateBand

    @property
    def holds(self) -> bool:
        """Whether the rate is in the reference's band."""
        return self.band.holds(self.rate_hz)


def rate_checks(rates_hz: Mapping[str, float], bands: Mapping[str, RateBand]) -> list[RateCheck]:
    """Return a check for each population that the reference has; one that did not report has rate nan."""
    return [RateCheck(name, rates_hz.get(name, float("nan")), band) for name, band in bands.items()]


def placement_check(report: Mapping[str, Any], *, n_chips: int, n_boards: int) -> Check:
    """Return whether a mapping report names so many chips, on so many boards."""
    chips = {chip["chip"] for chip in report["chips"]}
    boards = {chip.partition(",")[0] for chip in chips}
    found = f"{len(chips)} chips on {len(boards)} boards"
    return Check(
        f"it ran on {n_chips} chips on {n_boards} boards",
        found,
        (len(chips), len(boards)) == (n_chips, n_boards),
    )


def run_checks(run: RunView, stream: StreamState, spikes: Spikes) -> list[Check]:
    """Return what must hold of a finished run that was streamed from its beginning and then fetched."""
    record = run.record
    counts = (stream.n_spikes, len(spikes), record["n_recorded_spikes"])
    digests = (stream.digest, digest_of(spikes, run.tick), run.recorded_digest)
    return [
        Check(
            "the run is complete", f"{run.state}, {run.tick:,} of {record['n_ticks']:,} ticks", _complete(run)
        ),
        Check(
            "same spikes by websocket, REST, record",
            " = ".join(f"{count:,}" for count in counts),
            len(set(counts)) == 1 and counts[0] > 0,
        ),
        Check(
            "same digest of them",
            " = ".join(f"{digest or 'none':.8}" for digest in digests),
            len(set(digests)) == 1 and digests[0] is not None,
        ),
        *_conservation(record["conservation"] or {}),
    ]


def _complete(run: RunView) -> bool:
    return run.state == "complete" and run.tick == run.record["n_ticks"]


def _conservation(certificate: Mapping[str, Any]) -> list[Check]:
    return [_balance(kind, certificate.get(kind)) for kind in ("address_events", "synaptic_events")]


def _balance(kind: str, balance: Mapping[str, Any] | None) -> Check:
    claim = f"no {kind.replace('_', ' ').removesuffix('s')} is lost"
    if balance is None:
        return Check(claim, "no certificate", False)
    dropped = sum(balance["dropped"].values())
    kept = balance["delivered"] + balance["in_flight"]
    found = (
        f"{balance['sent']:,} sent = {balance['delivered']:,} delivered + {balance['in_flight']:,} in flight"
    )
    return Check(claim, found, balance["sent"] == kept and dropped == 0)
