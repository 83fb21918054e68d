"""Probes of weights: the words that they name, at each interval; and how many rows any probe holds."""

from __future__ import annotations

import numpy as np
import pytest

from chip import Chip
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.emulated import WeightProbe
from chip.layout import sample_rows
from chip.readback import Neurons, list_synapses
from tests.chip.chips import Lone, spec_of
from tests.chip.networks import QUIET, delta, describe, everything, explicit, times

LAYOUTS = pytest.mark.parametrize("layout", [SEGMENTS, ROWS, QUEUED], ids=["segments", "rows", "queued"])

ENTRIES = [(0, 1, 4.0, 3), (1, 0, -2.5, 1), (1, 2, 0.25, 7), (0, 0, -0.5, 3), (1, 1, 8.0, 1)]


def lone_with_probes(*intervals: int, layout: int = SEGMENTS) -> tuple[Lone, list[np.ndarray]]:
    """A chip with a recording of states, and a probe of all its weights for each interval."""
    network = describe(
        [delta("cells", 3, QUIET)],
        sources=[times((2,), (4,))],
        projections=[explicit(ENTRIES)],
        recordings=[everything("cells", 3)],
    )
    lone = Lone(spec_of(network, layouts=layout))
    table = list_synapses(lone.chip, source=Neurons(1, 0, 2), target=Neurons(0, 0, 3))
    step = float(table.step[0])
    lone.chip.add_weight_probes([WeightProbe(table.word, step, interval) for interval in intervals])
    return lone, [table.source, table.target, table.weight]


@LAYOUTS
def test_weights_are_sampled_beside_states_at_the_ends_of_intervals(layout: int) -> None:
    lone, (source, target, weight) = lone_with_probes(1, 3, layout=layout)
    states, every, third = lone.states(10)
    assert (states.shape, every.shape, third.shape) == ((10, 3), (10, 5), (3, 5))
    listed = sorted(zip(source.tolist(), target.tolist(), weight.tolist(), strict=True))
    assert listed == sorted((source, target, weight) for source, target, weight, _ in ENTRIES)
    assert np.array_equal(every, np.tile(weight, (10, 1)))
    assert np.array_equal(third, np.tile(weight, (3, 1)))
    plain = lone_with_probes()[0].states(10)
    assert len(plain) == 1
    assert np.array_equal(states, plain[0])
    assert np.ptp(states) > 1.0


@LAYOUTS
def test_a_sample_is_of_the_words_as_they_stand(layout: int) -> None:
    lone, (_, _, weight) = lone_with_probes(2, layout=layout)
    lone.run(2)
    words, place = lone.chip.arrays.synapses.words, lone.chip.arrays.probes.place[-5]
    words[place] = np.uint32(-3 << 16 & 0xFFFF0000) | words[place] & np.uint32(0xFFFF)
    lone.run(2)
    _, rows = lone.chip.drain_samples()
    step = lone.chip.arrays.probes.step[-1]
    assert np.array_equal(rows[0], weight)
    assert rows[1].tolist() == [-3 * step, *weight[1:].tolist()]


@LAYOUTS
def test_a_probe_is_part_of_snapshots_and_of_tick_0(layout: int) -> None:
    lone, _ = lone_with_probes(2, layout=layout)
    lone.run(3)
    snapshot = lone.chip.snapshot()
    lone.run(4)
    lone.chip.restore(snapshot)
    assert [len(rows) for rows in lone.chip.drain_samples()] == [3, 1]
    lone.run(2)
    lone.chip.reset()
    assert [len(rows) for rows in lone.chip.drain_samples()] == [0, 0]


def test_a_probe_of_no_words_has_empty_rows() -> None:
    lone, _ = lone_with_probes()
    lone.chip.add_weight_probes([WeightProbe(np.zeros(0, np.int64), 1.0, 1)])
    assert [rows.shape for rows in lone.states(3)] == [(3, 3), (3, 0)]


@pytest.mark.parametrize(
    ("width", "n_rows"),
    [(0, 256), (1, 256), (16_384, 256), (16_385, 255), (2_097_152, 2), (4_194_304, 1), (9_000_000, 1)],
)
def test_a_probe_holds_32_mib_or_one_row(width: int, n_rows: int) -> None:
    assert sample_rows(width) == n_rows
    assert n_rows == 1 or n_rows * width * 8 <= 32 * 2**20


def test_the_buffers_have_that_room() -> None:
    network = describe([delta("cells", 20_000, QUIET)], recordings=[everything("cells", 20_000)])
    assert Chip(spec_of(network)).arrays.probes.samples.size == sample_rows(20_000) * 20_000 == 209 * 20_000
