"""The same spikes whatever the compiler can use: arithmetic is our own, and nothing is fused or reordered."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.placement.digest_here import changing_digests, digests, language_digest

ROOT = Path(__file__).parents[2]
LEAST_CPU = {"x86_64": "x86-64"}.get(platform.machine(), "generic")

# On every machine. Whoever changes a number here changes users' spikes, and says so in the changelog.
KNOWN = {
    "float32": "835bb7d5b5c66ec88a4486fecfe9fd440e94787d322c8ff16a6c2a693bc23060",
    "float64": "677de2c1fc485ef6011230e3b9c0d827b245cc95ef138c327e59c35d58ceb05a",
    "language": "e57a3711cd102d803424c5a16846bf3a",
    "synapses": "bbf3dddd7ca242084bb2175d04d112c2",
}


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_digests_are_those_of_every_machine(precision: str) -> None:
    here = digests(precision)
    assert here["state"] == "complete"
    assert (here["digest"], here["synapse_digest"]) == (KNOWN[precision], KNOWN["synapses"])
    assert min(here["rates_hz"].values()) > 1


@pytest.mark.slow
def test_one_digest_without_any_extension_of_the_cpu(tmp_path: Path) -> None:
    limited = {"NUMBA_CPU_NAME": LEAST_CPU, "NUMBA_CPU_FEATURES": "", "SPIKERACK_KERNELS": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-m", "tests.placement.digest_here"],
        cwd=ROOT,
        env={**os.environ, **limited},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(process.stdout)
    assert answer["runs"] == {precision: digests(precision) for precision in ("float32", "float64")}
    assert answer["changing"] == {precision: changing_digests(precision) for precision in answer["runs"]}
    assert answer["built"] == language_digest() == KNOWN["language"]
    if platform.machine() == "x86_64":
        assert not answer["wide"]  # it was compiled there, for that CPU
