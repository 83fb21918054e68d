"""Refusals of single fields, populations, values and inputs, matched whole."""

from __future__ import annotations

from typing import Any

import pytest

from tests.network.samples import REMOVED, broken, message

FIELDS = "'name', 'timestep_ms', 'seed', 'populations', 'sources', 'projections', 'recordings'"
VALUES = "populations[0].parameters"
KINDS = (
    "'uniform', 'normal', 'lognormal', 'exponential', 'gamma', 'array', 'distance_linear', "
    "'distance_exponential', 'distance_gaussian', 'sum', 'product'"
)

# Where the demo is broken, with what, and what is said.
CASES: list[tuple[tuple[str | int, ...], Any, str]] = [
    # fields and types
    (("seed",), REMOVED, "seed must be given, got nothing; give the seed of all random numbers"),
    (("sead",), 1, f"network must have only the fields {FIELDS}, got 'sead'; rename or remove it"),
    (("name",), "", "name must not be empty, got ''; give the network's name"),
    (("name",), 3, "name must be text, got 3; give the network's name"),
    (("name",), "a\nb", "name must be printable text, got 'a\\nb'; give the network's name"),
    (("name",), "\ud800", "name must be valid Unicode text, got '\\ud800'; give the network's name"),
    (
        ("name",),
        "x" * 129,
        f"name must have at most 128 characters, got '{'x' * 27}...{'x' * 28}'; give the network's name",
    ),
    (("seed",), -1, "seed must be >= 0, got -1; give the seed of all random numbers"),
    (
        ("seed",),
        2**63,
        "seed must be < 9223372036854775808, got 9223372036854775808; give the seed of all random numbers",
    ),
    (
        ("seed",),
        10**5000,
        "seed must be < 9223372036854775808, got an integer of 16610 bits; "
        "give the seed of all random numbers",
    ),
    (("seed",), 1.5, "seed must be a whole number, got 1.5; give the seed of all random numbers"),
    (("seed",), "12", "seed must be a whole number, got '12'; give the seed of all random numbers"),
    (("seed",), True, "seed must be a whole number, got true; give the seed of all random numbers"),
    (("timestep_ms",), 0, "timestep_ms must be >= 1e-06, got 0; give the duration of a tick in ms"),
    (
        ("timestep_ms",),
        5e-324,
        "timestep_ms must be >= 1e-06, got 5e-324; give the duration of a tick in ms",
    ),
    (
        ("timestep_ms",),
        1e300,
        "timestep_ms must be <= 1000000, got 1e+300; give the duration of a tick in ms",
    ),
    (("timestep_ms",), "0.1", "timestep_ms must be a number, got '0.1'; give the duration of a tick in ms"),
    (("timestep_ms",), True, "timestep_ms must be a number, got true; give the duration of a tick in ms"),
    (
        ("timestep_ms",),
        float("nan"),
        "timestep_ms must be finite, got nan; give the duration of a tick in ms",
    ),
    (("populations",), {}, "populations must be a list, got {}; give the populations"),
    (
        ("populations",),
        [{}] * 100_001,
        "populations must have at most 100000 entries, got 100001; merge or remove some",
    ),
    (("populations", 0), 3, "populations[0] must be an object, got 3; give the populations"),
    (("populations", 0, "size"), -3, "populations[0].size must be >= 0, got -3; give the number of neurons"),
    (
        ("populations", 0, "size"),
        2**31 + 1,
        "populations[0].size must be <= 2147483648, got 2147483649; give the number of neurons",
    ),
    (
        ("populations", 0, "sise"),
        1,
        "populations[0] must have only the fields 'name', 'size', 'model', 'parameters', 'initial', "
        "'inputs', 'positions', got 'sise'; rename or remove it",
    ),
    # values
    (
        ("populations", 0, "parameters"),
        [],
        f"{VALUES} must be an object, got []; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters"),
        {str(n): 1 for n in range(1001)},
        f"{VALUES} must have at most 1000 entries, got 1001; merge or remove some",
    ),
    (
        ("populations", 0, "parameters", ""),
        1,
        f"{VALUES}[''] must not be empty, got ''; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        "12",
        f"{VALUES}.tau_m_ms must be a number, got '12'; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau m"),
        True,
        f"{VALUES}['tau m'] must be a number, got true; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "normal"),
        float("inf"),
        f"{VALUES}.normal must be finite, got inf; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        {"kind": "beta"},
        f"{VALUES}.tau_m_ms.kind must be one of {KINDS}, got 'beta'; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        {"kind": "number"},
        f"{VALUES}.tau_m_ms.kind must be one of {KINDS}, got 'number'; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        {"mean": 3},
        f"{VALUES}.tau_m_ms.kind must be one of {KINDS}, got nothing; give the model's parameters by name",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        {"kind": "normal", "mean": 3},
        f"{VALUES}.tau_m_ms.sd must be given, got nothing; give the standard deviation",
    ),
    (
        ("populations", 0, "parameters", "tau_m_ms"),
        {"kind": "uniform", "low": 3, "high": 4, "uniform": 1},
        f"{VALUES}.tau_m_ms must have only the fields 'kind', 'low', 'high', got 'uniform'; "
        "rename or remove it",
    ),
    (
        ("populations", 0, "initial", "v_mv", "sd"),
        -5,
        "populations[0].initial.v_mv.sd must be >= 0, got -5; give the standard deviation",
    ),
    # inputs
    (
        ("populations", 0, "inputs", 0, "kind"),
        "ac",
        "populations[0].inputs[0].kind must be one of 'poisson', 'dc', 'current', 'noise', got 'ac'; "
        "give the inputs into each neuron",
    ),
    (
        ("populations", 0, "inputs", 0),
        [],
        "populations[0].inputs[0] must be an object, got []; give the inputs into each neuron",
    ),
    (
        ("populations", 0, "inputs", 0, "rate_hz"),
        -8,
        "populations[0].inputs[0].rate_hz must be >= 0, got -8; raise its lowest value",
    ),
    (
        ("populations", 0, "inputs", 0, "rate_hz"),
        {"kind": "normal", "mean": 8, "sd": 1},
        "populations[0].inputs[0].rate_hz must be >= 0, got -1; raise its lowest value",
    ),
    (
        ("populations", 0, "inputs", 0, "weight"),
        {"kind": "normal", "mean": 8, "sd": 1},
        "populations[0].inputs[0].weight must be a number, got {'kind': 'normal', 'mean': 8, 'sd': 1}; "
        "give the weight of each spike, in the receptor's unit",
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), CASES, ids=[case[2][:60] for case in CASES])
def test_message(path: tuple[str | int, ...], value: Any, expected: str) -> None:
    assert message(broken(path, value)) == expected
