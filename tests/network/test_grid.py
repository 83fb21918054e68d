from __future__ import annotations

import numpy as np
import pytest

from network.grid import MAX_DELAY_TICKS, off_grid, on_grid


@pytest.mark.parametrize("timestep_ms", [0.1, 0.025, 0.3, 1.0, 1 / 3])
def test_every_product_of_ticks_and_timestep_is_on_the_grid(timestep_ms: float) -> None:
    ticks = np.arange(1, MAX_DELAY_TICKS + 1)
    assert on_grid(ticks * timestep_ms, timestep_ms, max_ticks=MAX_DELAY_TICKS).all()


def test_every_tenth_that_a_user_writes_is_on_the_grid() -> None:
    times = [float(f"{n // 10}.{n % 10}") for n in range(1, 65_536)]
    assert on_grid(times, 0.1, max_ticks=MAX_DELAY_TICKS).all()


def test_what_is_off_the_grid() -> None:
    times = [0.0, -0.1, 0.15, 0.1 + 1e-9, 6553.6, np.inf, np.nan]
    assert not on_grid(times, 0.1, max_ticks=MAX_DELAY_TICKS).any()


def test_far_out_a_thousandth_of_a_tick_is_the_limit() -> None:
    assert on_grid([4e8, 4e8 + 5e-5], 0.1, max_ticks=2**32 - 1).all()
    assert not on_grid([4e8 + 2e-4], 0.1, max_ticks=2**32 - 1).any()


@pytest.mark.parametrize(
    ("ms", "message"),
    [
        (1.5, None),
        (0.0, "must be > 0, got 0; the shortest is timestep_ms, 0.1"),
        (0.04, "must be a multiple of timestep_ms, 0.1, got 0.04; the nearest is 0.1"),
        (0.34, "must be a multiple of timestep_ms, 0.1, got 0.34; the nearest are 0.3 and 0.4"),
        (
            6553.6,
            "must be at most 65535 ticks of 0.1 ms, got 6553.6; shorten it or raise timestep_ms",
        ),
    ],
)
def test_off_grid_says_what_is_wrong(ms: float, message: str | None) -> None:
    assert off_grid(ms, 0.1, max_ticks=MAX_DELAY_TICKS) == message


def test_a_timestep_too_small_for_the_time_is_an_error_not_an_overflow() -> None:
    assert off_grid(1.0, 5e-324, max_ticks=10) == (
        "must be at most 10 ticks of 5e-324 ms, got 1; shorten it or raise timestep_ms"
    )
