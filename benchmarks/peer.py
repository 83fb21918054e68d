"""Runs a network in a peer: a simulator in an environment of its own, which `make bench-peers` makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.process import ROOT, run_apart
from network import Network

ENVIRONMENT = ROOT / ".venv-peers"

SEEN_WITH = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
COMPILED = ("brian2",)
"""Peers that compile C++ whenever they run."""


class PeerMissing(RuntimeError):
    """A peer that was asked for cannot run here."""


@dataclass(frozen=True)
class PeerRun:
    """What a peer measured.

    Attributes
    ----------
    result : dict
        What its script told: `peer` (name and version), `realtime_factor`, `rate_hz`, and more.
    peak_pss_bytes : int
    """

    result: dict[str, Any]
    peak_pss_bytes: int


def require_peer(name: str, *, environment: Path = ENVIRONMENT) -> None:
    """Refuse a peer that cannot run, before anything is measured.

    Raises
    ------
    PeerMissing
        Its environment lacks it, or there is no g++ for one that compiles.
    """
    python = environment / "bin" / "python"
    try:
        found = subprocess.run([str(python), "-c", SEEN_WITH, name], check=False).returncode == 0
    except OSError:
        found = False
    if not found:
        raise PeerMissing(
            f"--peer {name}: must be installed in {environment.name}, got none; run make bench-peers"
        )
    if name in COMPILED and shutil.which("g++") is None:
        raise PeerMissing(
            f"--peer {name}: needs g++, as its networks become C++ programs, got none; "
            "install it (Debian: apt-get install g++)"
        )


def run_peer(
    script: str, network: Network, settings: Mapping[str, Any], *, environment: Path = ENVIRONMENT
) -> PeerRun:
    """Run a network in `benchmarks.peers.SCRIPT`.

    Parameters
    ----------
    script : str
    network : Network
    settings : mapping
        Keyword arguments of the script's `run`.

    Raises
    ------
    RunFailed
        The script ended without a result.
    """
    command = [str(environment / "bin" / "python"), "-m", f"benchmarks.peers.{script}"]
    finished = run_apart(command, {"network": network.model_dump(mode="json"), **settings})
    return PeerRun(finished.result, finished.peak_pss_bytes)
