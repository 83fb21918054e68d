from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from network import parse_network
from spikerack.plots import EXCITATORY, INHIBITORY, bands_of, inhibitory_populations, raster
from spikerack.spikes import Spikes


def spikes(n_spikes: int = 400) -> Spikes:
    rng = np.random.default_rng(3)
    tick = np.sort(rng.integers(0, 1000, n_spikes)).astype(np.uint32)
    neuron = rng.integers(0, 100, n_spikes).astype(np.uint32)
    return Spikes(tick, neuron, 0.1, {"exc": (0, 80), "inh": (80, 20), "none": (100, 0)})


def test_bands_fill_the_height_in_proportion() -> None:
    exc, inh = bands_of(spikes(), {"inh"})
    assert (exc.top, exc.height, exc.colour) == (0.0, 0.8, EXCITATORY[0])
    assert (inh.top, inh.colour) == (pytest.approx(0.8), INHIBITORY[0])
    assert inh.top + inh.height == pytest.approx(1.0)


def test_a_small_population_stays_visible() -> None:
    empty = np.zeros(0, np.uint32)
    big, small = bands_of(Spikes(empty, empty, 0.1, {"big": (0, 99_999), "small": (99_999, 1)}))
    assert small.height > 0.04
    assert big.height + small.height == pytest.approx(1.0)


def test_no_population_no_band() -> None:
    empty = np.zeros(0, np.uint32)
    assert bands_of(Spikes(empty, empty, 0.1, {})) == []


@pytest.mark.slow
def test_the_picture_is_deterministic_and_shows_the_spikes(tmp_path: Path) -> None:
    raster(spikes(), tmp_path / "new" / "a.png", duration_ms=100.0, title="demo", inhibitory={"inh"})
    raster(spikes(), tmp_path / "b.png", duration_ms=100.0, title="demo", inhibitory={"inh"})
    raster(spikes(0), tmp_path / "c.png", duration_ms=100.0, title="demo", inhibitory={"inh"})
    picture = (tmp_path / "new" / "a.png").read_bytes()
    assert picture == (tmp_path / "b.png").read_bytes()
    with_spikes, silent = imread(tmp_path / "b.png"), imread(tmp_path / "c.png")
    assert with_spikes.shape == (960, 1650, 4)
    assert np.count_nonzero(with_spikes != silent) > 1000


@pytest.mark.slow
def test_a_large_run_is_thinned(tmp_path: Path) -> None:
    raster(spikes(), tmp_path / "all.png", duration_ms=100.0, title="", max_dots=400)
    raster(spikes(), tmp_path / "few.png", duration_ms=100.0, title="", max_dots=100)

    def inked(name: str) -> int:
        return int(np.count_nonzero(imread(tmp_path / name)[60:800, 100:1200, :3] < 0.7))

    assert 0 < inked("few.png") < 0.5 * inked("all.png")


def test_inhibitory_populations_are_those_with_negative_weights() -> None:
    def projection(source: str, weight: object) -> dict[str, object]:
        connectivity = {"rule": "fixed_in_degree", "n": 1}
        name = f"{source}-{weight}"
        return {
            "name": name,
            "source": source,
            "target": "a",
            "connectivity": connectivity,
            "delay_ms": 1.0,
            "weight": weight,
        }

    normal = {"kind": "normal", "mean": -4.0, "sd": 1.0, "high": 0.0, "bounds": "redraw"}
    uniform = {"kind": "uniform", "low": -3.0, "high": -1.0}
    explicit = {
        "name": "explicit",
        "source": "e",
        "target": "a",
        "connectivity": {"rule": "explicit", "sources": [0], "targets": [0], "weights": [-1.0]},
        "delay_ms": 1.0,
    }
    network = parse_network(
        {
            "name": "n",
            "timestep_ms": 0.1,
            "seed": 1,
            "populations": [{"name": name, "size": 2, "model": "lif_curr_exp"} for name in "abcde"],
            "projections": [
                projection("a", 1.0),
                projection("b", -1.0),
                projection("b", normal),
                projection("c", uniform),
                projection("d", -1.0),
                projection("d", 2.0),
                explicit,
            ],
        }
    )
    assert inhibitory_populations(network) == {"b", "c", "e"}
