from __future__ import annotations

import pytest

from spikerack import demo
from spikerack.calls import Record
from spikerack.client import Client, Run
from spikerack.reference import RateBand, microcircuit_bands
from spikerack.verdict import Check, RateCheck

RECORD: Record = {"id": "run_1", "realtime_factor": 0.72}
BAND = RateBand(mean_hz=4.0, sd_hz=0.2, low_hz=3.0, high_hz=5.0)


def report(*, rate_hz: float = 4.0, holds: bool = True) -> int:
    with Client("http://rack.test", "srk_k_s") as client:
        rates = [RateCheck("L4E", rate_hz, BAND)]
        return demo._report(Run(client, RECORD), rates, [Check("claim", "found", holds)], 42.0)


def test_it_ends_well_only_if_all_held(capfd: pytest.CaptureFixture[str]) -> None:
    assert report() == 0
    out = capfd.readouterr().out
    assert "all held" in out
    assert "0.72 s a biological second; 42 s in all; raster: out/microcircuit.png" in out
    assert report(rate_hz=5.1) == 1
    assert report(holds=False) == 1
    assert "NOT all held" in capfd.readouterr().out


def test_what_it_runs_was_measured_in_nest() -> None:
    bands = microcircuit_bands(demo.SCALE, demo.DRIVE)
    assert list(bands) == ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
    # Silence stays in no band.
    assert all(not band.holds(0.0) for band in bands.values())
