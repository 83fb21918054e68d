"""Compiling kernels before the chips start, once a host, with a tiny network that uses each."""

from __future__ import annotations

from cluster.options import DeployOptions
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

_EXAMPLES: dict[type, Connectivity] = {
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


def warm_up(network: Network, options: DeployOptions) -> None:
    """Compile all kernels that a network needs, or find them compiled."""
    rules = {type(projection.connectivity) for projection in network.projections} | {FixedTotalNumber}
    tiny = _network([_EXAMPLES[rule] for rule in sorted(rules, key=lambda rule: rule.__name__)])
    two = DeployOptions(chips=2, precision=options.precision)
    team = ThreadTeam(Plan(tiny, SYSTEMS["rack-2x2"], two))
    try:
        team.build(lambda phase, share: None)
        team.reset()
        team.advance(2)
        team.tallies()
    finally:
        team.close()


def _network(rules: list[Connectivity]) -> Network:
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
