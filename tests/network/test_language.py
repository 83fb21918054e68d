"""Hypothesis over the whole language: what is valid is its own JSON, what is spoilt is refused well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from network import Network, NetworkError, json_schema, parse_network
from network.reference import EXAMPLES
from tests.network.strategies import networks

FIXED = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
UPLOADS = {"uploaded", "uploaded_spikes"}
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def tags(data: Any) -> Iterator[str]:
    """Yield the rule or kind of each part."""
    if isinstance(data, dict):
        yield from (data[name] for name in ("rule", "kind") if name in data)
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from tags(inner)


@pytest.mark.slow
def test_valid_networks_are_their_own_json_and_use_the_whole_language() -> None:
    seen: set[str] = set()
    axes: set[tuple[str, ...]] = set()

    @FIXED
    @given(networks())
    def valid(data: dict[str, Any]) -> None:
        network = parse_network(data)
        text = network.model_dump_json()
        assert parse_network(text) == network
        assert parse_network(text).model_dump_json() == text
        VALIDATOR.validate(data)
        seen.update(tags(data))
        axes.update(tuple(sorted(projection)) for projection in data["projections"])

    valid()
    known = {
        str(getattr(model(**example), tag))
        for model, example in EXAMPLES.items()
        for tag in ("kind", "rule")
        if tag in example
    }
    assert seen == known - UPLOADS
    assert any({"axonal_delay_ms", "codebook"} <= set(fields) for fields in axes)
    assert any({"axonal_delay_ms", "weight_bits"} <= set(fields) for fields in axes)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all values inside a JSON value."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from places(item, (*path, key))


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(
        [10**400, -(2**63), 1e308, 5e-324, -0.0, 0.05, [], {}, [[]], {"kind": 3}, {"rule": None}]
    ),
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a network of which one to three values are removed, replaced by junk, or by other parts of it."""
    data = json.loads(json.dumps(draw(networks())))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(data))))
        owner = at(data, path[:-1])
        how = draw(st.sampled_from(["junk", "other", "removed", "added", "scaled"]))
        if how == "removed":
            del owner[path[-1]]
        elif how == "added" and isinstance(owner, dict):
            owner[draw(st.sampled_from(["kind", "rule", "low", "n", "values", "x", ""]))] = draw(JUNK)
        elif how == "scaled" and type(owner[path[-1]]) in (int, float):
            owner[path[-1]] *= draw(st.sampled_from([-1, 0, 1.003, 1000, 1e300]))
        elif how == "other":
            other = at(data, draw(st.sampled_from(list(places(data)))))
            owner[path[-1]] = json.loads(json.dumps(other))
        else:
            owner[path[-1]] = draw(JUNK)
    return data


def parsed_or_refused(data: dict[str, Any]) -> Network | NetworkError:
    try:
        return parse_network(data)
    except NetworkError as error:
        return error


@pytest.mark.slow
@settings(FIXED, max_examples=400)
@given(spoilt())
def test_spoilt_networks_are_refused_with_a_path_or_taken(data: dict[str, Any]) -> None:
    taken = parsed_or_refused(data)
    if isinstance(taken, NetworkError):
        assert taken.errors
        for path, message in taken.errors:
            assert path
            assert re.fullmatch(r"must [^\n]+, got [^\n]+; [^\n]+", message), message
            assert len(message) < 1000
    else:
        assert parse_network(taken.model_dump_json()) == taken
        assert taken.n_synapses >= 0
        for projection in taken.projections:
            assert taken.reach_um(projection) >= 0.0
