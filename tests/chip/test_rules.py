"""Which synapses each rule makes: held against plain Python, and against what the rule says of itself."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from chip.rules import RULES as GENERATORS
from chip.rules import Batch, generator_of
from chip.rules.generator import BATCH
from network import AllToAll, Convolution, Explicit, FixedInDegree, OneToOne, Pooling, SmallWorld, Uploaded
from network.connectivity import Connectivity
from tests.chip.cases import DELAY, LISTED, LISTS, RULES, VALUES, WEIGHT, drawing, of_value
from tests.chip.expansion import Synapse, same
from tests.chip.synapses import STEP, Case

HELD = RULES | LISTS | {f"weight {name}": of_value(value) for name, value in VALUES.items()}


def test_every_rule_of_the_language_has_a_generator() -> None:
    described = Connectivity.__args__[0].__args__  # type: ignore[attr-defined]
    assert set(GENERATORS) | {Uploaded} == set(described)
    assert {type(case.rule) for case in RULES.values()} == set(GENERATORS)


@pytest.mark.parametrize("case", HELD.values(), ids=HELD)
def test_a_chip_makes_what_plain_python_expands(case: Case) -> None:
    expected, exact = case.expected(), bool(case.codes.values.size)
    for layout in case.layouts:
        assert same(case.synapses(layout=layout), expected, 0.0 if exact else STEP)
    assert len(expected) >= 4


@pytest.mark.parametrize("case", RULES.values(), ids=RULES)
def test_a_part_of_the_targets_has_its_part_of_the_synapses(case: Case) -> None:
    part = case.sizes[1] // 3, case.sizes[1] - 1
    assert same(case.synapses(part), case.expected(part), STEP)


def emitted(case: Case, part: tuple[int, int], room: int) -> list[tuple[int, ...]]:
    """Return what a generator emits block by block into batches of `room` or of what it asks for."""
    generator = generator_of(case.rule if case.columns is None else case.columns, case.ends(*part))
    size = min(max(generator.block, 1), 1 << 20) if generator.block > 1 else 37
    batch, out = Batch.of(room), []
    for low in range(0, case.sizes[0], size):
        high = min(low + size, case.sizes[0])
        cursor = generator.begin(low, high)
        while cursor < generator.end(low, high):
            n, cursor = generator.emit(low, high, cursor, batch)
            assert 0 <= n <= room
            assert np.all((low <= batch.source[:n]) & (batch.source[:n] < high))
            assert np.all(batch.target[:n] < part[1] - part[0])
            out += zip(*(array[:n].tolist() for array in batch), strict=True)
    return sorted(out)


NO_ROOM = {name: case for name, case in RULES.items() if sum(case.sizes) < 400}


@pytest.mark.parametrize("case", NO_ROOM.values(), ids=NO_ROOM)
def test_the_size_of_batches_changes_nothing(case: Case) -> None:
    part = 1, case.sizes[1]
    assert emitted(case, part, 300) == emitted(case, part, 16_384)


@pytest.mark.parametrize("case", RULES.values(), ids=RULES)
def test_generators_expect_about_what_they_make(case: Case) -> None:
    part = 1, case.sizes[1]
    rule = case.rule if case.columns is None else case.columns
    expected, n = generator_of(rule, case.ends(*part)).n_expected, len(case.synapses(part))
    if isinstance(case.rule, Convolution | Pooling):
        assert n <= expected <= 1.6 * n
    else:
        assert expected == pytest.approx(n, abs=6.0 * n**0.5 + 2.0)


def pairs_of(case: Case, part: tuple[int, int] | None = None) -> Counter[tuple[int, int]]:
    return Counter((s.source, s.target) for s in case.synapses(part))


def test_one_to_one_joins_equal_numbers() -> None:
    assert pairs_of(Case(OneToOne(), (9, 9)), (3, 7)) == {(k, k): 1 for k in range(3, 7)}


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("recurrent", [True, False])
def test_all_to_all_joins_each_with_each_once(autapses: bool, recurrent: bool) -> None:
    case = Case(AllToAll(allow_autapses=autapses), (5, 5), recurrent=recurrent)
    left_out = recurrent and not autapses
    assert pairs_of(case) == {(s, t): 1 for s in range(5) for t in range(5) if s != t or not left_out}


@pytest.mark.parametrize("n", [0, 1, 100])
def test_fixed_in_degree_gives_each_target_n(n: int) -> None:
    made = Counter(s.target for s in Case(FixedInDegree(n=n), (3, 8)).synapses((2, 7)))
    assert made == (dict.fromkeys(range(2, 7), n) if n else {})


FORBIDDING = {name: case for name, case in RULES.items() if hasattr(case.rule, "allow_autapses")}


@pytest.mark.parametrize("case", FORBIDDING.values(), ids=FORBIDDING)
def test_what_is_forbidden_does_not_occur(case: Case) -> None:
    made = pairs_of(case)
    if case.recurrent and not case.rule.allow_autapses:
        assert not any(source == target for source, target in made)
    if not getattr(case.rule, "allow_multapses", False):
        assert set(made.values()) == {1}


@pytest.mark.parametrize(
    ("name", "n", "sizes"),
    [
        ("fixed_in_degree", 139, (140, 140)),
        ("fixed_out_degree", 139, (140, 140)),
        ("fixed_total_number", 131 * 130, (131, 131)),
    ],
)
def test_the_most_that_can_be_distinct_is_everything(name: str, n: int, sizes: tuple[int, int]) -> None:
    rule = drawing(RULES[name].rule, autapses=False, multapses=False).model_copy(update={"n": n})
    made = pairs_of(Case(rule, sizes, recurrent=True))
    assert made == {(s, t): 1 for s in range(sizes[0]) for t in range(sizes[1]) if s != t}


def test_a_ring_without_rewiring_is_regular() -> None:
    made = pairs_of(Case(SmallWorld(k=4, p_rewire=0.0), (7, 7), recurrent=True))
    assert made == {((t + step) % 7, t): 1 for t in range(7) for step in (-2, -1, 1, 2)}


def test_explicit_keeps_each_entry_with_its_weight_and_delay() -> None:
    rule = LISTED.model_copy(update={"delays_ms": (0.1, 0.2, 0.3, 0.4, 0.5)})
    made = Case(rule, (5, 4), None, None).synapses()
    most = 32767 * STEP
    weights = [min(max(w, -most), most) for w in rule.weights]
    assert sorted(made) == sorted(map(Synapse, rule.sources, rule.targets, range(1, 6), weights))


def test_explicit_draws_what_it_does_not_list() -> None:
    rule = Explicit(sources=(0, 1, 2, 0), targets=(5, 0, 5, 5))
    made = Case(rule, (3, 6), WEIGHT, DELAY).synapses()
    assert sorted((s.source, s.target) for s in made) == [(0, 5), (0, 5), (1, 0), (2, 5)]
    assert len({s.weight for s in made}) == 4


def test_empty_lists_make_nothing() -> None:
    assert Case(Explicit(sources=(), targets=()), (3, 4)).synapses() == []


def test_windows_may_be_larger_than_the_image() -> None:
    image = {"source_shape": (2, 3, 2), "padding": (6, 3), "stride": (2, 1)}
    kernel = tuple(float(k) for k in range(1, 2 * 4 * 5 * 4 + 1))
    rules = [
        Convolution(kernel_shape=(4, 2, 5, 4), kernel=kernel, dilation=(2, 1), **image),
        Pooling(window=(8, 5), **image),
    ]
    for rule in rules:
        sizes = int(np.prod(rule.source_shape)), int(np.prod(rule.target_shape))
        case = Case(rule, sizes, None if isinstance(rule, Convolution) else 1.0)
        assert same(case.synapses(), case.expected(), STEP)
        assert len(case.expected()) == rule.n_synapses(*sizes)


def test_a_window_that_dwarfs_the_image_costs_no_more_than_the_image() -> None:
    rule = Pooling(source_shape=(2, 1, 3), window=(2**20, 2**20), padding=(2**19, 2**19))
    case = Case(rule, (6, 2 * 2 * 4))
    assert generator_of(rule, case.ends(0, 16)).most == BATCH
    assert pairs_of(case) == {
        (source, target): 1 for target in range(16) for source in range(6) if source // 3 == target // 8
    }


def test_a_convolution_is_a_convolution() -> None:
    """Weights times an image, summed onto each target, against the definition in NumPy."""
    case = RULES["convolution"]
    rule: Any = case.rule
    image = np.random.default_rng(3).normal(size=rule.source_shape)
    out = np.zeros(int(np.prod(rule.target_shape)))
    for synapse in Case(rule, case.sizes, None).expected():
        out[synapse.target] += synapse.weight * image.ravel()[synapse.source]
    kernel = np.array(rule.kernel).reshape(rule.kernel_shape)
    padded = np.pad(image, ((0, 0), (1, 1), (0, 0)))
    expected = np.zeros(rule.target_shape)
    for o, y, x in np.ndindex(*rule.target_shape):
        window = padded[2 * (o // 3) : 2 * (o // 3) + 2, 2 * y : 2 * y + 3, x : x + 3 : 2]
        expected[o, y, x] = (kernel[o] * window).sum()
    assert np.allclose(out.reshape(rule.target_shape), expected)


@pytest.mark.parametrize("change", [{"seed": 8}, {"number": 1}])
@pytest.mark.parametrize("name", ["fixed_in_degree", "fixed_out_degree", "fixed_total_number"])
def test_seeds_and_projections_draw_differently(name: str, change: dict[str, int]) -> None:
    rule = RULES[name].rule
    one, other = Case(rule, (1000, 997)).synapses(), Case(rule, (1000, 997), **change).synapses()
    assert len(set(one) & set(other)) < 0.05 * len(one)
