from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from network import json_schema
from spikerack.examples import EXAMPLES
from tests.network.samples import REMOVED, broken, demo


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def test_it_is_a_schema_of_its_dialect() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Network"
    assert schema["description"] == "A network of spiking neurons, as the user describes it."
    assert "$id" not in schema
    json.dumps(schema, allow_nan=False)


def test_every_field_of_every_part_is_described() -> None:
    schema = json_schema()
    for part in (schema, *schema["$defs"].values()):
        assert part["description"]
        assert part["additionalProperties"] is False
        for field in part["properties"].values():
            assert field["description"]


def test_the_demo_is_valid(validator: Any) -> None:
    validator.validate(demo())


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid(validator: Any, name: str) -> None:
    validator.validate(json.loads(EXAMPLES[name](0.1).model_dump_json()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seed",), REMOVED),
        (("seed",), 1.5),
        (("timestep_ms",), 0),
        (("timestep_ms",), "0.1"),
        (("sead",), 1),
        (("populations", 0, "size"), -1),
        (("populations", 0, "parameters", "tau_m_ms"), {"kind": "beta"}),
        (("populations", 0, "parameters", "tau_m_ms"), {"low": 1, "high": 2}),
        (("projections", 0, "connectivity"), {"rule": "ring"}),
        (("projections", 0, "connectivity"), {"n": 3}),
        (("recordings", 0, "variables"), []),
    ],
)
def test_what_one_part_shows_is_refused(validator: Any, path: tuple[str | int, ...], value: Any) -> None:
    assert not validator.is_valid(broken(path, value))
