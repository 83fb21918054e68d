"""Mailboxes of two parities, published epochs, the abort word; with real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cluster.exchange import Mailboxes, Shape, abort, clear, publish, wait_for
from cluster.plan import MAX_EPOCH_TICKS
from cluster.worker import chips_of_workers
from tests.cluster.samples import everything_network, plan_of

SECONDS = 20.0


def mailboxes_of(shape: Shape) -> Mailboxes:
    return shape.mailboxes(np.zeros(shape.n_bytes, np.uint8))


def box(mail: Mailboxes, epoch: int, source: int, destination: int) -> slice:
    """Where the keys of a mailbox stand, as the *Theory of operation* has it."""
    n_chips = mail.counts.shape[1]
    first = int(mail.first[source] + (epoch % 2 * n_chips + destination) * mail.room[source])
    return slice(first, first + int(mail.room[source]))


@pytest.mark.parametrize(("neurons", "epoch_ticks"), [((5, 0, 12), 4), ((1, 1), 1), ((100,), 64)])
def test_mailboxes_are_apart_and_fill_the_memory(neurons: tuple[int, ...], epoch_ticks: int) -> None:
    shape = Shape(np.array(neurons, np.int64), epoch_ticks)
    mail = mailboxes_of(shape)
    n = len(neurons)
    taken = np.zeros(mail.keys.size, np.int64)
    for parity in (0, 1):
        for source in range(n):
            for destination in range(n):
                place = box(mail, parity, source, destination)
                assert place.stop - place.start == neurons[source] * epoch_ticks
                taken[place] += 1
    assert np.all(taken == 1)
    assert mail.counts.shape == (2, n, n, epoch_ticks)
    assert mail.control.size == 8 * (n + 1)
    assert (mail.addressed.shape, mail.addressed.dtype) == ((2, n, n), np.int64)
    assert (mail.control.dtype, mail.counts.dtype, mail.keys.dtype) == (np.int64, np.int32, np.uint32)
    assert shape.n_bytes % 64 == 0


def test_arrays_share_the_buffer_and_begin_cache_lines() -> None:
    shape = Shape(np.array([3, 5], np.int64), 7)
    buffer = np.zeros(shape.n_bytes, np.uint8)
    mine, theirs = shape.mailboxes(buffer), shape.mailboxes(buffer)
    mine.control[:], mine.counts[:], mine.addressed[:], mine.keys[:] = 1, 2, 4, 3
    assert np.all(theirs.control == 1)
    assert np.all(theirs.counts == 2)
    assert np.all(theirs.addressed == 4)
    assert np.all(theirs.keys == 3)
    base = buffer.__array_interface__["data"][0]
    places = [array.__array_interface__["data"][0] - base for array in mine[:3]]
    assert [place % 64 for place in places] == [0, 0, 0]


def test_the_shape_of_a_plan() -> None:
    network = everything_network()
    plan = plan_of(network, 3)
    shape = Shape.of(plan, chips_of_workers(3, 3))
    assert shape.neurons.tolist() == [plan.n_neurons_of(chip) for chip in range(3)]
    assert shape.neurons.sum() == network.n_neurons
    assert shape.epoch_ticks == 4
    two = Shape.of(plan, (range(1), range(1, 3)))
    assert two.neurons.tolist() == [shape.neurons[0], shape.neurons[1:].sum()]
    together = Shape.of(plan, chips_of_workers(3, 1))
    assert (together.neurons.tolist(), together.epoch_ticks) == ([0], 4)
    alone = Shape.of(plan_of(network, 1), chips_of_workers(1, 1))
    assert (alone.neurons.tolist(), alone.epoch_ticks) == ([0], MAX_EPOCH_TICKS)
    assert mailboxes_of(alone).keys.size == 0


def both(action: Callable[[int], list[bool]]) -> list[list[bool]]:
    with ThreadPoolExecutor(2) as pool:
        return [future.result(SECONDS) for future in [pool.submit(action, chip) for chip in (0, 1)]]


@pytest.mark.usefixtures("kernels")
def test_two_threads_exchange_each_key_exactly_over_many_epochs() -> None:
    n_epochs = 500
    shape = Shape(np.array([4, 4], np.int64), 1)
    mail = mailboxes_of(shape)

    def keys_of(chip: int, epoch: int) -> np.ndarray:
        return np.arange(epoch % 5, dtype=np.uint32) + 10_000 * chip + 10 * epoch

    def one(me: int) -> list[bool]:
        right = []
        for epoch in range(n_epochs):
            assert wait_for(mail.control, me, 2, epoch, 200)
            if epoch > 0:
                n = int(mail.counts[(epoch - 1) % 2, 1 - me, me, 0])
                got = mail.keys[box(mail, epoch - 1, 1 - me, me)][:n]
                right.append(np.array_equal(got, keys_of(1 - me, epoch - 1)))
            keys = keys_of(me, epoch)
            mail.keys[box(mail, epoch, me, 1 - me)][: keys.size] = keys
            mail.counts[epoch % 2, me, 1 - me, 0] = keys.size
            publish(mail.control, me, epoch + 1)
        return right

    assert both(one) == [[True] * (n_epochs - 1)] * 2
    assert mail.control[[0, 8, 16]].tolist() == [0, n_epochs, n_epochs]
    clear(mail)
    assert not mail.control.any()


@pytest.mark.usefixtures("kernels")
def test_a_chip_waits_for_the_slowest() -> None:
    mail = mailboxes_of(Shape(np.array([1, 1, 1], np.int64), 1))
    publish(mail.control, 1, 5)
    publish(mail.control, 2, 4)
    assert wait_for(mail.control, 0, 3, 4, 200)
    assert wait_for(mail.control, 2, 3, 0, 200)
    waiting = threading.Thread(target=wait_for, args=(mail.control, 0, 3, 5, 200), daemon=True)
    waiting.start()
    assert waiting.is_alive()
    publish(mail.control, 2, 5)
    waiting.join(SECONDS)
    assert not waiting.is_alive()


@pytest.mark.usefixtures("kernels")
def test_the_abort_word_ends_every_wait() -> None:
    mail = mailboxes_of(Shape(np.array([1, 1], np.int64), 1))
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(wait_for, mail.control, chip, 2, 1, 200) for chip in (0, 1)]
        abort(mail)
        assert [wait.result(SECONDS) for wait in waits] == [False, False]
    publish(mail.control, 0, 9)
    publish(mail.control, 1, 9)
    assert not wait_for(mail.control, 0, 2, 1, 200)
    clear(mail)
    assert wait_for(mail.control, 0, 2, 0, 200)
