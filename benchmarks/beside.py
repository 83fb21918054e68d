"""What an example's runs and its peers' have to say beside each other: how neurons fire, then times."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.one_run import Measured, OneRun
from benchmarks.peer import PeerRun, run_peer
from benchmarks.report import Check, Row, Target
from network import FixedInDegree, FixedTotalNumber, Network
from spikerack.reference.comparison import compare
from spikerack.reference.spike_statistics import Summary

FACTOR = "wall s a biological s"


@dataclass(frozen=True)
class Competitor:
    """A peer in one configuration.

    Attributes
    ----------
    peer, script : str
        Its name and its script in `benchmarks.peers`.
    what : str
        The configuration, for people.
    settings : mapping
        Of the script, beside times and seed.
    target : Target or None
        Of its time over ours.
    """

    peer: str
    script: str
    what: str
    settings: Mapping[str, Any]
    target: Target | None = None

    def run(
        self,
        network: Network,
        turn: int,
        *,
        warm_up_ms: float,
        duration_ms: float,
        statistics_ms: float | None = None,
    ) -> PeerRun:
        """Run a network; each turn has a seed of its own. Statistics are of a time that is not timed."""
        times = {"warm_up_ms": warm_up_ms, "duration_ms": duration_ms, "statistics_ms": statistics_ms}
        return run_peer(self.script, network, {**self.settings, **times, "seed": turn + 1})


Summaries = Mapping[str, Summary]
"""Statistics of each population."""

Rival = tuple[Competitor, Sequence[PeerRun]]
"""A competitor and its runs."""


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def n_recurrent_synapses(network: Network) -> int:
    """Return the synapses between neurons of a network whose rules fix their number."""
    sizes = {population.name: population.size for population in network.populations}
    total = 0
    for each in network.projections:
        match each.connectivity:
            case _ if each.source not in sizes:
                pass
            case FixedInDegree(n=n):
                total += n * sizes[each.target]
            case FixedTotalNumber(n=n):
                total += n
            case other:
                raise ValueError(
                    f"projection {each.name!r}: rule must fix the number of synapses, got {other.rule!r}; "
                    "count them otherwise"
                )
    return total


def ns_per_event(realtime_factor: float, rate_hz: float, n_synapses: int) -> float:
    """Return wall nanoseconds a synaptic event, of neurons that fire at a mean rate."""
    return realtime_factor / (rate_hz * n_synapses) * 1e9


def timed(asked: OneRun, runs: Sequence[Measured]) -> str:
    """Return a note of the biological time that was timed."""
    begin = statistics.median(each.timed_from_ms for each in runs)
    return f"from {begin:.0f} to {asked.total_ms:.0f} ms"


def complete(what: str, runs: Sequence[Measured]) -> Check:
    """Return whether all runs are complete."""
    states = sorted({each.summary["state"] for each in runs})
    return Check(f"{what}: every run must be complete, got {', '.join(states)}", states == ["complete"])


def one_digest(what: str, runs: Sequence[Measured]) -> Check:
    """Return whether all runs fired the same spikes through the same synapses."""
    digests = {(each.summary["digest"], each.summary["synapse_digest"]) for each in runs}
    shown = ", ".join(sorted(f"{digest[:12]} of synapses {synapses[:12]}" for digest, synapses in digests))
    return Check(f"{what}: the digests of all {len(runs)} runs must be one, got {shown}", len(digests) == 1)


def same_rate(ours: Sequence[Measured], rival: Rival, until_ms: float, tolerance: float) -> Check:
    """Return whether the peer's mean rate, of warm-up and timed run, is ours, within a share of it."""
    competitor, runs = rival
    mine = statistics.fmean(each.rate_hz for each in ours)
    theirs = statistics.fmean(each.result["rate_hz"] for each in runs)
    return Check(
        f"{competitor.what}: mean rate must be that of ours from 0 to {until_ms:g} ms, {mine:.3f} Hz, within "
        f"{tolerance:.0%}, got {theirs:.3f}",
        abs(theirs - mine) <= tolerance * mine,
    )


def same_statistics(what: str, found: Summaries, seeds: Sequence[Summaries]) -> list[Check]:
    """Return whether each statistic of each population is that of another seed of the peer's."""
    return [
        Check(
            f"{each.population} {each.statistic} {each.found:.4f}, in {what} {each.reference:.4f}: must be "
            f"at most {each.limit:.4f} apart, got {each.deviation:.4f}",
            each.holds,
        )
        for each in compare(found, seeds)
    ]


def same_synapses(network: Network, rival: Rival) -> Check:
    """Return whether the peer built as many synapses between neurons as the description says."""
    competitor, runs = rival
    asked, found = n_recurrent_synapses(network), sorted({each.result["n_synapses"] for each in runs})
    shown = ", ".join(f"{n:,}" for n in found)
    return Check(f"{competitor.what}: must have built {asked:,} synapses, got {shown}", found == [asked])


def ratios(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Return each value over the base of the same turn; who took fewer turns sets how many."""
    return tuple(value / base for value, base in zip(values, bases, strict=False))


def rival_rows(ours: Sequence[Measured], rival: Rival) -> list[Row]:
    """Return a peer's times, and how many times ours they are: of runs in the same turn."""
    competitor, runs = rival
    factors = tuple(each.result["realtime_factor"] for each in runs)
    begin_ms, end_ms = runs[0].result["timed_ms"]
    over = ratios(factors, [each.realtime_factor for each in ours])
    return [
        Row(competitor.what, FACTOR, factors, note=f"from {begin_ms:g} to {end_ms:g} ms"),
        Row(f"{competitor.what}, against spikerack", "times", over, competitor.target),
    ]


def event_rows(ours: Sequence[Measured], rivals: Sequence[Rival], n_synapses: int) -> list[Row]:
    """Return wall time a synaptic event, for each with its own rate."""
    mine = tuple(ns_per_event(each.realtime_factor, each.rate_hz, n_synapses) for each in ours)
    rows = [Row("spikerack, a synaptic event", "wall ns", mine)]
    for competitor, runs in rivals:
        theirs = tuple(
            ns_per_event(each.result["realtime_factor"], each.result["rate_hz"], n_synapses) for each in runs
        )
        rows.append(Row(f"{competitor.what}, a synaptic event", "wall ns", theirs))
        rows.append(
            Row(f"{competitor.what}, a synaptic event, against spikerack", "times", ratios(theirs, mine))
        )
    return rows
