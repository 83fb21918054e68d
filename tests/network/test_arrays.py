from __future__ import annotations

import pickle

import numpy as np
import pytest

from network import NetworkError
from network.arrays import (
    ARRAY_KINDS,
    ArraysError,
    as_array,
    column_of,
    require_columns,
    require_lengths,
    stored_form,
)

SOURCES, DELAYS, WEIGHTS = (column_of("synapses", name) for name in ("sources", "delays_ms", "weights"))
TIMES = column_of("spikes", "times_ms")


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u4", ">i8", "<u8"])
def test_integers_of_any_width_become_uint32(dtype):
    stored = stored_form(SOURCES, np.array([0, 7, 127], dtype))
    assert (stored.dtype.str, stored.tolist()) == ("<u4", [0, 7, 127])


def test_the_greatest_neuron():
    assert stored_form(SOURCES, np.array([2**32 - 1], np.int64)).tolist() == [2**32 - 1]


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_weights_keep_their_value(dtype):
    values = np.array([0.1, -1e30, 0.0, 3.5], dtype)
    stored = stored_form(WEIGHTS, values)
    assert stored.dtype.str == "<f8"
    assert stored.tolist() == values.astype(np.float64).tolist()


def test_times_of_float32_are_the_decimals_they_were_rounded_from():
    decimals = [0.1, 0.025, 1.5, 16.7, 100.1, 9999.9, 0.001]
    assert stored_form(DELAYS, np.array(decimals, np.float32)).tolist() == decimals
    third = np.float32(1) / np.float32(3)  # no decimal of seven digits
    assert stored_form(TIMES, np.array([third])).tolist() == [float(third)]


def test_strided_and_empty_arrays():
    assert stored_form(SOURCES, np.arange(10)[::3]).tolist() == [0, 3, 6, 9]
    assert stored_form(WEIGHTS, np.empty(0, "f4")).dtype.str == "<f8"


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (SOURCES, np.array([3, -1]), "sources[6] must be >= 0, got -1; neurons are counted from 0"),
        (
            SOURCES,
            np.array([2**32, 2**33]),
            "sources[5] must be < 4294967296, got 4294967296; neurons are counted from 0",
        ),
        (
            SOURCES,
            np.array([1, 2**64 - 1], np.uint64),
            "sources[6] must be < 4294967296, got 18446744073709551615; neurons are counted from 0",
        ),
        (SOURCES, np.array([1.0]), "sources must hold integers, got 'float64'; convert it"),
        (SOURCES, np.array([True]), "sources must hold integers, got 'bool'; convert it"),
        (SOURCES, np.array([object()]), "sources must hold integers, got 'object'; convert it"),
        (
            SOURCES,
            np.zeros(2, "i4,i4"),
            "sources must hold integers, got \"[('f0', '<i4'), ('f1', '<i4')]\"; convert it",
        ),
        (
            SOURCES,
            np.zeros((2, 2), np.uint32),
            "sources must have one dimension, got 2; give one entry after the other",
        ),
        (WEIGHTS, np.array([1]), "weights must hold float32 or float64, got 'int64'; convert it"),
        (WEIGHTS, np.zeros(1, "f2"), "weights must hold float32 or float64, got 'float16'; convert it"),
        (WEIGHTS, np.zeros(1, "c16"), "weights must hold float32 or float64, got 'complex128'; convert it"),
        (
            WEIGHTS,
            np.array([1.0, np.nan]),
            "weights[6] must be a finite number, got nan; replace or remove it",
        ),
        (WEIGHTS, np.array([-np.inf]), "weights[5] must be a finite number, got -inf; replace or remove it"),
        (DELAYS, np.array([0.1, 0.0]), "delays_ms[6] must be > 0, got 0; a delay is one tick or more"),
        (DELAYS, np.array([-0.5]), "delays_ms[5] must be > 0, got -0.5; a delay is one tick or more"),
        (TIMES, np.array([0.0]), "times_ms[5] must be > 0, got 0; the first spike can be at timestep_ms"),
        (TIMES, np.array([np.inf]), "times_ms[5] must be a finite number, got inf; replace or remove it"),
    ],
)
def test_what_is_refused(column, values, message):
    with pytest.raises(ArraysError) as refused:
        stored_form(column, values, first=5)
    assert str(refused.value) == message


def test_columns_are_complete_known_and_equally_long():
    require_columns("synapses", ["sources", "targets"])
    with pytest.raises(ArraysError) as refused:
        require_columns("synapses", ["sources", "weights"])
    assert str(refused.value) == "targets must be given, got only 'sources', 'weights'; add it"
    with pytest.raises(ArraysError) as refused:
        require_columns("spikes", [])
    assert str(refused.value) == "times_ms must be given, got no columns; add it"
    with pytest.raises(ArraysError) as refused:
        column_of("spikes", "colour")
    assert (
        str(refused.value) == "arrays must be columns of spikes, times_ms, neurons, got 'colour'; remove it"
    )
    require_lengths("spikes", {"times_ms": 3, "neurons": 3})
    with pytest.raises(ArraysError) as refused:
        require_lengths("synapses", {"sources": 3, "targets": 2})
    assert str(refused.value) == (
        "targets must have as many entries as sources, 3, got 2; give one entry for each of the synapses"
    )


def test_lists_are_taken_and_arrays_stay_as_they_are():
    assert as_array(WEIGHTS, [1, 2]).dtype.str == "<f8"
    assert as_array(SOURCES, []).dtype.str == "<u4"
    array = np.array([1, 2])
    assert as_array(WEIGHTS, array) is array
    for values in (3, np.array(3), [[1]]):
        with pytest.raises(ArraysError) as refused:
            as_array(SOURCES, values)
        assert str(refused.value) == (
            f"sources must have one dimension, got {np.ndim(values)}; give one entry after the other"
        )
    with pytest.raises(ArraysError) as refused:
        stored_form(SOURCES, as_array(SOURCES, [0.5]))
    assert str(refused.value) == "sources must hold integers, got 'float64'; convert it"


def test_the_error_is_one_of_the_language_and_pickles():
    with pytest.raises(NetworkError) as refused:
        stored_form(SOURCES, np.array([-1]))
    again = pickle.loads(pickle.dumps(refused.value))
    assert (type(again), str(again)) == (ArraysError, str(refused.value))
    assert set(ARRAY_KINDS) == {"synapses", "spikes"}
