"""Sources: given times, Poisson with constant and changing rates, correlated, uploaded; in every slicing."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from chip.random import Purpose
from network import Network
from tests.chip.chips import Cut, Lone, spec_of
from tests.chip.drives import SEED
from tests.chip.goodness import DEVIATE, chi_square
from tests.chip.networks import QUIET, delta, describe, times
from tests.chip.oracle import draws, key_of
from tests.chip.strategies import cuts, few
from tests.chip.waves import COURSES, SINE, sine, steps, values_of


def test_a_source_of_given_times_spikes_in_just_those_ticks() -> None:
    network = describe(
        [delta("cells", 2, QUIET)], sources=[times((0, 1, 7), (), (1, 29, 30)), times((5,), name="other")]
    )
    assert Lone(spec_of(network)).run(30) == [(0, 2), (1, 2), (1, 4), (5, 5), (7, 2), (29, 4)]


def test_a_slice_of_a_source_spikes_in_its_own_times() -> None:
    network = describe([delta("cells", 2, QUIET)], sources=[times((3,), (1,), (1, 2), (0,))])
    pieces = [Cut("cells", 0, 2), Cut("source", 1, 2, bank=-1)]
    assert Lone(spec_of(network, cuts=pieces)).run(9) == [(1, 3), (1, 4), (2, 4)]


def poisson_source(rate_hz: float, size: int) -> Network:
    source = {"kind": "poisson", "name": "drive", "size": size, "rate_hz": rate_hz}
    return describe([delta("cells", 3, QUIET)], sources=[times((2,)), source])


@pytest.mark.parametrize("rate_hz", [0.0, 5.0, 800.0, 9_999.0, 10_000.0])
def test_a_poisson_source_spikes_where_its_draw_is_below_the_rate(rate_hz: float) -> None:
    spikes = Lone(spec_of(poisson_source(rate_hz, 100))).run(30)
    of_tick = draws(key_of(SEED, Purpose.SOURCE, 2), np.arange(30))
    chance = draws(of_tick[:, None], np.arange(100)[None, :]) / 2.0**64
    ticks, neurons = np.nonzero(chance < rate_hz * 1e-4)
    assert [s for s in spikes if s[1] > 3] == list(zip(ticks.tolist(), (neurons + 4).tolist(), strict=True))


def test_a_poisson_source_has_its_rate_in_every_neuron_and_tick() -> None:
    spikes = np.array(Lone(spec_of(poisson_source(1000.0, 200))).run(200))
    spikes = spikes[spikes[:, 1] > 3]
    n, sd = 200 * 200, math.sqrt(200 * 200 * 0.1 * 0.9)
    assert abs(spikes.shape[0] - 0.1 * n) < DEVIATE * sd
    for counts in (np.bincount(spikes[:, 0], minlength=200), np.bincount(spikes[:, 1] - 4, minlength=200)):
        # Binomial counts vary less than chi-square's Poisson ones, by 1 - p.
        scaled = 20.0 + (counts - 20.0) / math.sqrt(0.9)
        assert abs(chi_square(scaled, spikes.shape[0] / 200)) < DEVIATE


def of_source(kind: str, size: int, **fields: Any) -> Network:
    """Return a network whose third member is a source; its neurons are numbered from 4."""
    source = {"kind": kind, "name": "drive", "size": size, **fields}
    return describe([delta("cells", 3, QUIET)], sources=[times((2,)), source])


def spikes_of(network: Network, n_ticks: int) -> np.ndarray:
    """Return (n_ticks, n) which neurons of the third member spike."""
    fired = np.zeros((n_ticks, network.members[2].size), bool)
    for tick, neuron in Lone(spec_of(network)).run(n_ticks):
        if neuron >= 4:
            fired[tick, neuron - 4] = True
    return fired


def chances(n_ticks: int, size: int) -> np.ndarray:
    """Return the (n_ticks, size) draws of a source's neurons, from 0 to 1."""
    of_tick = draws(key_of(SEED, Purpose.SOURCE, 2), np.arange(n_ticks))
    return draws(of_tick[:, None], np.arange(size)[None, :]) / 2.0**64


def mothers(n_ticks: int) -> np.ndarray:
    """Return the draws of the mother of a correlated source, from 0 to 1."""
    return draws(key_of(SEED, Purpose.SOURCE, 2, 2**32), np.arange(n_ticks)) / 2.0**64


@pytest.mark.parametrize("kind", COURSES)
def test_a_modulated_source_has_the_chance_of_each_tick(kind: str) -> None:
    fired = spikes_of(of_source("poisson", 100, rate_hz=3000.0, modulation=COURSES[kind]), 50)
    chance = 0.3 * values_of(COURSES[kind], 50)
    assert np.array_equal(fired, chances(50, 100) < chance[:, None])
    assert np.unique(fired.sum(axis=1)).size > 5


def test_spikes_of_a_modulated_source_follow_its_course() -> None:
    course = sine(1.0, 0.9, 100.0, 70.0)
    fired = spikes_of(of_source("poisson", 300, rate_hz=1000.0, modulation=course), 200)
    chance = 0.1 * values_of(course, 200)
    for counts, means, spread in (
        (fired.sum(axis=1), 300 * chance, 1.0 - chance),
        (fired.sum(axis=0), chance.sum(), 1.0 - (chance**2).sum() / chance.sum()),
    ):
        # Counts vary less than chi-square's Poisson ones; two ticks in ten expect fewer than 5.
        scaled = means + (counts - means) / np.sqrt(spread)
        likely = np.broadcast_to(means, counts.shape) >= 5.0
        assert abs(chi_square(scaled[likely], np.broadcast_to(means, counts.shape)[likely])) < DEVIATE


@pytest.mark.parametrize("kind", ["poisson", "correlated_poisson"])
def test_a_modulation_of_1_is_none(kind: str) -> None:
    fields: dict[str, Any] = {"correlation": 0.4} if kind == "correlated_poisson" else {}
    constant = spikes_of(of_source(kind, 50, rate_hz=2000.0, **fields), 40)
    fields["modulation"] = steps((0.0, 1.0), (3.0, 0.0))
    modulated = spikes_of(of_source(kind, 50, rate_hz=2000.0, **fields), 40)
    assert np.array_equal(modulated[:30], constant[:30])
    assert constant[30:].any()
    assert not modulated[30:].any()


def test_a_modulated_source_can_spike_in_every_tick() -> None:
    fired = spikes_of(of_source("poisson", 9, rate_hz=100.0, modulation=steps((1.0, 100.0))), 20)
    assert fired[10:].all()
    assert not fired[:10].any()


@pytest.mark.parametrize("modulation", [None, SINE])
def test_a_correlated_source_copies_its_mother(modulation: dict[str, Any] | None) -> None:
    network = of_source("correlated_poisson", 60, rate_hz=1000.0, correlation=0.4, modulation=modulation)
    course = np.ones(50) if modulation is None else values_of(modulation, 50)
    mother = mothers(50) < 0.25 * course
    assert np.array_equal(spikes_of(network, 50), mother[:, None] & (chances(50, 60) < 0.4))
    assert 5 < mother.sum() < 30


def test_mother_and_copies_are_drawn_apart() -> None:
    """No draw of the mother is that of a copy: a key that ends with a tick would be one of the neurons'."""
    assert not set(mothers(3000).tolist()) & set(chances(5, 3000).ravel().tolist())


def test_a_full_correlation_makes_all_spike_together() -> None:
    fired = spikes_of(of_source("correlated_poisson", 20, rate_hz=3000.0, correlation=1.0), 100)
    assert set(fired.sum(axis=1).tolist()) == {0, 20}


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.02, 0.3, 0.9])
def test_rate_and_correlation_of_a_correlated_source(correlation: float) -> None:
    n, n_ticks, chance = 100, 20_000, 0.001
    fields = {"rate_hz": chance * 1e4, "correlation": correlation}
    together = spikes_of(of_source("correlated_poisson", n, **fields), n_ticks).sum(axis=1)
    assert abs(deviate(together / n, chance)) < 4.0
    pairs = together * (together - 1.0) / (n * (n - 1.0))  # the share of pairs that spike in the same tick
    found = (pairs - chance**2) / (chance * (1.0 - chance))
    assert abs(deviate(found, correlation)) < 4.0
    # To the last digit it is less by what two independent sources have in common.
    assert abs(deviate(found, (correlation - chance) / (1.0 - chance))) < 4.0


def deviate(sample: np.ndarray, mean: float) -> float:
    """Return how many of its standard errors the sample's mean is from what it should be."""
    return float((sample.mean() - mean) / (sample.std() / math.sqrt(sample.size)))


@few
@given(cuts(17))
def test_slices_of_sources_spike_alike(ranges: list[tuple[int, int]]) -> None:
    drive = {"kind": "poisson", "name": "drive", "size": 17, "rate_hz": 500.0, "modulation": SINE}
    copying = drive | {"kind": "correlated_poisson", "name": "copying", "correlation": 0.5}
    sources = [copying, copying | {"name": "steady", "modulation": None}, drive]
    network = describe([delta("cells", 3, QUIET)], sources=sources)
    names = [source["name"] for source in sources]
    pieces = [Cut("cells", 0, 3)]
    pieces += [Cut(name, low, high - low, bank=-1) for name in names for low, high in ranges]
    spikes = Lone(spec_of(network)).run(100)
    assert sorted(Lone(spec_of(network, cuts=pieces)).run(100)) == sorted(spikes)
    assert len({neuron for _, neuron in spikes}) > 40


def upload(size: int, n: int) -> Network:
    """Return a network with an uploaded source; its neurons are numbered from 2."""
    facts = {"sha256": "0" * 64, "n": n, "neuron_stop": size if n else 0}
    source = {"kind": "uploaded_spikes", "name": "up", "size": size, **facts}
    return describe([delta("cells", 2, QUIET)], sources=[source])


def uploaded(network: Network, ticks: list[int], neurons: list[int], **more: Any) -> Lone:
    """Return a chip whose uploaded source has these spikes."""
    spec = spec_of(network, **more)
    spikes = np.array(ticks, np.uint32), np.array(neurons, np.uint16)
    slices = tuple(replace(part, spikes=spikes) if part.bank < 0 else part for part in spec.slices)
    return Lone(replace(spec, slices=slices))


def test_uploaded_spikes_come_in_their_ticks() -> None:
    network = upload(4, 5)
    ticks, neurons = [0, 1, 1, 7, 30], [3, 0, 2, 3, 1]
    assert uploaded(network, ticks, neurons).run(30) == [(0, 5), (1, 2), (1, 4), (7, 5)]
    disordered = uploaded(network, ticks[::-1], neurons[::-1])
    assert disordered.run(31) == [(0, 5), (1, 2), (1, 4), (7, 5), (30, 3)]
    pieces = [Cut("cells", 0, 2), Cut("up", 1, 2, bank=-1)]
    assert uploaded(network, ticks, neurons, cuts=pieces).run(31) == [(1, 4), (30, 3)]
    assert uploaded(network, [], []).run(3) == []


def test_uploaded_spikes_go_on_from_a_snapshot() -> None:
    first, second = (uploaded(upload(2, 4), [1, 3, 5, 7], [0, 1, 0, 1]) for _ in range(2))
    first.run(4)
    second.chip.restore(first.chip.snapshot())
    second.tick = 4
    assert second.run(4) == [(5, 2), (7, 3)]


def test_sources_may_be_empty() -> None:
    assert uploaded(upload(0, 0), [], []).run(9) == []
    rate: dict[str, Any] = {"rate_hz": 2000.0, "modulation": SINE}
    assert not spikes_of(of_source("poisson", 0, **rate), 9).any()
    assert not spikes_of(of_source("correlated_poisson", 0, correlation=0.9, **rate), 9).any()
