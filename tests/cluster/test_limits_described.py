"""The limits that the language's page tells of are those that are checked."""

from __future__ import annotations

import pytest

from chip.neurons import MODELS
from chip.neurons.lif import LEAST_MS, LEAST_TAU_TICKS, MOST_MS, MOST_REFRACTORY_TICKS
from cluster.check import MAX_EVENTS_A_TICK, MOST, WEIGHT_RANGE
from network.grid import MAX_DELAY_TICKS, MAX_TICKS
from network.positions import MAX_UM
from network.reference import page
from network.values import MIN_MASS, MOST_SO_FAR


def short(number: float) -> str:
    """Return a number as the page writes it."""
    mantissa, _, exponent = f"{number:g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


C_M = next(p for p in MODELS["lif_curr_exp"].parameters if p.name == "c_m_pf")
RANGE = " to ".join(map(short, WEIGHT_RANGE))

ROWS = [
    f"| a delay | at least one tick and at most {MAX_DELAY_TICKS:,}, ",
    f"| any other time | at most 2^{MAX_TICKS.bit_length()} - 1 ticks |",
    f"| a weight, and each entry of a codebook | 0, or of a magnitude from {RANGE} ",
    f"| a parameter, state variable or current | of a magnitude of at most {short(MOST)}, ",
    f"| a time constant | {short(LEAST_MS)} to {short(MOST_MS)} ms, "
    f"and at least 1/{1 / LEAST_TAU_TICKS:g} of `timestep_ms` |",
    f"| a capacitance | {C_M.at_least:g} to {short(C_M.at_most or 0.0)} pF |",
    f"| a refractory time | at most 2^{MOST_REFRACTORY_TICKS.bit_length() - 1} ticks |",
    f"| a Poisson input | at most {MAX_EVENTS_A_TICK:g} events a tick ",
    f"the bounds must leave at least {MIN_MASS:.0e} of".replace("e-03", "e-3"),
    f"| a sum or product | within {short(MOST_SO_FAR)} of 0 ",
    f"| a coordinate | within {short(MAX_UM)} um of the origin |",
]


@pytest.mark.parametrize("row", ROWS)
def test_the_page_tells_the_limit_that_is_checked(row: str) -> None:
    assert row in page()
