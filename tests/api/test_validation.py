"""Whatever a query, a header or a body is refused for is told as *where: rule, got value; what to do*."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from api.models import DeploymentRequest, KeyRequest, RunRequest, StepRequest
from api.recordings import SampleQuery
from api.spikes import SpikeQuery
from api.stream import StreamQuery
from api.synapses import SynapsesQuery
from api.validation import message_of

CHANGE = "change it, see /openapi.json"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/networks?limit=201", "limit: must be <= 200, got 201; lower it"),
        ("/v1/networks?limit=many", f"limit: must be a whole number, got 'many'; {CHANGE}"),
        ("/v1/networks?limit=", f"limit: must be a whole number, got ''; {CHANGE}"),
        ("/v1/networks/net_1?include=all", f"include: must be 'body', got 'all'; {CHANGE}"),
        ("/v1/arrays?kind=", f"kind: must be 'synapses' or 'spikes', got ''; {CHANGE}"),
        (
            "/v1/deployments?state=ready",
            "state: must be a parameter of this resource, got 'state'; rename or remove it",
        ),
        (
            f"/v1/runs?deployment_id={'d' * 65}",
            f"deployment_id: must have at most 64 characters, got '{'d' * 27}...{'d' * 28}'; shorten it",
        ),
        ("/v1/runs/run_1/spikes?from_tick=-1", "from_tick: must be >= 0, got -1; raise it"),
        ("/v1/runs/run_1/spikes?to_tick=1.5", f"to_tick: must be a whole number, got '1.5'; {CHANGE}"),
        ("/v1/runs/run_1/spikes?format=xml", f"format: must be 'json', 'npz' or 'csv', got 'xml'; {CHANGE}"),
        ("/v1/runs/run_1/states?recording=65537", "recording: must be <= 65536, got 65537; lower it"),
        ("/v1/runs/run_1/weights?limit=0", "limit: must be >= 1, got 0; raise it"),
        (
            "/v1/deployments/dep_1/synapses?targets=1-2",
            "targets: must be start:stop or start:stop:step in whole numbers, got '1-2'; write it so",
        ),
    ],
)
def test_parameters(call, path, detail):
    answer = call("GET", path)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["detail"] == detail
    where, message = detail.split(": ", 1)
    assert answer.json()["errors"] == [{"path": where, "message": message}]


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("/v1/deployments", {}, "network_id: must be given, got nothing; add it"),
        ("/v1/deployments", [1], f"body: must be an object, got [1]; {CHANGE}"),
        ("/v1/deployments", {"network_id": None}, f"network_id: must be text, got null; {CHANGE}"),
        (
            "/v1/deployments",
            {"network_id": "net_1", "placement": True},
            f"placement: must be 'default', 'consecutive' or 'shuffled', got true; {CHANGE}",
        ),
        (
            "/v1/deployments",
            {"network_id": "net_1", "chips": 1.5},
            f"chips: must be a whole number, got 1.5; {CHANGE}",
        ),
        ("/v1/fits", {"chips": "x"}, f"chips: must be a whole number, got 'x'; {CHANGE}"),
        ("/v1/fits", [], f"body: must be an object, got []; {CHANGE}"),
        (
            "/v1/deployments/dep_1/runs",
            {"duration_ms": "x"},
            f"duration_ms: must be a number, got 'x'; {CHANGE}",
        ),
        ("/v1/runs/run_1/step", {"ticks": 2**32}, "ticks: must be <= 4294967295, got 4294967296; lower it"),
        (
            "/v1/keys",
            {"name": "", "scopes": []},
            f"name: must not be empty, got ''; {CHANGE}\nscopes: must not be empty, got []; {CHANGE}",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": ["read", "write"]},
            f"scopes[1]: must be 'read', 'run' or 'admin', got 'write'; {CHANGE}",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": "read"},
            f"scopes: must be a list, got 'read'; {CHANGE}",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": ["read"], "owner": "me"},
            "owner: must be own_ and 12 hexadecimal digits in lower case, got 'me'; write it so",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": ["read"], "expires": "soon"},
            "expires: must be a date and time, got 'soon'; write it as 2030-01-31T12:00:00Z",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": ["read"], "expires": "2030-01-31T12:00:00"},
            "expires: must say its time zone, got '2030-01-31T12:00:00'; write it as 2030-01-31T12:00:00Z",
        ),
        (
            "/v1/keys",
            {"name": "k", "scopes": ["read"], "expires": True},
            "expires: must be a date and time, got true; write it as 2030-01-31T12:00:00Z",
        ),
    ],
)
def test_bodies(call, path, body, detail):
    answer = call("POST", path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["detail"] == detail


def test_headers(call):
    answer = call("POST", "/v1/runs/run_1/pause", headers={"Idempotency-Key": "a b"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "Idempotency-Key: must be visible ASCII without spaces, got 'a b'; write it so",
    )


@pytest.mark.parametrize(
    "model",
    [
        DeploymentRequest,
        KeyRequest,
        RunRequest,
        StepRequest,
        SampleQuery,
        SpikeQuery,
        StreamQuery,
        SynapsesQuery,
    ],
)
@pytest.mark.parametrize(
    "value", [None, True, -1, 1.5, 1e30, float("nan"), "", "é" * 500, [], [{}], {"a": 1}]
)
def test_nothing_is_told_in_another_grammar(model: type[BaseModel], value: object):
    """No field of any body or query answers with the library's own words."""
    details = []
    for name in model.model_fields:
        try:
            model.model_validate({name: value})
        except ValueError as error:
            details += error.errors()  # type: ignore[attr-defined]
    for detail in details:
        told = message_of(detail | {"loc": ("body", *detail["loc"])})
        assert re.fullmatch(r"must (be|not be|have|say) .*, got .*; .*", told), told
