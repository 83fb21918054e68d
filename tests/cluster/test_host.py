"""Shared memory without a name, and warm kernels."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.exchange import Shape, publish, wait_for
from cluster.host import SharedMailboxes, attach

SHAPE = Shape(np.array([5, 7], np.int64), 4)


@pytest.fixture
def shared() -> Iterator[SharedMailboxes]:
    """The exchange's memory, which never has a name; a host's process closes its file by ending."""
    named = set(Path("/dev/shm").iterdir())
    made = SharedMailboxes(SHAPE)
    assert set(Path("/dev/shm").iterdir()) == named
    yield made
    os.close(int(Path(made.path).name))


def descriptors() -> int:
    """Descriptors of the exchange's memory in this process."""
    links = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum("spikerack-exchange" in link for link in links)


def exchange_files() -> int:
    """Mappings of the exchange's memory in this process."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return sum("spikerack-exchange" in line for line in maps)


def test_what_one_writes_all_see(shared: SharedMailboxes) -> None:
    mine, theirs = attach(shared.path, SHAPE), attach(shared.path, SHAPE)
    mine.keys[:] = np.arange(mine.keys.size)
    mine.counts[1, 0, 1, 3] = 77
    assert np.array_equal(theirs.keys, np.arange(mine.keys.size))
    assert theirs.counts[1, 0, 1, 3] == 77


@pytest.mark.usefixtures("kernels")
def test_the_host_aborts_and_clears_for_all(shared: SharedMailboxes) -> None:
    mail = attach(shared.path, SHAPE)
    publish(mail.control, 1, 3)
    assert wait_for(mail.control, 0, 2, 3, 200)
    shared.abort()
    assert not wait_for(mail.control, 0, 2, 3, 200)
    assert not wait_for(mail.control, 0, 2, 99, 200)
    shared.clear()
    assert not mail.control.any()


def test_the_memory_has_no_name_and_leaves_nothing() -> None:
    named, opened, mapped = set(Path("/dev/shm").iterdir()), descriptors(), exchange_files()
    shared = SharedMailboxes(SHAPE)
    mail = attach(shared.path, SHAPE)
    mail.keys[:] = 1
    assert exchange_files() == mapped + 2
    assert set(Path("/dev/shm").iterdir()) == named
    os.close(int(Path(shared.path).name))
    del mail, shared
    gc.collect()
    assert exchange_files() == mapped
    assert descriptors() == opened
    assert set(Path("/dev/shm").iterdir()) == named


def test_memory_that_is_not_there_is_an_error_and_leaves_no_descriptor() -> None:
    shared = SharedMailboxes(SHAPE)
    os.close(int(Path(shared.path).name))
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        attach(shared.path, SHAPE)
    assert descriptors() == before


def test_memory_of_another_shape_is_refused_and_leaves_no_descriptor(shared: SharedMailboxes) -> None:
    before = descriptors()
    larger = Shape(SHAPE.neurons * 1000, 64)
    with pytest.raises(ValueError, match=r"^mmap length is greater than file size$"):
        attach(shared.path, larger)
    assert descriptors() == before


def test_pages_are_taken_only_when_written() -> None:
    large = Shape(np.array([1_000_000] * 4, np.int64), 64)
    assert large.n_bytes > 4 << 30
    shared = SharedMailboxes(large)
    mail = attach(shared.path, large)
    mail.keys[-1] = 9
    held = os.stat(shared.path).st_blocks * 512
    os.close(int(Path(shared.path).name))
    assert 0 < held < 4 << 20
