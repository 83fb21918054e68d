"""Counting a run's spikes as they come: digests, rates, and which of them are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cluster.plan import Plan
from cluster.recordings import recorded_mask
from network.digest import PART, SpikeDigest, spike_pairs


class SpikeTally:
    """All spikes of a run, counted; and those that its recordings keep.

    Parameters
    ----------
    plan : Plan
    n_ticks : int

    Attributes
    ----------
    per_range : (n_ranges,) int64 array
        Spikes of the neurons of each of the plan's key ranges.
    n_recorded : int
        Spikes that were kept.
    """

    def __init__(self, plan: Plan, n_ticks: int) -> None:
        network = plan.network
        self._plan = plan
        self._digest = SpikeDigest(network.timestep_ms, n_ticks, network.n_neurons)
        self._mask = recorded_mask(network)
        # One digest when all spikes are kept: there is nothing to tell apart.
        self._recorded = self._digest
        if self._mask is not None:
            self._recorded = SpikeDigest(network.timestep_ms, n_ticks, network.n_neurons)
        self._range_of = np.zeros(network.n_neurons, np.uint16 if len(plan.ranges) < 2**16 else np.uint32)
        for number, part in enumerate(plan.ranges):
            self._range_of[part.first : part.first + part.n] = number
        self.per_range = np.zeros(len(plan.ranges), np.int64)

    @property
    def n_spikes(self) -> int:
        """Spikes of all neurons."""
        return self._digest.n_spikes

    @property
    def n_recorded(self) -> int:
        """Spikes that are kept."""
        return self._recorded.n_spikes

    def take(self, spikes: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Count the next spikes; return those that are kept.

        Parameters
        ----------
        spikes : (n_spikes,) uint64 array
            tick << 32 | global neuron number, sorted.

        Returns
        -------
        (n_kept, 2) uint32 array
            Tick and neuron.
        """
        pairs = np.empty((spikes.size, 2), np.uint32)
        for begin in range(0, spikes.size, PART):
            some, part = spikes[begin : begin + PART], pairs[begin : begin + PART]
            part[:] = spike_pairs(some)
            self.per_range += np.bincount(self._range_of[part[:, 1]], minlength=self.per_range.size)
            self._digest.add(some)
        if self._mask is None:
            return pairs
        kept: NDArray[np.uint32] = pairs[self._mask[pairs[:, 1]]]
        self._recorded.update(kept[:, 0], kept[:, 1])
        return kept

    def digests(self, tick: int) -> dict[str, str | None]:
        """Return the digests of a run of `tick` ticks, as its record names them.

        None for both where spikes of later ticks were counted, which a sink refused.
        """
        if self._digest.last_tick >= tick:
            return {"digest": None, "recorded_digest": None}
        return {"digest": self._digest.hexdigest(tick), "recorded_digest": self._recorded.hexdigest(tick)}

    def rates_hz(self, seconds: float) -> dict[str, float] | None:
        """Return the mean rate of each member over `seconds`; None before there are any."""
        if not seconds:
            return None
        members = self._plan.network.members
        counts = np.zeros(len(members), np.int64)
        np.add.at(counts, [part.member for own in self._plan.placement for part in own], self.per_range)
        return {m.name: float(n) / max(m.size, 1) / seconds for m, n in zip(members, counts, strict=True)}

    def counts(self) -> dict[str, Any]:
        """Return the numbers of spikes, as the run's record names them."""
        return {"n_spikes": self.n_spikes, "n_recorded_spikes": self.n_recorded}
