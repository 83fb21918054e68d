"""An example against peers, in turns: measure all, compare how neurons fire, then tell times and ratios."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.beside import (
    FACTOR,
    Competitor,
    Rival,
    complete,
    cores,
    event_rows,
    n_recurrent_synapses,
    one_digest,
    rival_rows,
    same_rate,
    same_statistics,
    same_synapses,
    timed,
)
from benchmarks.memory import estimate_row
from benchmarks.one_run import Measured, OneRun, compile_kernels, run
from benchmarks.peer import ENVIRONMENT, PeerMissing, require_peer
from benchmarks.report import Report, Row, emit, parser_of
from benchmarks.turns import take_turns
from spikerack.reference.comparison import LEAST_SEEDS

STATISTICS_MS = 2000.0
"""After the warm-up, of which statistics are compared; peers run it without being timed. As long as that of
NEST's statistics of the microcircuit: 1,000 bins of counts that are correlated."""

_NOT_COMPARED = (
    f"of statistics only the mean rate is compared: others at full scale, from {STATISTICS_MS * 1e-3:g} s "
    f"and {LEAST_SEEDS} runs on"
)


@dataclass(frozen=True)
class Contest:
    """Who runs what, for how long.

    Attributes
    ----------
    title : str
    asked : OneRun
        Our run; its warm-up is the peers', too.
    competitors : sequence of Competitor
    peer_ms : float
        Biological time of the peers that is timed.
    tolerance : float
        Share of our mean rate within which the peers' must be, over all turns.
    tells_events : bool
        Whether time a synaptic event means anything, as events are what it takes time for.
    """

    title: str
    asked: OneRun
    competitors: Sequence[Competitor]
    peer_ms: float
    tolerance: float
    tells_events: bool = False

    @property
    def rate_until_ms(self) -> float:
        """Until when rates are compared: the end of the peers' runs."""
        return self.asked.warm_up_ms + self.peer_ms

    @property
    def compares_statistics(self) -> bool:
        """Whether irregularity and correlations mean anything: not of a small network, or a short run."""
        return self.asked.arguments["scale"] == 1.0 and self.asked.duration_ms >= STATISTICS_MS

    def hold(self, runs: int) -> tuple[list[Measured], list[Rival]]:
        """Let all take `runs` turns; return our runs, and the competitors'."""
        network, begin = self.asked.network(), self.asked.warm_up_ms
        compared = self.compares_statistics and runs >= LEAST_SEEDS
        window = (begin, begin + STATISTICS_MS) if compared else None
        asked = replace(self.asked, rate_until_ms=self.rate_until_ms, statistics_ms=window)
        compile_kernels(asked)
        actions: dict[str, Callable[[int], Any]] = {"spikerack": lambda turn: run(asked)}
        for each in self.competitors:
            actions[each.what] = partial(
                each.run,
                network,
                warm_up_ms=begin,
                duration_ms=self.peer_ms,
                statistics_ms=STATISTICS_MS if compared else None,
            )
        results = take_turns(actions, runs)
        return results["spikerack"], [(each, results[each.what]) for each in self.competitors]

    def report(self, ours: Sequence[Measured], rivals: Sequence[Rival]) -> Report:
        """Return what they showed."""
        asked, network = self.asked, self.asked.network()
        statistics = ours[0].statistics
        title = self.title if statistics or not rivals else f"{self.title}; {_NOT_COMPARED}"
        report = Report(asked.example, title)
        report.checks = [complete("spikerack", ours), one_digest("spikerack", ours)]
        for rival in rivals:
            report.checks.append(same_rate(ours, rival, self.rate_until_ms, self.tolerance))
            if "n_synapses" in rival[1][0].result:
                report.checks.append(same_synapses(network, rival))
            if statistics:
                seeds = [each.result["statistics"] for each in rival[1]]
                report.checks += same_statistics(rival[0].what, statistics, seeds)
        what = f"spikerack, {asked.chips} chips in threads"
        factors = tuple(each.realtime_factor for each in ours)
        report.rows = [Row(what, FACTOR, factors, note=timed(asked, ours))]
        for rival in rivals:
            report.rows += rival_rows(ours, rival)
        if self.tells_events:
            report.rows += event_rows(ours, rivals, n_recurrent_synapses(network))
        report.rows.append(Row(f"{what}: mean rate", "Hz", tuple(each.rate_hz for each in ours)))
        report.rows.append(estimate_row(what, ours))
        return report


def contest_parser(name: str, description: str | None, peers: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of a contest's command."""
    parser = parser_of(name, description, peers)
    parser.add_argument("--scale", type=share, default=1.0, help="share of the network, for a quick look")
    parser.add_argument("--chips", type=int, default=cores(), help="chips of ours, each a thread")
    parser.add_argument(
        "--seconds", type=positive, default=10.0, help="biological seconds of ours that are timed"
    )
    return parser


def positive(text: str) -> float:
    """Return an option's number, which must be above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be > 0, got {text}; give another")
    return number


def share(text: str) -> float:
    """Return an option's number, which must be above 0 and at most 1."""
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"must be > 0 and <= 1, got {text}; 1 is the published size")
    return number


def require_peers(
    parser: argparse.ArgumentParser, peers: Sequence[str], *, environment: Path = ENVIRONMENT
) -> None:
    """End with exit code 2 and a message when a peer that was asked for cannot run."""
    try:
        for peer in peers:
            require_peer(peer, environment=environment)
    except PeerMissing as problem:
        parser.error(str(problem))


def main_of(contest: Contest, *, runs: int, as_json: bool) -> int:
    """Hold a contest and print what it showed; return the exit code."""
    return emit(contest.report(*contest.hold(runs)), as_json=as_json)
