from __future__ import annotations

import pytest

from spikerack.access import access
from spikerack.errors import AccessError


def test_arguments_come_before_the_environment() -> None:
    environment = {"SPIKERACK_URL": "http://b", "SPIKERACK_API_KEY": "kb"}
    chosen = access("http://a/", "ka", environment=environment)
    assert (chosen.url, chosen.api_key) == ("http://a", "ka")
    assert chosen.headers == {"Authorization": "Bearer ka"}
    assert access(None, None, environment=environment).url == "http://b"


def test_defaults() -> None:
    chosen = access(None, None, environment={})
    assert (chosen.url, chosen.headers) == ("http://127.0.0.1:8787", {})


def test_a_wrong_url_is_named() -> None:
    with pytest.raises(AccessError) as error:
        access("rack:80", None, environment={})
    assert (
        str(error.value)
        == "url: must begin with http:// or https://, got 'rack:80'; e.g. http://127.0.0.1:8787"
    )
