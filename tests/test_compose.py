"""docker-compose.yml: valid by the compose specification, and closed wherever it can be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
COMPOSE = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[request.param]
    return found


def command_of(name: str) -> str:
    return " ".join(SERVICES[name]["command"])


@pytest.mark.slow
def test_the_file_follows_the_compose_specification() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    result = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_there_are_a_head_workers_and_a_gateway() -> None:
    assert sorted(SERVICES) == ["gateway", "head", "worker"]
    assert command_of("head").startswith("sh -c exec ray start --head --block --port=6379")
    assert command_of("worker").startswith("sh -c exec ray start --block --address=head:6379")
    assert command_of("gateway").startswith("spikerack serve --address head:6379")


def test_all_run_one_image() -> None:
    assert {service["image"] for service in SERVICES.values()} == {"spikerack:0.1.0"}


def test_only_the_gateway_is_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:8787:8787"]}
    assert not any("network_mode" in service for service in SERVICES.values())


def test_ray_is_on_an_internal_network() -> None:
    assert COMPOSE["networks"]["rack"] == {"internal": True}
    assert SERVICES["head"]["networks"] == SERVICES["worker"]["networks"] == ["rack"]
    assert SERVICES["gateway"]["networks"] == ["rack", "edge"]


def test_rays_token_is_a_secret_that_every_call_needs(service: dict[str, Any]) -> None:
    assert COMPOSE["secrets"] == {"ray_token": {"file": "./.secrets/ray_token"}}
    assert service["secrets"] == ["ray_token"]
    assert service["environment"]["RAY_AUTH_MODE"] == "token"
    assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"


def test_no_secret_is_written_in_the_file(service: dict[str, Any]) -> None:
    assert not any(word in name for name in service["environment"] for word in ("KEY", "PASSWORD", "SECRET"))
    assert "RAY_AUTH_TOKEN" not in service["environment"]


def test_no_container_can_gain_rights(service: dict[str, Any]) -> None:
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "cap_add" not in service


def test_containers_write_only_to_data_and_temporary_memory(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["volumes"] == ["data:/data"]
    assert service["tmpfs"] == ["/tmp:mode=1777,size=2g,nosuid,nodev,noexec"]


def test_each_container_has_a_health_check_and_bounds(service: dict[str, Any]) -> None:
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["init"] is True


def test_a_workers_health_is_that_of_its_own_node() -> None:
    assert SERVICES["head"]["healthcheck"]["test"] == ["CMD", "ray", "health-check", "--address", "head:6379"]
    command = SERVICES["worker"]["healthcheck"]["test"]
    assert command[:3] == ["CMD", "python", "-c"]
    assert "/tmp/ray/session_latest/sockets/raylet" in command[3]


def test_shared_memory_holds_the_object_store(service: dict[str, Any]) -> None:
    # --object-store-memory is 0.5 GB on nodes with chips; the gateway's own node carries no data.
    assert service["shm_size"] in {"1g", "2g"}


def test_nobody_starts_before_the_head_is_healthy() -> None:
    for name in ("worker", "gateway"):
        assert SERVICES[name]["depends_on"] == {"head": {"condition": "service_healthy"}}


def test_workers_can_be_scaled() -> None:
    assert "container_name" not in SERVICES["worker"]
    assert "hostname" not in SERVICES["worker"]


def test_the_image_runs_as_the_same_user_and_holds_only_the_packages() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "USER spikerack" in dockerfile
    assert "--uid 10001" in dockerfile
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line for line in ignored if line.startswith("!")} == {
        f"!{name}"
        for name in (
            "pyproject.toml",
            "README.md",
            "LICENSE",
            "spikerack",
            "api",
            "cluster",
            "chip",
            "router",
            "network",
        )
    }
