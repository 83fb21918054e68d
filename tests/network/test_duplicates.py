"""Keys that an object names twice, however they are written and whatever stands around them."""

from __future__ import annotations

import json
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network import NetworkError, parse_network
from network.duplicates import repeated_key
from tests.network.samples import demo

TEXT = st.text(st.sampled_from('ab:"\\\\,{}[] \\u00e9\\n'), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def found(text: str) -> str | None:
    return repeated_key(text.encode(), pydantic_core.from_json(text))


@pytest.mark.slow
@given(value=JSON, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_nothing_is_found_where_nothing_is_repeated(value: Any, ascii_only: bool, indent: int | None) -> None:
    assert found(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) is None


@pytest.mark.slow
@given(before=JSON, after=JSON, key=TEXT, around=st.sampled_from(["%s", "[1, %s]", '[[], {"x:": [%s]}]']))
def test_a_repeated_key_is_found(before: Any, after: Any, key: str, around: str) -> None:
    name, one, other = (json.dumps(part) for part in (key, before, after))
    assert found(around % f"{{{name}: {one}, {name} : {other}}}") == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "\\u0061": 2}', "a"),
        ('{"\\u003a": 1, "b": {"b": 1}, "a": 1, "a": 2}', "a"),
        ('{":": 1, "a": ":", "a": 2}', "a"),
        ('{"a": [1, {"b": 1, "b": 1}]}', "b"),
        ('{"n": %s, "a": 1, "a": 1}' % ("9" * 4000), "a"),
        ('[{"a": 1}, {"a": 1}]', None),
        ('[1, {"a": ":"}, {"a": NaN}]', None),
        ('{"n": %s, "a": ":"}' % ("9" * 400), None),
        ("3", None),
        ('":"', None),
    ],
)
def test_cases_at_the_edge(text: str, key: str | None) -> None:
    assert found(text) == key


def test_a_network_names_each_field_once() -> None:
    text = json.dumps(demo())
    assert parse_network(text) == parse_network(demo())
    with pytest.raises(NetworkError) as caught:
        parse_network(text.replace('"seed": 1', '"seed": 1, "seed": 2'))
    assert str(caught.value) == (
        "network must name each field of an object once, got 'seed' twice; remove one"
    )
