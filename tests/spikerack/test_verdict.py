from __future__ import annotations

import math
from typing import Any

import numpy as np

from spikerack.reference import RateBand
from spikerack.retry import Patience
from spikerack.spikes import Spikes
from spikerack.stream import StreamState
from spikerack.verdict import placement_check, rate_checks, run_checks
from spikerack.views import RunView
from tests.spikerack.service import data, end, hello

BANDS = {"exc": RateBand(mean_hz=4.0, sd_hz=0.2, low_hz=3.0, high_hz=5.0)}


def streamed() -> StreamState:
    patience = Patience(1.0)
    state = StreamState("run_1", from_tick=None, mode="lossless", population=None, patience=patience)
    for message in (hello(), data(0, [3, 7], [], [1], []), end(4)):
        state.handle(message)
    return state


def fetched() -> Spikes:
    return Spikes(np.array([0, 0, 2], np.uint32), np.array([3, 7, 1], np.uint32), 0.1, {"exc": (0, 8)})


def balance(sent: int, delivered: int, in_flight: int = 0, **dropped: int) -> dict[str, Any]:
    return {"sent": sent, "delivered": delivered, "in_flight": in_flight, "dropped": dropped}


def run_of(**changes: Any) -> RunView:
    conservation = {"address_events": balance(6, 6), "synaptic_events": balance(30, 28, 2)}
    record = {
        "id": "run_1",
        "state": "complete",
        "tick": 4,
        "n_ticks": 4,
        "n_spikes": 30,
        "n_recorded_spikes": 3,
        "digest": "ab",
        "recorded_digest": streamed().digest,
        "conservation": conservation,
    }
    return RunView(record | changes)


def failing(**changes: Any) -> list[str]:
    return [check.claim for check in run_checks(run_of(**changes), streamed(), fetched()) if not check.holds]


def test_a_true_run_passes() -> None:
    checks = run_checks(run_of(), streamed(), fetched())
    assert all(check.holds for check in checks)
    assert [check.found for check in checks][::3] == [
        "complete, 4 of 4 ticks",
        "6 sent = 6 delivered + 0 in flight",
    ]


def test_each_check_can_fail() -> None:
    assert failing(state="complete_with_loss") == ["the run is complete"]
    assert failing(n_recorded_spikes=4) == ["same spikes by websocket, REST, record"]
    assert failing(recorded_digest="00") == ["same digest of them"]
    assert failing(conservation=None) == ["no address event is lost", "no synaptic event is lost"]
    unequal = {"address_events": balance(6, 5), "synaptic_events": balance(30, 30)}
    assert failing(conservation=unequal) == ["no address event is lost"]
    dropped = {"address_events": balance(6, 6), "synaptic_events": balance(30, 29, queue=1)}
    assert failing(conservation=dropped) == ["no synaptic event is lost"]


def test_silence_does_not_pass() -> None:
    patience = Patience(1.0)
    silent = StreamState("run_1", from_tick=None, mode="lossless", population=None, patience=patience)
    for message in (hello(), data(0, [], [], [], []), end(4)):
        silent.handle(message)
    empty = np.zeros(0, np.uint32)
    run = run_of(n_recorded_spikes=0, recorded_digest=silent.digest)
    checks = run_checks(run, silent, Spikes(empty, empty, 0.1, {"exc": (0, 8)}))
    assert [check.claim for check in checks if not check.holds] == ["same spikes by websocket, REST, record"]


def test_rates_must_be_in_the_band() -> None:
    assert [check.holds for rate in (3.0, 5.0, 2.9, 5.1) for check in rate_checks({"exc": rate}, BANDS)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_population_that_is_missing_fails() -> None:
    (check,) = rate_checks({}, BANDS)
    assert math.isnan(check.rate_hz)
    assert not check.holds


def test_chips_and_boards_are_counted() -> None:
    names = ["(board 0, chip 0)", "(board 0, chip 1)", "(board 1, chip 0)", "(board 1, chip 1)"]
    report = {"chips": [{"chip": name} for name in names]}
    assert placement_check(report, n_chips=4, n_boards=2).holds
    assert not placement_check(report, n_chips=4, n_boards=1).holds
    check = placement_check({"chips": report["chips"][:2]}, n_chips=4, n_boards=2)
    assert (check.found, check.holds) == ("2 chips on 1 boards", False)
