import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chip.codes import nearest
from chip.weights import (
    LARGEST,
    Quantisation,
    WeightRange,
    bit_values,
    granule_of,
    nearest_places,
    quantise,
)
from tests.chip.strategies import fixed

SPARE_BITS = 4

magnitudes = st.floats(1e-6, 1e6)
fan_ins = st.floats(0.0, 1e4)


def of_values(*weights: float, fan_in: float = 10.0) -> WeightRange:
    array = np.array(weights)
    return WeightRange(float(np.abs(array).max()), granule_of(array), fan_in)


@st.composite
def exact_ranges(draw: st.DrawFn) -> tuple[list[float], WeightRange]:
    """Draw weights that are small multiples of one power of two, and their range."""
    granule = draw(st.integers(-20, 20))
    steps = draw(st.lists(st.integers(-LARGEST, LARGEST), min_size=1, max_size=4).filter(any))
    weights = [math.ldexp(k, granule) for k in steps]
    return weights, of_values(*weights, fan_in=draw(st.floats(0.0, 100.0)))


drawn_ranges = st.builds(WeightRange, magnitudes, st.none(), fan_ins)
constants = st.builds(of_values, magnitudes, fan_in=fan_ins)
silent = st.builds(WeightRange, st.just(0.0), st.none(), fan_ins)
some_ranges = st.lists(st.one_of(drawn_ranges, constants, silent), min_size=1, max_size=6)


def finest(largest: float) -> int:
    """Return the least exponent whose int16 holds `largest`, by trying."""
    exponent = math.floor(math.log2(largest)) - 20
    while math.ldexp(LARGEST, exponent) < largest:
        exponent += 1
    return exponent


@fixed
@given(some_ranges)
def test_all_share_one_lsb_and_fit_int16(ranges: list[WeightRange]) -> None:
    made = quantise(ranges)
    assert len(made) == len(ranges)
    assert len({q.lsb_exponent for q in made}) == 1
    for weights, q in zip(ranges, made, strict=True):
        assert q.shift >= 0
        assert q.step == 2.0 ** (q.lsb_exponent + q.shift)
        assert round(weights.largest / q.step) <= LARGEST


@fixed
@given(some_ranges)
def test_eight_times_the_expected_sum_fits_a_slot(ranges: list[WeightRange]) -> None:
    lsb = 2.0 ** quantise(ranges)[0].lsb_exponent
    assert 8.0 * sum(r.fan_in * r.largest for r in ranges) <= 2.0**31 * lsb * (1.0 + 1e-12)


@fixed
@given(some_ranges, st.floats(-1.0, 1.0))
def test_the_error_is_within_its_bound(ranges: list[WeightRange], share: float) -> None:
    for weights, q in zip(ranges, quantise(ranges), strict=True):
        weight = share * weights.largest if weights.granule is None else weights.largest
        rounded = round(weight / q.step) * q.step
        assert abs(rounded - weight) <= q.relative_error * weights.largest * (1.0 + 1e-9)


@fixed
@given(st.lists(st.builds(WeightRange, magnitudes, st.none(), st.just(0.1)), min_size=1, max_size=6))
def test_no_projection_gives_up_more_than_its_spare_bits(ranges: list[WeightRange]) -> None:
    for weights, q in zip(ranges, quantise(ranges), strict=True):
        headroom = math.log2(8.0 * sum(r.fan_in * r.largest for r in ranges) / 2.0**31)
        assume(headroom <= q.lsb_exponent - 1)
        assert finest(weights.largest) <= q.lsb_exponent + q.shift <= finest(weights.largest) + SPARE_BITS


@fixed
@given(exact_ranges())
def test_exact_weights_stay_exact(exact: tuple[list[float], WeightRange]) -> None:
    weights, described = exact
    (q,) = quantise([described])
    assert q.exact
    assert q.relative_error == 0.0
    assert all((w / q.step).is_integer() for w in weights)


@fixed
@given(exact_ranges(), some_ranges)
def test_what_is_called_exact_is(exact: tuple[list[float], WeightRange], others: list[WeightRange]) -> None:
    weights, described = exact
    q = quantise([described, *others])[0]
    assert q.exact == (q.relative_error == 0.0)
    if q.exact:
        assert all((w / q.step).is_integer() for w in weights)


def test_weights_of_like_size_share_one_step() -> None:
    """The microcircuit's: 87.81 pA and -351.24 pA drawn within 10 % are 2 bits apart and need no shift."""
    ranges = [WeightRange(87.81 * 1.634, None, 2000.0), WeightRange(351.24 * 1.634, None, 1000.0)]
    assert quantise(ranges) == (
        Quantisation(-5, 0, 0.5 * 2.0**-5 / ranges[0].largest, False),
        Quantisation(-5, 0, 0.5 * 2.0**-5 / ranges[1].largest, False),
    )


def test_the_stronger_shifts_where_the_ranges_are_far_apart() -> None:
    weak, strong = quantise([WeightRange(1.0, None, 1.0), WeightRange(1000.0, None, 1.0)])
    assert (weak.lsb_exponent, weak.shift) == (-11 + 1, 0)
    assert (strong.lsb_exponent, strong.shift) == (-11 + 1, 5)


def test_an_exact_weight_is_kept_beside_a_strong_drawn_one() -> None:
    exact, drawn = quantise([of_values(0.125), WeightRange(1000.0, None, 1.0)])
    assert exact.exact
    assert (0.125 / exact.step).is_integer()
    assert drawn.step == 2.0 ** finest(1000.0)


def test_an_exact_weight_keeps_all_its_bits_beside_a_stronger_one() -> None:
    exact, drawn = quantise([of_values(32767.0), WeightRange(4.0 * 32767.0, None, 1.0)])
    assert (exact.lsb_exponent, exact.shift, exact.exact) == (0, 0, True)
    assert (drawn.lsb_exponent, drawn.shift) == (0, 2)


def test_a_weight_of_more_bits_than_its_step_leaves_is_not_exact() -> None:
    weak, strong = quantise([WeightRange(1.0, None, 1.0), of_values(1000.0 + 2.0**-8)])
    assert strong.step == 2.0**-5
    assert weak.step < 2.0**-8
    assert (strong.exact, strong.relative_error) == (False, 2.0**-6 / (1000.0 + 2.0**-8))


def test_many_synapses_raise_the_lsb_no_more_than_they_need() -> None:
    (few,), (many,) = (quantise([WeightRange(1.0, None, n)]) for n in (1.0, 100_000.0))
    assert few.lsb_exponent == finest(1.0)
    assert 2.0 ** (28 + many.lsb_exponent - 1) < 100_000.0 <= 2.0 ** (28 + many.lsb_exponent)


def test_silence_needs_no_step() -> None:
    assert quantise([]) == ()
    assert quantise([WeightRange(0.0, None, 5.0)] * 2) == (Quantisation(0, 0, 0.0, True),) * 2
    silent, loud = quantise([WeightRange(0.0, None, 5.0), of_values(3.0)])
    assert (silent.shift, silent.exact, silent.relative_error) == (0, True, 0.0)
    assert loud == quantise([of_values(3.0)])[0]


@pytest.mark.parametrize(("largest", "expected"), [(32767.0, 0), (32767.5, 1), (16383.5, -1), (1.0, -14)])
def test_the_step_is_the_least_that_holds_the_largest(largest: float, expected: int) -> None:
    assert quantise([WeightRange(largest, None, 0.0)])[0].lsb_exponent == expected == finest(largest)


@fixed
@given(st.lists(st.integers(-(2**20), 2**20), max_size=5), st.integers(-60, 60))
def test_a_granule_is_the_largest_that_divides_all(steps: list[int], exponent: int) -> None:
    granule = granule_of(np.array([math.ldexp(k, exponent) for k in steps]))
    if not any(steps):
        assert granule is None
    else:
        common = math.gcd(*steps)
        assert granule == exponent + (common & -common).bit_length() - 1


@pytest.mark.parametrize(
    ("weights", "granule"),
    [([1.0], 0), ([0.75, -2.0], -2), ([0.1], -55), ([0.0, 8.0], 3), ([5e-324], -1074), ([0.0], None)],
)
def test_granules_of_a_few_weights(weights: list[float], granule: int | None) -> None:
    assert granule_of(np.array(weights)) == granule


def listed(*weights: float, fan_in: float = 10.0) -> WeightRange:
    return WeightRange.of_list(np.array(weights), fan_in)


def brute_nearest(values: Sequence[float], weight: float) -> float:
    """The nearest value, of two the lesser, by exact arithmetic."""
    return min(values, key=lambda value: (abs(Fraction(value) - Fraction(weight)), value))


codebooks = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=12, unique=True).map(sorted)


@pytest.mark.parametrize(
    ("low", "high", "bits", "values"),
    [
        (0.0, 3.0, 1, [0.0, 3.0]),
        (1.0, 3.0, 2, [0.0, 1.0, 2.0, 3.0]),
        (-3.0, -1.0, 2, [-3.0, -2.0, -1.0, 0.0]),
        (-2.0, 3.0, 2, [-3.0, 0.0, 3.0]),
        (-7.0, 3.0, 4, [float(k) for k in range(-7, 8)]),
        (15.0, 15.0, 4, [float(k) for k in range(16)]),
        (0.0, 0.0, 3, [0.0]),
    ],
)
def test_bits_leave_multiples_of_a_share_of_the_largest(
    low: float, high: float, bits: int, values: list[float]
) -> None:
    assert bit_values(low, high, bits).tolist() == values


@fixed
@given(st.floats(1e-6, 1e6), st.integers(1, 15), st.sampled_from([(0, 1), (-1, 0), (-1, 1)]))
def test_values_of_bits_end_at_the_largest_and_ascend(
    largest: float, bits: int, signs: tuple[int, int]
) -> None:
    assume(bits > 1 or signs != (-1, 1))
    values = bit_values(signs[0] * largest, signs[1] * largest, bits)
    assert values.size == (2**bits - 1 if signs == (-1, 1) else 2**bits)
    assert (values[0], values[-1]) == (signs[0] * largest, signs[1] * largest)
    assert 0.0 in values
    np.testing.assert_allclose(np.diff(values), np.full(values.size - 1, np.diff(values).mean()), rtol=1e-6)


@fixed
@given(codebooks, st.lists(st.floats(-2e3, 2e3, width=32), max_size=8))
def test_the_nearest_value_is_found_as_the_kernel_finds_it(values: list[float], weights: list[float]) -> None:
    found = np.array(values)[nearest_places(np.array(values), np.array(weights, np.float64))]
    plain = nearest.py_func
    assert found.tolist() == [values[plain(np.array(values), weight)] for weight in weights]
    for weight, value in zip(weights, found, strict=True):
        best = brute_nearest(values, weight)
        assert abs(value - weight) <= abs(best - weight) * (1 + 1e-15)


@pytest.mark.parametrize(("weight", "value"), [(0.5, 0.0), (1.5, 1.0), (-9.0, 0.0), (9.0, 2.0), (1.51, 2.0)])
def test_of_two_equally_near_values_the_lesser_is_taken(weight: float, value: float) -> None:
    values = np.array([0.0, 1.0, 2.0])
    assert values[nearest_places(values, np.array([weight]))].tolist() == [value]


@fixed
@given(codebooks, st.lists(st.floats(-2e3, 2e3, width=32), min_size=1, max_size=6))
def test_listed_weights_keep_their_values_when_others_are_left_out(
    values: list[float], weights: list[float]
) -> None:
    described = listed(*weights)
    left = described.coded(np.array(values)).codes
    assert left is not None
    all_of, some = (np.array(v)[nearest_places(np.array(v), np.array(weights))] for v in (values, left))
    assert all_of.tolist() == some.tolist()
    assert set(left) == set(some)


@fixed
@given(codebooks, st.floats(-2e3, 2e3), st.floats(0.0, 1e3), st.floats(0.0, 1.0))
def test_the_error_of_drawn_weights_is_within_its_bound(
    values: list[float], low: float, width: float, share: float
) -> None:
    high = low + width
    described = WeightRange.of_span(low, high, 10.0)
    (made,) = quantise([described.coded(np.array(values))])
    assert made.codes is not None
    largest = max(abs(low), abs(high)) or float(np.max(np.abs(made.codes.values)))
    assume(largest > 0.0)
    for weight in (low, high, low + share * width):
        place = nearest_places(made.codes.values, np.array([weight]))[0]
        assert (
            made.codes.values[place]
            == np.array(values)[nearest_places(np.array(values), np.array([weight]))[0]]
        )
        error = abs(float(made.codes.integers[place]) * made.step - weight)
        assert error <= made.relative_error * largest * (1.0 + 1e-9)


def test_the_bound_of_drawn_weights_is_met_between_two_values() -> None:
    (made,) = quantise([WeightRange.of_span(0.0, 4.0, 1.0).coded(np.array([0.0, 1.0, 4.0]))])
    assert (made.relative_error, made.exact) == (1.5 / 4.0, False)


def test_integers_stand_for_their_values_to_half_a_step() -> None:
    (made,) = quantise([WeightRange.of_span(-0.1, 0.3, 1.0).coded(bit_values(-0.1, 0.3, 8))])
    assert made.codes is not None
    assert made.codes.integers.dtype == np.int64
    assert np.all(np.abs(made.codes.integers * made.step - made.codes.values) <= 0.5 * made.step)
    assert np.all(np.abs(made.codes.integers) <= LARGEST)
    assert np.all(np.diff(made.codes.integers) > 0)


@pytest.mark.parametrize("weight", [1.5, -0.25, 0.1, 87.81, 1e-6])
@pytest.mark.parametrize("bits", [1, 4, 15])
def test_a_constant_of_few_bits_is_as_exact_as_one_of_many(weight: float, bits: int) -> None:
    full, few = (
        quantise([described])[0]
        for described in (listed(weight), listed(weight).coded(bit_values(weight, weight, bits)))
    )
    assert few == full
    assert few.codes is not None
    assert few.codes.values.tolist() == [weight]
    assert few.codes.integers.tolist() == [round(weight / full.step)]


def test_a_codebook_of_dyadic_numbers_is_held_exactly() -> None:
    codebook = np.array([-2.5, -0.125, 0.0, 0.75, 100.0])
    (drawn,) = quantise([WeightRange.of_span(-3.0, 120.0, 100.0).coded(codebook)])
    assert drawn.codes is not None
    assert (drawn.codes.integers * drawn.step).tolist() == codebook.tolist()
    assert not drawn.exact
    (constant,) = quantise([listed(0.75, 100.0).coded(codebook)])
    assert (constant.exact, constant.relative_error) == (True, 0.0)


def test_steps_are_not_spent_on_values_that_no_weight_is_near() -> None:
    (made,) = quantise([WeightRange.of_span(0.1, 0.2, 1.0).coded(np.array([0.1, 0.2, 1e6]))])
    assert made.codes is not None
    assert made.codes.values.tolist() == [0.1, 0.2]
    assert made.step <= 0.2 / 16_000


def test_draws_beyond_the_span_find_their_value_too() -> None:
    described = WeightRange.of_span(0.1, 0.2, 1.0).coded(np.array([0.1, 0.2, 1e6]), reached=(0.05, 2e6))
    assert described.codes is not None
    assert described.codes.tolist() == [0.1, 0.2, 1e6]


def test_a_codebook_far_from_the_weights_is_told() -> None:
    (made,) = quantise([listed(1.0).coded(np.array([100.0, 200.0]))])
    assert (made.relative_error, made.exact) == (99.0, False)
    (silent,) = quantise([listed(0.0).coded(np.array([3.0]))])
    assert (silent.relative_error, silent.exact) == (1.0, False)
    (silenced,) = quantise([listed(5.0).coded(np.array([0.0]))])
    assert (silenced.relative_error, silenced.exact) == (1.0, False)


def test_the_error_of_listed_weights_is_their_own() -> None:
    made = quantise([listed(1000.0 + 2.0**-7), WeightRange.of_span(0.0, 1.0, 1.0)])[0]
    assert made.step == 2.0**-5
    assert (made.relative_error, made.exact) == (2.0**-7 / (1000.0 + 2.0**-7), False)


def test_an_empty_list_needs_no_codes() -> None:
    nothing = listed().coded(np.array([1.0, 2.0]))
    assert (nothing.codes, nothing.largest) == (None, 0.0)
    assert quantise([nothing]) == (Quantisation(0, 0, 0.0, True),)
