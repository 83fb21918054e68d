"""Compiling a part of the kernels with a tiny network: what `cluster.warmup` does in processes side by side.

``python -m cluster.kernelparts loop float32`` compiles what chips run, and ``rules float32 OneToOne`` what
builds them by the rules that are named. Each compiled function is told by a line on standard output. The
parts have no kernel in common that takes long.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from numba.core.event import Event, Listener, install_listener

from cluster.options import DeployOptions, Precision
from cluster.plan import Plan
from cluster.systems import SYSTEMS
from cluster.team import ThreadTeam
from network import (
    AllToAll,
    Connectivity,
    Convolution,
    DistanceDependent,
    DistanceLinear,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    GridPositions,
    Network,
    Normal,
    OneToOne,
    PoissonInput,
    PoissonSource,
    Pooling,
    Population,
    Projection,
    SmallWorld,
    Uploaded,
)

_SIZE = 2

_LISTED = Explicit(sources=(0, 1), targets=(1, 0))

EXAMPLES: dict[type, Connectivity] = {
    OneToOne: OneToOne(),
    AllToAll: AllToAll(),
    FixedInDegree: FixedInDegree(n=1),
    FixedOutDegree: FixedOutDegree(n=1),
    FixedTotalNumber: FixedTotalNumber(n=2),
    FixedProbability: FixedProbability(p=0.5),
    DistanceDependent: DistanceDependent(p=DistanceLinear(at_zero=1.0, slope_per_um=0.0)),
    SmallWorld: SmallWorld(k=0, p_rewire=0.5),
    Convolution: Convolution(source_shape=(1, 1, _SIZE), kernel_shape=(1, 1, 1, 1), kernel=(1.0,)),
    Pooling: Pooling(source_shape=(1, 1, _SIZE), window=(1, 1)),
    Explicit: _LISTED,
    Uploaded: _LISTED,
}
"""The least example of each rule, between populations of `_SIZE` neurons."""


def compile_loop(precision: Precision) -> None:
    """Compile what chips run, or find it compiled."""
    options = DeployOptions(chips=2, precision=precision)
    team = ThreadTeam(Plan(_network([]), SYSTEMS["rack-2x2"], options))
    try:
        team.build(lambda phase, share: None)
        team.reset()
        team.advance(2)
        team.tallies()
    finally:
        team.close()


def compile_rules(precision: Precision, rules: Sequence[str]) -> None:
    """Compile what builds chips by the rules of these names, or find it compiled."""
    examples = [EXAMPLES[rule] for rule in EXAMPLES if rule.__name__ in rules]
    team = ThreadTeam(Plan(_network(examples), SYSTEMS["rack-2x2"], DeployOptions(precision=precision)))
    try:
        with suppress(_Enough):
            team.build(_stop_when_built)
    finally:
        team.close()


class _Enough(Exception):
    """The chips are built; the loop is the other part's."""


def _stop_when_built(phase: str, share: float) -> None:
    if phase != "building chips":
        raise _Enough


def _network(rules: Sequence[Connectivity]) -> Network:
    places = GridPositions(shape=(_SIZE,), extent_um=(1.0,))
    neurons = Population(
        name="neurons",
        size=_SIZE,
        model="lif_curr_exp",
        initial={"v_mv": Normal(mean=-65.0, sd=1.0)},
        inputs=(PoissonInput(rate_hz=1.0, weight=1.0, receptor="excitatory"),),
        positions=places,
    )
    source = PoissonSource(name="source", size=_SIZE, rate_hz=1.0, positions=places)
    projections = tuple(
        Projection(
            source="source",
            target="neurons",
            name=f"projection {number}",
            connectivity=rule,
            weight=None if isinstance(rule, Convolution) else 1.0,
            delay_ms=1.0,
            receptor="excitatory",
        )
        for number, rule in enumerate(rules)
    )
    return Network(
        name="warm-up",
        timestep_ms=1.0,
        seed=0,
        populations=(neurons,),
        sources=(source,),
        projections=projections,
    )


class _Teller(Listener):  # type: ignore[misc]
    """Writes a line for each function that Numba has compiled."""

    def on_start(self, event: Event) -> None:
        """Say nothing: what counts is done."""

    def on_end(self, event: Event) -> None:
        """Name the function."""
        print(event.data["dispatcher"].py_func.__qualname__, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Compile one part; return the exit code."""
    part, precision, *rules = arguments
    with install_listener("numba:compile", _Teller()):
        if part == "loop":
            compile_loop(precision)  # type: ignore[arg-type]
        else:
            compile_rules(precision, rules)  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
