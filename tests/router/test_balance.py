import json
import pickle
from typing import Any

import numpy as np
import pytest

from router import ADDRESS_EVENTS, SYNAPTIC_EVENTS, Balance, CountError


def test_a_balance_that_holds() -> None:
    balance = Balance(ADDRESS_EVENTS, 1200, 1180, 20)
    assert balance.holds
    assert balance.lossless
    assert repr(balance) == "address events: 1200 sent = 1180 delivered + 20 in flight + 0 dropped"


def test_a_balance_with_drops_holds_but_is_not_lossless() -> None:
    balance = Balance(SYNAPTIC_EVENTS, 1200, 1180, 12, {"full queue": 5, "too late": 3, "no power": 0})
    assert balance.holds
    assert not balance.lossless
    assert balance.n_dropped == 8
    assert repr(balance) == (
        "synaptic events: 1200 sent = 1180 delivered + 12 in flight + 8 dropped (5 full queue, 3 too late)"
    )


@pytest.mark.parametrize("delivered", [9, 11])
def test_a_balance_that_does_not_add_up_is_not_lossless(delivered: int) -> None:
    balance = Balance(ADDRESS_EVENTS, 10, delivered)
    assert not balance.holds
    assert not balance.lossless
    assert repr(balance) == f"address events: 10 sent != {delivered} delivered + 0 in flight + 0 dropped"


def test_counts_of_numpy_become_plain_integers() -> None:
    counts: Any = (np.int64(10), np.uint32(7), np.int64(1), {"full queue": np.int64(2)})
    balance = Balance(ADDRESS_EVENTS, *counts)
    expected = {"sent": 10, "delivered": 7, "in_flight": 1, "dropped": {"full queue": 2}}
    assert json.loads(json.dumps(balance.to_dict())) == expected
    assert balance == Balance(ADDRESS_EVENTS, 10, 7, 1, {"full queue": 2})
    assert pickle.loads(pickle.dumps(balance)) == balance


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        ((-1, 0, 0), "sent"),
        ((0, -1, 0), "delivered"),
        ((0, 0, -1), "in_flight"),
        ((0, 0, 0, {"full queue": -1}), "dropped (full queue)"),
    ],
)
def test_negative_counts_are_refused(counts: tuple[int, int, int], name: str) -> None:
    with pytest.raises(CountError) as refused:
        Balance(ADDRESS_EVENTS, *counts)
    assert str(refused.value) == (
        f"address events: {name} counts from 0, got -1; "
        "check for an overflow, or a difference taken the wrong way"
    )
