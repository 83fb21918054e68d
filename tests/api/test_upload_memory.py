"""A gateway in a process of its own takes large uploads, and bombs, without holding them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgpack
import numpy as np
import pytest

from network import UploadedSpikesSource
from spikerack import calls, flows
from spikerack.client import Client
from spikerack.retry import Patience
from spikerack.serve import free_port
from tests.api.uploads import MSGPACK, NPZ, npy, zipped

pytestmark = pytest.mark.slow

MIB = 2**20
PART = 2**18


class Gateway:
    """A gateway with threads behind it, and what its process has used."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self._pid = url, pid

    def forget(self) -> int:
        """Begin to measure; return the bytes in use."""
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")
        return self._of("VmRSS")

    def peak(self) -> int:
        """Return the most bytes in use since `forget`."""
        return self._of("VmHWM")

    def _of(self, name: str) -> int:
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) * 1024

    def post(self, content: Any, headers: dict[str, str], kind: str = "synapses") -> httpx2.Response:
        with httpx2.Client(base_url=self.url, timeout=120) as http:
            return http.post(f"/v1/arrays?kind={kind}", content=content, headers=headers)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    data, port = tmp_path_factory.mktemp("memory"), free_port("127.0.0.1")
    settings = {"DATA": str(data), "PORT": str(port), "BACKEND": "local", "AUTH": "false"}
    environment = os.environ | {f"SPIKERACK_{name}": value for name, value in settings.items()}
    with (data / "out").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "api"], env=environment, stdout=out, stderr=out)
    try:
        with Client(f"http://127.0.0.1:{port}") as client:
            client.drive(flows.exchange(calls.get_health(), Patience(60.0)))
            client.upload(sources=[0], targets=[0], weights=[1.0], delays_ms=[1.0])
            client.upload_spikes(times_ms=[2.0, 1.0], neurons=[0, 0])
        yield Gateway(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


def test_twenty_million_synapses(gateway, tmp_path):
    """480 MB, of which the client and the service hold a part at a time."""
    n = 20_000_000
    shape = {"dtype": np.float64, "mode": "w+", "shape": (n,)}
    weights = np.memmap(tmp_path / "weights", **shape)
    neurons = np.memmap(tmp_path / "neurons", **(shape | {"dtype": np.uint32}))
    for begin in range(0, n, PART):
        part = slice(begin, min(begin + PART, n))
        neurons[part] = np.arange(part.start, part.stop) % 1_000_003
        weights[part] = neurons[part] * 0.25
    before = gateway.forget()
    with Client(gateway.url) as client:
        said = client.upload(sources=neurons, targets=neurons, weights=weights, delays_ms=weights + 0.25)
    assert (said.n, said.source_stop, said.weights, said.weight_granule) == (
        n,
        1_000_003,
        (0.0, 250000.5),
        -2,
    )
    assert gateway.peak() - before < 100 * MIB


def test_ten_million_spikes_in_disorder(gateway):
    n = 10_000_000
    order = np.random.default_rng(3).permutation(n)
    before = gateway.forget()
    with Client(gateway.url) as client:
        facts = client.upload_spikes(times_ms=1.0 + order // 1000, neurons=order % 1000)
    assert UploadedSpikesSource(name="s", size=1000, **facts).neuron_stop == 1000
    # Sorted in a mapped file: what the kernel keeps of it counts here, and it can let go of it.
    assert gateway.peak() - before < 12 * n + 150 * MIB


def test_a_header_that_claims_gigabytes(gateway):
    """Nothing is made for what a header claims before the directory and the limits agree."""
    n = 900_000_000
    before = gateway.forget()
    answer = gateway.post(zipped({"weights.npy": npy("'<f8'", f"({n},)")}), NPZ)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-request"), answer.text
    both = {"kind": "synapses", "n": n, "columns": dict.fromkeys(("sources", "targets"), "<u4")}
    answer = gateway.post(msgpack.packb(both), MSGPACK)
    assert answer.json()["detail"] == (
        f"body: must hold {n} entries as its first map says, got 0; send all of them"
    )
    assert gateway.peak() - before < 50 * MIB


def test_a_zip_bomb_is_inflated_in_parts(gateway, tmp_path):
    """Two gigabytes come out of two megabytes, in parts, and break a rule with their last entry."""
    path, n = tmp_path / "bomb.npz", 250_000_000
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("delays_ms.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy("'<f8'", f"({n},)"))
        ones, left = np.ones(PART), n - 1
        while left:
            member.write(ones[: min(left, PART)].tobytes())
            left -= min(left, PART)
        member.write(bytes(8))
    assert path.stat().st_size < 20 * MIB
    before = gateway.forget()
    answer = gateway.post(path.read_bytes(), NPZ)
    assert answer.json()["detail"] == (f"delays_ms[{n - 1}] must be > 0, got 0; a delay is one tick or more")
    assert gateway.peak() - before < 100 * MIB


def test_a_stream_of_claims(gateway):
    """Maps that claim to go on for ever are given up when the largest that may be is read."""

    def endless() -> Iterator[bytes]:
        yield msgpack.packb({"kind": "synapses", "n": 10, "columns": {"sources": "<u4", "targets": "<u4"}})
        yield b"\x82\xa7sources\xc6" + (2**31).to_bytes(4, "big")
        for _ in range(300):
            yield bytes(MIB)

    before = gateway.forget()
    answer = gateway.post(endless(), MSGPACK)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "body: must be a stream of msgpack maps, got an error: BufferFull; "
        "see the description of this resource",
    )
    assert gateway.peak() - before < 150 * MIB
