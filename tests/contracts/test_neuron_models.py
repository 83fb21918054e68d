"""What every neuron model promises, in both precisions. A new model is found by itself."""

import itertools
from typing import Any

import numpy as np
import pytest

from chip.neurons import MODELS, NeuronModel, Parameter
from network import Network
from tests.chip.chips import Lone, spec_of
from tests.chip.networks import describe
from tests.contracts.bench import (
    GUARD,
    STRONG,
    Bench,
    array,
    defaults,
    inputs_of,
    lowered,
    refused,
)

UNITS = ("_mv", "_ms", "_pf", "_pa", "_ns", "_hz", "_ticks", "_siemens", "_joules")
PRECISIONS = ("float32", "float64")

pytestmark = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
both = pytest.mark.parametrize("precision", PRECISIONS)


def test_parameters_and_states_name_their_units(model: NeuronModel) -> None:
    names = [parameter.name for parameter in (*model.parameters, *model.states)]
    assert all(name.endswith(UNITS) for name in names)
    assert len(set(names)) == len(names)
    assert all(thing.description.endswith(".") for thing in (*model.parameters, *model.states))
    assert {receptor.weight_unit for receptor in model.receptors} <= set(STRONG)
    assert model.offset_parameter in defaults(model)
    assert model.offset_parameter.endswith("_pa")


def test_states_are_the_first_of_the_kernels_variables(model: NeuronModel) -> None:
    states = tuple(state.name for state in model.states)
    assert model.kernel_state[: len(states)] == states
    assert len(set(model.kernel_state)) == len(model.kernel_state)


def test_defaults_keep_their_own_rules(model: NeuronModel) -> None:
    assert not refused(model, {})


def test_scalars_stay_scalars(model: NeuronModel) -> None:
    made = lowered(model)
    assert {a.shape for a in (*made.coefficients, made.drive_gain, *made.initial.values())} == {(1,)}
    assert set(made.initial) == set(model.kernel_state)
    assert set(made.origin) <= {state.name for state in model.states}


def varied(model: NeuronModel, names: set[str], n: int = 5) -> dict[str, Any]:
    """Return the named parameters, each a little different in each neuron, and still legal."""
    i = np.arange(n)
    return {
        p.name: p.default * (1.0 + 0.02 * i) + 0.01 * (k + 1) * i
        for k, p in enumerate(model.parameters)
        if p.name in names
    }


def test_a_parameter_may_differ_between_neurons(model: NeuronModel) -> None:
    for names in [{name} for name in defaults(model)] + [set(defaults(model))]:
        many = varied(model, names)
        made = lowered(model, many)
        for i in range(5):
            one = lowered(model, {name: values[i] for name, values in many.items()})
            for got, expected in (
                *zip(made.coefficients, one.coefficients, strict=True),
                (made.drive_gain, one.drive_gain),
                *((made.initial[name], one.initial[name]) for name in model.kernel_state),
                *((made.origin[name], one.origin[name]) for name in made.origin),
            ):
                assert got.shape in ((1,), (5,))
                assert got[i % got.size] == expected[0]


def test_states_begin_where_they_are_set(model: NeuronModel) -> None:
    for state in model.states:
        values = np.array([-61.5, -60.25, -70.0])
        made = lowered(model, initial={state.name: values})
        zero = made.origin.get(state.name, np.zeros(1))
        assert (made.initial[state.name] + zero).tolist() == values.tolist()
        assert all(made.initial[other].size == 1 for other in model.kernel_state if other != state.name)


@both
def test_equal_parameters_one_by_one_or_all_at_once_are_the_same(model: NeuronModel, precision: str) -> None:
    n, inputs = 9, inputs_of(model, 9, 400)
    once = Bench(model, n, precision)
    each = Bench(model, n, precision, {name: np.full(n, value) for name, value in defaults(model).items()})
    assert (once.varying, each.varying) == (False, True)
    n_spikes = 0
    for tick in inputs:
        flags = once.step(tick)
        assert np.array_equal(flags, each.step(tick))
        assert np.array_equal(once.state, each.state)
        n_spikes += int(flags.sum())
    assert n_spikes > 9


@both
def test_neurons_do_not_know_their_neighbours(model: NeuronModel, precision: str) -> None:
    n, inputs = 5, inputs_of(model, 5, 300)
    many = varied(model, set(defaults(model)) - {"t_ref_ms"}) | {"t_ref_ms": 0.5 * np.arange(5)}
    together = Bench(model, n, precision, many)
    alone = [Bench(model, 1, precision, {k: array(v[i]) for k, v in many.items()}) for i in range(n)]
    spikes = np.zeros(n, int)
    for tick in inputs:
        flags = together.step(tick)
        assert flags.tolist() == [bench.step(tick[:, i : i + 1])[0] for i, bench in enumerate(alone)]
        assert together.state.tolist() == np.stack([bench.state for bench in alone], axis=1).ravel().tolist()
        spikes += flags
    assert spikes.min() > 0
    assert np.unique(together.variable("v_mv")).size > 1


@both
def test_slots_are_taken_and_no_others_touched(model: NeuronModel, precision: str) -> None:
    bench = Bench(model, 7, precision, {"t_ref_ms": 0.3})
    guards = bench.slots == GUARD
    assert guards.sum() == 3 + 2 * len(model.receptors)
    for tick in inputs_of(model, 7, 100) + 1:
        bench.step(tick)
        assert not bench.slots[~guards].any()
        assert (bench.slots[guards] == GUARD).all()


@both
def test_each_receptor_moves_the_neuron(model: NeuronModel, precision: str) -> None:
    still = Bench(model, 1, precision)
    for receptor in range(len(model.receptors)):
        for sign in (1, -1):
            bench, inputs = Bench(model, 1, precision), np.zeros((len(model.receptors), 1), np.int64)
            inputs[receptor] = sign * 64
            bench.step(inputs)
            bench.step(0 * inputs)
            still.step(0 * inputs)
            moved = bench.variable("v_mv")[0] - still.variable("v_mv")[0]
            assert np.sign(moved) == sign


@both
def test_without_input_a_neuron_at_rest_stays_there(model: NeuronModel, precision: str) -> None:
    bench = Bench(model, 3, precision)
    nothing, begin = np.zeros((len(model.receptors), 3), np.int64), bench.state.copy()
    for _ in range(1000):
        assert not bench.step(nothing).any()
    assert np.array_equal(bench.state, begin)


@both
def test_a_neuron_fires_just_where_its_potential_reaches_the_threshold(
    model: NeuronModel, precision: str
) -> None:
    """With the threshold out of the way the kernel shows the potential that it then compares."""
    n, shape = 200, (len(model.receptors), 200)
    random = np.random.default_rng(3)
    base = {"v_rest_mv": 0.0, "v_reset_mv": -1e4}
    begin = {state.name: random.uniform(-9.0, 9.0, n) for state in model.states}
    inputs = random.integers(-500, 500, shape)
    free = Bench(model, n, precision, base | {"v_threshold_mv": 1e9}, begin)
    free.step(inputs)
    potential = free.variable("v_mv").copy()
    assert np.unique(potential).size == n
    up, down = (np.nextafter(potential, np.array(end, precision)) for end in (np.inf, -np.inf))
    for threshold, fires in ((potential, True), (down, True), (up, False)):
        given = base | {"v_threshold_mv": threshold.astype(np.float64)}
        bench = Bench(model, n, precision, given, begin)
        assert (bench.step(inputs) == fires).all()
        assert np.array_equal(bench.variable("v_mv"), np.full(n, -1e4) if fires else potential)
        for i in range(10):  # alone, so that the kernel takes its parameters as scalars
            of_one = {name: values[i : i + 1] for name, values in begin.items()}
            alone = Bench(model, 1, precision, base | {"v_threshold_mv": float(threshold[i])}, of_one)
            assert not alone.varying
            assert alone.step(inputs[:, i : i + 1]) == fires


@both
@pytest.mark.parametrize("n_ticks", [0, 1, 2, 20])
def test_a_neuron_is_silent_for_its_refractory_time(model: NeuronModel, precision: str, n_ticks: int) -> None:
    bench = Bench(model, 1, precision, {"t_ref_ms": 0.1 * n_ticks, model.offset_parameter: 1e6})
    nothing = np.zeros((len(model.receptors), 1), np.int64)
    fired = np.flatnonzero([bench.step(nothing)[0] for _ in range(100)])
    assert fired.tolist() == list(range(0, 100, n_ticks + 1))


EXTREMES = (-1e6, -1e3, -1e-3, 0.0, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9)


@both
def test_extreme_but_legal_parameters_never_give_nan(model: NeuronModel, precision: str) -> None:
    tried = set()
    inputs = inputs_of(model, 4, 60) * np.array([1, -1, 10, 30])
    for name in defaults(model):
        for value in EXTREMES:
            if refused(model, {name: value}):
                continue
            tried.add(name)
            bench = Bench(model, 4, precision, {name: value})
            for tick in inputs:
                bench.step(tick)
            assert np.isfinite(bench.coefficients).all(), (name, value)
            assert np.isfinite(bench.state).all(), (name, value)
    assert tried == set(defaults(model))


def ends_of(parameter: Parameter, timestep_ms: float) -> list[float]:
    """Return the least and greatest legal values of a parameter, as far as it has any; and the default."""
    ticks = parameter.at_least_ticks or 0.0
    least = None if parameter.at_least is None else max(parameter.at_least, ticks * timestep_ms)
    return [end for end in (least, parameter.at_most, parameter.default) if end is not None]


@both
@pytest.mark.parametrize("timestep_ms", [1e-6, 0.1, 1e3, 1e6])
def test_no_legal_parameters_leave_the_numbers(
    model: NeuronModel, precision: str, timestep_ms: float
) -> None:
    """All corners of time constants and capacitances, with each other; 1e9 is the greatest gain of 1 pA."""
    ends = [ends_of(parameter, timestep_ms) for parameter in model.parameters]
    corners = [dict(zip(defaults(model), corner, strict=True)) for corner in itertools.product(*ends)]
    corners = [corner for corner in corners if not refused(model, corner, timestep_ms=timestep_ms)]
    assert len(corners) >= 4
    values = {name: array([corner[name] for corner in corners]) for name in defaults(model)}
    made = model.lower(values, {}, timestep_ms, (1.0,) * len(model.receptors))
    assert all(np.isfinite(each.astype(precision)).all() for each in made.coefficients)
    assert np.all((made.drive_gain >= 0.0) & (made.drive_gain <= 1e9))


def lively(model: NeuronModel, *, drive: bool = True) -> Network:
    """Return a network of the model, driven by currents, with synapses of all its receptors."""
    projections = [
        {
            "name": receptor.name,
            "source": "cells",
            "target": "cells",
            "receptor": receptor.name,
            "connectivity": {"rule": "fixed_in_degree", "n": 8},
            "weight": {"kind": "normal", "mean": sign * STRONG[receptor.weight_unit] / 20, "sd": 0.1},
            "delay_ms": {"kind": "uniform", "low": 0.1, "high": 4.0},
        }
        for sign, receptor in zip((1, -1, -1, -1), model.receptors, strict=False)
    ]
    current = {"kind": "uniform", "low": 500.0, "high": 3000.0} if drive else 0.0
    cells = {
        "name": "cells",
        "size": 40,
        "model": model.name,
        "parameters": {model.offset_parameter: current},
    }
    rest = [cells, cells | {"name": "others", "size": 13}]
    return describe(rest, projections=projections)


def state_of(lone: Lone) -> dict[str, list[Any]]:
    return {name: values.tolist() for name, values in lone.chip.snapshot().items()}


@both
def test_a_restored_chip_goes_on_bit_for_bit(model: NeuronModel, precision: str) -> None:
    spec = spec_of(lively(model), precision=precision)
    lone = Lone(spec)
    assert len(lone.run(150)) > 40
    snapshot = lone.chip.snapshot()
    assert lone.chip.in_flight(150) > 50
    refractory = lone.chip.arrays.neurons.state[-13:]
    assert model.kernel_state[-1] != "refractory" or 0 < np.count_nonzero(refractory) < 13
    spikes, state = lone.run(150), state_of(lone)
    assert len(spikes) > 40
    for again in (lone, Lone(spec)):
        again.chip.restore(snapshot)
        again.tick = 150
        assert again.run(150) == spikes
        assert state_of(again) == state


@both
def test_equal_chips_fire_equal_spikes(model: NeuronModel, precision: str) -> None:
    one, other = (Lone(spec_of(lively(model), precision=precision)) for _ in range(2))
    spikes = one.run(200)
    assert len(spikes) > 60
    assert other.run(200) == spikes
    assert state_of(other) == state_of(one)


@both
def test_another_seed_fires_other_spikes(model: NeuronModel, precision: str) -> None:
    network = lively(model)
    one, other = (
        Lone(spec_of(network.model_copy(update={"seed": seed}), precision=precision)) for seed in (1, 2)
    )
    assert one.run(200) != other.run(200)


@both
def test_a_silent_network_stays_silent(model: NeuronModel, precision: str) -> None:
    lone = Lone(spec_of(lively(model, drive=False), precision=precision))
    begin = state_of(lone)
    assert lone.run(200) == []
    assert state_of(lone) == begin
    assert lone.chip.n_synaptic_events == (0, 0)
