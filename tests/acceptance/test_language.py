"""The whole language through the outer door: described, built on Ray actors, read back as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from network import Network, parse_network
from spikerack.client import Client, Deployment
from tests.chip.expansion import Synapse, expand, same

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SIZES = {"exc": 60, "inh": 47, "image": 36}
TARGETS = range(5, 36, 3)

NORMAL = {"kind": "normal", "mean": 80.0, "sd": 8.0, "low": 0.0}
FAR = {"kind": "distance_linear", "at_zero": 0.3, "slope_per_um": 0.002}
LONG = {"kind": "uniform", "low": 0.1, "high": 250.0}
WEIGHTS = {"kind": "array", "values": [0.5 * k for k in range(47 * 60)]}
IMAGE = {"source_shape": [1, 6, 6], "padding": [1, 1]}
KERNEL = {"kernel_shape": [1, 1, 3, 3], "kernel": [0.25 * k - 1.0 for k in range(9)]}
PEAK = {"kind": "distance_gaussian", "scale": 0.9, "sd_um": 150.0}
SPARE = {"allow_autapses": False, "allow_multapses": False}

PROJECTIONS: dict[str, tuple[str, str, dict[str, Any], Any, Any]] = {
    "one_to_one": ("exc", "exc", {"rule": "one_to_one"}, 3.0, 1.5),
    "all_to_all": ("exc", "inh", {"rule": "all_to_all"}, WEIGHTS, 0.7),
    "fixed_in_degree": ("exc", "exc", {"rule": "fixed_in_degree", "n": 9, **SPARE}, NORMAL, LONG),
    "fixed_out_degree": ("inh", "exc", {"rule": "fixed_out_degree", "n": 11}, NORMAL, FAR),
    "fixed_total_number": ("exc", "inh", {"rule": "fixed_total_number", "n": 500}, NORMAL, 2.0),
    "fixed_probability": ("inh", "inh", {"rule": "fixed_probability", "p": 0.3}, NORMAL, 0.1),
    "distance_dependent": ("exc", "inh", {"rule": "distance_dependent", "p": PEAK}, FAR, FAR),
    "small_world": ("exc", "exc", {"rule": "small_world", "k": 6, "p_rewire": 0.2}, NORMAL, 1.0),
    "convolution": ("image", "image", {"rule": "convolution", **IMAGE, **KERNEL}, None, 1.0),
    "pooling": ("image", "image", {"rule": "pooling", **IMAGE, "window": [3, 3]}, 0.125, 1.0),
}


def network() -> Network:
    """Return a network of one projection a rule, each with axonal and dendritic delays."""
    space = {"extent_um": [1000.0], "periodic": True}
    positions = {
        "exc": {"kind": "grid", "shape": [60], **space},
        "inh": {
            "kind": "free",
            "coordinates_um": [{"kind": "uniform", "low": -500.0, "high": 500.0}],
            **space,
        },
        "image": None,
    }
    populations = [
        {"name": name, "size": size, "model": "lif_curr_exp", "positions": positions[name]}
        for name, size in SIZES.items()
    ]
    projections = [
        {
            "name": name,
            "source": source,
            "target": target,
            "connectivity": rule,
            "weight": weight,
            "delay_ms": delay,
            "axonal_delay_ms": {"kind": "uniform", "low": 0.0, "high": 0.5},
            "receptor": "inhibitory" if name in ("small_world", "pooling") else "excitatory",
            "codebook": [20.0, 60.0, 81.5, 90.0] if name == "fixed_probability" else None,
        }
        for name, (source, target, rule, weight, delay) in PROJECTIONS.items()
    ]
    parts = {"populations": populations, "projections": projections}
    return parse_network({"name": "language", "timestep_ms": 0.1, "seed": 11, **parts})


@pytest.fixture(scope="module")
def deployment(request: pytest.FixtureRequest) -> Any:
    service = request.getfixturevalue("service")
    with (
        service.client() as client,
        client.deploy(network(), system="rack-2x2", chips=3, placement="shuffled") as built,
    ):
        yield built.wait()


def read(deployment: Deployment, name: str) -> list[Synapse]:
    """Return the synapses of a projection onto `TARGETS`, read over REST, numbered within populations."""
    described = network()
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
    described = network()
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
    with client.deploy(network(), system="rack-2x2", chips=1) as alone:
        other = alone.wait().run(20.0).wait()
    assert run.state == other.state == "complete"
    assert (run.digest, run.record["synapse_digest"]) == (other.digest, other.record["synapse_digest"])
