"""Arrays that grow at their end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_ROOM, _MOST_ROOM = 1 << 16, 1 << 30
"""Entries that there is room for at first."""


class Appended:
    """An array that grows. Room that is not used yet is not resident, so much of it costs no memory."""

    def __init__(self, dtype: np.dtype[Any], n_expected: int) -> None:
        room = min(n_expected + n_expected // 16, _MOST_ROOM) + _LEAST_ROOM
        self._array, self.n = np.empty(room, dtype), 0

    def append(self, part: NDArray[Any]) -> None:
        """Append a part."""
        if self.n + part.size > self._array.size:
            self._array = np.concatenate([self._array, np.empty(self._array.size + part.size, part.dtype)])
        self._array[self.n : self.n + part.size] = part
        self.n += part.size

    @property
    def filled(self) -> NDArray[Any]:
        """What was appended."""
        return self._array[: self.n]
