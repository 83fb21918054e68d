"""Inputs and sources that change over time: the same spikes on any number of chips, however placed."""

from __future__ import annotations

from functools import cache

import pytest

from cluster import DeployOptions, run_local
from tests.placement.changing import changing_network

TICKS = 400


@cache
def digest(chips: int, placement: str, precision: str) -> str:
    options = DeployOptions(chips=chips, placement=placement, precision=precision)
    summary = run_local(changing_network(), n_ticks=TICKS, options=options).summary
    assert summary["state"] == "complete"
    assert min(summary["rates_hz"].values()) > 50.0
    return str(summary["digest"])


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("chips", "placement"), [(3, "default"), (8, "shuffled")])
def test_spikes_do_not_depend_on_the_placement(chips: int, placement: str, precision: str) -> None:
    assert digest(chips, placement, precision) == digest(1, "default", precision)
