"""The main job, end to end: ``make run``.

Starts the service, deploys the cortical microcircuit over REST onto four chips on two boards, runs a
biological second, takes the spikes over the websocket meanwhile, and asks whether all of it is true: the
stream against REST, the rates against NEST's, the events against the certificate. Ends with 0 only if so.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from network import Network
from spikerack.client import Client, Deployment, Run, SpikeStream
from spikerack.examples import microcircuit
from spikerack.launch import launched
from spikerack.plots import inhibitory_populations, raster
from spikerack.progress import OnProgress, bar
from spikerack.reference import microcircuit_bands
from spikerack.spikes import Spikes
from spikerack.verdict import Check, RateCheck, placement_check, rate_checks, run_checks

SCALE = 0.1
# With constant drive nearly all of the network is silent at this scale, in NEST too: nothing to compare.
DRIVE: Literal["dc", "poisson"] = "poisson"
SYSTEM = "rack-2x2"
N_CHIPS, N_BOARDS = 4, 2
DURATION_MS = 1000.0
PICTURE = Path("out") / "microcircuit.png"
# What starting usually takes; only the speed of a bar depends on it.
_USUAL_START_S = 12.0


def main() -> int:
    """Do the main job; returns the exit code."""
    network = microcircuit(scale=SCALE, drive=DRIVE)
    begun = time.monotonic()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="srk-demo-")))
        with bar("serve") as on_progress:
            service = stack.enter_context(launched(data, waiting=_starting(on_progress)))
        with service.client() as client:
            deployment, run, stream, spikes = _emulate(client, network)
    with bar("draw") as on_progress:
        on_progress(0.2, str(PICTURE))
        _draw(network, spikes)
    rates = rate_checks(run.rates_hz or {}, microcircuit_bands(SCALE, DRIVE))
    placed = placement_check(deployment.report or {"chips": []}, n_chips=N_CHIPS, n_boards=N_BOARDS)
    checks = [placed, *run_checks(run, stream.state, spikes)]
    return _report(run, rates, checks, time.monotonic() - begun)


def _starting(on_progress: OnProgress) -> Callable[[float], None]:
    return lambda waited: on_progress(min(waited / _USUAL_START_S, 0.95), "Ray head, then gateway")


def _emulate(client: Client, network: Network) -> tuple[Deployment, Run, SpikeStream, Spikes]:
    with client.deploy(network, system=SYSTEM, chips=N_CHIPS) as deployment:
        deployment.wait(progress=True)
        run = deployment.run(DURATION_MS)
        stream = _watch(run)
        run.wait()
        with bar("fetch") as on_progress:
            on_progress(0.2, "the same spikes over REST")
            return deployment, run, stream, run.spikes()


def _watch(run: Run) -> SpikeStream:
    stream = run.stream()
    n_ticks = run.record["n_ticks"]
    with bar("run") as on_progress:
        for batch in stream:
            done = (batch.tick0 + batch.n_ticks) / n_ticks
            on_progress(done, f"{stream.state.n_spikes:,} spikes over the websocket")
    return stream


def _draw(network: Network, spikes: Spikes) -> None:
    raster(
        spikes,
        PICTURE,
        duration_ms=DURATION_MS,
        title=f"{network.name} at scale {SCALE:g}: {network.n_neurons:,} neurons on {N_CHIPS} chips",
        inhibitory=inhibitory_populations(network),
    )


def _report(run: Run, rates: list[RateCheck], checks: list[Check], seconds: float) -> int:
    console = Console()
    console.print(_rate_table(rates))
    console.print(_check_table(checks))
    held = all(check.holds for check in checks) and all(rate.holds for rate in rates)
    factor = run.record["realtime_factor"]
    console.print(
        f"{factor:.2f} s a biological second; {seconds:.0f} s in all; raster: {PICTURE}", highlight=False
    )
    console.print("[bold green]all held[/]" if held else "[bold red]NOT all held[/]")
    return 0 if held else 1


def _rate_table(rates: list[RateCheck]) -> Table:
    table = Table(title=f"mean rates in spikes/s, {DURATION_MS / 1000:g} s", title_justify="left")
    for heading in ("population", "here", "NEST", "band of 20 seeds", ""):
        table.add_column(heading, justify="left" if heading == "population" else "right")
    for rate in rates:
        band = f"{rate.band.low_hz:.3f} .. {rate.band.high_hz:.3f}"
        table.add_row(
            rate.population, f"{rate.rate_hz:.3f}", f"{rate.band.mean_hz:.3f}", band, _mark(rate.holds)
        )
    return table


def _check_table(checks: list[Check]) -> Table:
    table = Table(title="what must hold", title_justify="left")
    for heading in ("claim", "found", ""):
        table.add_column(heading)
    for check in checks:
        table.add_row(check.claim, check.found, _mark(check.holds))
    return table


def _mark(holds: bool) -> str:
    return "[green]holds[/]" if holds else "[bold red]FAILS[/]"


if __name__ == "__main__":
    sys.exit(main())
