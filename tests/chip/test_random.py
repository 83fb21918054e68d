from statistics import NormalDist

import numpy as np
import pytest

from chip.random import Purpose, below, draw, mix64, stream_key, unit, unit32
from tests.chip.goodness import DEVIATE, SIGNIFICANCE, chi_square
from tests.chip.oracle import draws, finalise, key_of

ALL_ONES = np.uint64(2**64 - 1)


def words(*values: int) -> list[np.uint64]:
    return [np.uint64(value) for value in values]


def test_draws_are_the_published_splitmix64() -> None:
    # The first outputs of Vigna's splitmix64.c for the state 1234567, as listed in Rosetta Code.
    assert [draw(np.uint64(1234567), c) for c in words(0, 1, 2, 3, 4)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("key", [0, 1, 0x9E3779B97F4A7C15, 2**63, 2**64 - 1])
def test_kernels_agree_with_plain_numpy(key: int) -> None:
    counters = [0, 1, 2, 1000, 2**32, 2**63, 2**64 - 2, 2**64 - 1]
    assert [draw(np.uint64(key), c) for c in words(*counters)] == draws(key, counters).tolist()
    assert mix64(np.uint64(key)) == finalise(np.array([key], np.uint64))[0]


@pytest.mark.parametrize("numbers", [(), (0,), (1, 2), (7, 2**31, 0)])
def test_keys_are_chained_draws(numbers: tuple[int, ...]) -> None:
    for seed in (0, 1, 2**63 - 1):
        key = stream_key(seed, Purpose.INPUT, *numbers)
        assert key == key_of(seed, 5, *numbers)
        assert isinstance(key, np.uint64)


def test_purposes_are_never_renumbered() -> None:
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "IN_DEGREE": 1,
        "SYNAPSE": 2,
        "PARAMETER": 3,
        "INITIAL": 4,
        "INPUT": 5,
        "SOURCE": 6,
        "PLACEMENT": 7,
        "POSITION": 8,
    }


def test_draws_never_change() -> None:
    """Golden: a change here changes every network that anybody has run."""
    assert {p.name: int(stream_key(1, p, 2)) for p in Purpose} == {
        "IN_DEGREE": 847994190102014074,
        "SYNAPSE": 12285402284224189678,
        "PARAMETER": 3779351045222260497,
        "INITIAL": 17096708196053657205,
        "INPUT": 15825016594130128127,
        "SOURCE": 5801444831026270732,
        "PLACEMENT": 16935871869864211961,
        "POSITION": 2822298635345522576,
    }
    key = stream_key(42, Purpose.SYNAPSE, 3)
    assert [int(draw(key, c)) for c in words(0, 1, 10**12)] == [
        9129664917756100795,
        2064143464079245930,
        7525734901333839492,
    ]


def test_keys_of_neighbours_all_differ() -> None:
    keys = {
        int(stream_key(seed, purpose, *numbers))
        for seed in range(8)
        for purpose in Purpose
        for numbers in [(), *((a,) for a in range(16)), *((a, b) for a in range(8) for b in range(8))]
    }
    assert len(keys) == 8 * len(Purpose) * (1 + 16 + 64)


def flips(changed: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Return how often each output bit flips: (64,) counts."""
    bits = np.unpackbits((changed ^ plain).astype("<u8").view(np.uint8), bitorder="little")
    return bits.reshape(-1, 64).sum(axis=0)


@pytest.mark.parametrize("flipped", ["key", "counter"])
def test_one_flipped_bit_flips_each_bit_with_chance_one_half(flipped: str) -> None:
    # Counters are small consecutive numbers in real use, keys are hashes: so are they here.
    n, keys, counters = 512, draws(3, np.arange(512)), np.arange(512, dtype=np.uint64)
    plain, observed = draws(keys, counters), []
    for bit in range(64):
        mask = np.uint64(1 << bit)
        changed = draws(keys ^ mask, counters) if flipped == "key" else draws(keys, counters ^ mask)
        observed.append(flips(changed, plain))
    deviates = (np.array(observed) - n / 2) / np.sqrt(n / 4)
    assert abs((deviates**2).mean() - 1.0) < DEVIATE * np.sqrt(2.0 / deviates.size)
    assert np.abs(deviates).max() < NormalDist().inv_cdf(1.0 - SIGNIFICANCE / 2.0 / deviates.size)


STREAMS = {
    "counters": lambda c: draws(key_of(1, 2, 0), c),
    "numbers": lambda c: draws(key_of(1, 2), c),
    "seeds": lambda c: draws(draws(c, 2), 0),
    "ticks": lambda c: draws(draws(key_of(1, 5, 0, 0), c), 7),
    "every second": lambda c: draws(key_of(1, 2, 0), 2 * c),
    "every 65536th": lambda c: draws(key_of(1, 2, 0), 65536 * c),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_draws_are_uniform_in_high_and_low_bits(stream: str) -> None:
    bits = STREAMS[stream](np.arange(20_000, dtype=np.uint64))
    for shift in (0, 24, 56):
        counts = np.bincount(((bits >> np.uint64(shift)) & np.uint64(255)).astype(int), minlength=256)
        assert abs(chi_square(counts, 20_000 / 256)) < DEVIATE


@pytest.mark.parametrize("stream", STREAMS)
def test_consecutive_draws_are_independent(stream: str) -> None:
    bits = STREAMS[stream](np.arange(20_001, dtype=np.uint64))
    for shift in (0, 28, 60):
        nibble = ((bits >> np.uint64(shift)) & np.uint64(15)).astype(int)
        pairs = np.bincount(16 * nibble[:-1] + nibble[1:], minlength=256)
        assert abs(chi_square(pairs, 20_000 / 256)) < DEVIATE


@pytest.mark.parametrize("other", [(1, 2, 1), (2, 2, 0), (1, 3, 0), (1, 2, 0, 0)])
def test_streams_of_neighbouring_keys_are_independent(other: tuple[int, ...]) -> None:
    counters = np.arange(20_000)
    one, two = draws(key_of(1, 2, 0), counters), draws(key_of(*other), counters)
    for shift in (0, 60):
        a, b = (((w >> np.uint64(shift)) & np.uint64(15)).astype(int) for w in (one, two))
        assert abs(chi_square(np.bincount(16 * a + b, minlength=256), 20_000 / 256)) < DEVIATE


@pytest.mark.parametrize("turn", [unit, unit32])
def test_units_are_strictly_inside_0_and_1(turn: object) -> None:
    assert 0.0 < turn(np.uint64(0)) < 1e-9
    assert 1.0 - 1e-9 < turn(ALL_ONES) < 1.0


def test_unit_has_53_bits() -> None:
    assert unit(np.uint64(1 << 11)) == 1.5 * 2.0**-53
    assert unit(np.uint64((1 << 11) - 1)) == 0.5 * 2.0**-53
    assert unit(np.uint64(1 << 63)) == 0.5
    top = [unit(ALL_ONES - np.uint64(k << 11)) for k in range(6)]
    assert top == sorted(top, reverse=True)


def test_unit32_reads_the_low_32_bits_only() -> None:
    assert unit32(np.uint64(0xFFFFFFFF_00000000)) == unit32(np.uint64(0)) == 2.0**-33
    assert unit32(np.uint64(0xFFFFFFFF)) == 1.0 - 2.0**-33
    assert unit32(np.uint64(0x80000000)) == 0.5 + 2.0**-33


SIZES = [1, 2, 3, 7, 10, 1000, 65_537, 77_169, 2**31 - 1, 2**31, 2**32 - 1]


@pytest.mark.parametrize("n", SIZES)
def test_below_stays_below(n: int) -> None:
    assert below(np.uint64(0), n) == 0
    assert below(ALL_ONES, n) == n - 1


@pytest.mark.parametrize("n", SIZES)
def test_below_gives_each_number_its_chance_to_two_in_2_to_the_53(n: int) -> None:
    for k in {1, n // 3, n // 2, n - 1} - {0, n}:
        first = -(-k * 2**53 // n)  # of all 53-bit numbers, the first that k or more stand for
        assert below(np.uint64(first - 2 << 11), n) < k <= below(np.uint64(first + 1 << 11), n)


@pytest.mark.parametrize("n", [10, 1000])
def test_below_is_uniform(n: int) -> None:
    bits = draws(key_of(5, 2, 1), np.arange(50_000))
    counts = np.bincount([below(word, n) for word in bits], minlength=n)
    assert abs(chi_square(counts, 50_000 / n)) < DEVIATE
