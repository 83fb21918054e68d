"""Places of windows within an image, against all of them one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from network.windows import Axis, floor_sum

FEW = st.integers(1, 9)


@given(size=FEW, stride=FEW, padding=st.integers(0, 9), dilation=FEW, places=FEW)
def test_places_within_the_image(size: int, stride: int, padding: int, dilation: int, places: int) -> None:
    axis = Axis(size, stride, padding, dilation, places)
    inside = [
        sum(0 <= y * stride - padding + i * dilation < size for i in range(places))
        for y in range(axis.n_positions)
    ]
    assert axis.n_inside == sum(inside)
    assert axis.most_inside >= max(inside, default=0)


def test_the_bound_of_one_window_is_met_where_it_covers_the_image() -> None:
    for dilation in range(1, 6):
        reach = dilation * 19
        axis = Axis(size=10, stride=1, padding=reach, dilation=dilation, places=20)
        inside = [sum(0 <= y - reach + i * dilation < 10 for i in range(20)) for y in range(axis.n_positions)]
        assert axis.most_inside == max(inside) == -(-10 // dilation)


@given(n=st.integers(0, 50), step=st.integers(1, 99), start=st.integers(0, 99), divisor=st.integers(1, 99))
def test_sum_of_quotients(n: int, step: int, start: int, divisor: int) -> None:
    assert floor_sum(n, step, start, divisor) == sum((start + k * step) // divisor for k in range(n))


def test_windows_of_any_size_are_counted_at_once() -> None:
    """With all the padding that there can be, each place of the window meets each of the image once."""
    axis = Axis(size=2**31, stride=1, padding=3 * (2**29 - 1), dilation=3, places=2**29)
    assert axis.n_inside == 2**31 * 2**29
