"""What neuron models share, and the propagators of the leaky integrate-and-fire family."""

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest

from chip.neurons import MODEL_NUMBER, MODELS, STEPS, Parameter
from chip.neurons.lif import check_membrane, decay, each, exp, refractory_ticks, synapse_to_voltage
from chip.neurons.model import broadcast

DIGITS = Context(prec=60)


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_the_registry_numbers_models_in_the_order_of_their_steps() -> None:
    assert list(MODEL_NUMBER) == list(MODELS)
    assert [STEPS[number] for number in MODEL_NUMBER.values()] == [model.step for model in MODELS.values()]
    assert {"lif_curr_delta", "lif_curr_exp"} <= set(MODELS)
    assert repr(MODELS["lif_curr_exp"]) == "NeuronModel('lif_curr_exp')"


def test_a_receptor_may_stay_unnamed_where_there_is_one() -> None:
    one, two = MODELS["lif_curr_delta"], MODELS["lif_curr_exp"]
    assert one.receptor(None) == one.receptor("delta") == 0
    assert [two.receptor(name) for name in ("excitatory", "inhibitory")] == [0, 1]
    for model, name in ((two, None), (one, "excitatory"), (two, "delta")):
        with pytest.raises(KeyError) as refused:
            model.receptor(name)
        assert refused.value.args == (name,)


@pytest.mark.parametrize(
    ("bounds", "value", "low", "high"),
    [
        ({"at_least": 0.5}, 0.4, "must be >= 0.5", None),
        ({"at_least": 0.5}, 0.5, None, None),
        ({"at_least": 0.5}, math.nan, "must be >= 0.5", None),
        ({"at_most": 2.0}, 2.5, None, "must be <= 2"),
        ({"at_most": 2.0}, 2.0, None, None),
        ({"at_most": 2.0}, math.nan, None, "must be <= 2"),
        ({"at_least_ticks": 0.002}, 0.0009, "must be at least 0.002 times timestep_ms, 0.5", None),
        ({"at_least_ticks": 0.002}, 0.001, None, None),
        ({"at_most_ticks": 2**24}, 2.0**23 + 1, None, "must be at most 16777216 times timestep_ms, 0.5"),
        ({"at_most_ticks": 2**24}, 2.0**23, None, None),
        ({}, -1e300, None, None),
        ({}, 1e300, None, None),
    ],
)
def test_rules_of_parameters(
    bounds: dict[str, float], value: float, low: str | None, high: str | None
) -> None:
    parameter = Parameter("x_ms", 1.0, "A time.", **bounds)
    assert (parameter.too_low(value, 0.5), parameter.too_high(value, 0.5)) == (low, high)


def test_a_neuron_must_not_fire_without_end() -> None:
    low = {"v_reset_mv": -70.0, "v_threshold_mv": -50.0}
    assert check_membrane(low, low) == []
    rule = ("v_reset_mv", "must be < v_threshold_mv, -50", "lower it, or the neuron fires without end")
    assert check_membrane(low, low | {"v_reset_mv": -50.0}) == [rule]


def test_coefficients_are_laid_out_one_after_the_other() -> None:
    varying, flat = broadcast((array(1.0), array(2.0)), 3, np.float32)
    assert (varying, flat.tolist(), flat.dtype) == (False, [1.0, 2.0], np.float32)
    varying, flat = broadcast((array(1.0), array(2.0, 3.0, 4.0)), 3, np.float64)
    assert (varying, flat.tolist()) == (True, [1.0, 1.0, 1.0, 2.0, 3.0, 4.0])


def test_a_function_is_called_once_for_each_distinct_set_of_arguments() -> None:
    calls: list[tuple[float, float]] = []

    def function(a: float, b: float) -> float:
        calls.append((a, b))
        return 10.0 * a + b

    assert each(function, array(2.0, 1.0, 2.0, 1.0), array(5.0)).tolist() == [25.0, 15.0, 25.0, 15.0]
    assert sorted(calls) == [(1.0, 5.0), (2.0, 5.0)]


@pytest.mark.parametrize("x", [-745.0, -0.1, -1e-9, 0.0, 1.0, 700.0])
def test_exp_is_the_nearest_double(x: float) -> None:
    exact = DIGITS.exp(Decimal(x))
    value = exp(x)
    gaps = [
        abs(Decimal(other) - exact) for other in (math.nextafter(value, -1.0), math.nextafter(value, 1e309))
    ]
    assert abs(Decimal(value) - exact) <= min(gaps)


def exact_transfer(h: float, tau_m: float, tau_syn: float, c_m: float) -> float:
    """Integrate a decaying current of 1 pA over a step, in 60 digits (Rotter and Diesmann 1999, eq. 11)."""
    with localcontext(DIGITS):
        h_, m, s, c = (Decimal(x) for x in (h, tau_m, tau_syn, c_m))
        if m == s:
            return float(h_ / c * (-h_ / m).exp())
        return float(((-h_ / m).exp() - (-h_ / s).exp()) / (1 / s - 1 / m) / c)


@pytest.mark.parametrize("tau_m_ms", [10.0, 20.0, 0.5, 1e6, 1e-2])
@pytest.mark.parametrize("tau_syn_ms", [0.5, 2.0, 10.0, 10.0 + 1e-9, 0.5 * (1 + 2**-40), 1e-2])
def test_a_current_moves_the_membrane_as_its_integral_says(tau_m_ms: float, tau_syn_ms: float) -> None:
    moved = synapse_to_voltage(0.1, array(tau_m_ms), array(tau_syn_ms), array(250.0))
    assert moved[0] == pytest.approx(exact_transfer(0.1, tau_m_ms, tau_syn_ms, 250.0), rel=1e-11)


def test_propagators_of_many_neurons_are_those_of_each() -> None:
    tau_m, tau_syn = array(10.0, 20.0, 10.0), array(0.5, 0.5, 2.0)
    together = synapse_to_voltage(0.1, tau_m, tau_syn, array(250.0))
    pairs = zip(tau_m.tolist(), tau_syn.tolist(), strict=True)
    alone = [synapse_to_voltage(0.1, array(m), array(s), array(250.0))[0] for m, s in pairs]
    assert together.tolist() == alone
    assert decay(0.1, tau_m).tolist() == [math.exp(-0.01), math.exp(-0.005), math.exp(-0.01)]


@pytest.mark.parametrize(
    ("t_ref_ms", "ticks"), [(0.0, 0), (0.04, 0), (0.06, 1), (2.0, 20), (0.3, 3), (1e5, 1e6)]
)
def test_refractory_time_is_rounded_to_ticks(t_ref_ms: float, ticks: float) -> None:
    assert refractory_ticks(0.1, array(t_ref_ms)).tolist() == [ticks]
