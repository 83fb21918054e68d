"""The command line. Results go to standard output, progress to standard error; ``--json`` prints one object.

Exit codes: 0 done, 1 any other error, 2 usage, 3 not found, 4 not authorised, 5 a run failed. What a command
needs is imported when it runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spikerack.exits import exits

app = typer.Typer(
    name="spikerack",
    help="Emulate a rack of neuromorphic chips.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


Placement = Literal["default", "consecutive", "shuffled"]
Backend = Literal["local", "ray"]
Precision = Literal["float32", "float64"]
Model = Annotated[
    str, typer.Argument(metavar="MODEL_OR_FILE", help="microcircuit, brunel, cuba, million, or a JSON file.")
]
Scale = Annotated[
    float | None, typer.Option(help="Size of an example, above 0 and up to 1.", show_default="1")
]
Seed = Annotated[int | None, typer.Option(help="Seed of all random numbers.", show_default="the network's")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An example's option: drive=poisson.")
]
SystemName = Annotated[str, typer.Option("--system", help="What to run it on; see `spikerack systems`.")]
Chips = Annotated[int, typer.Option(min=1, help="Chips to use.")]
Placing = Annotated[Placement, typer.Option(help="How populations are put on chips.")]
Arithmetic = Annotated[Precision, typer.Option(help="Arithmetic of the neurons' state.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Url = Annotated[
    str | None, typer.Option(help="The service.", show_default="$SPIKERACK_URL, or loopback, port 8787")
]
KeyFile = Annotated[
    Path | None, typer.Option(exists=True, help="File with the API key.", show_default="$SPIKERACK_API_KEY")
]


@app.command()
@exits
def run(
    model: Model,
    scale: Scale = None,
    settings: Settings = None,
    system: SystemName = "rack-8x8",
    chips: Chips = 1,
    placement: Placing = "default",
    backend: Annotated[Backend, typer.Option(help="What runs the chips.")] = "local",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads.", show_default="one a core")] = None,
    duration_ms: Annotated[float, typer.Option(min=0.0, help="Biological time.")] = 1000.0,
    seed: Seed = None,
    precision: Arithmetic = "float32",
    arrays: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of the arrays that the network names."),
    ] = None,
    spikes: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Write the spikes there.")] = None,
    raster: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the raster there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a network here, without the service."""
    from spikerack.load import load_network, parse_options
    from spikerack.local import check_writable, run_here, show_summary, write_raster, write_spikes

    for option, path in (("--spikes", spikes), ("--raster", raster)):
        if path is not None:
            check_writable(option, path)
    network = load_network(model, scale=scale, seed=seed, options=parse_options(settings or []))
    outcome = run_here(
        network,
        system=system,
        options={"chips": chips, "placement": placement, "precision": precision},
        backend=backend,
        threads=threads,
        arrays=arrays,
        duration_ms=duration_ms,
    )
    if spikes is not None:
        write_spikes(spikes, network, outcome)
    if raster is not None:
        write_raster(raster, network, outcome, duration_ms=duration_ms)
    _print(outcome.summary, as_json, show_summary)


@app.command()
@exits
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8787,
    data: Annotated[
        Path, typer.Option(envvar="SPIKERACK_DATA", help="The data folder.", file_okay=False)
    ] = Path("spikerack-data"),
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster to join.", show_default="start one")
    ] = None,
    chips: Annotated[int, typer.Option(min=1, help="Chips at once, over all deployments.")] = 64,
    key_file: Annotated[
        Path | None,
        typer.Option(envvar="SPIKERACK_KEY_FILE", help="Write the first API key there, mode 0600."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve until ctrl-C: a Ray head and the gateway, or the gateway on a cluster that is there."""
    from spikerack.serve import ServeOptions
    from spikerack.serve import serve as serve_until_stopped

    def on_ready(url: str) -> None:
        typer.echo(json.dumps({"url": url}) if as_json else f"spikerack serves on {url}")

    options = ServeOptions(data=data, host=host, port=port, address=address, chips=chips, key_file=key_file)
    serve_until_stopped(
        options, on_ready=on_ready, say=lambda line: typer.echo(f"spikerack: {line}", err=True)
    )


@app.command()
@exits
def deploy(
    model: Model,
    scale: Scale = None,
    settings: Settings = None,
    system: SystemName = "rack-8x8",
    chips: Chips = 1,
    placement: Placing = "default",
    precision: Arithmetic = "float32",
    seed: Seed = None,
    run_ms: Annotated[
        float | None, typer.Option(min=0.0, help="Also begin a run of this biological time.")
    ] = None,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Deploy a network on the service, and wait until it is built."""
    from spikerack.load import load_network, parse_options
    from spikerack.remote import connect, show_deployment

    network = load_network(model, scale=scale, seed=seed, options=parse_options(settings or []))
    options = {"system": system, "chips": chips, "placement": placement, "precision": precision}
    with connect(url, key_file) as client:
        deployment = client.deploy(network, **options).wait(progress=True)
        started = None if run_ms is None else deployment.run(run_ms).record
    _print({**deployment.record, "run": started}, as_json, show_deployment)


@app.command()
@exits
def watch(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    population: Annotated[str | None, typer.Option(help="Only this population.")] = None,
    window_ms: Annotated[float, typer.Option(min=1.0, help="Biological time that is shown.")] = 500.0,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Watch a run's raster in the terminal; with --json, one object a batch of spikes."""
    from spikerack.remote import connect, print_batches, show_live

    with connect(url, key_file) as client:
        watched = client.run(run_id)
        if as_json:
            print_batches(watched, population)
        else:
            show_live(watched, population, window_ms)


@app.command()
@exits
def systems(url: Url = None, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """List the systems: those of this version, or of the service at --url."""
    from spikerack.remote import list_systems, show_systems

    _print({"systems": list_systems(url, key_file)}, as_json, show_systems)


def _print(result: dict[str, Any], as_json: bool, show: Any) -> None:
    if as_json:
        typer.echo(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    app()
