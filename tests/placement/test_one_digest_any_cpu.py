"""The same spikes whatever the compiler can use: arithmetic is our own, and nothing is fused or reordered."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.placement.digest_here import changing_digests, digests

ROOT = Path(__file__).parents[2]
LEAST_CPU = {"x86_64": "x86-64"}.get(platform.machine(), "generic")

# On every machine. Whoever changes a number here changes users' spikes, and says so in the changelog.
KNOWN = {
    "float32": "1109d048b551ca0623656b29df629062110b9677d8cf0acf1aa0292667a55812",
    "float64": "2848c2c27bc081f46afc6e46afc741f00d49afa3aa983acd44c3d5672b41e496",
    "synapses": "a592e7ad7b65f26d80b4526a53c1c064",
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
    if platform.machine() == "x86_64":
        assert not answer["wide"]  # it was compiled there, for that CPU
