import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.random import Purpose, stream_key
from chip.values import REACH_SD, Law, draw_values, law_of, sample
from network import Normal, Uniform, Value
from tests.chip.goodness import DEVIATE, KS_LIMIT, kolmogorov_smirnov
from tests.chip.oracle import draws
from tests.chip.strategies import fixed

N = 20_000
KEY = stream_key(11, Purpose.PARAMETER, 0, 0)

Z = NormalDist()


def normal(mean: float, sd: float, low: float | None = None, high: float | None = None, **how: str) -> Normal:
    return Normal(mean=mean, sd=sd, low=low, high=high, **how)


def truncated(law: Normal) -> Callable[[float], float]:
    """Return the distribution of a normal that is redrawn, or of a clipped one strictly inside its bounds."""
    parent = NormalDist(law.mean, law.sd)
    below = 0.0 if law.low is None else parent.cdf(law.low)
    above = 1.0 if law.high is None else parent.cdf(law.high)
    return lambda x: (parent.cdf(x) - below) / (above - below)


REDRAWN = {
    "unbounded": normal(-58.0, 5.0),
    "no negative weight": normal(87.81, 8.781, low=0.0),
    "half": normal(1.0, 2.0, low=1.0),
    "narrow": normal(0.0, 1.0, low=-0.1, high=0.2),
    "far tail": normal(0.0, 1.0, high=-2.0),
}


@pytest.mark.parametrize("law", REDRAWN.values(), ids=REDRAWN)
def test_a_normal_follows_its_law_within_bounds(law: Normal) -> None:
    values = draw_values(law, KEY, 0, N)
    assert kolmogorov_smirnov(values, truncated(law)) < KS_LIMIT
    assert law.low is None or values.min() >= law.low
    assert law.high is None or values.max() <= law.high


def test_a_uniform_follows_its_law() -> None:
    values = draw_values(Uniform(low=-3.0, high=5.0), KEY, 0, N)
    assert kolmogorov_smirnov(values, lambda x: (x + 3.0) / 8.0) < KS_LIMIT
    assert -3.0 < values.min() < -2.99
    assert 4.99 < values.max() < 5.0


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (None, 0.0), (2.0, None)])
def test_a_clipped_normal_gathers_at_its_bounds(low: float | None, high: float | None) -> None:
    law = normal(0.0, 1.0, low=low, high=high, bounds="clip")
    values = draw_values(law, KEY, 0, N)
    for bound, beyond in ((low, Z.cdf), (high, lambda x: 1.0 - Z.cdf(x))):
        if bound is not None:
            chance = beyond(bound)
            surplus = np.sum(values == bound) - N * chance
            assert abs(surplus) < DEVIATE * math.sqrt(N * chance * (1.0 - chance))
    inside = values[(values != low) & (values != high)]
    assert kolmogorov_smirnov(inside, truncated(law)) < KS_LIMIT
    assert low is None or values.min() == low
    assert high is None or values.max() == high


CONSTANTS = {
    "number": (2.5, 2.5),
    "uniform": (Uniform(low=-1.0, high=-1.0), -1.0),
    "normal": (normal(3.0, 0.0), 3.0),
    "clip below": (normal(0.0, 1.0, low=10.0, bounds="clip"), 10.0),
    "clip above": (normal(0.0, 1.0, high=-10.0, bounds="clip"), -10.0),
}


@pytest.mark.parametrize(("value", "constant"), CONSTANTS.values(), ids=CONSTANTS)
def test_what_cannot_vary_stays_one_number(value: Value, constant: float) -> None:
    law = law_of(value)
    assert not law.varies
    assert law.bounds == (constant, constant)
    assert draw_values(value, KEY, 0, 100).tolist() == [constant]
    assert {sample(law, bits) for bits in draws(1, np.arange(50))} == {constant}


EXTREMES = [np.uint64(bits) for bits in (0, 1, 2**31, 2**32 - 1, 2**64 - 1, 2**64 - 2**32, 2**63)]
finite = st.floats(-1e6, 1e6)


@st.composite
def values(draw: st.DrawFn) -> Value:
    """Draw a number, a uniform or a normal; bounds leave a redraw at least a sixth of the normal."""
    kind = draw(st.sampled_from(["number", "uniform", "redraw", "clip"]))
    if kind == "number":
        return draw(finite)
    if kind == "uniform":
        low, high = sorted([draw(finite), draw(finite)])
        return Uniform(low=low, high=high)
    mean, sd = draw(finite), draw(st.floats(1e-3, 1e3))
    ends = sorted([draw(st.floats(-20.0, 20.0)), draw(st.floats(-20.0, 20.0))])
    if kind == "redraw":
        ends = [draw(st.floats(-20.0, 0.0)), draw(st.floats(0.5, 20.0))]
    low, high = (draw(st.one_of(st.none(), st.just(mean + end * sd))) for end in ends)
    if low is not None and high is not None and low >= high:
        high = None
    return normal(mean, sd, low, high, bounds=kind)


@fixed
@given(values(), st.integers(0, 2**64 - 1))
def test_no_draw_leaves_the_bounds(value: Value, bits: int) -> None:
    law = law_of(value)
    low, high = law.bounds
    assert low <= high
    drawn = [sample(law, word) for word in (*EXTREMES, np.uint64(bits))]
    assert low <= min(drawn) <= max(drawn) <= high


def test_extreme_bits_reach_nearly_as_far_as_promised() -> None:
    law = law_of(normal(0.0, 1.0))
    assert law.bounds == (-REACH_SD, REACH_SD)
    lowest, highest = sample(law, np.uint64(0)), sample(law, np.uint64(2**32 - 1))
    assert -REACH_SD < lowest < -0.999 * REACH_SD
    assert 0.999 * REACH_SD < highest < REACH_SD


@fixed
@given(values(), st.integers(0, 60), st.integers(0, 20))
def test_a_slice_draws_what_the_population_draws(value: Value, first: int, n: int) -> None:
    whole, part = draw_values(value, KEY, 0, 80), draw_values(value, KEY, first, n)
    expected = whole[first : first + n] if law_of(value).varies else whole
    assert np.array_equal(part, expected)


def test_neurons_keys_and_redraws_differ() -> None:
    law = normal(0.0, 1.0, low=0.0)
    drawn = draw_values(law, KEY, 0, 1000)
    assert np.unique(drawn).size == 1000
    assert not np.any(np.isin(drawn, draw_values(law, stream_key(11, Purpose.PARAMETER, 0, 1), 0, 1000)))
    # A first draw below the mean is made anew from all 64 bits, so that the high ones matter too.
    again = {sample(law_of(law), np.uint64(high << 32)) for high in range(100)}
    assert len(again) == 100


def test_only_the_low_bits_decide_a_first_draw() -> None:
    for law in (law_of(Uniform(low=0.0, high=1.0)), law_of(normal(0.0, 1.0))):
        assert sample(law, np.uint64(77)) == sample(law, np.uint64(77 + 2**32)) != sample(law, np.uint64(78))


def test_draws_never_change() -> None:
    """Golden: a change here changes every network with drawn values."""
    drawn = [
        draw_values(value, KEY, 5, 2).tolist()
        for value in (Uniform(low=-1.0, high=2.0), normal(87.81, 8.781, low=0.0), normal(0.0, 1.0, low=1.0))
    ]
    assert drawn == [
        [-0.14021917467471212, 0.7409920141799375],
        [82.86310292153033, 89.5902554428219],
        [1.9904867871996923, 2.1232405430949335],
    ]


def test_a_law_is_plain_numbers() -> None:
    assert law_of(normal(1.0, 2.0, high=4.0)) == Law(2, 1.0, 2.0, -math.inf, 4.0)
    assert law_of(normal(1.0, 2.0, low=0.0, bounds="clip")) == Law(3, 1.0, 2.0, 0.0, math.inf)
    assert law_of(Uniform(low=1.0, high=2.0)) == Law(1, 1.0, 2.0, -math.inf, math.inf)
    assert law_of(7.0) == Law(0, 7.0, 0.0, -math.inf, math.inf)
