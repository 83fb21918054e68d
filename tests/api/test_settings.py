from __future__ import annotations

import subprocess
import sys

import pytest

from api import Settings


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SPIKERACK_DATA", str(tmp_path))
    monkeypatch.setenv("SPIKERACK_PORT", "9000")
    monkeypatch.setenv("SPIKERACK_LIMITS__NEURONS", "1000")
    monkeypatch.setenv("SPIKERACK_ORIGINS", '["https://viewer.example"]')
    settings = Settings()
    assert (settings.data, settings.port, settings.limits.neurons) == (tmp_path, 9000, 1000)
    assert settings.limits.synapses == 4_000_000_000
    assert settings.origins == ("https://viewer.example",)
    assert (settings.host, settings.auth, settings.backend) == ("127.0.0.1", True, "ray")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"SPIKERACK_PORT": "x"},
            "SPIKERACK_PORT: must be a whole number, got 'x'; change the variable\n",
        ),
        (
            {"SPIKERACK_LIMITS__NEURONS": "0", "SPIKERACK_PORT": "65536"},
            "SPIKERACK_PORT: must be <= 65535, got 65536; lower it\n"
            "SPIKERACK_LIMITS__NEURONS: must be >= 1, got 0; raise it\n",
        ),
        (
            {"SPIKERACK_AUTH": "false", "SPIKERACK_HOST": "0.0.0.0"},
            "SPIKERACK_AUTH: may be off only on a loopback host, got host '0.0.0.0'; "
            "set SPIKERACK_HOST=127.0.0.1 or leave SPIKERACK_AUTH on\n",
        ),
        (
            {},
            "SPIKERACK_RAY_ADDRESS: must be host:port of a Ray head, got nothing; "
            "use `spikerack serve`, which starts a Ray head, or SPIKERACK_BACKEND=local\n",
        ),
    ],
)
def test_wrong_settings_are_told_on_start(environment, message, tmp_path):
    environment = {"SPIKERACK_DATA": str(tmp_path / "data"), "PATH": ""} | environment
    ended = subprocess.run(
        [sys.executable, "-m", "api"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (2, message)
    assert not (tmp_path / "data").exists()
