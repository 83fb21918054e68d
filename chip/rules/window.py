"""Rules between images: a window of places around each target, its weights shared by all of them."""

from __future__ import annotations

import numpy as np

from chip.jit import kernel
from chip.random import draw
from chip.rules.generator import BATCH, Batch, Ends, Generator, power_of_two
from network import Convolution, Pooling


class Window(Generator):
    """A convolution or pooling."""

    def __init__(self, rule: Convolution | Pooling, ends: Ends) -> None:
        super().__init__(rule, ends)
        rows, columns = rule.kernel_shape[2:] if isinstance(rule, Convolution) else rule.window
        dilation = rule.dilation if isinstance(rule, Convolution) else (1, 1)
        inputs = rule.kernel_shape[1] if isinstance(rule, Convolution) else 1
        groups = rule.groups if isinstance(rule, Convolution) else rule.source_shape[0]
        self.numbers = np.array(
            [
                *rule.source_shape,
                *rule.target_shape,
                *rule.stride,
                *rule.padding,
                *dilation,
                rows,
                columns,
                inputs,
                groups,
            ],
            np.int64,
        )
        self.n_expected = float(rule.most_fan_in * ends.n)
        self.chunk = power_of_two(rule.source_shape[1] * rule.source_shape[2])
        self.most = max(BATCH, rule.most_fan_in)

    def emit(self, low: int, high: int, cursor: int, batch: Batch) -> tuple[int, int]:
        """Fill a batch."""
        room = self.rule.most_fan_in
        return _emit(self.key, self.numbers, room, low, high, self.ends.first, self.ends.n, cursor, batch)


@kernel
def _inside(begin, dilation, places, size):
    """Return the range of a window's places ``begin + i * dilation`` that lie within the image."""
    first = max(0, -(begin // dilation))
    return first, min(places, -((begin - size) // dilation))


@kernel
def _emit(key, numbers, room, low, high, first, n_targets, cursor, batch):
    (_, height, width, c_out, rows_out, columns_out, stride_y, stride_x, padding_y, padding_x,
     dilation_y, dilation_x, rows, columns, inputs, groups) = numbers  # fmt: skip
    n, image = 0, height * width
    while cursor < n_targets and n + room <= batch.source.size:
        target = first + cursor
        row_key = draw(key, np.uint64(target))
        channel, place = divmod(target, rows_out * columns_out)
        y, x = divmod(place, columns_out)
        begin_y, begin_x = y * stride_y - padding_y, x * stride_x - padding_x
        first_row, end_row = _inside(begin_y, dilation_y, rows, height)
        first_column, end_column = _inside(begin_x, dilation_x, columns, width)
        first_channel = channel // (c_out // groups) * inputs
        for c in range(
            max(first_channel, low // image), min(first_channel + inputs, (high - 1) // image + 1)
        ):
            for i in range(first_row, end_row):
                row = c * image + (begin_y + i * dilation_y) * width
                for j in range(first_column, end_column):
                    source = row + begin_x + j * dilation_x
                    if source < low or source >= high:
                        continue
                    index = ((channel * inputs + c - first_channel) * rows + i) * columns + j
                    batch.source[n] = source
                    batch.target[n] = cursor
                    batch.bits[n] = draw(row_key, np.uint64(index))
                    batch.entry[n] = index
                    n += 1
        cursor += 1
    return n, cursor
