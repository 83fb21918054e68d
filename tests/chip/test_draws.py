"""Values: what bits are drawn to what, and that nothing leaves the bounds."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip.laws import REACH_SD, law_of
from chip.normal import TABLE
from chip.random import Purpose, stream_key
from chip.values import draw_values, fill
from network import (
    Array,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Uniform,
    Value,
)
from network.values import bounds_of
from tests.chip.oracle import GOLDEN, draws
from tests.chip.strategies import fixed

KEY = stream_key(11, Purpose.PARAMETER, 0, 0)

CONSTANTS = {
    "number": (2.5, 2.5),
    "uniform": (Uniform(low=-1.0, high=-1.0), -1.0),
    "normal": (Normal(mean=3.0, sd=0.0), 3.0),
    "clip below": (Normal(mean=0.0, sd=1.0, low=10.0, bounds="clip"), 10.0),
    "clip above": (Normal(mean=0.0, sd=1.0, high=-10.0, bounds="clip"), -10.0),
    "sum": (Sum(of=(1.5, Uniform(low=2.0, high=2.0)), high=3.0), 3.0),
    "array": (Array(values=(4.0, 4.0)), 4.0),
}


def filled(value: Value, bits: np.ndarray, salt: int = 0) -> np.ndarray:
    """Evaluate a law for given bits, at distance 0 and place 0."""
    n = bits.size
    out, zeros = np.empty(n), np.zeros(n)
    fill(law_of(value), np.uint64(salt), bits, zeros, np.zeros(n, np.int64), TABLE, np.empty(n), out, n)
    return out


@pytest.mark.parametrize(("value", "constant"), CONSTANTS.values(), ids=CONSTANTS)
def test_what_cannot_vary_stays_one_number(value: Value, constant: float) -> None:
    law = law_of(value)
    assert not law.varies
    assert law.bounds == (constant, constant)
    assert draw_values(value, KEY, 0, 100).tolist() == [constant]
    assert set(filled(value, draws(1, np.arange(50))).tolist()) == {constant}


def unmixed(z: int) -> int:
    """Return what SplitMix64's finaliser turns into `z`."""
    mask = (1 << 64) - 1
    for shift, factor in ((31, 0x94D049BB133111EB), (27, 0xBF58476D1CE4E5B9), (30, 1)):
        z ^= z >> shift ^ z >> 2 * shift
        z = z * pow(factor, -1, 1 << 64) & mask
    return z


def bits_of(*hashed: int) -> np.ndarray:
    """Return random bits of synapses whose first term has the given hashes."""
    return np.array([unmixed(h) - GOLDEN & (1 << 64) - 1 for h in hashed], np.uint64)


EXTREMES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**64 - 1, 2**64 - 2**32, 2**63)


def test_extreme_hashes_reach_nearly_as_far_as_promised() -> None:
    assert [f"{h:x}" for h in draws(bits_of(*EXTREMES), 0)] == [f"{h:x}" for h in EXTREMES]
    value = Normal(mean=0.0, sd=1.0)
    assert law_of(value).bounds == (-REACH_SD, REACH_SD)
    values = filled(value, bits_of(*EXTREMES))
    assert 0.999 * REACH_SD < values.max() < REACH_SD
    assert -REACH_SD < values.min() < -0.999 * REACH_SD
    assert filled(Uniform(low=2.0, high=4.0), bits_of(0, 2**32 - 1)) == pytest.approx([2.0, 4.0])
    assert filled(Exponential(mean=1.0), bits_of(0)) == pytest.approx(33.0 * math.log(2.0))


finite = st.floats(-1e6, 1e6)
spreads = st.floats(1e-3, 1e3)


def bounded(kind: Any, free: dict[str, float], ends: list[float], draw: Any, *, clip: bool) -> Value:
    """Return a distribution with bounds, or without them if too little were left to redraw from."""
    low, high = (draw(st.one_of(st.none(), st.just(end))) for end in ends)
    if low is not None and high is not None and low >= high:
        high = None
    try:
        return kind(**free, low=low, high=high, bounds="clip" if clip else "redraw")
    except ValueError:
        return kind(**free)


@st.composite
def terms(draw: st.DrawFn) -> Any:
    """Draw a number, a distribution or a function of distance."""
    clip = draw(st.booleans())
    match draw(st.sampled_from(["number", "uniform", "normal", "lognormal", "exponential", "gamma", "far"])):
        case "number":
            return draw(finite)
        case "uniform":
            low, high = sorted([draw(finite), draw(finite)])
            return Uniform(low=low, high=high)
        case "normal":
            mean, sd = draw(finite), draw(spreads)
            ends = sorted(mean + sd * draw(st.floats(-4.0, 4.0)) for _ in range(2))
            return bounded(Normal, {"mean": mean, "sd": sd}, ends, draw, clip=clip)
        case "lognormal":
            ends = sorted([draw(spreads), draw(spreads)])
            law = {"log_mean": draw(st.floats(-5.0, 5.0)), "log_sd": draw(st.floats(0.0, 3.0))}
            return bounded(Lognormal, law, ends, draw, clip=clip)
        case "exponential":
            ends = sorted([draw(spreads), draw(spreads)])
            return bounded(Exponential, {"mean": draw(spreads)}, ends, draw, clip=clip)
        case "gamma":
            ends = sorted([draw(spreads), draw(spreads)])
            law = {"shape": draw(st.floats(0.01, 1e3)), "scale": draw(spreads)}
            return bounded(Gamma, law, ends, draw, clip=clip)
        case _:
            return draw(
                st.sampled_from(
                    [
                        DistanceLinear(at_zero=-2.0, slope_per_um=0.7),
                        DistanceExponential(scale=-3.0, length_um=5.0),
                        DistanceGaussian(scale=4.0, sd_um=3.0, mean_um=9.0),
                    ]
                )
            )


@st.composite
def values(draw: st.DrawFn) -> Value:
    """Draw a value of any kind but an array."""
    kind = draw(st.sampled_from([None, None, Sum, Product]))
    if kind is None:
        return draw(terms())
    return kind(of=draw(st.lists(terms(), min_size=1, max_size=4)), low=draw(st.sampled_from([None, -50.0])))


@fixed
@given(values(), st.lists(st.integers(0, 2**64 - 1), max_size=3), st.floats(0.0, 100.0))
def test_no_draw_leaves_the_bounds(value: Value, hashed: list[int], reach_um: float) -> None:
    law, bits = law_of(value, reach_um=reach_um), bits_of(*EXTREMES, *hashed)
    low, high = law.bounds
    n = bits.size
    distance, out = np.linspace(0.0, reach_um, n), np.empty(n)
    fill(law, np.uint64(0), bits, distance, np.zeros(n, np.int64), TABLE, np.empty(n), out, n)
    slack = 1e-12 * max(abs(low), abs(high))
    assert low - slack <= out.min() <= out.max() <= high + slack
    # What the language promises of the value holds for what the chip draws; exp may differ in its last bits.
    least, greatest = bounds_of(value, reach_um)
    slack = 1e-8 * max(abs(least), abs(greatest), abs(low), abs(high))
    assert least - slack <= low <= high <= greatest + slack


@fixed
@given(values(), st.integers(0, 60), st.integers(0, 20))
def test_a_slice_draws_what_the_population_draws(value: Value, first: int, n: int) -> None:
    distance = np.linspace(0.0, 30.0, 80)
    whole = np.broadcast_to(draw_values(value, KEY, 0, 80, distance=distance), 80)
    part = draw_values(value, KEY, first, n, distance=distance[first : first + n])
    assert np.array_equal(np.broadcast_to(part, n), whole[first : first + n])


def test_neurons_keys_salts_and_redraws_differ() -> None:
    law = Normal(mean=0.0, sd=1.0, low=0.0)
    drawn = draw_values(law, KEY, 0, 1000)
    assert np.unique(drawn).size == 1000
    assert not np.any(np.isin(drawn, draw_values(law, stream_key(11, Purpose.PARAMETER, 0, 1), 0, 1000)))
    bits = draws(KEY, np.arange(1000))
    assert np.array_equal(filled(law, bits), drawn)
    assert not np.any(np.isin(drawn, filled(law, bits, salt=8)))
    # A first draw below the mean is made anew from all 64 bits, so that the high ones matter too.
    again = filled(law, bits_of(*(2**31 + 5 + (high << 32) for high in range(100))))
    assert np.unique(again).size == 100


def test_only_the_low_bits_decide_a_first_draw() -> None:
    for value in (Uniform(low=0.0, high=1.0), Normal(mean=0.0, sd=1.0)):
        one, same, other = filled(value, bits_of(77, 77 + 2**32, 78))
        assert one == same != other
