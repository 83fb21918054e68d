from __future__ import annotations

import pytest

from network import Ramp, Sine, Steps, Waveform, extremes


@pytest.mark.parametrize(
    ("waveform", "expected"),
    [
        (Steps(times_ms=(), values=()), (0.0, 0.0)),
        (Steps(times_ms=(1, 2), values=(3, 2)), (0.0, 3.0)),
        (Steps(times_ms=(0, 2), values=(3, 2)), (2.0, 3.0)),
        (Ramp(start_ms=0, stop_ms=1, first=2, last=-1), (-1.0, 2.0)),
        (Sine(offset=1, amplitude=-3, frequency_hz=1), (-2.0, 4.0)),
    ],
)
def test_extremes(waveform: Waveform, expected: tuple[float, float]) -> None:
    assert extremes(waveform) == expected
