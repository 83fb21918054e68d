"""A description's words in NEST's."""

import re
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.nest_terms import NotInNest, neuron_of, rule_of, shared_weight, ticks_and_neurons
from spikerack.examples import EXAMPLES


def described(example: str, **options: Any) -> dict[str, Any]:
    return EXAMPLES[example](scale=0.1, **options).model_dump(mode="json")


def test_neurons_of_both_models() -> None:
    assert neuron_of(described("brunel")["populations"][1]) == (
        "iaf_psc_delta",
        {"E_L": 0.0, "V_th": 20.0, "V_reset": 0.0, "C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0},
    )
    model, parameters = neuron_of(described("cuba")["populations"][0])
    assert (model, parameters["tau_syn_ex"], parameters["tau_syn_in"]) == ("iaf_psc_exp", 5.0, 10.0)
    assert "I_e" not in parameters


@pytest.mark.parametrize("drive", ["dc", "poisson"])
def test_constant_currents_are_a_parameter(drive: str) -> None:
    population = described("microcircuit", drive=drive)["populations"][0]
    currents = [each["current_pa"] for each in population["inputs"] if each["kind"] == "dc"]
    assert neuron_of(population)[1]["I_e"] == sum(currents) != 0.0


def test_rules() -> None:
    assert rule_of(described("brunel")["projections"][0]) == {
        "rule": "fixed_indegree",
        "indegree": 100,
        "allow_autapses": True,
        "allow_multapses": True,
    }
    projection = described("microcircuit")["projections"][0]
    assert rule_of(projection)["rule"] == "fixed_total_number"
    assert rule_of(projection)["N"] == projection["connectivity"]["n"]


def test_one_weight_is_shared_only_where_all_are_the_same() -> None:
    exc = [each for each in described("brunel")["projections"] if each["source"] == "exc"]
    assert shared_weight(exc) == 1.0
    assert shared_weight(described("brunel")["projections"]) is None
    assert shared_weight(described("microcircuit")["projections"][:1]) is None


def test_what_these_scripts_do_not_tell_nest_is_refused() -> None:
    population = described("brunel")["populations"][0]
    for changed, message in (
        (
            {"model": "izhikevich"},
            "population 'exc': model must be one of lif_curr_exp, lif_curr_delta, got 'izhikevich'; "
            "choose another network",
        ),
        (
            {"inputs": [{"kind": "noise"}]},
            "population 'exc': an input must be dc or plain poisson, got {'kind': 'noise'}; "
            "choose another network",
        ),
    ):
        with pytest.raises(NotInNest, match=f"^{re.escape(message)}$"):
            neuron_of(population | changed)
    projection = described("brunel")["projections"][0] | {"connectivity": {"rule": "small_world"}}
    message = (
        "projection 'exc->exc': rule must be one of fixed_in_degree, fixed_total_number, got 'small_world'; "
        "choose another network"
    )
    with pytest.raises(NotInNest, match=f"^{re.escape(message)}$"):
        rule_of(projection)


def test_recorded_spikes_become_ours() -> None:
    """Devices stand between the populations; a spike at the end of the first tick is of tick 0."""
    ids = np.array([1, 2, 3, 5, 6])
    tick, neuron = ticks_and_neurons(
        np.array([0.1, 0.2, 0.30000000000000004]), np.array([5, 1, 6]), timestep_ms=0.1, ids=ids
    )
    assert tick.tolist() == [0, 1, 2]
    assert neuron.tolist() == [3, 0, 4]
