"""Run in a process of its own: builds a network in threads; tells what was expected and what it took.

The arguments are the network's name in `spikerack.examples`, its own as JSON, and `cluster.DeployOptions` as
JSON. What is told is the estimate and the most anonymous memory, in bytes: files that are mapped are not in
it, as what they take depends on who else maps them.
"""

from __future__ import annotations

import json
import sys
import threading

from cluster import SYSTEMS, DeployOptions, fit, run_local
from cluster.room import room_here
from spikerack.examples import EXAMPLES

_THREADS = 2
_LOOK_SECONDS = 0.02


class Peak(threading.Thread):
    """Looks at this process's anonymous memory again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.n_bytes, self.stopped = 0, threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(_LOOK_SECONDS):
            self.n_bytes = max(self.n_bytes, anonymous_bytes())


def anonymous_bytes() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def main(name: str, arguments: str, options: str) -> None:
    network, chosen = EXAMPLES[name](**json.loads(arguments)), DeployOptions(**json.loads(options))
    room = room_here("local", threads=_THREADS)
    report, peak = fit(network, SYSTEMS["rack-8x8"], chosen, room), Peak()
    peak.start()
    run_local(network, n_ticks=2, options=chosen, threads=_THREADS)
    peak.stopped.set()
    peak.join()
    print(json.dumps({"estimate": report.memory_bytes, "anonymous": peak.n_bytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
