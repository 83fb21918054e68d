"""What a run keeps of a network: the spikes of chosen neurons, samples of states, samples of weights.

A recording's number is its place in the network's `recordings`, in files, requests and arrays alike. Which
synapses a recording of weights holds is known once the chips are built: each says what its probes sample
(`Columns`), and `Recordings` puts them together in an order that does not depend on the placement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chip.layout import sample_rows
from cluster.expectation import expected_synapses
from network import Network, NeuronRange
from network.recording import Recording, SpikeRecording, StateRecording, WeightRecording

MAX_RECORDED_VALUES = 1 << 22
"""Values of one sample of all recordings together: 32 MiB, held whole by chips, coordinator and readers."""

ADVANCE_VALUES = 1 << 22
"""Values that an advance should sample at most."""


class RecordedSynapses(NamedTuple):
    """The synapses of a recording of weights: (n,) arrays, one entry for each value of a row.

    `source` and `target` (uint32) are global numbers; `weight` (float64) is that of tick 0.
    """

    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    delay_ticks: NDArray[np.int64]
    weight: NDArray[np.float64]

    def taken(self, places: NDArray[np.int64]) -> RecordedSynapses:
        """Return the entries at `places`, in their order."""
        return RecordedSynapses(*(column[places] for column in self))  # type: ignore[arg-type]


_NO_SYNAPSES = RecordedSynapses(
    np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0)
)


@dataclass(frozen=True)
class Columns:
    """What one probe of a chip samples.

    Attributes
    ----------
    recording : int
    places : (n_values,) int64 array or None
        Where its values stand in a row of the whole recording; None where that follows from `synapses`.
    synapses : RecordedSynapses or None
        Of a recording of weights.
    """

    recording: int
    places: NDArray[np.int64] | None = None
    synapses: RecordedSynapses | None = None


@dataclass(frozen=True)
class Recordings:
    """A deployment's recordings.

    Attributes
    ----------
    network : Network
    places : tuple of sequences of (int, (n_values,) int64 array)
        For each chip and probe, its recording, and where its values stand in a row of it.
    synapses : mapping from int to RecordedSynapses
        For each recording of weights, sorted by source, target, delay, then weight at tick 0.
    """

    network: Network
    places: tuple[Sequence[tuple[int, NDArray[np.int64]]], ...]
    synapses: Mapping[int, RecordedSynapses] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network, chips: Sequence[Sequence[Columns]]) -> Recordings:
        """Put together what the probes of all chips sample."""
        ranks: dict[tuple[int, int], NDArray[np.int64]] = {}
        synapses: dict[int, RecordedSynapses] = {}
        sampled: dict[int, dict[tuple[int, int], RecordedSynapses]] = {}
        for chip, probes in enumerate(chips):
            for probe, columns in enumerate(probes):
                if columns.synapses is not None:
                    sampled.setdefault(columns.recording, {})[chip, probe] = columns.synapses
        for number, recording in enumerate(network.recordings):
            if isinstance(recording, WeightRecording):
                parts = sampled.get(number, {})
                synapses[number], own = _merged(list(parts.values()))
                ranks |= dict(zip(parts, own, strict=True))
        places = tuple(
            [(columns.recording, _places(columns, ranks.get((chip, k)))) for k, columns in enumerate(probes)]
            for chip, probes in enumerate(chips)
        )
        return cls(network, places, synapses)

    def width(self, number: int) -> int:
        """Return the values of one row of recording `number`; 0 for one of spikes."""
        if number in self.synapses:
            return self.synapses[number].source.size
        return _n_values(self.network, self.network.recordings[number])

    @property
    def max_ticks(self) -> int:
        """Ticks after which about `ADVANCE_VALUES` have been sampled."""
        recordings = self.network.recordings
        a_tick = sum(self.width(k) / interval_ticks(self.network, r) for k, r in enumerate(recordings))
        return max(int(ADVANCE_VALUES / a_tick), 1) if a_tick else 2**63 - 1

    def rows(self, samples: Sequence[Sequence[NDArray[np.float64]]]) -> list[NDArray[np.float64]]:
        """Put what the probes of all chips have sampled together: (n_rows, width) for each recording."""
        numbers = range(len(self.network.recordings))
        n_rows = dict.fromkeys(numbers, 0)
        for own, values in zip(self.places, samples, strict=True):
            n_rows |= {number: len(rows) for (number, _), rows in zip(own, values, strict=True)}
        whole = [np.empty((n_rows[number], self.width(number))) for number in numbers]
        for own, values in zip(self.places, samples, strict=True):
            for (number, places), rows in zip(own, values, strict=True):
                whole[number][:, places] = rows
        return whole

    def describe(self) -> list[dict[str, Any]]:
        """Return each recording as readers of a run need it, ready for JSON."""
        return [self._describe(number) for number in range(len(self.network.recordings))]

    def _describe(self, number: int) -> dict[str, Any]:
        recording = self.network.recordings[number]
        if isinstance(recording, WeightRecording):
            projection = self.network.projections[self.network.projection(recording.projection)]
            return {
                "kind": "weights",
                "projection": recording.projection,
                "source": projection.source,
                "target": projection.target,
                "n_synapses": self.width(number),
                "interval_ticks": interval_ticks(self.network, recording),
            }
        neurons = neurons_of(self.network, recording)
        described: dict[str, Any] = {"kind": recording.kind, "population": recording.population}
        described |= {"start": neurons.start, "stop": neurons.stop, "step": neurons.step}
        described |= {"n_neurons": len(neurons)}
        if isinstance(recording, StateRecording):
            described |= {"variables": list(recording.variables)}
            described |= {"interval_ticks": interval_ticks(self.network, recording)}
        return described


def neurons_of(network: Network, recording: SpikeRecording | StateRecording) -> range:
    """Return the neurons of its population that a recording names."""
    return chosen(recording.neurons, network.member(recording.population).size)


def chosen(neurons: NeuronRange | None, size: int) -> range:
    """Return the neurons that a recording names of a member of `size`; all of them where it names none."""
    return range(size) if neurons is None else neurons.range


def interval_ticks(network: Network, recording: Recording) -> int:
    """Return the ticks from sample to sample; 1 for a recording of spikes, which come every tick."""
    return 1 if isinstance(recording, SpikeRecording) else network.ticks(recording.interval_ms)


def recorded_neurons(network: Network) -> list[range] | None:
    """Return the global numbers of the neurons whose spikes are kept; None when no recording says which."""
    kept = [recording for recording in network.recordings if isinstance(recording, SpikeRecording)]
    ranges = [(network.offsets[r.population], neurons_of(network, r)) for r in kept]
    return [range(f + n.start, f + n.stop, n.step) for f, n in ranges] if kept else None


def recorded_mask(network: Network) -> NDArray[np.bool_] | None:
    """Return for each neuron whether its spikes are kept: (n_neurons,) bool; None when all are."""
    ranges = recorded_neurons(network)
    if ranges is None:
        return None
    mask = np.zeros(network.n_neurons, np.bool_)
    for kept in ranges:
        mask[kept.start : kept.stop : kept.step] = True
    return mask


def recorded_values(network: Network) -> int:
    """Return the values of one sample of all recordings, expected where a rule draws the synapses."""
    return sum(_n_values(network, recording) for recording in network.recordings)


def sample_bytes(network: Network) -> int:
    """Return the expected bytes of all chips' buffers of samples, and of what tells where values stand."""
    widths = [_n_values(network, recording) for recording in network.recordings]
    return sum(8 * width * (sample_rows(width) + 2) for width in widths)


def _n_values(network: Network, recording: Recording) -> int:
    if isinstance(recording, SpikeRecording):
        return 0
    if isinstance(recording, StateRecording):
        return len(recording.variables) * len(recording.neurons.range)
    projection = network.projections[network.projection(recording.projection)]
    sizes = network.member(projection.source).size, network.member(projection.target).size
    n_pairs = len(chosen(recording.sources, sizes[0])) * len(chosen(recording.targets, sizes[1]))
    n_synapses = expected_synapses(network, projection)
    return -(-n_synapses * n_pairs // (sizes[0] * sizes[1])) if n_pairs else 0


def _places(columns: Columns, rank: NDArray[np.int64] | None) -> NDArray[np.int64]:
    places = columns.places if rank is None else rank
    assert places is not None
    return places


def _merged(parts: Sequence[RecordedSynapses]) -> tuple[RecordedSynapses, list[NDArray[np.int64]]]:
    """Return all synapses in order, and the places of those of each part."""
    columns = zip(_NO_SYNAPSES, *parts, strict=True)
    whole = RecordedSynapses(*(np.concatenate(column) for column in columns))
    order = np.lexsort((whole.weight, whole.delay_ticks, whole.target, whole.source))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    cuts = np.cumsum([part.source.size for part in parts])[:-1]
    return whole.taken(order), np.split(rank, cuts) if parts else []
