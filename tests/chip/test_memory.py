"""The synapse memory: words in order, slots, digest, errors, units and threads."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chip import appended as appended_module
from chip import memory as memory_module
from chip.arrays import QUEUED, ROWS, SEGMENTS
from chip.memory import SynapseMemory, WeightErrors
from chip.rows import BlockSpec
from network import AllToAll, Explicit, FixedInDegree, FixedOutDegree, FixedProbability, Normal, OneToOne
from tests.chip.cases import CODES, DELAY, INHIBITORY, LISTED, RULES, WEIGHT
from tests.chip.expansion import Synapse, held
from tests.chip.synapses import STEP, Case, Made, made_of

LAYOUTS = pytest.mark.parametrize("layout", [SEGMENTS, ROWS, QUEUED], ids=["segments", "rows", "queued"])

FIRST = Case(FixedInDegree(n=8), (6, 10), WEIGHT, DELAY)
SECOND = Case(FixedInDegree(n=8), (9, 10), INHIBITORY, 1.2, number=1)
THIRD = Case(AllToAll(), (6, 10), 3.0, 0.5, number=2)


def mixed(**how: Any) -> Made:
    """Return rows of two sources onto three slices, of which the last shares the axons of the first."""
    how = {"places": [(100, 15), (65_526, 5), (50, 0)], "n_slots": 25} | how
    return made_of([(FIRST, None), (SECOND, None), (THIRD, (2, 7))], numbers=[0, 1, 0], **how)


@LAYOUTS
def test_words_are_sorted_by_axon_and_then_by_delay(layout: int) -> None:
    """And before that by terminal, in queued rows: the first row has the terminals 253 and 255."""
    made = mixed(layout=layout)
    table = made.table()
    assert table.shape[0] == made.memory.words.size == 80 + 80 + 30
    terminals = made.terminals()
    order = np.lexsort((table[:, 1], terminals, table[:, 0]))
    assert np.array_equal(table[order][:, :2], table[:, :2])
    assert np.array_equal(terminals[order], terminals)
    n_columns = sum(block.n * (block.delays.size if block.segments else 1) for block in made.blocks)
    assert made.memory.start.size == n_columns + 1
    assert (made.memory.start[0], made.memory.start[-1]) == (0, 190)
    assert made.memory.beside.size == (0 if layout == SEGMENTS else 190)
    of_terminal = np.bincount(terminals, minlength=256)[[0, 255, 254, 253]].tolist()
    assert of_terminal == ([0, 80, 80, 30] if layout == QUEUED else [190, 0, 0, 0])


@LAYOUTS
def test_rows_keep_to_their_axons_neurons_and_slots(layout: int) -> None:
    made = mixed(layout=layout)
    parts = ((FIRST, 0, 100, (0, 10)), (SECOND, 6, 65_526, (0, 10)), (THIRD, 0, 50, (2, 7)))
    expected = [
        (s.source + axon, s.delay, s.target - part[0] + place, round(held(s.weight, STEP) / STEP))
        for case, axon, place, part in parts
        for s in case.expected(part)
    ]
    assert sorted(map(tuple, made.table().tolist())) == sorted(expected)
    sums = np.zeros(25, np.int64)
    for case, slot, (low, high) in ((FIRST, 15, (0, 10)), (SECOND, 5, (0, 10)), (THIRD, 0, (2, 7))):
        for s in case.expected((low, high)):
            sums[slot + s.target - low] += abs(round(held(s.weight, STEP) / STEP))
    assert made.memory.load.tolist() == sums.tolist()


def test_blocks_in_segments_and_in_rows_stand_side_by_side() -> None:
    blocks = [BlockSpec(6, FIRST.delays(), True), BlockSpec(9, SECOND.delays(), False)]
    rows = [FIRST.row(), SECOND.row(block=1)]
    memory = memory_module.build(rows, blocks=blocks, targets=[(0, 0), (0, 10)], n_slots=20)
    alone = FIRST.made().memory, SECOND.made(layout=ROWS).memory
    assert np.array_equal(memory.words, np.concatenate([part.words for part in alone]))
    assert np.array_equal(memory.beside, alone[1].beside)
    assert np.array_equal(memory.start, np.concatenate([alone[0].start[:-1], alone[1].start + 80]))
    assert np.array_equal(memory.digest, alone[0].digest + alone[1].digest)


def test_two_delays_have_two_columns_however_far_apart() -> None:
    cases = [Case(OneToOne(), (3, 3), delay_ms=delay, number=k) for k, delay in enumerate((0.1, 100.0))]
    made = made_of([(case, None) for case in cases], numbers=[0, 0])
    assert made.blocks[0].delays.tolist() == [1, 1000]
    assert made.memory.start.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_without_synapses_memory_is_empty() -> None:
    nothing = memory_module.build([], blocks=[], targets=[], n_slots=0)
    for memory in (nothing, Case(FixedInDegree(n=0), (4, 4)).made().memory):
        assert memory.words.size == memory.load.sum() == memory.n_saturated == memory.start[-1] == 0
        assert memory.digest.tolist() == [0, 0]
    assert nothing.errors == ()


def digest(*entries: tuple[int, int, float, float], number: int = 0, **more: Any) -> tuple[int, ...]:
    """Return the digest of synapses (source, target, weight, delay in ms)."""
    sources, targets, weights, delays_ms = zip(*entries, strict=True)
    rule = Explicit(sources=sources, targets=targets, weights=weights, delays_ms=delays_ms)
    return tuple(Case(rule, (9, 9), None, None, number=number).made(**more).memory.digest.tolist())


BASE = (1, 2, 3.0, 0.4)


def test_the_digest_does_not_depend_on_the_order() -> None:
    other = (5, 2, -3.0, 0.5)
    assert digest(BASE, other) == digest(other, BASE) != digest(BASE)


def test_the_digest_sees_every_part_of_a_synapse() -> None:
    changed = [
        digest(BASE),
        digest((2, 2, 3.0, 0.4)),
        digest((1, 3, 3.0, 0.4)),
        digest((1, 2, -3.0, 0.4)),
        digest((1, 2, 3.0 + STEP, 0.4)),
        digest((1, 2, 3.0, 0.5)),
        digest(BASE, BASE),
        digest(BASE, number=1),
        digest(BASE, shift=1),
    ]
    for word in (0, 1):
        assert len({value[word] for value in changed}) == len(changed)


def test_the_digest_sees_which_weight_belongs_to_which_synapse() -> None:
    one, other = (1, 2, 3.0, 0.4), (2, 2, 4.0, 0.4)
    assert digest(one, other) != digest((1, 2, 4.0, 0.4), (2, 2, 3.0, 0.4))


GOLDEN = {
    "one_to_one": "47b7bf4a8f3240b7 edc6519adbde06b9",
    "all_to_all": "e4b64aa2cbd51c3c 9ae9c9bb791af112",
    "all_to_all no autapses": "3f82a0d7d1cedec7 0a221e6861a805c1",
    "convolution": "ec305e09d0c8708d 9ba1b30fd93d9e21",
    "pooling": "772ffdb499bc10cb 52cc9ecff450df0b",
    "explicit": "e8e4d44b12ebfa16 67c8175bcc3bd232",
    "explicit delays": "dd5bdbdd1acfeab9 27e3e7476958f421",
    "explicit axonal": "c84e5168010fc50a 0f6ee109fe6914a1",
    "uploaded": "5eaf115dab82df6a 5744508419cfc791",
    "fixed_in_degree": "1280778ad0d09414 083d1d41de1d96ba",
    "fixed_out_degree": "2d1f2694dd8849ea 7652630f0dfba35f",
    "fixed_total_number": "a1a4e56f7ff002fa 6d8bb3738f54eac7",
    "fixed_in_degree once": "27e839c909965391 ee572d773b6cac2b",
    "fixed_in_degree dense": "55552112fcaa0eed a0b0cf5ed8c9eeab",
    "fixed_in_degree no autapses": "00bad46744fe9633 555a6c6aae7b8e74",
    "fixed_in_degree neither": "923cf6bff889f608 9bd39004f4ced357",
    "fixed_out_degree once": "7010a744c20f8001 7871211fb68ba026",
    "fixed_out_degree dense": "6e13b0a4ccb677d7 f7b48c56c4a416e9",
    "fixed_out_degree no autapses": "a9001c3f715d3b91 d8573d63a3656ca7",
    "fixed_out_degree neither": "b10ebc4a26e59432 37a75661f1bd20d3",
    "fixed_total_number once": "65f3999c2f740b9b 91b4b654de014341",
    "fixed_total_number dense": "10aaa8d36dd682d9 5e74c6cbb29935a5",
    "fixed_total_number no autapses": "b1a1531ac6abbf6a 988b5ff0010eb8e5",
    "fixed_total_number neither": "3a1698d7f52bed31 cbf9ddf146d05642",
    "fixed_probability": "6253181df5fefc92 bbe7b91ee8e2d1a8",
    "fixed_probability no autapses": "e52370e8fdf803a3 d4f35aa39c5c7a6b",
    "fixed_probability sure": "d9630ea50f53eb45 9b8610bfc96b35c8",
    "distance": "448a4e95c7e1df9c af850a0cab16981b",
    "distance periodic": "4d8d432eaaa923d8 e51223cddf3236fa",
    "distance shell": "1d64d6b7f5dc0c26 6e4d632dfa92fff0",
    "distance linear": "268d536fef03bbc8 739cff2cba5c0fc1",
    "distance decay": "d67bf38ea81b7744 1158de0cc85e7e75",
    "small_world": "293eac044c68d864 b0baa21613c4a4af",
}


@pytest.mark.parametrize("name", RULES)
def test_digests_never_change(name: str) -> None:
    """Golden: people compare them between runs, machines and versions."""
    one, other = RULES[name].made().memory.digest.tolist()
    assert f"{one:016x} {other:016x}" == GOLDEN[name]


def listed(*weights: float) -> Case:
    """Return synapses of given weights, all onto neuron 0."""
    n = len(weights)
    return Case(Explicit(sources=range(n), targets=(0,) * n, weights=weights), (n, 1), None)


def test_saturated_weights_are_cut_and_counted() -> None:
    made = listed(511.984375, 512.0, -511.984375, -512.0, 1e9, -1e9, 0.0).made()
    assert made.memory.n_saturated == 4
    assert made.table()[:, 3].tolist() == [32767, 32767, -32767, -32767, 32767, -32767, 0]
    assert made.memory.load.tolist() == [6 * 32767]


def test_weights_are_rounded_to_the_nearest_step() -> None:
    made = listed(*(share * STEP for share in (0.9, 1.4, 1.6, -1.4, -1.6, 0.5, 1.5))).made()
    assert made.table()[:, 3].tolist() == [1, 1, 2, -1, -2, 0, 2]


def test_errors_are_what_weights_lose() -> None:
    exact, rounded = listed(3.0, -2.5), replace(listed(3.3 * STEP, -2.4 * STEP, 7.0), number=4)
    memory = made_of([(exact, None), (rounded, None)]).memory
    assert memory.errors[0] == WeightErrors(0, 0.0, 0.0, 2)
    largest, total = abs(3.3 * STEP - 3 * STEP), 2.4 * STEP - 2 * STEP
    assert memory.errors[1] == WeightErrors(4, pytest.approx(total), pytest.approx(largest + total), 3)


def test_errors_count_saturation_and_add_up_over_slices_and_threads() -> None:
    case = Case(LISTED, (5, 4), None, number=2)
    lost = 2 * (600.0 - 32767 * STEP)
    for parts in ([None], [(0, 2), (2, 4)]):
        memory = made_of([(case, part) for part in parts], threads=2).memory
        assert memory.errors == (WeightErrors(2, lost / 2, lost, 5),)
        assert memory.n_saturated == 2


def test_errors_of_drawn_weights_are_even_over_half_a_step() -> None:
    memory = Case(FixedInDegree(n=100), (50, 100), Normal(mean=0.0, sd=9.0)).made().memory
    (errors,) = memory.errors
    assert errors.count == 10_000
    assert 0.49 * STEP < errors.largest <= 0.5 * STEP
    assert errors.total / errors.count == pytest.approx(STEP / 4, rel=5 / 3**0.5 / 100)


def test_errors_are_from_the_weight_described_to_the_code() -> None:
    case = replace(RULES["fixed_in_degree"], weight=1.75, codes=CODES)
    (errors,) = case.made().memory.errors
    assert (errors.largest, errors.total) == (1.25, 1.25 * errors.count)


def test_load_counts_in_lsbs() -> None:
    rule = Explicit(sources=(0, 1, 2), targets=(1, 1, 0), weights=(3 * STEP, -5 * STEP, STEP))
    assert Case(rule, (3, 2), None).made(shift=4).memory.load.tolist() == [16, 8 * 16]


def equal(one: SynapseMemory, other: SynapseMemory) -> bool:
    names = ("words", "start", "beside", "load", "digest")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names) and (
        one.n_saturated == other.n_saturated
    )


CUT = {
    "in": Case(FixedInDegree(n=40), (2000, 30), WEIGHT, DELAY),
    "out": Case(FixedOutDegree(n=3), (2000, 30), WEIGHT, DELAY, number=1),
    "p": Case(FixedProbability(p=0.05), (2000, 30), INHIBITORY, DELAY, number=2),
    "sums": replace(RULES["distance"], number=3),
    "ring": replace(RULES["small_world"], number=4),
    "image": replace(RULES["convolution"], number=5),
    "list": replace(RULES["explicit"], number=6),
}


def cut_up(**how: Any) -> SynapseMemory:
    return made_of([(case, None) for case in CUT.values()], numbers=[0, 0, 0, 1, 2, 3, 4], **how).memory


@LAYOUTS
@pytest.mark.parametrize(("unit", "threads"), [(1 << 19, 2), (1, 1), (1, 3), (400, 2)])
def test_units_and_threads_change_nothing(
    monkeypatch: pytest.MonkeyPatch, layout: int, unit: int, threads: int
) -> None:
    whole = cut_up(layout=layout)
    monkeypatch.setattr(memory_module, "_UNIT", unit)
    parts = cut_up(layout=layout, threads=threads)
    assert equal(parts, whole)
    for one, other in zip(parts.errors, whole.errors, strict=True):
        assert (one.projection, one.largest, one.count) == (other.projection, other.largest, other.count)
        assert one.total == pytest.approx(other.total, rel=1e-12)


def test_the_room_at_first_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cut_up()
    for name in ("_LEAST_ROOM", "_MOST_ROOM"):
        monkeypatch.setattr(appended_module, name, 1)
    monkeypatch.setattr(memory_module, "_UNIT", 100)
    assert equal(cut_up(layout=SEGMENTS), whole)


def test_progress_rises_to_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_UNIT", 100)
    told: list[float] = []
    case = CUT["in"]
    blocks = [BlockSpec(2000, case.delays(), True)]
    memory_module.build([case.row()], blocks=blocks, targets=[(0, 0)], n_slots=30, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 8  # 2,000 sources, of 0.6 synapses each: 256 make more than 100


def test_more_words_than_32_bits_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit is said to have 2**31 words, of which none is there."""

    class Long(np.ndarray[Any, Any]):
        size = 2**31 - 1  # type: ignore[assignment]

    def unit(block: Any, rank: Any, rows: Any, spare: Any, low: int, high: int) -> Any:
        words = np.empty(0, np.uint32).view(Long)
        return memory_module._Unit(words, np.zeros(high - low, np.uint32), np.empty(0, np.uint16))

    monkeypatch.setattr(memory_module, "_unit", unit)
    monkeypatch.setattr(memory_module, "_UNIT", 1)
    monkeypatch.setattr(memory_module.Appended, "append", count_only)
    with pytest.raises(OverflowError) as refused:
        Case(FixedInDegree(n=1), (500, 1000)).made()
    assert str(refused.value) == (
        "synapse memory: must hold at most 4294967295 words, got more in the first 256 of 500 axons; "
        "use more chips, and fewer of them a thread"
    )


def count_only(appended: Any, part: Any) -> None:
    appended.n += part.size


def test_a_word_takes_four_bytes_and_its_index_four() -> None:
    case = Case(FixedInDegree(n=100), (10, 50), delay_ms=DELAY)
    segments, rows = case.made().memory, case.made(layout=ROWS).memory
    assert segments.words.nbytes == rows.words.nbytes == 4 * 5000
    assert segments.start.nbytes == 4 * (10 * case.delays().size + 1)
    assert (rows.start.nbytes, rows.beside.nbytes) == (4 * 11, 2 * 5000)


def test_synapses_of_a_case_are_told_with_their_places() -> None:
    """What the other tests stand on."""
    rule = Explicit(sources=(2, 0), targets=(3, 1), weights=(1.5, -2.0), delays_ms=(0.3, 5.0))
    case = Case(rule, (3, 4), None, None)
    assert sorted(case.synapses((1, 4))) == [Synapse(0, 1, 50, -2.0), Synapse(2, 3, 3, 1.5)]
