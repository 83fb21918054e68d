"""The bands of the microcircuit's rates: their statistics, and the committed tables."""

import copy
import json
import math
import re
from pathlib import Path

import pytest

import spikerack.reference
from spikerack.examples import microcircuit
from spikerack.reference import RateBand, microcircuit_bands
from tests.reference.bands import N_SEEDS, T_QUANTILE, rate_band, telling

FOLDER = Path(spikerack.reference.__file__).parent
TABLES = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("microcircuit_*.json"))}
MEASURED = [(table["scale"], drive) for table in TABLES.values() for drive in table["drives"]]


def test_t_quantile_leaves_a_thousandth_over_sixteen_bands() -> None:
    # Student's t with an odd number of degrees of freedom in closed form: Abramowitz and Stegun 26.7.3.
    theta = math.atan(T_QUANTILE / math.sqrt(N_SEEDS - 1))
    term = series = math.cos(theta)
    for k in range(2, N_SEEDS - 3, 2):
        term *= k / (k + 1) * math.cos(theta) ** 2
        series += term
    outside = 1 - 2 / math.pi * (theta + math.sin(theta) * series)
    assert outside == pytest.approx(0.001 / 16, rel=1e-3)


def test_band_is_a_prediction_interval() -> None:
    rates = [10.0, 12.0] * 10
    band = rate_band(rates, n_neurons=1000, window_s=1.0)
    half = T_QUANTILE * math.sqrt(20 / 19) * math.sqrt(1.05)
    assert (band["mean_hz"], band["min_hz"], band["max_hz"], band["rates_hz"]) == (11.0, 10.0, 12.0, rates)
    assert (band["low_hz"], band["high_hz"]) == (round(11 - half, 4), round(11 + half, 4))


def test_band_of_few_spikes_is_as_wide_as_chance() -> None:
    band = rate_band([0.0] * 19 + [0.01], n_neurons=100, window_s=1.0)
    assert band["low_hz"] == 0.0
    assert band["high_hz"] > 0.05
    assert telling({"quiet": band}) == []


def test_band_needs_twenty_seeds() -> None:
    message = "rates: must be of 20 seeds, got 3; measure 20, for which T_QUANTILE holds"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        rate_band([1.0, 2.0, 3.0], n_neurons=10, window_s=1.0)


@pytest.mark.parametrize(("scale", "drive"), MEASURED)
def test_committed_bands_follow_from_the_committed_rates(scale: float, drive: str) -> None:
    table = TABLES[f"microcircuit_{scale:g}.json"]
    for name, band in copy.deepcopy(table["drives"][drive]).items():
        again = rate_band(band["rates_hz"], n_neurons=table["sizes"][name], window_s=1.0)
        assert again.pop("rates_hz") == band.pop("rates_hz")
        assert again == pytest.approx(band, abs=5e-4)


@pytest.mark.parametrize(
    ("scale", "drive", "names"),
    [
        (0.1, "dc", ["L6I"]),
        (0.1, "poisson", ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]),
        (0.2, "dc", ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]),
    ],
)
def test_silence_leaves_the_bands(scale: float, drive: str, names: list[str]) -> None:
    bands = TABLES[f"microcircuit_{scale:g}.json"]["drives"][drive]
    assert telling(bands) == names


def test_every_seed_stays_in_its_band() -> None:
    for scale, drive in MEASURED:
        rates = TABLES[f"microcircuit_{scale:g}.json"]["drives"][drive]
        for name, band in microcircuit_bands(scale, drive).items():
            assert all(band.holds(rate) for rate in rates[name]["rates_hz"])


@pytest.mark.parametrize(("scale", "drive"), MEASURED)
def test_the_example_is_the_network_that_was_measured(scale: float, drive: str) -> None:
    table = TABLES[f"microcircuit_{scale:g}.json"]
    network = microcircuit(scale, drive=drive)
    assert {each.name: each.size for each in network.populations} == table["sizes"]
    assert sum(each.connectivity.n for each in network.projections) == table["n_synapses"]
    assert list(microcircuit_bands(scale, drive)) == [each.name for each in network.populations]
    assert table["simulator"] == "NEST 3.10.0"


def test_band_holds_its_limits_and_nothing_beyond() -> None:
    band = RateBand(mean_hz=5.0, sd_hz=0.1, low_hz=4.5, high_hz=5.5)
    assert [band.holds(rate) for rate in (0.0, 4.4999, 4.5, 5.5, 5.5001)] == [False, False, True, True, False]


@pytest.mark.parametrize(("scale", "drive"), [(0.3, "dc"), (0.2, "poisson")])
def test_bands_that_were_not_measured_are_refused(scale: float, drive: str) -> None:
    message = (
        f"microcircuit bands: scale and drive must be measured, got {scale:g} and {drive!r}; "
        f"add them to tests/reference/generate_microcircuit.py and run make reference"
    )
    with pytest.raises(LookupError, match=f"^{re.escape(message)}$"):
        microcircuit_bands(scale, drive)
