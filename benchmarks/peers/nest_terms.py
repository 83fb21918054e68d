"""A network's description in NEST's words: plain data from plain data, without NEST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MODELS = {"lif_curr_exp": "iaf_psc_exp", "lif_curr_delta": "iaf_psc_delta"}

PARAMETERS = {
    "v_rest_mv": "E_L",
    "v_threshold_mv": "V_th",
    "v_reset_mv": "V_reset",
    "c_m_pf": "C_m",
    "tau_m_ms": "tau_m",
    "tau_syn_ex_ms": "tau_syn_ex",
    "tau_syn_in_ms": "tau_syn_in",
    "t_ref_ms": "t_ref",
}

Described = Mapping[str, Any]
"""A part of a network's description, as JSON has it."""


class NotInNest(ValueError):
    """A description has something that these scripts do not tell NEST."""


def neuron_of(population: Described) -> tuple[str, dict[str, float]]:
    """Return a population's model and parameters; constant currents are one parameter, not a device."""
    where = f"population {population['name']!r}"
    model = _chosen(f"{where}: model", population["model"], MODELS)
    parameters = {
        _chosen(f"{where}: parameter", name, PARAMETERS): float(value)
        for name, value in population["parameters"].items()
    }
    for each in population["inputs"]:
        if each["kind"] not in ("dc", "poisson") or each.get("modulation"):
            raise NotInNest(
                f"{where}: an input must be dc or plain poisson, got {each}; choose another network"
            )
    current = sum(each["current_pa"] for each in population["inputs"] if each["kind"] == "dc")
    return model, parameters | ({"I_e": float(current)} if current else {})


def rule_of(projection: Described) -> dict[str, Any]:
    """Return a projection's rule, but for that of listed pairs."""
    rule = projection["connectivity"]
    name = _chosen(
        f"projection {projection['name']!r}: rule",
        rule["rule"],
        {"fixed_in_degree": "fixed_indegree", "fixed_total_number": "fixed_total_number"},
    )
    return {
        "rule": name,
        "indegree" if name == "fixed_indegree" else "N": rule["n"],
        "allow_autapses": rule["allow_autapses"],
        "allow_multapses": rule["allow_multapses"],
    }


def ticks_and_neurons(
    times_ms: np.ndarray, senders: np.ndarray, *, timestep_ms: float, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return recorded spikes as ours are: NEST stamps one with its tick's end, and numbers all nodes.

    Parameters
    ----------
    ids : (n_neurons,) integer array
        The nodes of all populations, ascending; devices may stand between them.
    """
    return np.rint(np.asarray(times_ms) / timestep_ms).astype(np.int64) - 1, np.searchsorted(ids, senders)


def shared_weight(projections: Sequence[Described]) -> float | None:
    """Return the weight that all synapses of these projections have, None when they differ."""
    weights = [each["weight"] for each in projections]
    first = weights[0]
    same = not isinstance(first, Mapping) and all(weight == first for weight in weights)
    return float(first) if same else None


def _chosen(where: str, name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise NotInNest(f"{where} must be one of {', '.join(known)}, got {name!r}; choose another network")
    return known[name]
