"""The statistics of spikes, against arithmetic on paper and against plain loops."""

import itertools
import statistics

import numpy as np
import pytest

from spikerack.reference.spike_statistics import (
    N_QUANTILES,
    SpikeWindow,
    isi_cvs,
    ks_distance,
    pair_correlations,
    rates_hz,
    summarise,
)


def window(spikes: list[tuple[int, int]], first: int = 0, stop: int = 10_000) -> SpikeWindow:
    tick, neuron = np.array(sorted(spikes), np.uint32).reshape(-1, 2).T
    return SpikeWindow(tick, neuron, first_tick=first, stop_tick=stop, timestep_ms=0.1)


def irregular(n_neurons: int, seed: int = 1, rate: float = 0.002) -> list[tuple[int, int]]:
    fired = np.random.default_rng(seed).random((10_000, n_neurons)) < rate
    return list(zip(*(each.tolist() for each in np.nonzero(fired)), strict=True))


def test_rates_count_what_is_in_the_window_and_of_the_population() -> None:
    spikes = [(4999, 3), (5000, 3), (6000, 3), (9999, 4), (10_000, 4), (7000, 2), (7000, 6)]
    assert rates_hz(window(spikes, 5000), first=3, size=3).tolist() == [4.0, 2.0, 0.0]


def test_cv_of_intervals_on_paper() -> None:
    uneven = [(tick, 1) for tick in (0, 10, 30, 60)]  # 10, 20, 30: sd sqrt(200 / 3) about 20
    clock = [(tick, 2) for tick in (5, 15, 25, 35, 45)]
    few = [(tick, 0) for tick in (3, 4, 9)]
    assert isi_cvs(window(uneven + clock + few), 0, 3) == pytest.approx([np.sqrt(200 / 3) / 20, 0.0])


def test_cv_is_that_of_plain_statistics() -> None:
    spikes = irregular(7)
    expected = []
    for neuron in range(7):
        ticks = sorted(tick for tick, who in spikes if who == neuron)
        gaps = [b - a for a, b in itertools.pairwise(ticks)]
        expected.append(statistics.pstdev(gaps) / statistics.fmean(gaps))
    assert isi_cvs(window(spikes), 0, 7) == pytest.approx(expected)


def test_correlation_of_trains_that_agree_and_that_do_not() -> None:
    same = [(tick, neuron) for tick in range(0, 10_000, 200) for neuron in (0, 1)]
    other = [(tick + 100, 2) for tick in range(0, 10_000, 200)]
    # 50 of 500 bins: -p^2 / (p (1 - p)) with p = 0.1 where bins never agree.
    assert pair_correlations(window(same + other), 0, 3) == pytest.approx([1.0, -1 / 9, -1 / 9])


def test_correlation_counts_in_bins_of_two_ms_from_the_windows_begin() -> None:
    spikes = [(5000, 0), (5019, 1), (5020, 0), (5045, 1)]
    counts = np.zeros((2, 250))
    counts[0, [0, 1]], counts[1, [0, 2]] = 1, 1
    assert pair_correlations(window(spikes, 5000), 0, 2) == pytest.approx([np.corrcoef(counts)[0, 1]])


def test_correlation_leaves_out_neurons_that_are_silent_or_alone() -> None:
    assert pair_correlations(window([(3, 1), (500, 1)]), 0, 4).size == 0
    assert pair_correlations(window([(3, 1), (500, 3)]), 0, 4).size == 1


def test_correlation_takes_200_neurons_spread_evenly() -> None:
    """Each fourth neuron of 800 fires with its twin beside it: only the fourth ones are looked at."""
    spikes = [(100 * neuron, neuron) for neuron in range(0, 80, 4)]
    spikes += [(100 * neuron, neuron + 1) for neuron in range(0, 80, 4)]
    found = pair_correlations(window(spikes), 0, 800)
    assert (found.size, found.max() < 0) == (20 * 19 // 2, True)


def test_summary_names_populations_in_order_of_their_neurons() -> None:
    spikes = irregular(30)
    found = summarise(window(spikes), {"a": 10, "b": 20})
    assert list(found) == ["a", "b"]
    rates = rates_hz(window(spikes), 10, 20)
    assert found["b"]["rate_hz"] == pytest.approx(rates.mean(), abs=1e-5)
    assert found["b"]["rates_hz"]["n"] == 20
    assert found["b"]["rates_hz"]["sd"] == pytest.approx(rates.std(), abs=1e-6)
    assert found["b"]["isi_cv"]["mean"] == pytest.approx(isi_cvs(window(spikes), 10, 20).mean(), abs=1e-6)
    assert found["b"]["correlation"]["n"] == 190
    assert [len(found["b"][key]["quantiles"]) for key in ("rates_hz", "isi_cv", "correlation")] == [200] * 3


def test_summary_of_silence_has_empty_distributions() -> None:
    found = summarise(window([]), {"a": 5})["a"]
    assert found["rate_hz"] == 0.0
    assert found["rates_hz"]["quantiles"] == [0.0] * N_QUANTILES
    assert found["isi_cv"] == found["correlation"] == {"n": 0, "mean": 0.0, "sd": 0.0, "quantiles": []}


@pytest.mark.parametrize(
    ("one", "two", "distance"),
    [
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], 0.0),
        ([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], 0.5),
        ([0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0], 0.5),
        ([1.0], [2.0, 3.0], 1.0),
        ([], [], 0.0),
        ([], [1.0], 1.0),
    ],
)
def test_distance_of_distributions(one: list[float], two: list[float], distance: float) -> None:
    assert ks_distance({"quantiles": one}, {"quantiles": two}) == distance
    assert ks_distance({"quantiles": two}, {"quantiles": one}) == distance
