from __future__ import annotations

import json
from pathlib import Path

import pytest

from network import NetworkError
from spikerack.load import UnknownModelError, load_network, parse_options

NETWORK = {"name": "demo", "timestep_ms": 0.1, "seed": 1, "populations": []}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(NETWORK))
    return str(path)


def test_an_example_by_name() -> None:
    network = load_network("brunel", scale=0.01, seed=7, options={"g": "4.5"})
    assert (network.name, network.seed, network.n_neurons) == ("brunel", 7, 125)


def test_the_microcircuits_drive() -> None:
    kinds = {
        drive: {entry.kind for population in network.populations for entry in population.inputs}
        for drive in ("dc", "poisson")
        for network in [load_network("microcircuit", scale=0.01, options={"drive": drive})]
    }
    assert "poisson" not in kinds["dc"]
    assert "poisson" in kinds["poisson"]


def test_a_file_and_its_seed(file: str) -> None:
    assert load_network(file).seed == 1
    assert load_network(file, seed=9).seed == 9


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        (
            "brunell",
            {},
            "model: must be one of brunel, cuba, microcircuit, million, or a network's JSON file, "
            "got 'brunell'; check the name",
        ),
        ("cuba", {"options": {"g": "1"}}, "--set: cuba has no options, got 'g'; check the name"),
        ("brunel", {"options": {"x": "1"}}, "--set: brunel has g, eta, got 'x'; check the name"),
    ],
)
def test_what_does_not_exist_is_named(model: str, settings: dict[str, dict[str, str]], words: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        load_network(model, options=settings.get("options"))
    assert str(error.value) == words


def test_a_file_has_no_scale(file: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        load_network(file, scale=0.5)
    assert (
        str(error.value) == f"--scale and --set: are for the examples, got the file {file!r}; leave them out"
    )


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(NetworkError):
        load_network(str(path))


def test_settings() -> None:
    assert parse_options(["drive=poisson", "x=a=b"]) == {"drive": "poisson", "x": "a=b"}
    with pytest.raises(UnknownModelError) as error:
        parse_options(["drive"])
    assert str(error.value) == "--set: must be NAME=VALUE, got 'drive'; e.g. --set drive=poisson"
