"""A tick: what synapses add to slots of which receptor, in LSBs."""

import pytest

from chip.arrays import QUEUED, ROWS, SEGMENTS
from tests.chip.chips import LSB, Layouts, Lone, spec_of
from tests.chip.networks import QUIET, delta, describe, everything, explicit, times

LAYOUTS = pytest.mark.parametrize("layout", [SEGMENTS, ROWS, QUEUED], ids=["segments", "rows", "queued"])


@LAYOUTS
@pytest.mark.parametrize("shift", [0, 3, 15])
def test_contributions_are_steps_shifted_to_lsbs(shift: int, layout: int) -> None:
    weights = [weight * 2.0**shift for weight in (LSB, -LSB, 32767 * LSB, -32767 * LSB, 3 * LSB)]
    network = describe(
        [delta("cells", 5, QUIET)],
        sources=[times((0,))],
        projections=[explicit([(0, k, weight, 1) for k, weight in enumerate(weights)], name="all")],
        recordings=[everything("cells", 5)],
    )
    (rows,) = Lone(spec_of(network, shifts={"all": shift}, layouts=layout)).states(2)
    assert rows[0].tolist() == [0.0] * 5
    assert rows[1].tolist() == weights


@pytest.mark.parametrize(
    "layouts", [SEGMENTS, {"in": ROWS}, ROWS, {"ex": QUEUED}, {"ex": ROWS, "in": QUEUED}, QUEUED]
)
def test_receptors_have_slots_of_their_own(layouts: Layouts) -> None:
    cells = {"name": "cells", "size": 3, "model": "lif_curr_exp", "parameters": {"v_threshold_mv": 1e6}}
    network = describe(
        [delta("others", 2, QUIET), cells],
        sources=[times((0,))],
        projections=[
            explicit([(0, 0, 5.0, 1), (0, 2, 7.0, 1)], receptor="excitatory", name="ex"),
            explicit([(0, 1, -5.0, 1), (0, 2, -9.0, 1)], receptor="inhibitory", name="in"),
        ],
        recordings=[everything("cells", 3) | {"variables": ["i_ex_pa", "i_in_pa"]}],
    )
    (rows,) = Lone(spec_of(network, layouts=layouts)).states(2)
    assert rows[1].tolist() == [5.0, 0.0, 7.0, 0.0, -5.0, -9.0]


@LAYOUTS
def test_all_that_is_due_in_a_tick_adds_up(layout: int) -> None:
    entries = [(k % 50, k % 3, 1.0 if k % 2 else -2.0, 1 + k % 4) for k in range(600)]
    ticks = [tuple(range(k % 7, 20, 1 + k % 3)) for k in range(50)]
    network = describe(
        [delta("cells", 3, QUIET)],
        sources=[times(*ticks)],
        projections=[explicit(entries, name="many")],
        recordings=[everything("cells", 3)],
    )
    (rows,) = Lone(spec_of(network, layouts=layout)).states(20)
    for tick, potentials in enumerate(rows.tolist()):
        expected = [0.0] * 3
        for source, target, weight, delay in entries:
            expected[target] += weight * sum(sent + delay <= tick for sent in ticks[source])
        assert potentials == pytest.approx(expected, abs=1e-6)
