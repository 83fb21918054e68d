from __future__ import annotations

import pickle

import pytest
from starlette.testclient import TestClient

from api import create_app, errors
from api.problems import KINDS, MEDIA_TYPE, problem_of
from cluster.errors import CapacityError
from network import NetworkError
from tests.api.conftest import NETWORK


def test_types_are_stable():
    assert {kind.type: kind.status for kind in KINDS.values()} == {
        "/problems/malformed-request": 400,
        "/problems/unsupported-subprotocol": 400,
        "/problems/unexpected-message": 400,
        "/problems/unauthorized": 401,
        "/problems/forbidden": 403,
        "/problems/not-found": 404,
        "/problems/not-acceptable": 406,
        "/problems/slow-viewer": 408,
        "/problems/refused-transition": 409,
        "/problems/network-in-use": 409,
        "/problems/arrays-in-use": 409,
        "/problems/arrays-lost": 409,
        "/problems/idempotency-in-progress": 409,
        "/problems/run-conflict": 409,
        "/problems/deployment-lost": 409,
        "/problems/unsupported-media-type": 415,
        "/problems/invalid-request": 422,
        "/problems/invalid-arrays": 422,
        "/problems/invalid-network": 422,
        "/problems/does-not-fit": 422,
        "/problems/over-limit": 422,
        "/problems/idempotency-key-reused": 422,
        "/problems/quota-exceeded": 429,
        "/problems/no-capacity": 503,
        "/problems/unavailable": 503,
    }


def test_close_codes_follow_the_status_unless_the_protocol_has_its_own():
    own = {kind.close_code for kind in KINDS.values() if kind.close_code != 4000 + kind.status}
    assert own == {1003}


def test_every_error_of_ours_is_in_the_table():
    classes = [item for item in vars(errors).values() if isinstance(item, type)]
    ours = {item for item in classes if issubclass(item, errors.GatewayError)} - {errors.GatewayError}
    assert ours <= KINDS.keys()


def test_errors_pickle():
    error = pickle.loads(pickle.dumps(errors.OverLimit("too much", estimate=3, limit=2)))
    assert (type(error), error.detail, error.extra) == (
        errors.OverLimit,
        "too much",
        {"estimate": 3, "limit": 2},
    )


def test_a_network_error_lists_its_places():
    problem = problem_of(NetworkError([("populations[2].size", "must be >= 0, got -3; give a number")]))
    assert problem.kind.type == "/problems/invalid-network"
    assert problem.extra == {
        "errors": [{"path": "populations[2].size", "message": "must be >= 0, got -3; give a number"}]
    }


def test_a_capacity_error_lists_its_limits():
    problem = problem_of(CapacityError(["chip (board 0, chip 3): holds 4 neurons, needs 5; use more chips"]))
    assert (problem.kind.status, problem.extra) == (
        422,
        {"problems": ["chip (board 0, chip 3): holds 4 neurons, needs 5; use more chips"]},
    )


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "slug", "detail"),
    [
        ("GET", "/nowhere", {}, 404, "not-found", "nothing is served at this path; see /openapi.json"),
        (
            "PUT",
            "/v1/networks",
            {},
            405,
            "method-not-allowed",
            "the resource does not know this method; see the header Allow",
        ),
        (
            "POST",
            "/v1/networks",
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            400,
            "malformed-request",
            "body: must be JSON, got an error: EOF while parsing an object at line 1 column 1; "
            "check it with a JSON tool",
        ),
        (
            "POST",
            "/v1/networks",
            {"content": b"[" * 10_000, "headers": {"Content-Type": "application/json"}},
            400,
            "malformed-request",
            "body: must be JSON, got an error: recursion limit exceeded at line 1 column 202; "
            "check it with a JSON tool",
        ),
        (
            "POST",
            "/v1/networks",
            {"content": b'{"seed": 1, "seed": 2}', "headers": {"Content-Type": "application/json"}},
            400,
            "malformed-request",
            "body: must name each field of an object once, got 'seed' twice; remove one",
        ),
        (
            "POST",
            "/v1/deployments",
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            400,
            "malformed-request",
            "body: must be JSON, got an error at character 1: "
            "Expecting property name enclosed in double quotes; check it with a JSON tool",
        ),
        (
            "POST",
            "/v1/deployments",
            {"content": b"[" * 1_900, "headers": {"Content-Type": "application/json"}},
            400,
            "malformed-request",
            "the body cannot be read: malformed, or nested too deeply; send JSON of less than 200 levels",
        ),
        (
            "POST",
            "/v1/networks",
            {"content": b"name: pair", "headers": {"Content-Type": "application/yaml"}},
            415,
            "unsupported-media-type",
            "Content-Type: must be application/json, got 'application/yaml'; send JSON",
        ),
        (
            "POST",
            "/v1/deployments",
            {"content": b"{}"},
            415,
            "unsupported-media-type",
            "Content-Type: must be application/json, got ''; send JSON",
        ),
        (
            "GET",
            "/v1/networks?limit=0&colour=red",
            {},
            422,
            "invalid-request",
            "limit: must be >= 1, got 0; raise it\n"
            "colour: must be a parameter of this resource, got 'colour'; rename or remove it",
        ),
        (
            "GET",
            "/v1/networks?cursor=abc",
            {},
            422,
            "invalid-request",
            "cursor: must be the `next` of an answer, got 'abc'; start without a cursor",
        ),
        (
            "POST",
            "/v1/deployments",
            {"json": {"network_id": "x", "chips": 0, "chip": 1}},
            422,
            "invalid-request",
            "chips: must be >= 1, got 0; raise it\n"
            "chip: must be a field of this body, got 'chip'; rename or remove it",
        ),
    ],
)
def test_every_error_is_a_problem(call, method, path, options, status, slug, detail):
    answer = call(method, path, **options)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert problem["type"] == f"/problems/{slug}"
    assert problem["detail"] == detail
    assert problem["request_id"] == answer.headers["Request-Id"]


def test_the_methods_that_are_known_are_told(call):
    assert call("PUT", "/v1/networks").headers["Allow"] == "GET, POST"
    assert call("PUT", "/v1/runs/run_1").headers["Allow"] == "DELETE, GET"


@pytest.mark.parametrize("host", ["[bad", "a b", "x:y:z", "é"])
def test_a_strange_host(call, host):
    answer = call("GET", "/v1/networks/net_1", headers={"Host": host.encode()})
    assert (answer.status_code, answer.json()["instance"]) == (404, "/v1/networks/net_1")
    assert call("POST", "/v1/networks", json=NETWORK, headers={"Host": host.encode()}).status_code == 201


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("path", "size"), [("/v1/networks", 200_001), ("/v1/deployments", 2_001)])
def test_oversize_bodies(call, path, size, chunked):
    def chunks():
        for _ in range(size // 1000 + 1):
            yield b" " * 1000

    content = chunks() if chunked else b" " * size
    answer = call("POST", path, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)
    assert answer.json()["type"] == "/problems/payload-too-large"
    by_rules = "describe connectivity by rules, or upload lists to /v1/arrays"
    advice = by_rules if "net" in path else "send a smaller one"
    assert answer.json()["detail"] == f"the body is larger than this resource takes; {advice}"


@pytest.mark.parametrize("key", [True, False])
def test_a_slash_too_many_is_not_redirected(call, key):
    ask = call if key else call.http.request
    answer = ask("GET", "/v1/networks/", follow_redirects=False)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.json()["detail"] == "nothing is served at this path; see /openapi.json"


def test_a_network_may_be_larger_than_other_bodies(call):
    content = b" " * 100_000 + b"{}"
    answer = call("POST", "/v1/networks", content=content, headers={"Content-Type": "application/json"})
    assert answer.json()["type"] == "/problems/invalid-network"


def test_a_fault_says_nothing_but_its_id(settings, fleet, call, caplog, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a secret path /data")

    monkeypatch.setattr(fleet, "deploy", broken)
    network_id = call.network()
    answer = call("POST", "/v1/deployments", json={"network_id": network_id}, headers={"Request-Id": "r-1"})
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "/problems/internal-error",
        "title": "The service failed",
        "status": 500,
        "detail": "the fault is on our side; report the request_id to the operator",
        "instance": "/v1/deployments",
        "request_id": "r-1",
    }
    assert "request r-1 failed" in caplog.text
    assert call("GET", "/v1/deployments").json()["items"] == []


@pytest.mark.parametrize(
    ("given", "kept"), [("trace-1.a_B", True), ("x" * 65, False), ("a b", False), ("", False)]
)
def test_request_ids(call, given, kept):
    answer = call("GET", "/v1/systems", headers={"Request-Id": given})
    assert (answer.headers["Request-Id"] == given) is kept
    assert answer.headers["Request-Id"]


def test_errors_of_a_network_carry_its_paths(call):
    broken = NETWORK | {"populations": [NETWORK["populations"][0] | {"size": -3}]}
    answer = call("POST", "/v1/networks", json=broken)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "populations[0].size"
    inside = call("POST", "/v1/fits", json={"network": broken})
    assert inside.json()["errors"][0]["path"] == "network.populations[0].size"


def test_answers_outside_a_lifespan_do_not_exist(settings, fleet):
    """The gateway opens its data when it starts, not when it is made."""
    create_app(settings, fleet)
    assert not settings.data.exists()
    with TestClient(create_app(settings, fleet)):
        assert settings.data.exists()
