from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.errors import IdempotencyInProgress
from api.idempotency import LIFE, Answers
from api.storage import Storage
from tests.api.conftest import NETWORK

KEY = {"Idempotency-Key": "k-1"}


def test_the_same_request_gets_the_same_answer(call):
    first = call("POST", "/v1/networks", json=NETWORK, headers=KEY)
    again = call("POST", "/v1/networks", json=NETWORK, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["content-type"] == "application/json"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(call("GET", "/v1/networks").json()["items"]) == 1


def test_a_run_is_started_once(call):
    path = f"/v1/deployments/{call.deployment()}/runs"
    answers = [call("POST", path, json={"duration_ms": 1.0}, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert len(call("GET", "/v1/runs").json()["items"]) == 1


@pytest.mark.parametrize("change", ["body", "path"])
def test_another_request_with_the_same_key(call, change):
    call("POST", "/v1/networks", json=NETWORK, headers=KEY)
    if change == "body":
        answer = call("POST", "/v1/networks", json=NETWORK | {"seed": 8}, headers=KEY)
    else:
        answer = call("POST", "/v1/deployments", json=NETWORK, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert answer.json()["detail"] == (
        "Idempotency-Key: must come with the request it was first sent with, got 'k-1' with another; "
        "use a new key for a new request"
    )


def test_owners_have_their_own_keys(call, stranger):
    first = call("POST", "/v1/networks", json=NETWORK, headers=KEY).json()
    assert stranger("POST", "/v1/networks", json=NETWORK, headers=KEY).json()["id"] != first["id"]


def test_a_refused_request_may_be_sent_again(call):
    body = {"network_id": "net_none"}
    assert call("POST", "/v1/deployments", json=body, headers=KEY).status_code == 404
    good = {"network_id": call.network()}
    assert call("POST", "/v1/deployments", json=good, headers=KEY).status_code == 202


def test_without_a_valid_api_key_nothing_is_kept(http, call):
    assert http.post("/v1/networks", json=NETWORK, headers=KEY).status_code == 401
    assert call("POST", "/v1/networks", json=NETWORK, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "a b"])
def test_keys_that_are_none(call, key):
    answer = call("POST", "/v1/networks", json=NETWORK, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "Idempotency-Key")


def test_answers_outlive_the_gateway(call, restart):
    first = call("POST", "/v1/networks", json=NETWORK, headers=KEY)
    assert restart()("POST", "/v1/networks", json=NETWORK, headers=KEY).content == first.content


def test_the_first_request_goes_on(tmp_path):
    storage = Storage(tmp_path)
    answers = Answers(storage)
    assert answers.begin("own", "k", b"1") is None
    with pytest.raises(IdempotencyInProgress) as caught:
        answers.begin("own", "k", b"1")
    assert str(caught.value) == "Idempotency-Key: the first request with 'k' is not answered yet; ask again"
    assert caught.value.extra == {"retry_after": 1}
    answers.forget_unfinished()
    assert answers.begin("own", "k", b"1") is None
    storage.close()


def test_after_a_day_a_key_is_new(tmp_path):
    storage = Storage(tmp_path)
    answers = Answers(storage)
    answers.begin("own", "k", b"1")
    old = (datetime.now(UTC) - LIFE - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    storage.execute("UPDATE answers SET created = ?", (old,))
    assert answers.begin("own", "k", b"2") is None
    storage.close()
