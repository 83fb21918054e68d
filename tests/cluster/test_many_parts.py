"""Work that grows with the parts of a network grows no faster than they do: steps are counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from chip import ChipSpec
from cluster.check import check
from cluster.fit import fit
from cluster.lowering import lower
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.recordings import recorded_values
from cluster.systems import SYSTEMS
from network import Network, parse_network

SYSTEM, OPTIONS = SYSTEMS["rack-2x2"], DeployOptions(chips=2)


def ring(n: int) -> dict[str, Any]:
    """`n` populations of one neuron, each of which projects to the next; all is recorded."""
    return {
        "name": "ring",
        "timestep_ms": 0.1,
        "seed": 1,
        "populations": [{"name": f"p{k}", "size": 1, "model": "lif_curr_delta"} for k in range(n)],
        "projections": [
            {
                "source": f"p{k}",
                "target": f"p{(k + 1) % n}",
                "name": f"j{k}",
                "connectivity": {"rule": "one_to_one"},
                "weight": 1.0,
                "delay_ms": 1.0,
            }
            for k in range(n)
        ],
        "recordings": [{"kind": "weights", "projection": f"j{k}", "interval_ms": 1.0} for k in range(n)]
        + [
            {
                "kind": "state",
                "population": f"p{k}",
                "variables": ["v_mv"],
                "neurons": {"start": 0, "stop": 1},
                "interval_ms": 1.0,
            }
            for k in range(n)
        ],
    }


def of_post(described: dict[str, Any]) -> Network:
    network = parse_network(described)
    check(network)
    assert fit(network, SYSTEM, OPTIONS).fits
    assert recorded_values(network) == 2 * len(network.populations)
    return network


def of_deployment(described: dict[str, Any]) -> ChipSpec:
    plan = Plan(parse_network(described), SYSTEM, OPTIONS)
    assert plan.epoch_ticks == 64
    assert len(plan.tables) == 4
    return lower(plan, (1,))


def steps(work: Callable[[dict[str, Any]], object], n: int) -> int:
    """Count the steps of the interpreter in the project's own functions."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    described, before = ring(n), sys.gettrace()
    sys.settrace(trace)
    try:
        work(described)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.slow
@pytest.mark.parametrize("work", [of_post, of_deployment])
def test_steps_are_in_proportion_to_populations_projections_and_recordings(
    work: Callable[[dict[str, Any]], object],
) -> None:
    work(ring(3))  # what is done once, whatever the network
    assert steps(work, 200) < 4.2 * steps(work, 50)
