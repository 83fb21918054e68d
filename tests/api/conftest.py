from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import Limits, Settings, Streaming, create_app
from cluster import hostmemory
from tests.api.scripted import ScriptedFleet

NETWORK: dict[str, Any] = {
    "name": "pair",
    "timestep_ms": 0.1,
    "seed": 7,
    "populations": [
        {"name": "exc", "size": 8, "model": "lif_curr_exp"},
        {"name": "inh", "size": 2, "model": "lif_curr_exp"},
    ],
    "projections": [
        {
            "source": "exc",
            "target": "inh",
            "connectivity": {"rule": "all_to_all"},
            "weight": 10.0,
            "delay_ms": 1.0,
            "receptor": "excitatory",
        }
    ],
    "recordings": [
        {
            "kind": "state",
            "population": "exc",
            "variables": ["v_mv"],
            "neurons": {"start": 0, "stop": 2},
            "interval_ms": 0.5,
        }
    ],
}

LIMITS = Limits(
    body_bytes=200_000,
    small_body_bytes=2_000,
    neurons=1_000_000,
    synapses=10_000_000,
    memory_bytes=1_000_000_000,
    networks=3,
    deployments=2,
    runs=1,
    sockets=2,
)


class Caller:
    """A client with a key, and shortcuts to the resources that most tests need."""

    def __init__(self, http: TestClient, fleet: ScriptedFleet, token: str) -> None:
        self.http, self.fleet = http, fleet
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        headers = self.headers | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def network(self, **changes: Any) -> str:
        answer = self("POST", "/v1/networks", json=NETWORK | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def deployment(self, network_id: str | None = None) -> str:
        body = {"network_id": network_id or self.network(), "system": "rack-2x2"}
        answer = self("POST", "/v1/deployments", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def run(self, deployment_id: str | None = None, duration_ms: float = 10.0) -> str:
        path = f"/v1/deployments/{deployment_id or self.deployment()}/runs"
        answer = self("POST", path, json={"duration_ms": duration_ms})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def key(self, *scopes: str) -> Caller:
        answer = self("POST", "/v1/keys", json={"name": "other", "scopes": list(scopes)})
        assert answer.status_code == 201, answer.text
        return Caller(self.http, self.fleet, answer.json()["token"])


def settings_in(folder: Path, **changes: Any) -> Settings:
    defaults: dict[str, Any] = {
        "data": folder / "data",
        "key_file": folder / "key",
        "poll_s": 3600.0,  # The watch looks when a test says so.
        "limits": LIMITS,
        "streaming": Streaming(frame_ms=16, heartbeat_s=0.05, queue_frames=4),
        "origins": ("https://viewer.example",),
    }
    return Settings(**(defaults | changes))


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    host_has(monkeypatch, total=2**40, available=2**40)


def host_has(monkeypatch: pytest.MonkeyPatch, *, total: int, available: int) -> None:
    """Let the gateway's host have so much memory."""
    seen = SimpleNamespace(virtual_memory=lambda: SimpleNamespace(total=total, available=available))
    monkeypatch.setattr(hostmemory, "psutil", seen)
    monkeypatch.setattr(hostmemory, "control_groups", list)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def fleet(settings: Settings) -> Iterator[ScriptedFleet]:
    fleet = ScriptedFleet(settings.data)
    yield fleet
    fleet.close()


@pytest.fixture
def http(settings: Settings, fleet: ScriptedFleet) -> Iterator[TestClient]:
    with TestClient(create_app(settings, fleet)) as client:
        yield client


@pytest.fixture
def call(http: TestClient, fleet: ScriptedFleet, settings: Settings) -> Caller:
    assert settings.key_file is not None
    return Caller(http, fleet, settings.key_file.read_text().strip())


@pytest.fixture
def restart(settings: Settings, fleet: ScriptedFleet, call: Caller) -> Iterator[Callable[..., Caller]]:
    """A function that stops the gateway, does something, starts another one, and returns a caller to it."""
    call_again = ExitStack()

    def restart(meanwhile: Callable[[], object] = lambda: None) -> Caller:
        call.http.__exit__(None, None, None)
        call_again.callback(call.http.__enter__)
        meanwhile()
        http = call_again.enter_context(TestClient(create_app(settings, fleet)))
        return Caller(http, fleet, call.headers["Authorization"].split()[1])

    with call_again:
        yield restart


@pytest.fixture
def stranger(call: Caller) -> Caller:
    """Another owner, who may read and run."""
    return call.key("read", "run")
