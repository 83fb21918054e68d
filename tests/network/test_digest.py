from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

import network.digest
from network import SpikeDigest

SPIKES = [(0, 3), (0, 7), (2, 0), (2, 1), (5, 3)]


def by_hand(spikes: list[tuple[int, int]], header: bytes) -> str:
    inner = hashlib.sha256(b"".join(struct.pack("<II", *spike) for spike in spikes)).digest()
    return hashlib.sha256(header + inner).hexdigest()


def fed(spikes: list[tuple[int, int]], *, cut: int = 0) -> SpikeDigest:
    digest = SpikeDigest(0.1, 10, 8)
    for part in (spikes[:cut], spikes[cut:]):
        digest.update([tick for tick, _ in part], [neuron for _, neuron in part])
    return digest


def test_the_definition() -> None:
    header = b"spikerack-spikes-1\n0x1.999999999999ap-4\n10\n8\n"
    assert fed(SPIKES).hexdigest() == by_hand(SPIKES, header)


def test_a_fixed_value() -> None:
    """Guards the stored digests of all runs: a change here is a new format."""
    assert fed(SPIKES).hexdigest() == "cee5130c75144748c49c65fbd781a98bc21872557cfd64b5d91b119ea8c11db7"


@pytest.mark.parametrize("cut", range(6))
def test_pieces_do_not_matter(cut: int) -> None:
    assert fed(SPIKES, cut=cut).hexdigest() == fed(SPIKES).hexdigest()


@pytest.mark.parametrize("size", range(1, 6))
def test_the_size_of_what_is_hashed_at_a_time_does_not_matter(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fed(SPIKES).hexdigest()
    monkeypatch.setattr(network.digest, "PART", size)
    assert fed(SPIKES).hexdigest() == whole


@pytest.mark.parametrize("size", [1, 2, 3])
def test_spikes_refused_after_some_were_hashed_change_nothing(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network.digest, "PART", size)
    digest = fed(SPIKES[:2])
    before = digest.hexdigest()
    with pytest.raises(ValueError, match=r"must") as caught:
        digest.update([2, 2, 5, 4, 6], [0, 1, 3, 6, 0])
    assert str(caught.value) == (
        "spikes must increase by (tick, neuron), got (4, 6) after (5, 3); sort them and remove repeats"
    )
    assert (digest.hexdigest(), digest.n_spikes) == (before, 2)


def test_integer_types_do_not_matter() -> None:
    digest = SpikeDigest(0.1, 10, 8)
    tick, neuron = np.array(SPIKES, dtype=np.uint32).T
    digest.update(tick, neuron.astype(np.int64))
    assert digest.hexdigest() == fed(SPIKES).hexdigest()


def test_a_run_that_ended_early_is_digested_with_its_ticks() -> None:
    header = b"spikerack-spikes-1\n0x1.999999999999ap-4\n6\n8\n"
    assert fed(SPIKES).hexdigest(6) == by_hand(SPIKES, header)


def test_digesting_does_not_end_it() -> None:
    digest = fed(SPIKES[:2])
    digest.hexdigest()
    digest.update([2, 2, 5], [0, 1, 3])
    assert digest.hexdigest() == fed(SPIKES).hexdigest()


def test_every_part_of_the_header_counts() -> None:
    digests = {
        SpikeDigest(*header).hexdigest()
        for header in ((0.1, 10, 8), (0.2, 10, 8), (0.1, 11, 8), (0.1, 10, 9), (1, 10, 8))
    }
    assert len(digests) == 5


def test_ticks_and_neurons_use_all_32_bits() -> None:
    digest = SpikeDigest(0.1, 2**32, 2**32)
    digest.update([2**31 - 1, 2**31, 2**32 - 1], [2**32 - 1, 0, 2**32 - 1])
    spikes = [(2**31 - 1, 2**32 - 1), (2**31, 0), (2**32 - 1, 2**32 - 1)]
    header = b"spikerack-spikes-1\n0x1.999999999999ap-4\n4294967296\n4294967296\n"
    assert digest.hexdigest() == by_hand(spikes, header)


def test_repr() -> None:
    assert repr(fed(SPIKES)) == "SpikeDigest(5 spikes, 10 ticks, 8 neurons)"


@pytest.mark.parametrize(
    ("tick", "neuron", "message"),
    [
        (
            [1, 0],
            [0, 0],
            "spikes must increase by (tick, neuron), got (0, 0) after (1, 0); sort them and remove repeats",
        ),
        (
            [1, 1],
            [3, 3],
            "spikes must increase by (tick, neuron), got (1, 3) after (1, 3); sort them and remove repeats",
        ),
        (
            [0],
            [7],
            "spikes must increase by (tick, neuron), got (0, 7) after (0, 7); sort them and remove repeats",
        ),
        ([10], [0], "tick must be >= 0 and < 10, got 10; check the run's size"),
        ([-1], [0], "tick must be >= 0 and < 10, got -1; check the run's size"),
        ([1], [8], "neuron must be >= 0 and < 8, got 8; check the run's size"),
        ([1.0], [0], "tick must be an array of integers, got float64; convert it"),
        (
            [1, 2],
            [0],
            "tick and neuron must have one length, got shapes (2,) and (1,); give one entry for each spike",
        ),
    ],
)
def test_refused_spikes_change_nothing(tick: list[int], neuron: list[int], message: str) -> None:
    digest = fed(SPIKES[:2])
    before = digest.hexdigest()
    with pytest.raises(ValueError, match=r"must") as caught:
        digest.update(tick, neuron)
    assert str(caught.value) == message
    assert digest.hexdigest() == before


def test_spikes_beyond_the_ticks_done_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^n_ticks must be > 5, the last spike's tick, got 5; raise it$"):
        fed(SPIKES).hexdigest(5)
