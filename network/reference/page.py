"""The whole page: sections, classes, fields, examples."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any, NamedTuple

from pydantic import BaseModel

from network import (
    connectivity,
    description,
    population,
    positions,
    projection,
    recording,
    values,
    waveform,
)
from network.reference.examples import EXAMPLES
from network.reference.fields import bare_members, default_of, type_of
from network.reference.introduction import INTRODUCTION


class Section(NamedTuple):
    """Classes under one heading: the text before, the union that they make, and what a field calls that."""

    title: str
    text: str
    models: tuple[type[BaseModel], ...]
    union: Any = None
    noun: str = ""


def _members(alias: Any) -> tuple[type[BaseModel], ...]:
    order = [*values.__dict__.values(), *connectivity.__dict__.values()]
    members = [member for member in bare_members(alias) if member is not float]
    known = [*order, *population.__dict__.values(), *positions.__dict__.values()]
    known += [*waveform.__dict__.values(), *recording.__dict__.values()]
    return tuple(sorted(members, key=known.index))


SECTIONS: tuple[Section, ...] = (
    Section("Network", "", (description.Network,)),
    Section("Population", "", (population.Population,)),
    Section(
        "Inputs",
        "What drives each neuron of a population, beside its synapses.",
        _members(population.Input),
        population.Input,
        "inputs",
    ),
    Section(
        "Sources",
        "Populations that only emit spikes: projections may lead from them, to any number of populations.",
        _members(population.Source),
        population.Source,
        "sources",
    ),
    Section("Projection", "", (projection.Projection,)),
    Section(
        "Connectivity rules",
        "Which source neurons meet which target neurons.",
        _members(connectivity.Connectivity),
        connectivity.Connectivity,
        "rule",
    ),
    Section(
        "Values",
        "A bare number, or one of these. Terms of a sum or product are numbers, distributions and functions "
        "of distance.",
        _members(values.Value),
        values.Value,
        "value",
    ),
    Section(
        "Waveforms",
        "Courses over time, the same for all neurons. The value in tick t is that at t `timestep_ms`.",
        _members(waveform.Waveform),
        waveform.Waveform,
        "waveform",
    ),
    Section(
        "Positions",
        "Where neurons stand, in one to three dimensions. The two ends of a projection that depends on "
        "distance have the same extent and the same boundary.",
        _members(positions.Positions),
        positions.Positions,
        "positions",
    ),
    Section(
        "Recordings",
        "Without a recording of spikes all spikes are kept; with one or more, only those that they name.",
        (*_members(recording.Recording), recording.NeuronRange),
        recording.Recording,
        "recordings",
    ),
)

UNIONS = {
    bare_members(s.union): f"[{s.noun}](#{s.title.lower().replace(' ', '-')})" for s in SECTIONS if s.union
}
UNIONS[bare_members(values.Term)] = "[terms](#values)"
UNIONS[bare_members(connectivity.Kernel)] = "[function of distance](#distancelinear)"


def page() -> str:
    """Return the reference as Markdown."""
    return "\n".join([INTRODUCTION, *(_section(section) for section in SECTIONS)])


def _section(section: Section) -> str:
    alone = len(section.models) == 1 and section.models[0].__name__ == section.title
    parts = [] if alone else [f"## {section.title}", section.text]
    parts += [_model(model, "##" if alone else "###") for model in section.models]
    return "\n\n".join(part for part in parts if part) + "\n"


def _model(model: type[BaseModel], hashes: str) -> str:
    rows = ["| field | | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = (f"`{name}`", type_of(field, UNIONS), default_of(field), field.description or "")
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    example = json.dumps(EXAMPLES[model], ensure_ascii=False)
    return "\n\n".join(
        [f"{hashes} {model.__name__}", _prose(model), "\n".join(rows), f"```json\n{example}\n```"]
    )


def _prose(model: type[BaseModel]) -> str:
    """Return a docstring as Markdown."""
    text = inspect.getdoc(model) or ""
    return re.sub(r"\n\nReferences\n-+\n", "\n\nReference: ", text)
