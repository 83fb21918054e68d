"""`spikerack run`: a network on chips of this process or of Ray, without the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from cluster import SYSTEMS, DeployOptions, RunOutcome, run_local
from network import Network
from spikerack.errors import OutputError, RunFailedError
from spikerack.load import UnknownModelError
from spikerack.plots import inhibitory_populations, raster
from spikerack.progress import phases
from spikerack.spikes import Spikes


def check_writable(option: str, path: Path) -> None:
    """Find out that a file can be written before hours go into what it shall hold; its folder is made.

    Raises
    ------
    OutputError
        It cannot.
    """
    is_new = not os.path.lexists(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise OutputError(
            f"{option}: must be a file that can be written, got {str(path)!r}; "
            f"choose another ({error.strerror})"
        ) from None


def run_here(
    network: Network,
    *,
    system: str,
    options: Mapping[str, Any],
    backend: Literal["local", "ray"],
    threads: int | None,
    arrays: Path | None = None,
    duration_ms: float,
) -> RunOutcome:
    """Run a network, with a progress bar on standard error.

    Raises
    ------
    UnknownModelError
        There is no such system.
    cluster.errors.ClusterError
        It does not fit, or a chip died while it was built.
    RunFailedError
        The run failed.
    """
    if system not in SYSTEMS:
        raise UnknownModelError(
            f"--system: must be one of {', '.join(SYSTEMS)}, got {system!r}; check the name"
        )
    with phases() as on_phase:
        outcome = run_local(
            network,
            system=SYSTEMS[system],
            options=DeployOptions(**options),
            backend=backend,
            threads=threads,
            arrays=arrays,
            n_ticks=network.ticks(duration_ms, where="--duration-ms"),
            progress=on_phase,
        )
    if outcome.summary["state"] == "failed":
        raise RunFailedError(outcome.summary | {"id": "here"})
    return outcome


def spikes_of(network: Network, outcome: RunOutcome) -> Spikes:
    """Return a run's spikes with the places of its populations."""
    offsets = network.offsets
    places = {member.name: (offsets[member.name], member.size) for member in network.members}
    return Spikes(outcome.tick, outcome.neuron, network.timestep_ms, places)


def write_spikes(path: Path, network: Network, outcome: RunOutcome) -> None:
    """Write an npz file: tick, neuron, and where each population's neurons are, as the service's npz."""
    spikes = spikes_of(network, outcome)
    firsts, sizes = zip(*spikes.populations.values(), strict=True) if spikes.populations else ((), ())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            tick=spikes.tick,
            neuron=spikes.neuron,
            timestep_ms=np.float64(spikes.timestep_ms),
            population=np.array(list(spikes.populations), np.str_),
            first=np.array(firsts, np.uint32),
            size=np.array(sizes, np.uint32),
        )


def write_raster(path: Path, network: Network, outcome: RunOutcome, *, duration_ms: float) -> None:
    """Draw the populations' raster; sources are left out."""
    spikes = spikes_of(network, outcome)
    shown = {population.name: spikes.populations[population.name] for population in network.populations}
    n_neurons, n_chips = outcome.summary["n_neurons"], outcome.summary["n_chips"]
    raster(
        Spikes(spikes.tick, spikes.neuron, spikes.timestep_ms, shown),
        path,
        duration_ms=duration_ms,
        title=f"{network.name}: {n_neurons:,} neurons on {n_chips} chips",
        inhibitory=inhibitory_populations(network),
    )


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print a run's summary for people."""
    rates = Table("population", "rate (1/s)", box=None, pad_edge=False)
    for name, rate in summary["rates_hz"].items():
        rates.add_row(name, f"{rate:.3f}")
    memory = f"{summary['peak_memory_bytes'] / 2**20:,.0f} MiB"
    lines = (
        f"{summary['n_neurons']:,} neurons, {summary['n_synapses']:,} synapses on {summary['n_chips']} chips",
        f"built in {summary['build_seconds']:.2f} s, ran in {summary['run_seconds']:.2f} s: "
        f"{summary['realtime_factor']:.2f} s a biological second",
        f"{memory}, {summary['bytes_per_synapse']:.2f} bytes a synapse",
        f"{summary['n_spikes']:,} spikes, digest {summary['digest']}",
    )
    console = Console()
    console.print(rates)
    console.print("\n".join(lines), highlight=False)
