from __future__ import annotations

import numpy as np
import pytest

from spikerack.spikes import Spikes, joined
from spikerack.views import digest_of


@pytest.fixture
def spikes() -> Spikes:
    return Spikes(
        np.array([0, 0, 4, 9], np.uint32),
        np.array([1, 6, 6, 0], np.uint32),
        0.1,
        {"exc": (0, 6), "inh": (6, 2), "empty": (8, 0)},
    )


def test_times_are_those_of_the_ticks_end(spikes: Spikes) -> None:
    np.testing.assert_allclose(spikes.times_ms, [0.1, 0.1, 0.5, 1.0])


def test_of_a_population(spikes: Spikes) -> None:
    inhibitory = spikes.of("inh")
    np.testing.assert_array_equal(inhibitory.tick, [0, 4])
    np.testing.assert_array_equal(inhibitory.neuron, [6, 6])
    assert repr(inhibitory) == "Spikes(2 spikes, 1 populations)"


def test_an_unknown_population_is_named(spikes: Spikes) -> None:
    with pytest.raises(KeyError, match="spikes: no population 'x'; there are exc, inh, empty"):
        spikes.of("x")


def test_rates(spikes: Spikes) -> None:
    rates = spikes.rates_hz(1.0)
    assert rates == pytest.approx({"exc": 2 / 6 * 1000, "inh": 1000.0, "empty": 0.0})


def test_joined_in_order(spikes: Spikes) -> None:
    both = joined([spikes, spikes])
    np.testing.assert_array_equal(both.tick, [0, 0, 4, 9, 0, 0, 4, 9])
    assert len(both) == 8


def test_the_digest_depends_on_the_ticks(spikes: Spikes) -> None:
    assert digest_of(spikes, 10) == digest_of(spikes, 10)
    assert digest_of(spikes, 10) != digest_of(spikes, 11)
