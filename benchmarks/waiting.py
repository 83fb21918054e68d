"""How long workers wait for one another: a variant of the engine that reads the cycle counter at each wait.

Waiting cannot be seen from outside: who waits spins, and yields its core again and again. The variant adds
what follows to the exchange and to the worker, and nothing else; the cycles go to words of each worker's
cache line in the exchange's memory that nobody else uses, so that it works between processes too.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.network_run import NetworkRun, run
from benchmarks.variant import CLOCK, append, copy_packages, environment

TOLD = "SPIKERACK_WAITED"
"""Environment variable that names the folder in which workers tell their cycles."""

EXCHANGE = """
from chip.jit import read_cycles

_wait_for = wait_for


@tick_kernel
def wait_for(control, me, n_workers, epoch, n_spins):
    begin = read_cycles()
    done = _wait_for(control, me, n_workers, epoch, n_spins)
    control[(me + 1) * _LINE + 1] += read_cycles() - begin
    return done
"""

WORKER = """
import json
from pathlib import Path

from chip.jit import read_cycles
from cluster.exchange import _LINE

_run, _tally = run, Worker.tally


def run(chip, port, mail, tick, until):
    begin = read_cycles()
    reached = _run(chip, port, mail, tick, until)
    mail.control[(port.me + 1) * _LINE + 2] += read_cycles() - begin
    return reached


def tally(self):
    line = (self.port.me + 1) * _LINE
    waiting, running = (int(self._mailboxes.control[line + k]) for k in (1, 2))
    path = Path(os.environ["SPIKERACK_WAITED"]) / f"{self.port.me}.json"
    path.write_text(json.dumps({"waiting": waiting, "running": running}))
    return _tally(self)


Worker.tally = tally
"""


def make(folder: Path) -> Path:
    """Make the variant; return its folder."""
    copy_packages(folder)
    append(folder / "chip/jit.py", CLOCK)
    append(folder / "cluster/exchange.py", EXCHANGE)
    append(folder / "cluster/worker.py", WORKER)
    return folder


def waited(asked: NetworkRun, folder: Path) -> tuple[float, ...]:
    """Run in the variant in `folder`; return what share of its loop's cycles each worker has waited."""
    (told := folder / "waited").mkdir(exist_ok=True)
    for path in told.iterdir():
        path.unlink()
    run(asked, folder=folder, environment=environment(folder) | {TOLD: str(told)})
    pairs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(told.iterdir())]
    return tuple(cycles["waiting"] / cycles["running"] for cycles in pairs)
