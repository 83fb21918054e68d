from typing import Any

import numpy as np
import pytest

from tests.chip.chips import Lone, spec_of
from tests.chip.networks import QUIET, delta, describe, explicit, times

FALLING = {"v_rest_mv": -65.0, "v_threshold_mv": 1e9}


def exponential(size: int, **parameters: float) -> dict[str, Any]:
    return {
        "name": "cells",
        "size": size,
        "model": "lif_curr_exp",
        "parameters": FALLING | parameters,
        "initial": {"v_mv": {"kind": "uniform", "low": -80.0, "high": -60.0}, "i_in_pa": -7.0},
    }


def recording(variables: list[str], neurons: tuple[int, int, int], interval_ms: float) -> dict[str, Any]:
    start, stop, step = neurons
    return {
        "kind": "state",
        "population": "cells",
        "variables": variables,
        "neurons": {"start": start, "stop": stop, "step": step},
        "interval_ms": interval_ms,
    }


def network_with(*recordings: dict[str, Any], cells: dict[str, Any] | None = None) -> Any:
    return describe([delta("others", 5, QUIET), cells or exponential(9)], recordings=recordings)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_samples_are_those_of_every_tick_thinned(precision: str) -> None:
    every = recording(["v_mv", "i_ex_pa", "i_in_pa"], (0, 9, 1), 0.1)
    some = recording(["i_in_pa", "v_mv"], (1, 9, 3), 0.3)
    dense, thin = Lone(spec_of(network_with(every, some), precision=precision)).states(20)
    assert dense.shape == (20, 27)
    dense = dense.reshape(20, 3, 9)
    # The sample at 0.3 ms is taken at the end of tick 2.
    assert np.array_equal(thin.reshape(6, 2, 3), dense[2::3][:, [2, 0]][:, :, 1::3])
    assert np.unique(dense[:, 0]).size == 180
    assert np.all(np.diff(dense[:, 0], axis=0) != 0.0)


def test_potentials_are_recorded_from_zero_not_from_rest() -> None:
    cells = delta("cells", 2, FALLING, initial={"v_mv": -75.0})
    (rows,) = Lone(spec_of(network_with(recording(["v_mv"], (0, 2, 1), 0.1), cells=cells))).states(100)
    ms = 0.1 * np.arange(1, 101)
    assert rows[:, 0] == pytest.approx(-65.0 - 10.0 * np.exp(-ms / 10.0), rel=1e-12)


def test_the_origin_is_each_neurons_own() -> None:
    rest = {"kind": "uniform", "low": -90.0, "high": -60.0}
    cells = delta("cells", 5, FALLING | {"v_rest_mv": rest})
    (rows,) = Lone(spec_of(network_with(recording(["v_mv"], (0, 5, 2), 0.1), cells=cells))).states(3)
    assert np.unique(rows[0]).size == 3
    assert np.array_equal(rows[0], rows[2])  # at rest from the beginning, and for ever
    assert -90.0 < rows.min() < rows.max() < -60.0


def test_a_sample_holds_the_input_of_its_own_tick() -> None:
    network = describe(
        [delta("cells", 1, QUIET)],
        sources=[times((2,))],
        projections=[explicit([(0, 0, 4.0, 3)])],
        recordings=[recording(["v_mv"], (0, 1, 1), 0.1)],
    )
    (rows,) = Lone(spec_of(network)).states(8)
    assert np.rint(rows[:, 0]).tolist() == [0, 0, 0, 0, 0, 4, 4, 4]


def test_samples_are_handed_out_once() -> None:
    network = network_with(recording(["v_mv"], (0, 9, 1), 0.2), recording(["v_mv"], (0, 0, 1), 0.1))
    whole, lone = Lone(spec_of(network)).states(20), Lone(spec_of(network))
    parts = [lone.states(n) for n in (7, 0, 13)]
    assert [part[0].shape for part in parts] == [(3, 9), (0, 9), (7, 9)]
    assert np.array_equal(np.concatenate([part[0] for part in parts]), whole[0])
    assert whole[1].shape == (20, 0)
