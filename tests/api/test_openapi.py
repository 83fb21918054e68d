from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api import Settings, create_app
from api.uploading import CONTAINERS
from network import parse_network
from tests.api.conftest import LIMITS, NETWORK
from tests.api.scripted import ScriptedFleet
from tests.api.served import served_in

for _container in CONTAINERS:
    schemathesis.serializer.alias(_container, "application/octet-stream")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]
METHODS = {"get", "post", "delete"}


@pytest.fixture
def document(http):
    return http.get("/openapi.json").json()


def _operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield path, method, operation


def test_operations_have_names_to_read(document):
    names = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(set(names)) == len(names)
    assert {"create_network", "start_run", "get_spikes", "release_deployment", "try_fit"} <= set(names)
    assert all(name == name.lower() and "/" not in name for name in names)


def test_every_error_is_described_as_a_problem(document):
    for path, _, operation in _operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        if path.startswith("/v1") and not path.startswith("/v1/schemas"):
            assert {"401", "403", "422"} <= errors.keys()
        for answer in errors.values():
            assert list(answer["content"]) == ["application/problem+json"]
            assert "/problems/" in answer["description"]


def test_bodies_have_examples_that_work(document, call):
    for _, _, operation in _operations(document):
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            content = operation["requestBody"]["content"]["application/json"]
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert "example" in content or document["components"]["schemas"][name]["examples"]
    example = document["paths"]["/v1/networks"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    assert parse_network(example).name == "demo"
    assert call("POST", "/v1/networks", json=example).status_code == 201
    fit = document["paths"]["/v1/fits"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert call("POST", "/v1/fits", json=fit).json()["fits"] is True


def test_the_language_is_described(document):
    schemas = document["components"]["schemas"]
    assert {"Network", "Population", "Projection", "FixedInDegree", "Problem"} <= schemas.keys()
    assert "description" in schemas["Network"]["properties"]["timestep_ms"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A gateway with something in it."""
    roomy = LIMITS.model_copy(update={"networks": 1_000_000, "deployments": 1_000, "runs": 1_000})
    with served_in(tmp_path_factory.mktemp("api"), limits=roomy) as (call, port):
        run_id = call.run()
        call.fleet.advance(run_id, 100, [(5, 1)])
        call.fleet.end(run_id)
        yield call, port


def _schema(*modes: GenerationMode):
    document = create_app(Settings(), ScriptedFleet(Path())).openapi()
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.generation.update(modes=list(modes))
    return loaded


POST_NETWORK = {"path_regex": "^/v1/(networks|fits)$", "method": "POST"}
most = _schema(*GenerationMode).exclude(**POST_NETWORK)
# schemathesis 4.32 fails to make networks that break their schema: "Cannot generate an array with 1 demanded
# elements". `test_networks_that_are_spoilt_in_one_place` does that part.
networks = _schema(GenerationMode.POSITIVE).include(**POST_NETWORK)
THOROUGH = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@most.parametrize()
@THOROUGH
def test_answers_are_as_described(case, served):
    """No 5xx, only documented statuses, types, headers and bodies, and no way around the key."""
    call, port = served
    case.call_and_validate(base_url=f"http://127.0.0.1:{port}", headers=call.headers, checks=CHECKS)


@pytest.mark.slow
@networks.parametrize()
@THOROUGH
def test_networks_of_the_described_form(case, served):
    call, port = served
    case.call_and_validate(base_url=f"http://127.0.0.1:{port}", headers=call.headers, checks=CHECKS)


JUNK = [
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "x" * 300,
    "\x00",
    [],
    {},
    [[]],
    {"kind": "uniform"},
    float("nan"),
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values inside a JSON value, and its own."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


def _replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], junk)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("target", ["/v1/networks", "/v1/fits"])
def test_networks_that_are_spoilt_in_one_place(call, target):
    """Every value of a network, replaced by everything that it is not."""
    whole = NETWORK if target == "/v1/networks" else {"network": NETWORK, "chips": 2}
    for path, junk in itertools.product(_places(whole), JUNK):
        body = json.dumps(_replaced(whole, path, junk))
        answer = call("POST", target, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {200, 201, 422, 429}, (path, junk, answer.text)
        if answer.status_code == 422:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["errors"][0]["path"], (path, junk, answer.text)
