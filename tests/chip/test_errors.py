import pickle

import pytest

from chip import ChipError, SlotOverflow, SnapshotMismatch


def test_a_slot_overflow_survives_pickling() -> None:
    error = SlotOverflow("exc", "inhibitory", 7, 2**31, 2**31 - 1, "input 2")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is SlotOverflow
    assert str(again) == str(error)
    assert vars(again) == {
        "population": "exc",
        "receptor": "inhibitory",
        "neuron": 7,
        "load": 2**31,
        "capacity": 2**31 - 1,
        "most": "input 2",
    }


def test_a_snapshot_mismatch_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(SnapshotMismatch("chip 0: wrong, got 1; go away")))
    assert type(again) is SnapshotMismatch
    assert str(again) == "chip 0: wrong, got 1; go away"


@pytest.mark.parametrize(
    ("error", "standard"), [(SlotOverflow, OverflowError), (SnapshotMismatch, ValueError)]
)
def test_errors_are_also_of_a_standard_class(error: type[Exception], standard: type[Exception]) -> None:
    assert issubclass(error, ChipError)
    assert issubclass(error, standard)
