"""Reads the synapses of a described network back from the chips that make them."""

from typing import Any

import numpy as np

from chip import Chip
from chip.readback import Neurons, list_synapses
from cluster.lowering import lower
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.systems import SYSTEMS
from network import parse_network


def expand(described: dict[str, Any], n_chips: int) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Return the synapses between each two members: columns sorted by target, source, delay, weight.

    `source` and `target` are numbers within their members.
    """
    network = parse_network(described)
    plan = Plan(network, SYSTEMS["rack-8x8"], DeployOptions(chips=n_chips, precision="float64"))
    chips = [Chip(lower(plan, [number])) for number in range(n_chips)]
    pairs = dict.fromkeys((projection.source, projection.target) for projection in network.projections)
    return {pair: _between(plan, chips, *pair) for pair in pairs}


def _between(plan: Plan, chips: list[Chip], source: str, target: str) -> dict[str, np.ndarray]:
    names = [member.name for member in plan.network.members]
    ends = [
        Neurons(number, 0, plan.network.members[number].size)
        for number in (names.index(source), names.index(target))
    ]
    parts = [list_synapses(chip, source=ends[0], target=ends[1]) for chip in chips]
    keys = ("source", "target", "delay_ticks", "weight", "receptor")
    columns = {key: np.concatenate([getattr(part, key) for part in parts]) for key in keys}
    order = np.lexsort([columns[key] for key in ("weight", "delay_ticks", "source", "target")])
    return {key: values[order] for key, values in columns.items()}
