"""Checks across the parts of a network: what only shows when they are seen together.

Start reading at `network.checks.whole`. Each other file has one topic, and its functions yield problems:
`members` (populations, their inputs, sources), `waveforms` (rates and currents over time), `values` (arrays,
functions of distance, bounds), `spaces` (positions), `projections` (ends and weights), `rules` (what a rule
asks of the sizes of its ends), `delays`, `recordings`.
"""

from network.checks.whole import MAX_NEURONS, problems_of

__all__ = ["MAX_NEURONS", "problems_of"]
