"""Bands that one more run must stay in, from the firing rates of many runs of a reference simulator.

A band is the prediction interval mean +- t sd sqrt(1 + 1 / n) of one more run, for n = 20 seeds whose rates
are taken as normal, where t is Student's quantile at 19 degrees of freedom and a two-sided probability of
0.001 / 16. So a right simulator leaves any of the 16 bands of eight populations under two drives with a
probability below 0.001 (Bonferroni). Counts of a few spikes are not normal: below `FEW_SPIKES` a run, sd is
at least that of a Poisson count of one spike more.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

N_SEEDS = 20

T_QUANTILE = 5.1080
"""Student's t, 19 degrees of freedom, two-sided probability 0.001 / 16."""

FEW_SPIKES = 30


def rate_band(
    rates_hz: Sequence[float], *, n_neurons: int, window_s: float
) -> dict[str, float | list[float]]:
    """Summarise the mean rates of one population, one of each seed, and give its band."""
    if len(rates_hz) != N_SEEDS:
        raise ValueError(
            f"rates: must be of {N_SEEDS} seeds, got {len(rates_hz)}; "
            f"measure {N_SEEDS}, for which T_QUANTILE holds"
        )
    mean, sd = statistics.fmean(rates_hz), statistics.stdev(rates_hz)
    count = mean * n_neurons * window_s
    floor = math.sqrt(count + 1) / (n_neurons * window_s) if count < FEW_SPIKES else 0.0
    half = T_QUANTILE * max(sd, floor) * math.sqrt(1 + 1 / N_SEEDS)
    summary = {
        "mean_hz": mean,
        "sd_hz": sd,
        "min_hz": min(rates_hz),
        "max_hz": max(rates_hz),
        "low_hz": max(mean - half, 0.0),
        "high_hz": mean + half,
    }
    rounded = {key: round(value, 4) for key, value in summary.items()}
    return {**rounded, "rates_hz": [round(rate, 4) for rate in rates_hz]}


def telling(bands: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the populations whose band stays above half their mean: silence leaves it, and so does half."""
    return [name for name, band in bands.items() if band["low_hz"] > band["mean_hz"] / 2]
