from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from network import parse, parse_network
from network.reference import EXAMPLES, SECTIONS, page
from network.schema import Description

COMMITTED = Path(__file__).parents[2] / "docs" / "language.md"


def concrete(model: type[BaseModel] = Description) -> set[type[BaseModel]]:
    """Return all parts of the language: the classes that no other is a special case of."""
    inner = [concrete(sub) for sub in model.__subclasses__()]
    return set().union(*inner) if inner else {model}


def test_the_committed_page_is_current() -> None:
    assert COMMITTED.read_text() == page(), "run make docs"


def test_every_part_of_the_language_is_on_the_page_once() -> None:
    listed = [model for section in SECTIONS for model in section.models]
    assert len(listed) == len(set(listed))
    assert set(listed) == concrete()


def test_every_field_has_a_row() -> None:
    sections = dict(re.findall(r"^#{2,3} (\w+)\n(.*?)(?=^#{2,3} |\Z)", page(), re.M | re.S))
    for section in SECTIONS:
        for model in section.models:
            for name, field in model.model_fields.items():
                row = next(r for r in sections[model.__name__].splitlines() if r.startswith(f"| `{name}` "))
                assert row.endswith(f"| {field.description} |")
                assert len(re.findall(r"(?<!\\)\|", row)) == 5, row


def test_links_lead_somewhere() -> None:
    text = page()
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert len(anchors) == len(headings)
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_examples_parse(model: type[BaseModel]) -> None:
    example = EXAMPLES[model]
    made: Any = parse(model, example)
    again = parse(model, made.model_dump())
    assert again == made
    assert set(example) <= set(model.model_fields)


def test_examples_are_those_of_the_classes_on_the_page() -> None:
    assert set(EXAMPLES) == {model for section in SECTIONS for model in section.models}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("| `size` | whole number >= 0, <= 2^31 | required | the number of neurons |", "size"),
        ("| `weight_bits` | whole number >= 1, <= 16 or null | `null` |", "weight_bits"),
        ("| `codebook` | list of 1 to 256 numbers or null | `null` |", "codebook"),
        ("| `stride` | list of 2 whole numbers >= 1, <= 2^31 | `[1, 1]` |", "stride"),
        ("| `bounds` | `\"redraw\"` or `\"clip\"` | `\"redraw\"` |", "bounds"),
        ("| `periodic` | true or false | `false` |", "periodic"),
        ("| `kind` | `\"grid\"` | required | the word grid |", "kind"),
        ("| `of` | list of 1 to 4 [terms](#values) | required | the terms, one to four |", "of"),
        ("| `name` | text of 1 to 258 characters | `source->target` | the projection's name |", "name"),
        ("| `parameters` | object of [value](#values) by name | `{}` |", "parameters"),
        ("| `connectivity` | [rule](#connectivity-rules) | required |", "connectivity"),
        ("| `k` | whole number >= 0, <= 2^31, multiple of 2 | required |", "k"),
        ("| `times_ms` | list of list of numbers | required |", "times_ms"),
        ("| `current_pa` | [value](#values) | `1` |", "current_pa"),
    ],
)  # fmt: skip
def test_rows(row: str, field: str) -> None:
    assert any(line.startswith(row) for line in page().splitlines()), field


def test_a_million_neurons_are_about_a_kilobyte() -> None:
    """The claim of the introduction: a million neurons and a billion synapses, as the page says."""
    network = parse_network(
        {
            "name": "large",
            "timestep_ms": 0.1,
            "seed": 1,
            "populations": [
                {"name": "exc", "size": 800_000, "model": "lif_curr_exp"},
                {"name": "inh", "size": 200_000, "model": "lif_curr_exp"},
            ],
            "projections": [
                {
                    "source": source,
                    "target": target,
                    "connectivity": {"rule": "fixed_in_degree", "n": n},
                    "weight": weight,
                    "delay_ms": 1.5,
                    "receptor": receptor,
                }
                for source, n, weight, receptor in (
                    ("exc", 800, 1, "excitatory"),
                    ("inh", 200, -5, "inhibitory"),
                )
                for target in ("exc", "inh")
            ],
        }
    )
    assert (network.n_neurons, network.n_synapses) == (10**6, 10**9)
    assert len(network.model_dump_json(exclude_defaults=True)) < 1500
