"""The whole language through the outer door: described, built on Ray actors, read back as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from network import Network
from spikerack.client import Client, Deployment
from tests.chip.expansion import Synapse, expand, same
from tests.placement.language import PROJECTIONS, language_network

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TARGETS = range(5, 36, 3)


@pytest.fixture(scope="module")
def deployment(request: pytest.FixtureRequest) -> Any:
    service = request.getfixturevalue("service")
    with (
        service.client() as client,
        client.deploy(language_network(), system="rack-2x2", chips=3, placement="shuffled") as built,
    ):
        yield built.wait()


def read(deployment: Deployment, name: str) -> list[Synapse]:
    """Return the synapses of a projection onto `TARGETS`, read over REST, numbered within populations."""
    described = language_network()
    (projection,) = (p for p in described.projections if p.name == name)
    table = deployment.synapses(name, targets=TARGETS)
    first = described.offsets
    columns: Sequence[Any] = (
        table.source.astype(np.int64) - first[projection.source],
        table.target.astype(np.int64) - first[projection.target],
        table.delay_ticks,
        table.weight,
    )
    return [Synapse(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def expected(name: str) -> list[Synapse]:
    """Return the synapses that the plain reference expands, of all projections that share its axons."""
    described = language_network()
    names = [p.name for p in described.projections]
    own = described.projections[names.index(name)]
    beside = [
        k
        for k, p in enumerate(described.projections)
        if (p.source, p.target, p.receptor) == (own.source, own.target, own.receptor)
    ]
    made = [synapse for k in beside for synapse in _coded(described, k)]
    return [synapse for synapse in made if synapse.target in TARGETS]


def _coded(described: Network, number: int) -> list[Synapse]:
    codes, made = described.projections[number].codebook, expand(described, number)
    if codes is None:
        return made
    return [s._replace(weight=min(codes, key=lambda code: abs(code - s.weight))) for s in made]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_synapses_read_back_are_those_that_plain_python_expands(deployment: Deployment, name: str) -> None:
    steps = {use["where"]: use["step"] for use in deployment.record["report"]["quantisation"]}
    step = max(steps[f"projection {other!r}"] for other in PROJECTIONS)
    made = read(deployment, name)
    assert len(made) >= len(TARGETS) - 1
    assert same(made, expected(name), step)


def test_it_runs_and_its_digest_is_that_of_one_chip(deployment: Deployment, client: Client) -> None:
    run = deployment.run(20.0).wait()
    with client.deploy(language_network(), system="rack-2x2", chips=1) as alone:
        other = alone.wait().run(20.0).wait()
    assert run.state == other.state == "complete"
    assert (run.digest, run.record["synapse_digest"]) == (other.digest, other.record["synapse_digest"])
