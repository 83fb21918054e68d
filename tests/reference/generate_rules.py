"""Makes the histograms of NEST's connection rules: each case of `rules`, over `SEEDS`, together."""

import json
import math
from collections.abc import Callable
from typing import Any

import nest
import numpy as np

from tests.reference.nest_peer import reset_kernel
from tests.reference.rules import CASES, DATA, TIMESTEP_MS, Histograms, RuleCase, added, histograms

SEEDS = range(1, 41)

_RULES = {
    "one_to_one": "one_to_one",
    "all_to_all": "all_to_all",
    "fixed_in_degree": "fixed_indegree",
    "fixed_out_degree": "fixed_outdegree",
    "fixed_total_number": "fixed_total_number",
    "fixed_probability": "pairwise_bernoulli",
    "distance_dependent": "pairwise_bernoulli",
}
_NUMBERS = {"fixed_in_degree": "indegree", "fixed_out_degree": "outdegree", "fixed_total_number": "N"}


def generate_rules(show: Callable[[str], None]) -> None:
    """Write the table of all cases."""
    cases = {name: added([_network(case, seed) for seed in SEEDS]) for name, case in CASES.items()}
    header = {
        "about": "histograms of what NEST's Connect joins, over all seeds together",
        "generator": "tests/reference/generate_rules.py",
        "simulator": f"NEST {nest.__version__}",
        "n_seeds": len(SEEDS),
    }
    lines = [f" {json.dumps(name)}: {json.dumps(found)}" for name, found in cases.items()]
    head = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in header.items())
    DATA.write_text("{\n" + head + '"cases": {\n' + ",\n".join(lines) + "\n}}\n")
    show(f"{DATA.name}: {len(cases)} cases, {DATA.stat().st_size} bytes")


def _network(case: RuleCase, seed: int) -> Histograms:
    reset_kernel(TIMESTEP_MS, seed=seed)
    source = _create(case, case.sizes[0])
    target = source if case.recurrent else _create(case, case.sizes[1])
    synapse = {"weight": _value(case.weight), "delay": _value(case.delay_ms)}
    nest.Connect(source, target, _rule(case), synapse)
    found = nest.GetConnections(source, target).get(["source", "target", "weight", "delay"])
    columns = {
        "source": np.array(found["source"]) - source[0].global_id,
        "target": np.array(found["target"]) - target[0].global_id,
        "weight": np.array(found["weight"]),
        "delay_ticks": np.rint(np.array(found["delay"]) / TIMESTEP_MS),
    }
    if case.grid:
        at = np.array(nest.GetPosition(source))
        columns["distance_um"] = case.distance_um(at[columns["source"]], at[columns["target"]])
    return histograms(case, columns)


def _create(case: RuleCase, size: int) -> nest.NodeCollection:
    if not case.grid:
        return nest.Create("iaf_psc_delta", size)
    shape, extent, periodic = case.grid
    grid = nest.spatial.grid(list(shape), extent=list(extent), edge_wrap=periodic)
    return nest.Create("iaf_psc_delta", positions=grid)


def _rule(case: RuleCase) -> dict[str, Any]:
    word = case.rule["rule"]
    rule: dict[str, Any] = {"rule": _RULES[word]}
    if word in _NUMBERS:
        rule[_NUMBERS[word]] = case.rule["n"]
    if "p" in case.rule:
        rule["p"] = _value(case.rule["p"])
    if "radius_um" in case.rule:
        rule["mask"] = {"circular": {"radius": case.rule["radius_um"]}}
    if word != "one_to_one":
        rule["allow_autapses"] = case.rule.get("allow_autapses", True)
    if word in _NUMBERS:
        rule["allow_multapses"] = case.rule.get("allow_multapses", True)
    return rule


def _value(value: Any) -> Any:
    """Return a value of the language as NEST has it; draws beyond a bound are drawn anew."""
    if not isinstance(value, dict):
        return value
    distance = nest.spatial.distance
    match value["kind"]:
        case "distance_gaussian":
            mean = value.get("mean_um", 0.0)
            return value["scale"] * nest.spatial_distributions.gaussian(
                distance, mean=mean, std=value["sd_um"]
            )
        case "distance_exponential":
            return value["scale"] * nest.spatial_distributions.exponential(distance, beta=value["length_um"])
        case "distance_linear":
            return nest.math.max(value["at_zero"] + value["slope_per_um"] * distance, 0.0)
        case "uniform":
            return nest.random.uniform(value["low"], value["high"])
        case "normal":
            drawn = nest.random.normal(value["mean"], value["sd"])
        case "lognormal":
            drawn = nest.random.lognormal(value["log_mean"], value["log_sd"])
        case "exponential":
            drawn = nest.random.exponential(value["mean"])
    return nest.math.redraw(drawn, min=value.get("low", -math.inf), max=value.get("high", math.inf))
