import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chip.weights import LARGEST, Quantisation, WeightRange, granule_of, quantise
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
