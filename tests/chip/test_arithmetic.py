import hashlib
import math
import struct
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from chip.arithmetic import exp, log, normal_quantile, sine
from chip.laws import REACH_SD
from tests.chip.waves import sine_of_turns

DIGITS = Context(prec=40)

RANDOM = Random(1)
EXPONENTS = [0.0, 1.0, -1.0, 1e-300, -1e-17, 0.34657359, 0.34657360, -708.0, -700.0, -699.9, 699.9] + [
    RANDOM.uniform(-700.0, 700.0) for _ in range(1000)
]
POSITIVE = [5e-308, 1e308, 0.5, 2.0, 0.7071067811865475, 0.7071067811865476, 1.4142135623730951, 1.5] + [
    math.ldexp(RANDOM.uniform(1.0, 2.0), RANDOM.randrange(-1000, 1000)) for _ in range(500)
]
NEAR_ONE = [1.0 + sign * 2.0**-k for k in range(1, 53) for sign in (1.0, -1.0)]
CHANCES = [2.0**-54, 2.0**-33, 1.4e-11, 1.3e-11, 0.075, 0.0750000001, 0.0749999999, 0.925, 0.9250000001] + [
    RANDOM.random() for _ in range(300)
]


def relative(value: float, exact: Decimal) -> float:
    return abs(float((Decimal(value) - exact) / exact))


def test_exp_is_right_to_1e_15() -> None:
    inside = [x for x in EXPONENTS[:300] if x >= -700.0]
    assert max(relative(exp(x), DIGITS.exp(Decimal(x))) for x in inside) < 1e-15
    assert exp(0.0) == 1.0


def test_exp_is_0_below_its_range() -> None:
    assert exp(-700.0) > 0.0
    assert exp(math.nextafter(-700.0, -math.inf)) == 0.0
    assert exp(-1e308) == 0.0


def test_log_is_right_to_4e_16() -> None:
    assert max(relative(log(x), DIGITS.ln(Decimal(x))) for x in POSITIVE + NEAR_ONE) < 4e-16
    assert log(1.0) == 0.0


def exact_quantile_error(p: float) -> float:
    """Return the relative error of `normal_quantile(p)`: one step of Newton with the exact distribution.

    The distribution is Marsaglia's series phi(z) (z + z**3 / 3 + z**5 / 15 + ...), in 40 digits.
    """
    x = Decimal(normal_quantile(p))
    with localcontext(DIGITS):
        term, total, k = x, x, 1
        while abs(term) > Decimal("1e-45") * abs(total):
            k += 2
            term = term * x * x / k
            total += term
        density = (-x * x / 2).exp() / (2 * Decimal("3.141592653589793238462643383279502884197169")).sqrt()
        return abs(float((Decimal("0.5") + density * total - Decimal(p)) / density / x))


def test_normal_quantile_is_right_to_5e_16() -> None:
    assert max(map(exact_quantile_error, CHANCES)) < 5e-16
    assert normal_quantile(0.5) == 0.0


def test_normal_quantile_is_odd() -> None:
    for k in range(2, 53):
        assert normal_quantile(1.0 - 2.0**-k) == -normal_quantile(2.0**-k)


@pytest.mark.parametrize("first", [0, 100, 1000, 322_122_547, 2**31 - 500, 3_972_844_748, 2**32 - 1000])
def test_normal_quantile_rises_with_every_draw(first: int) -> None:
    # Draws of 32 bits at the tails, at the joints of the approximation (0.075, 0.925), at the middle.
    z = [normal_quantile((bits + 0.5) / 2.0**32) for bits in range(first, first + 1000)]
    assert all(low < high for low, high in pairwise(z))


def test_no_draw_reaches_further_than_promised() -> None:
    furthest = normal_quantile(1.0 - 2.0**-33)
    assert furthest == pytest.approx(6.33796, abs=1e-5)
    assert furthest < REACH_SD < 1.001 * furthest


CASES = [(exp, EXPONENTS), (log, POSITIVE + NEAR_ONE), (normal_quantile, CHANCES)]
IDS = ["exp", "log", "normal_quantile"]


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=IDS)
def test_compiled_code_rounds_every_operation_as_written(
    function: Callable[[float], float], arguments: list[float]
) -> None:
    """The interpreter rounds each + - x / once; contraction or fast-math in the kernel would show here."""
    for x in arguments:
        assert function(x) == function.py_func(x)  # type: ignore[attr-defined]


GOLDEN = {"exp": "419077c20decc3ea", "log": "b24575cfe50cea0d", "normal_quantile": "e4fac68178811125"}


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=IDS)
def test_bits_never_change(function: Callable[[float], float], arguments: list[float]) -> None:
    """Golden: spike trains hang on the last bit, on every CPU."""
    bits = struct.pack(f"<{len(arguments)}d", *map(function, arguments))
    name = function.__name__
    assert hashlib.sha256(bits).hexdigest()[:16] == GOLDEN[name]


TURNS = [RANDOM.getrandbits(64) for _ in range(500)] + [
    (eighth << 61) + off & 2**64 - 1 for eighth in range(8) for off in (-(2**40), -1, 0, 1, 2**40)
]


def test_sine_is_right_to_2e_16() -> None:
    worst = max(abs(sine(np.uint64(t)) - sine_of_turns(Fraction(t, 2**64))) for t in TURNS)
    assert 1e-17 < worst < 2e-16


def test_sine_of_whole_quarters_is_exact() -> None:
    assert [sine(np.uint64(quarter << 62)) for quarter in range(4)] == [0.0, 1.0, 0.0, -1.0]


def test_sine_is_odd_and_within_1() -> None:
    for t in TURNS[:500]:  # the others hold eighths of a turn, where sine turns into cosine on one side
        assert sine(np.uint64(t)) == -sine(np.uint64(-t % 2**64))
    assert max(abs(sine(np.uint64(t))) for t in TURNS) == 1.0


def test_sine_never_changes() -> None:
    """Golden: currents and rates hang on every bit."""
    bits = struct.pack("<540d", *(sine(np.uint64(t)) for t in TURNS))
    assert hashlib.sha256(bits).hexdigest()[:16] == "632e4b398b9d99eb"
