import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip import memory as memory_module
from chip.memory import delay_ticks, possible_delays
from chip.values import law_of
from network import (
    AllToAll,
    Explicit,
    FixedInDegree,
    FixedTotalNumber,
    Normal,
    OneToOne,
    Projection,
    Uniform,
    Value,
)
from tests.chip.strategies import cuts, fixed
from tests.chip.synapses import STEP, decoded, expanded, memory_of, row, synapses_of

WEIGHT = Normal(mean=40.0, sd=8.0, low=0.0)
INHIBITORY = Normal(mean=-40.0, sd=30.0, high=0.0, bounds="clip")
DELAY = Normal(mean=1.5, sd=0.75, low=0.1)

EXPLICIT = Explicit(sources=(4, 0, 4, 2, 0), targets=(1, 3, 1, 0, 3), weights=(1.0, 600.0, -3.0, -600.0, 0.0))
RULES = {
    "one_to_one": (OneToOne(), (9, 9), WEIGHT, DELAY),
    "all_to_all": (AllToAll(), (7, 5), INHIBITORY, DELAY),
    "fixed_in_degree": (FixedInDegree(n=6), (11, 20), WEIGHT, Uniform(low=0.1, high=3.0)),
    "fixed_total_number": (FixedTotalNumber(n=90), (11, 20), 2.5, DELAY),
    "explicit": (EXPLICIT, (5, 4), None, DELAY),
    "explicit delays": (
        EXPLICIT.model_copy(update={"weights": None, "delays_ms": (0.1, 100.0, 0.3, 0.1, 7.0)}),
        (5, 4),
        INHIBITORY,
        None,
    ),
}


@pytest.mark.parametrize(("rule", "sizes", "weight", "delay_ms"), RULES.values(), ids=RULES)
def test_memory_holds_what_plain_python_expands(
    rule: Any, sizes: tuple[int, int], weight: Value | None, delay_ms: Value | None
) -> None:
    spec = row(rule, sizes=sizes, weight=weight, delay_ms=delay_ms, part=(1, sizes[1]), projection=3)
    made = expanded(spec)
    assert synapses_of(spec) == made
    assert len(made) >= 3
    sums = np.zeros(spec.ends.n, np.int64)
    for synapse in made:
        sums[synapse.target - 1] += abs(synapse.weight)
    assert memory_of(spec).load.tolist() == sums.tolist()


def two_rows() -> list[Any]:
    """Return rows of two sources onto two slices, one of which shares the axons of the first."""
    return [
        row(FixedInDegree(n=8), sizes=(6, 10), weight=WEIGHT, delay_ms=DELAY),
        row(FixedInDegree(n=8), sizes=(9, 10), weight=INHIBITORY, delay_ms=1.2, axon=6, projection=1),
        row(AllToAll(), sizes=(6, 10), part=(2, 7), weight=3.0, delay_ms=0.5, projection=2),
    ]


def test_words_are_sorted_by_axon_and_then_by_delay() -> None:
    rows = two_rows()
    memory = memory_of(*rows, places=[(0, 0), (10, 10), (20, 20)])
    table = decoded(memory)
    assert table.shape[0] == memory.words.size == 80 + 80 + 30
    order = np.lexsort((table[:, 1], table[:, 0]))
    assert np.array_equal(table[order][:, :2], table[:, :2])
    assert memory.start.size == 15 * memory.delays.size + 1
    assert (memory.start[0], memory.start[-1]) == (0, 190)


def test_rows_keep_to_their_axons_neurons_and_slots() -> None:
    rows = two_rows()
    memory = memory_of(*rows, places=[(100, 15), (65_526, 5), (50, 0)], axons=20)
    made = sorted(map(tuple, decoded(memory).tolist()))
    expected = [
        (s.source + spec.axon, s.delay, s.target - spec.ends.first + place, s.weight)
        for spec, place in zip(rows, (100, 65_526, 50), strict=True)
        for s in expanded(spec)
    ]
    assert made == sorted(expected)
    assert memory.load[5:15].sum() == sum(abs(s.weight) for s in expanded(rows[1]))


def test_two_delays_have_two_columns_however_far_apart() -> None:
    rows = [
        row(OneToOne(), sizes=(3, 3), delay_ms=delay, projection=k) for k, delay in enumerate((0.1, 100.0))
    ]
    memory = memory_of(*rows, places=[(0, 0), (0, 0)])
    assert memory.delays.tolist() == [1, 1000]
    assert memory.start.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_there_are_no_columns_but_those_of_possible_delays() -> None:
    assert memory_of(row(OneToOne(), sizes=(3, 3), delay_ms=1.5)).delays.tolist() == [15]
    assert memory_of(
        row(OneToOne(), sizes=(3, 3), delay_ms=Uniform(low=0.2, high=0.449))
    ).delays.tolist() == [
        2,
        3,
        4,
    ]


def test_without_rows_memory_is_empty() -> None:
    for memory in (memory_of(), memory_of(row(FixedInDegree(n=0), sizes=(4, 4)))):
        assert memory.words.size == memory.load.sum() == memory.n_saturated == memory.start[-1] == 0
        assert memory.digest.tolist() == [0, 0]


def test_a_delay_law_beyond_its_bound_has_the_bound_only() -> None:
    late = Normal(mean=1.0, sd=0.01, low=2.0, bounds="clip")
    early = Normal(mean=5.0, sd=0.01, high=0.7, bounds="clip")
    for law, ticks in ((late, 20), (early, 7)):
        spec = row(FixedInDegree(n=5), sizes=(4, 6), delay_ms=law)
        assert memory_of(spec).delays.tolist() == [ticks]
        assert {s.delay for s in synapses_of(spec)} == {ticks}


@pytest.mark.parametrize(
    ("law", "ticks"),
    [
        (1.5, (15, 15)),
        (Uniform(low=0.05, high=0.149), (1, 1)),
        (Uniform(low=0.05, high=0.151), (1, 2)),
        (Normal(mean=1.0, sd=0.1, low=0.1), (4, 16)),
        (Normal(mean=1.0, sd=0.1, low=0.951, high=1.149), (10, 11)),
    ],
)
def test_possible_delays_are_those_of_the_description(law: Value, ticks: tuple[int, int]) -> None:
    assert delay_ticks(law_of(law), 0.1) == ticks
    described = Projection(source="s", target="t", connectivity=OneToOne(), weight=1.0, delay_ms=law)
    assert possible_delays(described, 0.1).tolist() == list(range(ticks[0], ticks[1] + 1))


@pytest.mark.parametrize(("rule", "sizes", "weight", "delay_ms"), RULES.values(), ids=RULES)
@fixed
@given(data=st.data())
def test_load_and_digest_add_up_over_slices(
    rule: Any, sizes: tuple[int, int], weight: Any, delay_ms: Any, data: st.DataObject
) -> None:
    rows = [
        row(rule, sizes=sizes, part=part, weight=weight, delay_ms=delay_ms)
        for part in [(0, sizes[1]), *data.draw(cuts(sizes[1]))]
    ]
    whole, *parts = map(memory_of, rows)
    assert np.array_equal(np.concatenate([part.load for part in parts]), whole.load)
    assert np.array_equal(sum(part.digest for part in parts), whole.digest)
    assert sum(part.n_saturated for part in parts) == whole.n_saturated
    assert sum(part.words.size for part in parts) == whole.words.size


def digest(*entries: tuple[int, int, float, float], projection: int = 0, **more: Any) -> tuple[int, ...]:
    """Return the digest of synapses (source, target, weight, delay in ms)."""
    sources, targets, weights, delays_ms = zip(*entries, strict=True)
    rule = Explicit(sources=sources, targets=targets, weights=weights, delays_ms=delays_ms)
    spec = row(rule, sizes=(9, 9), weight=None, delay_ms=None, projection=projection, **more)
    return tuple(memory_of(spec).digest.tolist())


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
        digest(BASE, projection=1),
        digest(BASE, shift=1),
    ]
    for word in (0, 1):
        assert len({value[word] for value in changed}) == len(changed)


def test_the_digest_sees_which_weight_belongs_to_which_synapse() -> None:
    one, other = (1, 2, 3.0, 0.4), (2, 2, 4.0, 0.4)
    assert digest(one, other) != digest((1, 2, 4.0, 0.4), (2, 2, 3.0, 0.4))


def test_the_digest_never_changes() -> None:
    """Golden: people compare it between runs, machines and versions."""
    spec = row(FixedInDegree(n=10), sizes=(50, 30), weight=WEIGHT, delay_ms=DELAY)
    assert memory_of(spec).digest.tolist() == [10911933681792510964, 3254746134117957203]


def test_saturated_weights_are_cut_and_counted() -> None:
    weights = (511.984375, 512.0, -511.984375, -512.0, 1e9, -1e9, 0.0)
    rule = Explicit(sources=range(7), targets=(0,) * 7, weights=weights)
    memory = memory_of(row(rule, sizes=(7, 1), weight=None))
    assert memory.n_saturated == 4
    assert decoded(memory)[:, 3].tolist() == [32767, 32767, -32767, -32767, 32767, -32767, 0]
    assert memory.load.tolist() == [6 * 32767]


def test_weights_are_rounded_to_the_nearest_step() -> None:
    weights = (0.9 * STEP, 1.4 * STEP, 1.6 * STEP, -1.4 * STEP, -1.6 * STEP, 0.5 * STEP, 1.5 * STEP)
    rule = Explicit(sources=range(7), targets=(0,) * 7, weights=weights)
    made = decoded(memory_of(row(rule, sizes=(7, 1), weight=None)))
    assert made[:, 3].tolist() == [1, 1, 2, -1, -2, 0, 2]


def test_load_counts_in_lsbs() -> None:
    rule = Explicit(sources=(0, 1, 2), targets=(1, 1, 0), weights=(3 * STEP, -5 * STEP, STEP))
    assert memory_of(row(rule, sizes=(3, 2), weight=None, shift=4)).load.tolist() == [16, 8 * 16]


def test_the_chunks_of_progress_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = two_rows()
    places = [(0, 0), (10, 10), (20, 20)]
    whole = memory_of(*rows, places=places)
    monkeypatch.setattr(memory_module, "_CHUNK", 7)
    told: list[float] = []
    chunked = memory_module.build(rows, targets=places, n_axons=15, n_slots=25, progress=told.append)
    for name in ("words", "start", "delays", "load", "digest"):
        assert np.array_equal(getattr(chunked, name), getattr(whole, name))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 2 * 190 / 16


def test_a_target_of_more_synapses_than_a_chunk_is_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_CHUNK", 3)
    spec = row(FixedInDegree(n=10), sizes=(4, 3))
    assert synapses_of(spec) == expanded(spec)


def test_more_words_than_32_bits_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(walk: Any, low: int, high: int, rank: Any, n_delays: int, counts: Any) -> None:
        counts[:2] = 2**31

    monkeypatch.setattr(memory_module, "_count", count)
    with pytest.raises(OverflowError) as refused:
        memory_of(row(OneToOne(), sizes=(3, 3)))
    assert str(refused.value) == (
        "synapse memory: must hold at most 4294967295 words, got 4294967296; use more chips"
    )


def test_a_word_takes_four_bytes_and_a_segment_four() -> None:
    memory = memory_of(row(FixedInDegree(n=100), sizes=(10, 50), delay_ms=DELAY))
    assert memory.words.nbytes == 4 * 5000
    longest = math.floor(1.5 / 0.1 + 6.34 * 7.5 + 0.5)
    assert memory.start.nbytes == 4 * (10 * longest + 1)
