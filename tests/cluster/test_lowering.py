"""From a plan to a chip: banks, axons, inputs, probes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cluster.axons
from chip import BANK_NEURONS, ChipSpec, Terminal
from chip.arrays import QUEUED, ROWS, SEGMENTS
from cluster import run_local
from cluster.axons import is_wide, layout_of
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
    """Slices begin with cache lines: numbers that are multiples of 16."""
    slices = (Slice(0, 5, 9), Slice(1, 0, 70_000), Slice(2, 100, 65_536), Slice(3, 0, 7))
    assert list(bank_pieces(slices, 3)) == [
        (Slice(0, 5, 9), 0, 0),
        (Slice(1, 0, 65_520), 0, 16),
        (Slice(1, 65_520, 4_480), 1, 0),
        (Slice(2, 100, 61_056), 1, 4_480),
        (Slice(2, 61_156, 4_480), 2, 0),
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
    specs = [lower(plan, (chip,)) for chip in range(chips)]
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


def test_axons_of_two_banks_are_apart_in_segments_and_one_when_they_are_queued() -> None:
    """Those of `drive` have a synapse each, those of `probe` are onto everyone."""
    plan = plan_of(relay(4))
    spec = lower(plan, (0,))
    (shift,) = {row.shift for row in spec.rows}
    first, second = Terminal(0, 0, shift), Terminal(1, 0, shift)
    assert [(b.source, b.n, b.layout, b.terminals) for b in spec.blocks] == [
        (3, 2, SEGMENTS, (first,)),
        (3, 2, SEGMENTS, (second,)),
        (2, WIDE, QUEUED, (first, second)),
    ]
    assert spec.n_axons == WIDE + 2 * 2
    assert [(p.first, p.n, p.bank, p.bank_neuron) for p in spec.slices] == [
        (0, 9, 0, 0),
        (0, BANK_NEURONS - 16, 0, 16),
        (BANK_NEURONS - 16, WIDE - BANK_NEURONS + 16, 1, 0),
        (0, WIDE, -1, 0),
        (0, 2, -1, 0),
    ]
    assert [(row.block, row.terminal) for row in spec.rows] == [(2, 0), (2, 1), (0, 0), (1, 0)]
    assert all(block.delays.tolist() == [1] for block in spec.blocks)


@pytest.mark.parametrize("placement", ["default", "shuffled"])
@pytest.mark.parametrize("chips", [1, 3, 8])
def test_slices_keep_their_numbers(chips: int, placement: str) -> None:
    plan = plan_of(EVERY, chips, placement=placement, precision="float64")
    found = []
    for chip in range(chips):
        spec = lower(plan, (chip,))
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
        spec = lower(plan, (chip,))
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
            terminal = Terminal(part.bank, row.receptor, row.shift)
            assert terminal in block.terminals
            assert (len(block.terminals) == 1) or block.layout == QUEUED
            if block.layout == QUEUED:
                assert spec.queued_terminals[row.terminal] == terminal
            else:
                assert row.terminal == 0


def lowered(*changes: dict[str, Any], **parts: Any) -> ChipSpec:
    """Return the only chip of the pair, with its projection once for each change."""
    network = pair(**parts)
    (projection,) = network["projections"]
    network["projections"] = [{**projection, "name": str(k), **c} for k, c in enumerate(changes)]
    return lower(plan_of(parse_network(network)), (0,))


def test_blocks_are_shared_by_what_has_the_same_source_bank_receptor_and_shift() -> None:
    spec = lowered({"weight": 1}, {"weight": 0.7, "delay_ms": 5}, {"weight": 1e4})
    assert [row.block for row in spec.rows] == [0, 0, 1]
    assert len({block.terminals for block in spec.blocks}) == 2
    assert [(block.layout, block.n, block.delays.tolist()) for block in spec.blocks] == [
        (SEGMENTS, 10, [3, 5]),
        (SEGMENTS, 10, [3]),
    ]


SPREAD = {"kind": "uniform", "low": 1, "high": 900}


def test_delays_that_are_many_for_their_synapses_are_laid_out_in_rows_last() -> None:
    spec = lowered({"delay_ms": SPREAD}, {})
    assert [row.block for row in spec.rows] == [1, 0]
    assert [(block.layout, block.delays.size) for block in spec.blocks] == [(SEGMENTS, 1), (ROWS, 900)]


def up_to(ticks: int) -> dict[str, Any]:
    return {"delay_ms": {"kind": "uniform", "low": 1, "high": ticks}}


def test_delays_are_queued_while_they_fit_beside_a_terminal() -> None:
    """Ten synapses an axon: of 255 delays and of 256."""
    (queued,), (rows,) = (lowered(up_to(ticks)).blocks for ticks in (255, 256))
    assert (queued.layout, queued.delays[-1]) == (QUEUED, 255)
    assert (rows.layout, rows.delays[-1]) == (ROWS, 256)


def test_segments_of_fewer_than_four_synapses_are_queued() -> None:
    """Ten synapses an axon, over two delays or three; what shares segments counts together."""
    assert [block.layout for block in lowered(up_to(2)).blocks] == [SEGMENTS]
    assert [block.layout for block in lowered(up_to(3)).blocks] == [QUEUED]
    assert [block.layout for block in lowered(up_to(3), up_to(3)).blocks] == [SEGMENTS]
    # Short segments of delays that are too long for a queue stay segments.
    far = {"delay_ms": {"kind": "uniform", "low": 298, "high": 300}}
    assert [block.layout for block in lowered(far).blocks] == [SEGMENTS]


def test_queued_axons_of_a_source_lead_into_all_receptors_and_shifts() -> None:
    back = {"target": "first"}
    spec = lowered(
        up_to(9) | {"weight": 0.7},
        up_to(9) | {"weight": 1e4},
        up_to(7) | back | {"receptor": "excitatory"},
        up_to(7) | back | {"receptor": "inhibitory", "weight": -1},
        {"source": "second", "delay_ms": 20},
    )
    queued = [block for block in spec.blocks if block.layout == QUEUED]
    assert [(block.source, block.delays.tolist()) for block in queued] == [(0, [*range(1, 10)])]
    assert [row.block for row in spec.rows] == [1, 1, 1, 1, 0]
    assert queued[0].terminals == spec.queued_terminals
    assert len({row.terminal for row in spec.rows[:4]}) == len(spec.queued_terminals) >= 3
    assert {terminal.receptor for terminal in queued[0].terminals} == {0, 1}
    for row in spec.rows[:4]:
        terminal = spec.queued_terminals[row.terminal]
        assert terminal == Terminal(spec.slices[row.slice_number].bank, row.receptor, row.shift)


def test_more_terminals_than_a_code_can_tell_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = up_to(9) | {"weight": 0.7}, up_to(200) | {"weight": 1e4}
    assert len(lowered(*changes).queued_terminals) == 2
    monkeypatch.setattr(cluster.axons, "_MOST_TERMINALS", 2)
    assert [block.layout for block in lowered(*changes).blocks] == [QUEUED]
    monkeypatch.setattr(cluster.axons, "_MOST_TERMINALS", 1)
    spec = lowered(*changes)
    assert spec.queued_terminals == ()
    assert [spec.blocks[row.block].layout for row in spec.rows] == [SEGMENTS, ROWS]


def test_there_are_256_terminals() -> None:
    assert cluster.axons._MOST_TERMINALS == 256
    assert cluster.axons._MOST_QUEUED_TICKS == 255


def test_many_synapses_are_worth_many_columns() -> None:
    rule = {"rule": "fixed_in_degree", "n": 460}
    (block,) = lowered({"delay_ms": SPREAD, "connectivity": rule}).blocks
    assert block.layout == SEGMENTS
    assert not is_wide(np.arange(900), 450.0)
    assert is_wide(np.arange(901), 450.0)
    assert not is_wide(np.arange(64), 0.0)
    assert is_wide(np.arange(65), 0.0)


@pytest.mark.parametrize(
    ("delays", "per_axon", "short", "layout"),
    [
        (np.arange(1, 11), 50.0, False, SEGMENTS),
        (np.arange(1, 11), 30.0, True, QUEUED),
        (np.arange(1, 201), 30.0, False, QUEUED),
        (np.arange(1, 257), 30.0, False, ROWS),
        (np.array([1, 256]), 1.0, True, SEGMENTS),
        (np.array([1, 255]), 1.0, True, QUEUED),
        (np.zeros(0, np.int64), 0.0, True, QUEUED),
    ],
)
def test_the_layout_of_delays(delays: np.ndarray, per_axon: float, short: bool, layout: int) -> None:
    assert layout_of(delays, per_axon, short=short) == layout


def test_an_empty_list_has_a_column_and_no_delay() -> None:
    rule = {"rule": "explicit", "sources": [], "targets": [], "delays_ms": []}
    (block,) = lowered({"delay_ms": None, "connectivity": rule}).blocks
    assert (block.delays.tolist(), block.layout) == ([1], SEGMENTS)


def test_a_projection_whose_weights_are_recorded_has_axons_of_its_own() -> None:
    recording = {"kind": "weights", "projection": "1", "interval_ms": 1.0}
    spec = lowered({}, {}, {}, recordings=[recording])
    assert [row.block for row in spec.rows] == [0, 1, 0]
    queued = lowered(up_to(9), up_to(9), up_to(9), recordings=[recording])
    assert [row.block for row in queued.rows] == [0, 1, 0]
    assert [block.layout for block in queued.blocks] in ([QUEUED] * 2, [SEGMENTS, QUEUED])


def test_a_source_without_neurons_has_no_axons() -> None:
    network = pair()
    network["populations"][0]["size"] = 0
    spec = lower(plan_of(parse_network(network)), (0,))
    assert (spec.blocks, spec.rows) == ((), ())


def test_positions_of_a_part_are_those_of_its_neurons() -> None:
    network = pair()
    for population in network["populations"]:
        population["positions"] = {"kind": "grid", "extent_um": [20.0], "shape": [10], "periodic": True}
    rule = {"rule": "distance_dependent", "p": {"kind": "distance_gaussian", "scale": 1, "sd_um": 3}}
    network["projections"][0]["connectivity"] = rule
    plan = placed(parse_network(network), ((Slice(0, 0, 10), Slice(1, 0, 4)), (Slice(1, 4, 6),)))
    rows = [row for chip in (0, 1) for row in lower(plan, (chip,)).rows]
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
    spec = lower(plan_of(EVERY, 2), (1,))
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
    spec: ChipSpec = lower(plan, (chip,))
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
    assert [[p.recording for p in lower(plan, (chip,)).probes] for chip in range(3)] == [[0], [1], []]
