"""Peers: found or refused, and what they are told."""

import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks.peer import PeerMissing, require_peer, run_peer
from spikerack.examples import EXAMPLES


def environment_of(folder: Path, script: str) -> Path:
    """An environment whose python is a shell script."""
    python = folder / ".venv-peers" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return folder / ".venv-peers"


@pytest.mark.parametrize("peer", ["nest", "brian2", "sanafe"])
def test_without_an_environment_a_peer_is_refused(peer: str, tmp_path: Path) -> None:
    message = f"--peer {peer}: must be installed in .venv-peers, got none; run make bench-peers"
    with pytest.raises(PeerMissing, match=f"^{re.escape(message)}$"):
        require_peer(peer, environment=tmp_path / ".venv-peers")
    with pytest.raises(PeerMissing, match=f"^{re.escape(message)}$"):
        require_peer(peer, environment=environment_of(tmp_path, "exit 1"))


def test_an_environment_is_asked_for_the_peer(tmp_path: Path) -> None:
    require_peer("nest", environment=environment_of(tmp_path, f'echo "$3" > {tmp_path}/asked'))
    assert (tmp_path / "asked").read_text() == "nest\n"


def test_brian2_needs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environment_of(tmp_path, "exit 0")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    require_peer("nest", environment=environment)
    message = (
        "--peer brian2: needs g++, as its networks become C++ programs, got none; "
        "install it (Debian: apt-get install g++)"
    )
    with pytest.raises(PeerMissing, match=f"^{re.escape(message)}$"):
        require_peer("brian2", environment=environment)
    monkeypatch.setattr(shutil, "which", {"g++": "/usr/bin/g++"}.get)
    require_peer("brian2", environment=environment)


def test_a_peer_gets_the_description_and_its_settings(tmp_path: Path) -> None:
    told = """echo '@benchmark {"result": {"rate_hz": 5.0}}'"""
    environment = environment_of(
        tmp_path, f'head -n 1 > {tmp_path}/task; echo "$@" > {tmp_path}/said; {told}'
    )
    network = EXAMPLES["cuba"](scale=0.02)
    done = run_peer("nest_network", network, {"threads": 2}, environment=environment)
    assert done.result == {"rate_hz": 5.0}
    assert (tmp_path / "said").read_text() == "-m benchmarks.peers.nest_network\n"
    task = json.loads((tmp_path / "task").read_text())
    assert task == {"network": network.model_dump(mode="json"), "threads": 2}
