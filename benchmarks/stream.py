"""The raster through the websocket: spikes a second to one client, and what viewers cost a run.

The service runs in a process of its own; the Python client takes a run's spikes, decodes them and checks
their digest. The load is a Poisson source without synapses, nine tenths of whose neurons fire in each tick:
as many spikes as a chip can make. A spike counts as streamed *while running* when the client has its batch
before the run's record says that it ended; the rest of the run is taken too, and the digest is that of all
of it.

What viewers cost is measured on the cortical microcircuit at a tenth of its size: the same run with 0, 1 and
8 viewers, interleaved, all in one client process. The chips, the gateway and the viewers share the cores.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2

from benchmarks.report import Check, Report, Row, Target, emit, parser_of
from network import Network, PoissonSource
from spikerack.async_client import AsyncClient
from spikerack.calls import Call
from spikerack.client import Client, Run
from spikerack.examples import microcircuit
from spikerack.launch import launched
from spikerack.serve import free_port

TIMESTEP_MS = 0.1
CHANCE = 0.9
"""Of a spike in a tick, for each neuron of the load."""
VIEWERS = (0, 1, 8)
WATCHED_SCALE, WATCHED_MS = 0.1, 2000.0
STREAMED = Target(must=5e6, moonshot=20e6, better="higher")
_START_S = 60.0


def load(n_neurons: int) -> Network:
    """Return a network of nothing but sources that make as many spikes as a chip can."""
    source = PoissonSource(name="source", size=n_neurons, rate_hz=CHANCE / (TIMESTEP_MS * 1e-3))
    return Network(
        name="load", timestep_ms=TIMESTEP_MS, seed=1, populations=(), sources=(source,), projections=()
    )


@contextmanager
def serving(backend: str, data: Path) -> Iterator[Client]:
    """Give a client of a service that runs until the block ends: Ray, or a gateway with chips of its own."""
    if backend == "ray":
        with launched(data) as service, service.client() as client:
            yield client
        return
    port = free_port("127.0.0.1")
    settings = {"DATA": str(data), "PORT": str(port), "BACKEND": "local", "KEY_FILE": str(data / "key")}
    process = subprocess.Popen(
        [sys.executable, "-m", "api"],
        env=os.environ | {f"SPIKERACK_{name}": value for name, value in settings.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(data / "gateway.log").open("wb"),
    )
    try:
        _wait_ready(process, f"http://127.0.0.1:{port}", data / "gateway.log")
        with Client(f"http://127.0.0.1:{port}", (data / "key").read_text().strip()) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/readyz", timeout=5.0).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"gateway: must be ready within {_START_S:g} s, was not; it said:\n{log.read_text()}")


@dataclass(frozen=True)
class Streamed:
    """One run of the load, seen by a client.

    Attributes
    ----------
    running_hz, produced_hz, whole_hz : float
        Spikes a second: that the client had while the run went on, that the run made meanwhile, and of the
        whole stream, from the request of the run to the farewell.
    digest_holds : bool
        Whether the digest of what came is that of the run's record.
    """

    running_hz: float
    produced_hz: float
    whole_hz: float
    digest_holds: bool


def stream_live(run: Run, begun: float) -> Streamed:
    """Take the spikes of a run that was just started, `begun` by `time.time`."""
    stream, arrivals = run.stream(), []
    for batch in stream:
        arrivals.append((time.time(), len(batch)))
    done = time.time()
    record = run.refresh().record
    started, ended = (datetime.fromisoformat(record[key]).timestamp() for key in ("started", "ended"))
    running = sum(n for arrived, n in arrivals if arrived <= ended)
    return Streamed(
        running_hz=running / (ended - started),
        produced_hz=record["n_spikes"] / (ended - started),
        whole_hz=stream.state.n_spikes / (done - begun),
        digest_holds=stream.digest is not None and stream.digest == record["recorded_digest"],
    )


def replay(run: Run) -> tuple[float, bool]:
    """Take the spikes of a run that has ended; return spikes a second, and whether their digest holds."""
    begun, stream = time.perf_counter(), run.stream()
    n_spikes = sum(len(batch) for batch in stream)
    seconds = time.perf_counter() - begun
    return n_spikes / seconds, stream.digest is not None and stream.digest == run.record["recorded_digest"]


def measure_raster(client: Client, n_neurons: int, n_spikes: int, runs: int) -> tuple[list[Row], list[Check]]:
    """Stream `runs` runs of about `n_spikes` spikes, live and once more after the end."""
    network = load(n_neurons)
    n_ticks = max(round(n_spikes / (n_neurons * CHANCE)), 10)
    duration_ms = n_ticks * TIMESTEP_MS
    live: list[Streamed] = []
    replayed: list[tuple[float, bool]] = []
    with client.deploy(network, system="rack-8x8", chips=1) as deployment:
        deployment.wait()
        stream_live(deployment.run(n_ticks // 10 * TIMESTEP_MS), time.time())  # Compiled, and all files warm.
        for _ in range(runs):
            begun = time.time()
            run = deployment.run(duration_ms)
            live.append(stream_live(run, begun))
            replayed.append(replay(run))
            client.send(Call("DELETE", f"/v1/runs/{run.id}", lambda response: None))  # Its files are large.
    rows = [
        Row("to one client while running", "spikes/s", tuple(one.running_hz for one in live), STREAMED),
        Row("made by the run meanwhile", "spikes/s", tuple(one.produced_hz for one in live)),
        Row("whole stream, request to farewell", "spikes/s", tuple(one.whole_hz for one in live)),
        Row("to one client, of an ended run", "spikes/s", tuple(hz for hz, _ in replayed), STREAMED),
    ]
    checks = [
        Check("the digest of each live stream is the run's", all(one.digest_holds for one in live)),
        Check("the digest of each replayed stream is the run's", all(holds for _, holds in replayed)),
    ]
    return rows, checks


async def _watch_all(access: Client, run_id: str, n_viewers: int) -> list[str | None]:
    """Take a run's spikes by `n_viewers` streams; return the digest of each."""
    async with AsyncClient(access.access.url, access.access.api_key) as client:
        run = await client.run(run_id)

        async def one() -> str | None:
            stream = run.stream()
            async for _ in stream:
                pass
            return stream.digest

        return await asyncio.gather(*(one() for _ in range(n_viewers)))


def measure_cost(
    client: Client, scale: float, duration_ms: float, runs: int
) -> tuple[list[Row], list[Check]]:
    """Run the microcircuit with each number of viewers, `runs` times."""
    factors: dict[int, list[float]] = {n: [] for n in VIEWERS}
    held = True
    with client.deploy(microcircuit(scale=scale, drive="poisson"), system="rack-8x8", chips=1) as deployment:
        deployment.wait()
        deployment.run(duration_ms / 10).wait()
        for _ in range(runs):
            for n_viewers in VIEWERS:
                run = deployment.run(duration_ms)
                digests = asyncio.run(_watch_all(client, run.id, n_viewers))
                record = run.wait().record
                held = held and all(digest == record["recorded_digest"] for digest in digests)
                factors[n_viewers].append(record["realtime_factor"])
    rows = [Row(f"microcircuit at {scale:g}, {n} viewers", "RTF", tuple(factors[n])) for n in VIEWERS]
    for n in VIEWERS[1:]:
        ratios = tuple(many / none for many, none in zip(factors[n], factors[0], strict=True))
        rows.append(Row(f"RTF with {n} viewers to without", "ratio", ratios))
    return rows, [Check("the digest of each viewer is the run's", held)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit code."""
    parser = parser_of("stream", __doc__)
    parser.add_argument("--backend", choices=("local", "ray"), default="local", help="what runs the chips")
    parser.add_argument("--neurons", type=int, default=65_536, help="neurons of the load")
    parser.add_argument("--spikes", type=int, default=60_000_000, help="spikes of one run of the load")
    parser.add_argument("--part", choices=("raster", "cost"), help="measure only this")
    chosen = parser.parse_args(arguments)
    report = Report("stream", f"The raster through the websocket, chips: {chosen.backend}")
    with (
        tempfile.TemporaryDirectory(prefix="srk-stream-") as data,
        serving(chosen.backend, Path(data)) as client,
    ):
        if chosen.part != "cost":
            found = measure_raster(client, chosen.neurons, chosen.spikes, chosen.runs)
            report.rows += found[0]
            report.checks += found[1]
        if chosen.part != "raster":
            found = measure_cost(client, WATCHED_SCALE, WATCHED_MS, chosen.runs)
            report.rows += found[0]
            report.checks += found[1]
    return emit(report, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
