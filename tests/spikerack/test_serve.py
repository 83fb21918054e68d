from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from spikerack import serve
from spikerack.serve import ServeError, ServeOptions, make_token
from spikerack.supervisor import Sibling


class Recorded:
    """Stands in for the supervisor: keeps what it is told to run."""

    siblings: list[Sibling]

    def __init__(self, siblings: list[Sibling], say: object) -> None:
        type(self).siblings = siblings

    def run(self, on_ready: object) -> None:
        pass


def plan(monkeypatch: pytest.MonkeyPatch, options: ServeOptions) -> list[Sibling]:
    monkeypatch.setattr(serve, "Supervisor", Recorded)
    serve.serve(options, on_ready=lambda url: None, say=lambda line: None)
    return Recorded.siblings


def test_the_token_is_random_and_only_ours(tmp_path: Path) -> None:
    first, second = make_token(tmp_path / "a"), make_token(tmp_path / "b")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert len(first.read_text()) == 64
    assert first.read_text() != second.read_text()


def test_a_token_is_there_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def crash(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            make_token(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    make_token(tmp_path / "a")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_the_token_is_kept(tmp_path: Path) -> None:
    token = make_token(tmp_path / "a").read_text()
    assert make_token(tmp_path / "a").read_text() == token


def test_a_head_and_a_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = ServeOptions(data=tmp_path / "data", port=9000, chips=6, key_file=tmp_path / "key")
    ray, gateway = plan(monkeypatch, options)
    command = " ".join(ray.command)
    assert " start --block " in command
    assert "--head --port=" in command
    assert '--resources={"chip": 6}' in command
    assert "--include-dashboard=false" in command
    assert ray.environment["RAY_AUTH_MODE"] == "token"
    assert ray.environment["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "data" / "ray_token")
    settings = {name: value for name, value in gateway.environment.items() if name.startswith("SPIKERACK_")}
    assert settings["SPIKERACK_DATA"] == str(tmp_path / "data")
    assert settings["SPIKERACK_PORT"] == "9000"
    assert settings["SPIKERACK_KEY_FILE"] == str(tmp_path / "key")
    assert settings["SPIKERACK_RAY_ADDRESS"] in command.replace(" --node-ip-address=127.0.0.1", "").replace(
        "--port=", "127.0.0.1:"
    )
    assert gateway.environment["RAY_AUTH_TOKEN_PATH"] == ray.environment["RAY_AUTH_TOKEN_PATH"]


@pytest.mark.parametrize("is_new", [True, False])
def test_the_data_folder_is_only_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_new: bool) -> None:
    data = tmp_path / "data"
    if not is_new:
        data.mkdir(mode=0o755)
    plan(monkeypatch, ServeOptions(data=data))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_rays_open_folder_is_in_one_that_is_only_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modes: list[int] = []

    class Looking(Recorded):
        def run(self, on_ready: object) -> None:
            (folder,) = (
                word.removeprefix("--temp-dir=")
                for word in self.siblings[0].command
                if word.startswith("--temp-dir=")
            )
            modes.append(stat.S_IMODE(Path(folder).parent.stat().st_mode))

    monkeypatch.setattr(serve, "Supervisor", Looking)
    serve.serve(ServeOptions(data=tmp_path), on_ready=lambda url: None, say=lambda line: None)
    assert modes == [0o700]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
        ("rack.test", "http://rack.test:80"),
    ],
)
def test_the_url_is_one_that_can_be_opened(host: str, url: str) -> None:
    assert serve.url_of(host, 80) == url


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this host has no IPv6")
def test_a_free_port_of_ipv6() -> None:
    assert serve.free_port("::1") > 0


def test_joining_a_cluster_takes_nothing_from_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/run/secrets/ray_token")
    ray, gateway = plan(monkeypatch, ServeOptions(data=tmp_path, address="head:6379"))
    command = " ".join(ray.command)
    assert "--address=head:6379 --num-cpus=0" in command
    assert "--head" not in command
    assert "chip" not in command
    assert ray.environment["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
    assert gateway.environment["SPIKERACK_RAY_ADDRESS"] == "head:6379"
    assert not (tmp_path / "ray_token").exists()


def test_joining_needs_the_clusters_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ServeError) as error:
        plan(monkeypatch, ServeOptions(data=tmp_path, address="head:6379"))
    assert str(error.value) == (
        "--address: needs the token of that cluster, got none; "
        "set RAY_AUTH_TOKEN_PATH to its file, or RAY_AUTH_MODE=disabled if it is open"
    )


def test_one_server_a_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Reentrant(Recorded):
        def run(self, on_ready: object) -> None:
            serve.serve(ServeOptions(data=tmp_path), on_ready=lambda url: None, say=lambda line: None)

    monkeypatch.setattr(serve, "Supervisor", Reentrant)
    with pytest.raises(ServeError) as error:
        serve.serve(ServeOptions(data=tmp_path), on_ready=lambda url: None, say=lambda line: None)
    assert str(error.value) == (
        f"data folder {tmp_path}: must have one server, another one uses it; stop that, or choose --data"
    )


def test_nothing_temporary_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray, _ = plan(monkeypatch, ServeOptions(data=tmp_path))
    (temporary,) = (
        part.removeprefix("--temp-dir=") for part in ray.command if part.startswith("--temp-dir=")
    )
    assert not Path(temporary).exists()
    # Ray's socket paths are 64 characters longer than this, and may have 107.
    assert len(temporary) < 40


def test_ray_is_ready_when_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray, _ = plan(monkeypatch, ServeOptions(data=tmp_path))
    assert ray.log is not None
    assert not asyncio.run(ray.ready())
    ray.log.write_text("... SUCC scripts.py:1085 -- Ray runtime started.\n")
    assert asyncio.run(ray.ready())


def test_the_gateway_is_not_ready_while_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, gateway = plan(monkeypatch, ServeOptions(data=tmp_path, port=serve.free_port("127.0.0.1")))
    assert not asyncio.run(gateway.ready())


def test_resources_are_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray, _ = plan(monkeypatch, ServeOptions(data=tmp_path, chips=3))
    (resources,) = (
        part.removeprefix("--resources=") for part in ray.command if part.startswith("--resources=")
    )
    assert json.loads(resources) == {"chip": 3}
