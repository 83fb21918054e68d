"""Brunel's network at full size, g 5, eta 2: 12,500 neurons, 15.6 million synapses, 32 Hz; beside NEST.

Ours runs in threads, a chip a core, with all spikes kept. `--peer nest` runs the same description in NEST, in
turns with ours, on as many threads as there are cores; rates, irregularity and correlations are compared
before times are told, of 2 s that NEST runs without being timed. Of NEST one biological second is timed, as
it takes so long.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.beside import Competitor, cores
from benchmarks.contest import Contest, contest_parser, main_of, require_peers
from benchmarks.one_run import OneRun
from benchmarks.report import Target

SEED = 1
WARM_UP_MS = 100.0
PEER_MS = 1000.0
TOLERANCE = 0.02
"""Of the mean rate, at full size; that of a smaller network varies more from seed to seed."""
NEST = Target(30.0, 60.0, "higher")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = contest_parser("brunel", __doc__, ("nest",))
    chosen = parser.parse_args(arguments)
    require_peers(parser, chosen.peer)
    found = contest(scale=chosen.scale, chips=chosen.chips, seconds=chosen.seconds, peers=chosen.peer)
    return main_of(found, runs=chosen.runs, as_json=chosen.json)


def contest(*, scale: float, chips: int, seconds: float, peers: Sequence[str]) -> Contest:
    """Return what is measured."""
    target = NEST if scale == 1.0 else None
    nest = Competitor("nest", "nest_network", f"NEST, {cores()} threads", {"threads": cores()}, target)
    return Contest(
        "Brunel's network, g 5, eta 2",
        OneRun(
            "brunel", {"scale": scale, "seed": SEED, "g": 5.0, "eta": 2.0}, chips, WARM_UP_MS, 1e3 * seconds
        ),
        [nest] if "nest" in peers else [],
        min(PEER_MS, 1e3 * seconds),
        TOLERANCE / scale,
        tells_events=True,
    )


if __name__ == "__main__":
    sys.exit(main())
