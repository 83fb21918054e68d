"""Whether a run's statistics are those of another seed of the reference, from the spread of its seeds.

The mean rate and the mean correlation of a population must be within three standard deviations of the seeds'
mean, or within a floor where the few seeds happen to lie closer.

Of a distribution, the mean Kolmogorov-Smirnov distance to the seeds must be at most the seeds' mean distance
to each other plus three standard deviations of these, or what two samples of so many independent neurons have
by chance, at p = 0.001. The distance tells little of correlations, which are small beside their scatter from
pair to pair: trains shifted against each other at random would often pass. Their mean does not let them.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikerack.reference.spike_statistics import Summary, ks_distance

__all__ = ["DISTRIBUTIONS", "LEAST_SEEDS", "Comparison", "compare"]

DISTRIBUTIONS = ("rates_hz", "isi_cv", "correlation")

LEAST_SEEDS = 3
REACH_SD = 3.0
RATE_FLOOR = 0.03
"""Share of the mean rate."""
CORRELATION_FLOOR = REACH_SD * math.sqrt(2.0 / 1000.0) / 199.0
"""Three standard deviations of the mean correlation of 200 independent neurons in 1,000 bins: 0.00067."""
KS_CHANCE = math.sqrt(-0.5 * math.log(0.001 / 2.0))
"""Of ``D / sqrt(1/n + 1/m)``, exceeded by chance once in a thousand: 1.95 (Kolmogorov's distribution)."""


@dataclass(frozen=True)
class Comparison:
    """One statistic of one population beside the reference's seeds.

    Attributes
    ----------
    found, reference : float
        The mean (rates in Hz) or the distribution's mean; the reference's over its seeds.
    deviation, limit : float
        Of a mean, its difference from the reference; of a distribution, its mean distance to the seeds. And
        what that may be.
    """

    population: str
    statistic: str
    found: float
    reference: float
    deviation: float
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the statistic agrees."""
        return self.deviation <= self.limit


def compare(summaries: Mapping[str, Summary], seeds: Sequence[Mapping[str, Summary]]) -> Iterator[Comparison]:
    """Compare all populations of a run with at least `LEAST_SEEDS` seeds of the reference."""
    if len(seeds) < LEAST_SEEDS:
        raise ValueError(f"reference: must have at least {LEAST_SEEDS} seeds, got {len(seeds)}; measure more")
    for name, summary in summaries.items():
        others = [seed[name] for seed in seeds]
        rates = [each["rate_hz"] for each in others]
        yield _of_mean(name, "rate_hz", summary["rate_hz"], rates, RATE_FLOOR * statistics.fmean(rates))
        means = [each["correlation"]["mean"] for each in others]
        mine = summary["correlation"]["mean"]
        yield _of_mean(name, "mean_correlation", mine, means, CORRELATION_FLOOR)
        for statistic in DISTRIBUTIONS:
            yield _of_distribution(name, statistic, summary[statistic], [each[statistic] for each in others])


def _of_mean(name: str, statistic: str, mine: float, others: Sequence[float], floor: float) -> Comparison:
    mean = statistics.fmean(others)
    limit = max(REACH_SD * statistics.stdev(others), floor)
    return Comparison(name, statistic, mine, mean, abs(mine - mean), limit)


def _of_distribution(name: str, statistic: str, mine: Summary, others: Sequence[Summary]) -> Comparison:
    apart = [ks_distance(a, b) for a, b in itertools.combinations(others, 2)]
    spread = statistics.fmean(apart) + REACH_SD * statistics.stdev(apart)
    n = min(_n_independent(statistic, each["n"]) for each in (mine, *others))
    chance = KS_CHANCE * math.sqrt(2.0 / n) if n else 0.0
    distance = statistics.fmean(ks_distance(mine, each) for each in others)
    reference = statistics.fmean(each["mean"] for each in others)
    return Comparison(name, statistic, mine["mean"], reference, distance, max(spread, chance))


def _n_independent(statistic: str, n: int) -> float:
    """Return the neurons behind `n` entries: of correlations, those that have so many pairs."""
    return (1.0 + math.sqrt(1.0 + 8.0 * n)) / 2.0 if statistic == "correlation" and n else n
