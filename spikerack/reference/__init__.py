"""What the microcircuit does in NEST, to compare runs with. `make reference` makes it anew.

- ``microcircuit_SCALE.json``: mean rates of each drive and population over 20 seeds, and the band that one
  more run stays in, from 0 to 1,000 ms; `make run` compares with them. How they are made,
  `tests/reference/generate_microcircuit.py` says;
- ``statistics_SCALE.json``: of a few seeds, distributions of rates, irregularity and correlation, among them
  the full network's (`tests/reference/generate_statistics.py`). `spike_statistics` makes the same of any
  spikes, and `comparison` says whether they agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

__all__ = ["RateBand", "microcircuit_bands", "microcircuit_statistics"]


@dataclass(frozen=True)
class RateBand:
    """Mean rate of a population over the seeds, and the band in which one more run is expected, in Hz."""

    mean_hz: float
    sd_hz: float
    low_hz: float
    high_hz: float

    def holds(self, rate_hz: float) -> bool:
        """Whether a run with this rate agrees."""
        return self.low_hz <= rate_hz <= self.high_hz


def microcircuit_bands(scale: float, drive: str) -> dict[str, RateBand]:
    """Return the band of each population, in order of declaration, for a run from 0 to 1,000 ms.

    Raises
    ------
    LookupError
        This scale and drive were not measured.
    """
    file = files(__name__).joinpath(f"microcircuit_{scale:g}.json")
    drives = json.loads(file.read_text())["drives"] if file.is_file() else {}
    if drive not in drives:
        raise LookupError(
            f"microcircuit bands: scale and drive must be measured, got {scale:g} and {drive!r}; "
            f"add them to tests/reference/generate_microcircuit.py and run make reference"
        )
    return {
        name: RateBand(band["mean_hz"], band["sd_hz"], band["low_hz"], band["high_hz"])
        for name, band in drives[drive].items()
    }


def microcircuit_statistics(scale: float) -> dict[str, Any]:
    """Return the table of a scale: its ``drive``, ``window_ms``, ``sizes``, and ``seeds`` of summaries.

    Raises
    ------
    LookupError
        This scale was not measured.
    """
    file = files(__name__).joinpath(f"statistics_{scale:g}.json")
    if not file.is_file():
        raise LookupError(
            f"microcircuit statistics: scale must be measured, got {scale:g}; "
            f"add it to tests/reference/generate.py and run make reference"
        )
    table: dict[str, Any] = json.loads(file.read_text())
    return table
