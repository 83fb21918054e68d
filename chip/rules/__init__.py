"""Connectivity rules on the chip, one file each. Start reading at `chip.rules.generator`."""

from __future__ import annotations

from typing import Any

from chip.rules.distance import Spatial
from chip.rules.enumerated import Every, Same
from chip.rules.generator import BATCH, Batch, Ends, Generator
from chip.rules.in_degree import InDegree
from chip.rules.listed import Listed
from chip.rules.out_degree import OutDegree
from chip.rules.probability import Bernoulli
from chip.rules.small_world import Ring
from chip.rules.window import Window
from network import (
    AllToAll,
    Convolution,
    DistanceDependent,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    Pooling,
    SmallWorld,
)

RULES: dict[type, type[Generator]] = {
    OneToOne: Same,
    AllToAll: Every,
    FixedInDegree: InDegree,
    FixedTotalNumber: InDegree,
    FixedOutDegree: OutDegree,
    FixedProbability: Bernoulli,
    DistanceDependent: Spatial,
    SmallWorld: Ring,
    Convolution: Window,
    Pooling: Window,
    Explicit: Listed,
}


def generator_of(rule: Any, ends: Ends) -> Generator:
    """Return the generator of a rule's synapses onto a slice; columns of an upload are a rule too."""
    return RULES.get(type(rule), Listed)(rule, ends)


__all__ = ["BATCH", "RULES", "Batch", "Ends", "Generator", "generator_of"]
