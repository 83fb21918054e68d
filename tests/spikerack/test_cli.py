from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cluster.errors import CapacityError, DeploymentLost
from network import NetworkError
from spikerack import remote
from spikerack.cli import app
from spikerack.client import Client
from spikerack.errors import RunFailedError, UnreachableError, problem_error
from spikerack.exits import exit_code
from spikerack.local import check_writable
from spikerack.spikes import Spikes
from spikerack.views import digest_of
from tests.spikerack.service import DEPLOYMENT, RUN, Script, answer, problem

PROMISED = {
    "digest",
    "synapse_digest",
    "n_neurons",
    "n_synapses",
    "n_chips",
    "n_spikes",
    "rates_hz",
    "build_seconds",
    "run_seconds",
    "realtime_factor",
    "peak_memory_bytes",
    "bytes_per_synapse",
    "conservation",
    "quantisation",
}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def serving(monkeypatch: pytest.MonkeyPatch, *answers: httpx2.Response) -> Script:
    """Let the commands speak with a scripted service."""
    script = Script(*answers)

    def connect(url: str | None, key_file: Path | None) -> Client:
        return Client(url, "srk_k_s", transport=httpx2.MockTransport(script), pause=script.pauses.append)

    monkeypatch.setattr(remote, "connect", connect)
    return script


@pytest.mark.slow
def test_run_writes_what_it_promises(tmp_path: Path) -> None:
    spikes, picture = tmp_path / "new" / "s.npz", tmp_path / "r.png"
    arguments = ["--scale", "0.02", "--chips", "2", "--duration-ms", "50", "--seed", "3", "--json"]
    result = call("run", "brunel", *arguments, "--spikes", str(spikes), "--raster", str(picture))
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary.keys() >= PROMISED
    assert (summary["n_neurons"], summary["n_chips"]) == (250, 2)
    assert picture.read_bytes().startswith(b"\x89PNG")
    with np.load(spikes) as arrays:
        assert arrays["tick"].dtype == arrays["neuron"].dtype == np.uint32
        assert len(arrays["tick"]) == summary["n_spikes"] > 0
        assert arrays["population"].tolist() == ["exc", "inh"]
        assert arrays["first"].tolist() == [0, 200]
        assert arrays["size"].tolist() == [200, 50]
        fetched = Spikes(arrays["tick"], arrays["neuron"], 0.1, {"exc": (0, 200), "inh": (200, 50)})
    assert digest_of(fetched, 500) == summary["digest"]


@pytest.mark.slow
def test_run_for_people() -> None:
    result = call("run", "brunel", "--scale", "0.02", "--duration-ms", "20")
    assert result.exit_code == 0, result.output
    assert "250 neurons" in result.stdout
    assert "inh" in result.stdout
    assert "building chips" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["brunell"], "model: must be one of"),
        (["brunel", "--system", "x"], "--system: must be one of rack-2x2, rack-8x8, got 'x'; check the name"),
        (["brunel", "--scale", "0.02", "--duration-ms", "0.05"], "--duration-ms"),
        (["brunel", "--scale", "2"], "scale"),
        (["brunel", "--chips", "0"], "--chips"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], words: str) -> None:
    result = call("run", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NetworkError([("a", "b")]), 2),
        (CapacityError(["full"]), 2),
        (problem_error("x", 422, {}), 2),
        (problem_error("x", 404, {}), 3),
        (problem_error("x", 401, {}), 4),
        (problem_error("x", 403, {}), 4),
        (RunFailedError({"id": "r", "tick": 1, "error": "e"}), 5),
        (DeploymentLost("gone"), 5),
        (problem_error("x", 409, {}), 1),
        (problem_error("x", 500, {}), 1),
        (UnreachableError("x"), 1),
        (FileNotFoundError("x"), 1),
        (ZeroDivisionError("a defect"), None),
    ],
)
def test_exit_codes(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


def test_systems_of_this_version() -> None:
    result = call("systems", "--json")
    assert result.exit_code == 0
    systems = {system["name"]: system["n_chips"] for system in json.loads(result.stdout)["systems"]}
    assert systems == {"rack-2x2": 4, "rack-8x8": 64}
    assert "2 a rack of 2 a board" in call("systems").stdout


def test_deploy_and_begin_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ready: dict[str, Any] = DEPLOYMENT | {"state": "ready", "n_neurons": 125, "n_synapses": 1550}
    answers = [answer(201, {"id": "net_1"}), answer(202, DEPLOYMENT), answer(200, ready), answer(202, RUN)]
    script = serving(monkeypatch, *answers)
    result = call("deploy", "brunel", "--scale", "0.01", "--chips", "4", "--run-ms", "10", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == ready | {"run": RUN}
    assert json.loads(script.requests[1].content) == {
        "network_id": "net_1",
        "system": "rack-8x8",
        "chips": 4,
        "placement": "default",
        "precision": "float32",
    }
    serving(monkeypatch, *answers)
    assert call("deploy", "brunel", "--scale", "0.01", "--run-ms", "10").stdout == (
        "deployment dep_1: demo on 4 chips of rack-2x2\n"
        "  125 neurons, 1,550 synapses, ready\n"
        "run run_1: spikerack watch run_1\n"
    )


@pytest.mark.parametrize(("status", "code"), [(404, 3), (401, 4)])
def test_the_services_refusal_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    serving(monkeypatch, problem(status, "no"))
    result = call("watch", "run_1")
    assert (result.exit_code, result.stderr) == (code, f"spikerack: GET /v1/runs/run_1: {status}, no\n")


def test_a_key_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("srk_a_b\n")
    script = Script(answer(200, {"status": "ok"}))
    monkeypatch.setattr(remote, "Client", partial(Client, transport=httpx2.MockTransport(script)))
    with remote.connect("http://rack.test", tmp_path / "key") as client:
        assert client.access.api_key == "srk_a_b"
        assert client.patience_s == 60.0
    assert script.lines == ["GET /healthz"]


def test_a_command_soon_says_that_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(httpx2.ConnectError("refused"))
    monkeypatch.setattr(remote, "Client", partial(Client, transport=httpx2.MockTransport(script)))
    monkeypatch.setattr(remote, "FIRST_ANSWER_S", 0.0)
    result = call("systems", "--url", "http://rack.test")
    assert (result.exit_code, result.stderr) == (
        1,
        "spikerack: GET /healthz: ConnectError: refused; gave up after 0.0 s of trying (limit 0 s); "
        "check that the service runs and that the URL is right\n",
    )


@pytest.mark.parametrize("option", ["--spikes", "--raster"])
def test_what_cannot_be_written_is_found_out_first(tmp_path: Path, option: str) -> None:
    result = call("run", "brunell", option, str(tmp_path))
    assert (result.exit_code, result.stderr) == (
        2,
        f"spikerack: {option}: must be a file that can be written, got '{tmp_path}'; "
        "choose another (Is a directory)\n",
    )


def test_finding_out_leaves_files_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    check_writable("--spikes", tmp_path / "old")
    check_writable("--spikes", tmp_path / "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "kept")]


@pytest.mark.slow
def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys, spikerack.cli; print(sorted({'ray', 'numba', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
