from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from api import Settings, create_app
from api.errors import Unauthorized
from api.keys import ANYBODY
from api.tickets import LIFE_S, Tickets
from tests.api.conftest import Caller, settings_in
from tests.api.scripted import ScriptedFleet

BAD_KEY = "API key: must be one of this service, and is not; check SPIKERACK_API_KEY"
NO_KEY = "Authorization: must be 'Bearer srk_<id>_<secret>', got nothing of the kind; send an API key"


def test_the_first_key_is_printed_once_and_kept_private(settings, fleet, capsys):
    with TestClient(create_app(settings, fleet)):
        pass
    printed = capsys.readouterr().out
    token = settings.key_file.read_text().strip()
    assert printed == f"API key (shown once): {token}\n"
    assert re.fullmatch(r"srk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", token)
    assert stat.S_IMODE(settings.key_file.stat().st_mode) == 0o600
    with TestClient(create_app(settings, fleet)) as again:
        assert again.get("/v1/systems", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert capsys.readouterr().out == ""


def test_the_secret_is_not_on_disk(settings, call):
    secret = call.headers["Authorization"].split("_", 2)[2]
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, NO_KEY),
        ("Basic abc", NO_KEY),
        ("Bearer", NO_KEY),
        ("Bearer nonsense", BAD_KEY),
        ("Bearer srk_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", BAD_KEY),
        ("Bearer srk__", BAD_KEY),
    ],
)
def test_wrong_tokens(http, header, detail):
    answer = http.get("/v1/networks", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/unauthorized",
        "title": "A valid API key is needed",
        "status": 401,
        "detail": detail,
        "instance": "/v1/networks",
        "request_id": answer.headers["Request-Id"],
    }


def test_the_right_id_with_a_wrong_secret(call):
    token = call.headers["Authorization"]
    wrong = token[:-4] + ("aaaa" if not token.endswith("aaaa") else "bbbb")
    answer = call("GET", "/v1/networks", headers={"Authorization": wrong})
    assert (answer.status_code, answer.json()["detail"]) == (401, BAD_KEY)


def test_an_expired_key(call):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    body = {"name": "old", "scopes": ["read"], "expires": yesterday.isoformat()}
    old = call("POST", "/v1/keys", json=body).json()
    answer = call("GET", "/v1/networks", headers={"Authorization": f"Bearer {old['token']}"})
    expired = yesterday.isoformat(timespec="milliseconds")
    assert answer.status_code == 401
    assert answer.json()["detail"] == (
        f"API key {old['id']}: must not have expired, and did at {expired}; ask for a new one"
    )


def test_scopes(call):
    reader = call.key("read")
    key_id = reader.headers["Authorization"].split("_")[1]
    answer = reader("POST", "/v1/networks", json={})
    assert answer.status_code == 403
    assert answer.json()["detail"] == f"API key {key_id}: needs the scope run, has read"
    assert reader("GET", "/v1/networks").status_code == 200
    assert reader("GET", "/v1/keys").status_code == 403


def test_owners_do_not_see_each_other(call, stranger):
    network_id, run_id = call.network(), call.run()
    deployment_id = call("GET", f"/v1/runs/{run_id}").json()["deployment_id"]
    for method, path in [
        ("GET", f"/v1/networks/{network_id}"),
        ("DELETE", f"/v1/networks/{network_id}"),
        ("GET", f"/v1/deployments/{deployment_id}"),
        ("DELETE", f"/v1/deployments/{deployment_id}"),
        ("POST", f"/v1/deployments/{deployment_id}/runs"),
        ("GET", f"/v1/runs/{run_id}"),
        ("DELETE", f"/v1/runs/{run_id}"),
        ("POST", f"/v1/runs/{run_id}/cancel"),
        ("GET", f"/v1/runs/{run_id}/spikes"),
        ("GET", f"/v1/runs/{run_id}/states"),
    ]:
        answer = stranger(method, path, **({"json": {"duration_ms": 1.0}} if path.endswith("runs") else {}))
        assert (method, path, answer.status_code) == (method, path, 404)
    for kind in ("networks", "deployments", "runs"):
        assert stranger("GET", f"/v1/{kind}").json() == {"items": [], "next": None}
        assert len(call("GET", f"/v1/{kind}").json()["items"]) >= 1
    fit = stranger("POST", "/v1/fits", json={"network_id": network_id})
    assert fit.status_code == 404
    assert fit.json()["detail"] == (
        f"network: must be the id of one of your networks, got '{network_id}'; list them at /v1/networks"
    )


def test_a_key_of_the_same_owner_sees_what_is_there(call):
    network_id = call.network()
    owner = call("GET", "/v1/keys").json()["items"][0]["owner"]
    made = call("POST", "/v1/keys", json={"name": "second", "scopes": ["read"], "owner": owner})
    assert made.headers["Cache-Control"] == "no-store"
    second = Caller(call.http, call.fleet, made.json()["token"])
    assert second("GET", f"/v1/networks/{network_id}").status_code == 200


def test_keys_are_revoked_but_never_the_last_admin(call):
    other = call.key("read")
    other_id = other.headers["Authorization"].split("_")[1]
    assert call("GET", "/v1/keys").json()["items"][0]["id"] == other_id
    assert call("DELETE", f"/v1/keys/{other_id}").status_code == 204
    assert other("GET", "/v1/networks").status_code == 401
    gone = call("DELETE", f"/v1/keys/{other_id}")
    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        f"key: must be the id of a key, got '{other_id}'; list them at /v1/keys",
    )
    own_id = call.headers["Authorization"].split("_")[1]
    refused = call("DELETE", f"/v1/keys/{own_id}")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"key {own_id}: the last key with the scope admin cannot be revoked; make another first",
    )


def test_a_key_that_expires_after_the_calendar(call):
    body = {"name": "late", "scopes": ["read"], "expires": "9999-12-31T23:59:59-23:00"}
    answer = call("POST", "/v1/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "path": "expires",
            "message": "must be before the year 3000, got 9999-12-31T23:59:59-23:00; leave it out for never",
        }
    ]


def test_without_authentication(tmp_path):
    open_settings = settings_in(tmp_path, auth=False)
    with TestClient(create_app(open_settings, ScriptedFleet(open_settings.data))) as http:
        assert http.get("/v1/networks").json() == {"items": [], "next": None}
    assert not (tmp_path / "key").exists()


def test_authentication_stays_on_where_others_can_reach_it():
    with pytest.raises(ValueError, match=r"SPIKERACK_AUTH: may be off only on a loopback host") as caught:
        Settings(auth=False, host="0.0.0.0")
    assert caught.value.errors()[0]["msg"] == (
        "Value error, SPIKERACK_AUTH: may be off only on a loopback host, got host '0.0.0.0'; "
        "set SPIKERACK_HOST=127.0.0.1 or leave SPIKERACK_AUTH on"
    )


def test_a_ticket_opens_once_and_soon():
    now = [0.0]
    tickets = Tickets(clock=lambda: now[0])
    first, second = tickets.issue(ANYBODY), tickets.issue(ANYBODY)
    now[0] = LIFE_S - 0.001
    assert tickets.redeem(first) is ANYBODY
    message = "ticket: must be unused and at most 30 s old, and is not; ask for a new one"
    for at, ticket in [(now[0], first), (LIFE_S, second), (now[0], "nonsense")]:
        now[0] = at
        with pytest.raises(Unauthorized) as caught:
            tickets.redeem(ticket)
        assert str(caught.value) == message
