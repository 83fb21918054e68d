"""Firing rates of the microcircuit in NEST, which `make run` compares with. `make reference` makes them anew.

One JSON file a scale: what was simulated, and for each drive and population the rates of 20 seeds and the
band that one more run stays in. Data only; how it is made, `tests/reference/generate_microcircuit.py` says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["RateBand", "microcircuit_bands"]


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
