"""From a plan to a chip: banks, axons, inputs, probes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chip import BANK_NEURONS, ChipSpec
from cluster import run_local
from cluster.axons import in_segments
from cluster.lowering import bank_pieces, lower
from cluster.placement import Slice
from cluster.plan import Plan
from network import Network, parse_network
from tests.cluster.samples import everything_network, pair, placed, plan_of

EVERY = everything_network()
WIDE = 70_000


def relay(n_ticks: int, rate_hz: float = 10.0) -> Network:
    """70,000 neurons of `second`, each of which spikes a tick after its own source, and whenever it does."""
    return parse_network(
        {
            "name": "relay",
            "timestep_ms": 1.0,
            "seed": 11,
            "populations": [
                {"name": "first", "size": 9, "model": "lif_curr_exp"},
                {
                    "name": "second",
                    "size": WIDE,
                    "model": "lif_curr_delta",
                    "parameters": {"t_ref_ms": 0},
                    "inputs": [{"kind": "poisson", "rate_hz": 0.0, "weight": 1}],
                },
            ],
            "sources": [
                {"kind": "poisson", "name": "drive", "size": WIDE, "rate_hz": rate_hz},
                {
                    "kind": "spike_times",
                    "name": "probe",
                    "size": 2,
                    "times_ms": [[float(t + 1)] for t in (0, n_ticks - 2)],
                },
            ],
            "projections": [
                {
                    "source": "drive",
                    "target": "second",
                    "connectivity": {"rule": "one_to_one"},
                    "weight": 64,
                    "delay_ms": 1,
                },
                {
                    "source": "probe",
                    "target": "second",
                    "connectivity": {"rule": "all_to_all"},
                    "weight": 64,
                    "delay_ms": 1,
                },
            ],
        }
    )


def test_banks_are_filled_one_after_the_other() -> None:
    slices = (Slice(0, 5, 9), Slice(1, 0, 70_000), Slice(2, 100, 65_536), Slice(3, 0, 7))
    assert list(bank_pieces(slices, 3)) == [
        (Slice(0, 5, 9), 0, 0),
        (Slice(1, 0, 65_527), 0, 9),
        (Slice(1, 65_527, 4_473), 1, 0),
        (Slice(2, 100, 61_063), 1, 4_473),
        (Slice(2, 61_163, 4_473), 2, 0),
    ]
    assert list(bank_pieces((Slice(0, 0, BANK_NEURONS),), 1)) == [(Slice(0, 0, BANK_NEURONS), 0, 0)]
    assert list(bank_pieces((Slice(0, 0, BANK_NEURONS - 1), Slice(1, 0, 2)), 2)) == [
        (Slice(0, 0, BANK_NEURONS - 1), 0, 0),
        (Slice(1, 0, 1), 0, BANK_NEURONS - 1),
        (Slice(1, 1, 1), 1, 0),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("chips", [1, 2])
def test_a_population_of_two_banks_gets_every_spike(chips: int) -> None:
    n_ticks = 12
    network = relay(n_ticks)
    plan = plan_of(network, chips)
    specs = [lower(plan, chip) for chip in range(chips)]
    assert [spec.n_banks for spec in specs] == ([2] if chips == 1 else [1, 1])
    outcome = run_local(network, n_ticks=n_ticks, options=plan.options)
    offsets = network.offsets
    fired = np.zeros((n_ticks + 1, network.n_neurons), bool)
    fired[outcome.tick, outcome.neuron] = True
    drive, second = (slice(offsets[name], offsets[name] + WIDE) for name in ("drive", "second"))
    expected = fired[:n_ticks, drive].copy()
    expected[[0, n_ticks - 2]] = True
    assert np.array_equal(fired[1:n_ticks, second], expected[: n_ticks - 1])
    assert not fired[0, second].any()
    assert fired[:, drive][:, BANK_NEURONS:].sum() > 100


def test_axons_of_two_banks_are_apart() -> None:
    plan = plan_of(relay(4))
    spec = lower(plan, 0)
    assert [(b.source, b.n, b.first, b.bank) for b in spec.blocks] == [
        (2, WIDE, 0, 0),
        (2, WIDE, WIDE, 1),
        (3, 2, 2 * WIDE, 0),
        (3, 2, 2 * WIDE + 2, 1),
    ]
    assert spec.n_axons == 2 * (WIDE + 2)
    assert [(p.first, p.n, p.bank, p.bank_neuron) for p in spec.slices] == [
        (0, 9, 0, 0),
        (0, BANK_NEURONS - 9, 0, 9),
        (BANK_NEURONS - 9, WIDE - BANK_NEURONS + 9, 1, 0),
        (0, WIDE, -1, 0),
        (0, 2, -1, 0),
    ]
    assert [row.block for row in spec.rows] == [0, 1, 2, 3]
    assert all(block.segments and block.delays.tolist() == [1] for block in spec.blocks)


@pytest.mark.parametrize("placement", ["default", "shuffled"])
@pytest.mark.parametrize("chips", [1, 3, 8])
def test_slices_keep_their_numbers(chips: int, placement: str) -> None:
    plan = plan_of(EVERY, chips, placement=placement, precision="float64")
    found = []
    for chip in range(chips):
        spec = lower(plan, chip)
        assert (spec.name, spec.seed, spec.timestep_ms) == (plan.chip_name(chip), 7, 0.1)
        assert (spec.precision, spec.epoch_ticks) == ("float64", plan.epoch_ticks if plan.n_chips > 1 else 1)
        assert spec.n_neurons == plan.n_neurons_of(chip)
        for part in spec.slices:
            assert part.member is EVERY.members[part.number]
            assert part.first_global == EVERY.offsets[part.member.name] + part.first
            assert (part.bank == -1) == (part.number >= len(EVERY.populations))
            found += range(part.first_global, part.first_global + part.n)
    assert sorted(found) == list(range(EVERY.n_neurons))


def test_each_slice_has_the_rows_of_all_that_projects_onto_it() -> None:
    plan = plan_of(EVERY, 3, placement="shuffled")
    for chip in range(3):
        spec = lower(plan, chip)
        rows = [(row.ends.projection, row.slice_number) for row in spec.rows]
        assert sorted(rows) == [
            (number, place)
            for number, projection in enumerate(EVERY.projections)
            for place, part in enumerate(spec.slices)
            if part.member.name == projection.target
        ]
        for row in spec.rows:
            part, projection = spec.slices[row.slice_number], EVERY.projections[row.ends.projection]
            assert (row.ends.first, row.ends.n, row.ends.seed) == (part.first, part.n, 7)
            assert row.ends.n_sources == EVERY.member(projection.source).size
            assert row.step == plan.quantised.projections[row.ends.projection].step
            assert row.ends.recurrent == (projection.source == projection.target)
            block = spec.blocks[row.block]
            assert set(plan.delays_of(projection).tolist()) <= set(block.delays.tolist())
            assert EVERY.members[block.source].name == projection.source
            assert (block.bank, block.receptor, block.shift) == (part.bank, row.receptor, row.shift)


def lowered(*changes: dict[str, Any], **parts: Any) -> ChipSpec:
    """Return the only chip of the pair, with its projection once for each change."""
    network = pair(**parts)
    (projection,) = network["projections"]
    network["projections"] = [{**projection, "name": str(k), **c} for k, c in enumerate(changes)]
    return lower(plan_of(parse_network(network)), 0)


def test_blocks_are_shared_by_what_has_the_same_source_bank_receptor_and_shift() -> None:
    spec = lowered({"weight": 1}, {"weight": 0.7, "delay_ms": 5}, {"weight": 1e4})
    assert [row.block for row in spec.rows] == [0, 0, 1]
    assert len({block.shift for block in spec.blocks}) == 2
    assert [(block.first, block.n, block.delays.tolist()) for block in spec.blocks] == [
        (0, 10, [3, 5]),
        (10, 10, [3]),
    ]


SPREAD = {"kind": "uniform", "low": 1, "high": 900}


def test_delays_that_are_many_for_their_synapses_are_laid_out_in_rows_last() -> None:
    spec = lowered({"delay_ms": SPREAD}, {}, {"delay_ms": {"kind": "uniform", "low": 1, "high": 64}})
    assert [row.block for row in spec.rows] == [1, 0, 0]
    assert [(block.segments, block.delays.size, block.first) for block in spec.blocks] == [
        (True, 64, 0),
        (False, 900, 10),
    ]


def test_many_synapses_are_worth_many_columns() -> None:
    rule = {"rule": "fixed_in_degree", "n": 460}
    assert [block.segments for block in lowered({"delay_ms": SPREAD, "connectivity": rule}).blocks] == [True]
    assert in_segments(900, 450.0)
    assert not in_segments(901, 450.0)
    assert in_segments(64, 0.0)


def test_an_empty_list_has_a_column_and_no_delay() -> None:
    rule = {"rule": "explicit", "sources": [], "targets": [], "delays_ms": []}
    (block,) = lowered({"delay_ms": None, "connectivity": rule}).blocks
    assert (block.delays.tolist(), block.segments) == ([1], True)


def test_a_projection_whose_weights_are_recorded_has_axons_of_its_own() -> None:
    recording = {"kind": "weights", "projection": "1", "interval_ms": 1.0}
    spec = lowered({}, {}, {}, recordings=[recording])
    assert [row.block for row in spec.rows] == [0, 1, 0]


def test_a_source_without_neurons_has_no_axons() -> None:
    network = pair()
    network["populations"][0]["size"] = 0
    spec = lower(plan_of(parse_network(network)), 0)
    assert (spec.blocks, spec.rows) == ((), ())


def test_positions_of_a_part_are_those_of_its_neurons() -> None:
    network = pair()
    for population in network["populations"]:
        population["positions"] = {"kind": "grid", "extent_um": [20.0], "shape": [10], "periodic": True}
    rule = {"rule": "distance_dependent", "p": {"kind": "distance_gaussian", "scale": 1, "sd_um": 3}}
    network["projections"][0]["connectivity"] = rule
    plan = placed(parse_network(network), ((Slice(0, 0, 10), Slice(1, 0, 4)), (Slice(1, 4, 6),)))
    rows = [row for chip in (0, 1) for row in lower(plan, chip).rows]
    places = [-9.0 + 2.0 * k for k in range(10)]
    for row, (first, n) in zip(rows, ((0, 4), (4, 6)), strict=True):
        ends = row.ends
        assert ends.source_um is not None
        assert ends.target_um is not None
        assert ends.period_um is not None
        assert ends.source_um.ravel().tolist() == places
        assert ends.target_um.ravel().tolist() == places[first : first + n]
        assert ends.period_um.tolist() == [20.0]
    (plain,) = lowered({}).rows
    assert plain.ends.source_um is None


def test_a_poisson_input_has_its_weight_in_lsbs() -> None:
    spec = lower(plan_of(EVERY, 2), 1)
    numbers = [[i.number for i in part.inputs] for part in spec.slices]
    assert numbers == [[0], [0], [0], [], []]
    for part in spec.slices[:3]:
        (described,) = part.inputs
        assert described.weight * part.lsb[described.receptor] == pytest.approx(
            described.described.weight, rel=2**-14
        )
    assert spec.slices[2].inputs[0].weight * spec.slices[2].lsb[0] == 0.25


def sampled(plan: Plan, chip: int) -> list[tuple[int, int, str, int, int]]:
    """Recording, column, variable, global neuron and interval of all that a chip samples."""
    spec: ChipSpec = lower(plan, chip)
    found = []
    for probe in spec.probes:
        part = spec.slices[probe.slice_number]
        names = ("v_mv", "i_ex_pa") if part.number == 0 else ("v_mv",)
        for column, variable, neuron in zip(probe.columns, probe.variable, probe.neuron, strict=True):
            number = part.first_global + int(neuron)
            found.append(
                (probe.recording, int(column), names[variable], number, probe.interval_ticks),
            )
    return found


@pytest.mark.parametrize("placement", ["default", "shuffled"])
@pytest.mark.parametrize("chips", [1, 3, 8])
def test_probes_fill_each_column_of_each_recording_once(chips: int, placement: str) -> None:
    plan = plan_of(EVERY, chips, placement=placement)
    first, second = range(1, 118, 9), range(3)
    expected: list[Any] = [
        (0, k * len(first) + i, name, neuron, 5)
        for k, name in enumerate(("v_mv", "i_ex_pa"))
        for i, neuron in enumerate(first)
    ]
    expected += [(1, i, "v_mv", 160 + neuron, 1) for i, neuron in enumerate(second)]
    assert sorted(line for chip in range(chips) for line in sampled(plan, chip)) == expected


def test_a_chip_that_holds_none_of_a_recording_has_no_probe() -> None:
    whole = [Slice(k, 0, member.size) for k, member in enumerate(EVERY.members)]
    plan = placed(EVERY, (tuple(whole[:2]), tuple(whole[2:4]), tuple(whole[4:])))
    assert [[p.recording for p in lower(plan, chip).probes] for chip in range(3)] == [[0], [1], []]
