"""The command line's view of a service: connecting, and showing what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from spikerack import calls, flows
from spikerack.client import Client, Run, SpikeStream
from spikerack.errors import RunFailedError
from spikerack.retry import Patience
from spikerack.watch import LiveRaster

FIRST_ANSWER_S = 5.0
_BESIDE_THE_PICTURE = 34


def connect(url: str | None, key_file: Path | None) -> Client:
    """Return a client of a service that answers; the key comes from the file, or else from the environment.

    Who types a command wants to know soon that nobody is there; later troubles find the full patience.

    Raises
    ------
    UnreachableError
        Nobody answered within seconds.
    """
    client = Client(url, None if key_file is None else key_file.read_text().strip())
    client.drive(flows.exchange(calls.get_health(), Patience(FIRST_ANSWER_S)))
    return client


def list_systems(url: str | None, key_file: Path | None) -> list[dict[str, Any]]:
    """Return the service's systems, or without a URL those of this version."""
    if url is not None:
        with connect(url, key_file) as client:
            return client.systems()
    from cluster import SYSTEMS

    return [{**system.model_dump(mode="json"), "n_chips": system.n_chips} for system in SYSTEMS.values()]


def show_systems(result: Mapping[str, Any]) -> None:
    """Print systems as a table."""
    table = Table("system", "chips", "tree", "a chip holds", box=None, pad_edge=False)
    for system in result["systems"]:
        levels = " of ".join(f"{level['fan_out']} a {level['name']}" for level in reversed(system["levels"]))
        chip = system["chip"]
        holds = f"{chip['neurons']:,} neurons, {chip['synapse_words']:,} synapse words"
        table.add_row(system["name"], str(system["n_chips"]), levels, holds)
    Console().print(table)


def show_deployment(result: Mapping[str, Any]) -> None:
    """Print a deployment in a few lines."""
    where = f"{result['chips']} chips of {result['system']}"
    typer.echo(f"deployment {result['id']}: {result['network_name']} on {where}")
    typer.echo(f"  {result['n_neurons']:,} neurons, {result['n_synapses']:,} synapses, {result['state']}")
    if result["run"] is not None:
        typer.echo(f"run {result['run']['id']}: spikerack watch {result['run']['id']}")


def print_batches(run: Run, population: str | None) -> None:
    """Print one JSON object for each batch of a run's stream, then its end."""
    stream = run.stream(mode="latest", population=population)
    for batch in stream:
        typer.echo(
            json.dumps(
                {
                    "tick0": batch.tick0,
                    "n_ticks": batch.n_ticks,
                    "n_spikes": len(batch),
                    "n_missed": batch.n_missed,
                }
            )
        )
    typer.echo(json.dumps(stream.state.end))
    _raise_if_failed(run, stream)


def show_live(run: Run, population: str | None, window_ms: float) -> None:
    """Draw a run's raster, from a window before its newest tick until it ends."""
    console = Console()
    from_tick = window_start(run.record, window_ms)
    stream = run.stream(from_tick=from_tick, mode="latest", population=population)
    raster: LiveRaster | None = None
    with Live(console=console, refresh_per_second=15) as live:
        for batch in stream:
            raster = raster or _raster(stream, console, window_ms)
            raster.add(batch)
            live.update(Group(_headline(run, stream), raster.render()))
        picture = [] if raster is None else [raster.render()]
        live.update(Group(_headline(run, stream), *picture, _farewell(run.refresh(), stream)))
    console.print()
    _raise_if_failed(run, stream)


def window_start(record: Mapping[str, Any], window_ms: float) -> int:
    """Return the tick that is `window_ms` before a run's newest."""
    n_ticks = round(window_ms / float(record["timestep_ms"]))
    return max(0, int(record["tick"]) - n_ticks)


def _raster(stream: SpikeStream, console: Console, window_ms: float) -> LiveRaster:
    hello = stream.state.hello or {}
    wanted = stream.state.population
    return LiveRaster(
        [place for place in hello["populations"] if wanted in (None, place["name"])],
        timestep_ms=hello["timestep_ms"],
        n_lines=max(8, console.height - 4),
        n_columns=max(20, console.width - _BESIDE_THE_PICTURE),
        window_ms=window_ms,
    )


def _headline(run: Run, stream: SpikeStream) -> Text:
    hello, tick = stream.state.hello or {}, stream.state.next_tick or 0
    seconds = tick * hello.get("timestep_ms", 0.0) / 1000
    text = (
        f"{run.id}  {seconds:.3f} s of {hello.get('n_ticks', 0) * hello.get('timestep_ms', 0.0) / 1000:g} s"
    )
    return Text(f"{text}  {stream.state.n_spikes:,} spikes seen", style="bold")


def _farewell(run: Run, stream: SpikeStream) -> Text:
    end, n_spikes = stream.state.end or {}, run.record["n_spikes"]
    return Text(
        f"{end.get('state')} at tick {end.get('tick')}, {n_spikes:,} spikes, digest {end.get('digest')}"
    )


def _raise_if_failed(run: Run, stream: SpikeStream) -> None:
    if (stream.state.end or {}).get("state") == "failed":
        raise RunFailedError(run.refresh().record)
