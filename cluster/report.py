"""The mapping report: what a network became on a system, for people and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster.fit import fit
from cluster.plan import Plan
from cluster.team import total_digest
from cluster.worker import Built, BuiltChip


def mapping_report(plan: Plan, built: Sequence[Built], build_seconds: float) -> dict[str, Any]:
    """Return the report of a deployment whose chips are built."""
    n_synapses, n_bytes = sum(b.n_synapses for b in built), sum(b.n_bytes for b in built)
    return {
        "system": plan.system.name,
        "placement": plan.options.placement,
        "precision": plan.options.precision,
        "n_chips": plan.n_chips,
        "n_neurons": plan.network.n_neurons,
        "n_synapses": n_synapses,
        "synapse_digest": total_digest(built),
        "epoch_ticks": plan.epoch_ticks,
        "build_seconds": build_seconds,
        "memory_bytes": n_bytes,
        "bytes_per_synapse": sum(b.synapse_bytes for b in built) / n_synapses if n_synapses else None,
        "n_saturated_weights": sum(b.n_saturated for b in built),
        "quantisation": plan.quantised.report(plan.network, measured_errors(built)),
        "chips": [_chip(plan, chip) for b in built for chip in b.chips],
        "limits": [use.model_dump() for use in fit(plan.network, plan.system, plan.options).limits],
    }


def measured_errors(built: Sequence[Built]) -> dict[int, tuple[float, float, int]]:
    """Return what all chips found of each projection: largest error of a weight, their sum, their number."""
    merged: dict[int, tuple[float, float, int]] = {}
    for errors in (errors for each in built for errors in each.weight_errors):
        largest, total, count = merged.get(errors.projection, (0.0, 0.0, 0))
        merged[errors.projection] = max(largest, errors.largest), total + errors.total, count + errors.count
    return merged


def _chip(plan: Plan, built: BuiltChip) -> dict[str, Any]:
    table = plan.tables[built.chip]
    return {
        "chip": plan.tree.format(built.chip),
        "n_neurons": plan.n_neurons_of(built.chip),
        "n_synapses": built.n_synapses,
        "n_axons": built.n_axons,
        "n_bytes": built.n_bytes,
        "n_route_entries": table.n_entries,
    }
