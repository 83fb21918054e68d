"""The CUBA network: 4,000 neurons, 320,000 synapses, all delays 0.1 ms; beside Brian2 and NEST.

So small a network with so short delays shows what a tick costs, not what a spike does. Ours runs in threads,
a chip a core; all spikes are kept. `--peer nest` and `--peer brian2` run the same description there, in turns
with ours; rates, irregularity and correlations are compared before times are told, of 2 s that peers
run without being timed. Brian2 writes and compiles a C++ program for each of its runs, which needs g++ and
some 10 s that do not count. It runs in both precisions, with OpenMP and without, as threads may cost so small
a network more than they bring; so NEST runs on all cores and on one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from benchmarks.beside import Competitor, cores
from benchmarks.contest import Contest, contest_parser, main_of, require_peers
from benchmarks.one_run import OneRun
from benchmarks.report import Target

SEED = 1
WARM_UP_MS = 100.0
"""The stimulus ends at 51 ms."""
TOLERANCE = 0.05
"""Of the mean rate, at full size: over 0.6 s seeds scatter by 1.2 %, at a fifth of the size by 5 %."""
SECONDS, PEER_MS = 60.0, 10_000.0
"""That are timed. Ours needs more, or no progress would be told, which is every 0.2 s, between the warm-up
and half of the run."""
TARGET = Target(3.0, 10.0, "higher")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = contest_parser("cuba", __doc__, ("nest", "brian2"))
    parser.set_defaults(seconds=SECONDS)
    chosen = parser.parse_args(arguments)
    require_peers(parser, chosen.peer)
    found = contest(scale=chosen.scale, chips=chosen.chips, seconds=chosen.seconds, peers=chosen.peer)
    return main_of(found, runs=chosen.runs, as_json=chosen.json)


def contest(*, scale: float, chips: int, seconds: float, peers: Sequence[str]) -> Contest:
    """Return what is measured."""
    target = TARGET if scale == 1.0 else None
    return Contest(
        "CUBA, delays of one tick",
        OneRun("cuba", {"scale": scale, "seed": SEED}, chips, WARM_UP_MS, 1e3 * seconds),
        [each for each in competitors(target) if each.peer in peers],
        min(PEER_MS, 1e3 * seconds),
        TOLERANCE / scale,
    )


def competitors(target: Target | None) -> Iterator[Competitor]:
    """Yield the peers' configurations."""
    for threads in dict.fromkeys((cores(), 1)):
        what = f"NEST, {threads} thread{'s' if threads > 1 else ''}"
        yield Competitor("nest", "nest_network", what, {"threads": threads}, target)
    for threads in (cores(), 0):
        how = f"OpenMP, {threads} threads" if threads else "no OpenMP"
        for precision in ("float64", "float32"):
            settings = {"threads": threads, "precision": precision}
            yield Competitor("brian2", "brian2_cuba", f"Brian2 {precision}, {how}", settings, target)


if __name__ == "__main__":
    sys.exit(main())
