from __future__ import annotations

import jsonschema
import pytest

from network import json_schema
from tests.api.conftest import NETWORK

PATH = "/v1/schemas/network"


def test_the_schema_asks_for_no_key(http):
    answer = http.get(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.json() == json_schema()


def test_who_has_it_is_not_sent_it_again(http):
    tag = http.get(PATH).headers["ETag"]
    again = http.get(PATH, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert http.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200


def test_it_validates_what_the_service_takes(http, call):
    validator = jsonschema.Draft202012Validator(http.get(PATH).json())
    validator.validate(NETWORK)
    assert call("POST", "/v1/networks", json=NETWORK).status_code == 201
    with pytest.raises(jsonschema.ValidationError, match="is a required property"):
        validator.validate({"name": "nothing"})


def test_other_schemas_are_not_found(http):
    answer = http.get("/v1/schemas/rack")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
