"""Normal numbers from 32 bits: the table against the quantile function."""

from statistics import NormalDist

import numpy as np
import pytest

from chip.laws import REACH_SD
from chip.normal import TABLE, normal
from tests.chip.oracle import draws

Z = NormalDist()


def numbers(bits: np.ndarray) -> np.ndarray:
    return np.array([normal(np.uint32(word), TABLE) for word in bits])


def quantiles(bits: np.ndarray) -> np.ndarray:
    """Return what the low 31 bits say of the tail, and the top one of the sign."""
    tails = (2 * (bits & 0x7FFFFFFF).astype(np.int64) + 1) / 2.0**33
    signs = np.where(bits >> 31 & 1, 1.0, -1.0)
    return signs * np.array([Z.inv_cdf(tail) for tail in tails.tolist()])


JOINTS = np.array(
    [[2**k - 1, 2**k, 2**k + 1, 2**k + 2**k // 16 * part] for k in range(4, 31) for part in range(16)]
).ravel()


@pytest.mark.parametrize(
    "bits",
    [draws(3, np.arange(5000)) >> np.uint64(32), JOINTS, np.arange(300)],
    ids=["anywhere", "joints", "tail"],
)
def test_the_table_strays_less_than_2e_8_from_the_quantile(bits: np.ndarray) -> None:
    bits = bits.astype(np.uint32)
    for sign in (0, 2**31):
        words = bits ^ np.uint32(sign)
        assert np.abs(numbers(words) - quantiles(words)).max() < 2e-8


def test_the_top_bit_is_the_sign() -> None:
    bits = draws(4, np.arange(500)).astype(np.uint32) >> np.uint32(1)
    assert np.array_equal(numbers(bits), -numbers(bits | np.uint32(1 << 31)))
    assert numbers(bits).min() > 0.0


def test_numbers_fall_as_the_tail_grows() -> None:
    for first in (0, 2**20 - 500, 2**27 - 500, 2**31 - 1000):
        assert np.all(np.diff(numbers(np.arange(first, first + 1000))) < 0.0)


def test_no_number_reaches_further_than_promised() -> None:
    farthest = normal(np.uint32(0), TABLE)
    assert farthest == pytest.approx(-Z.inv_cdf(2.0**-33), abs=2e-8)
    assert farthest < REACH_SD < 1.001 * farthest
    assert 0.0 < normal(np.uint32(2**31 - 1), TABLE) < 1e-9


def test_the_table_is_16_kib() -> None:
    assert (TABLE.shape, TABLE.nbytes) == ((512, 4), 1 << 14)


def test_numbers_never_change() -> None:
    """Golden: every network with normal values hangs on them."""
    assert numbers(np.array([0, 12345, 2**30, 2**31 + 77, 2**32 - 1], np.uint32)).tolist() == [
        6.337957754553789,
        4.535422763770564,
        0.6744897498297407,
        -5.508995320336189,
        -2.918099165083454e-10,
    ]
