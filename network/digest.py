r"""The digest of a run's spikes: what two runs must share to be the same run, bit for bit.

The digest is SHA-256 over a header and the SHA-256 of the spikes::

    spikes = SHA-256 of all (tick, neuron) as little-endian uint32 pairs, sorted by tick, then neuron
    digest = SHA-256 of  b"spikerack-spikes-1\n"
                         timestep_ms as float.hex() + "\n"
                         n_ticks + "\n"
                         n_neurons + "\n"
                         the 32 bytes of spikes

The spikes are hashed on their own because the header holds the ticks that were done, and a run may end
early. Neurons are numbered through all populations, then all sources, in order of declaration.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MAGIC = b"spikerack-spikes-1\n"
_PART = 2**14
"""Spikes that are checked and hashed at a time: what is made of them meanwhile stays in the cache."""


class SpikeDigest:
    """The digest of spikes that arrive in pieces, in order.

    Parameters
    ----------
    timestep_ms : float
        The duration of a tick.
    n_ticks : int
        The ticks of the run.
    n_neurons : int
        The neurons of the network, those of sources included.
    """

    def __init__(self, timestep_ms: float, n_ticks: int, n_neurons: int) -> None:
        self.timestep_ms = timestep_ms
        self.n_ticks = n_ticks
        self.n_neurons = n_neurons
        self.n_spikes = 0
        self._last = -1
        self._spikes = hashlib.sha256()

    def __repr__(self) -> str:
        return f"SpikeDigest({self.n_spikes} spikes, {self.n_ticks} ticks, {self.n_neurons} neurons)"

    def update(self, tick: ArrayLike, neuron: ArrayLike) -> None:
        """Add the next spikes. Refused spikes change nothing.

        Parameters
        ----------
        tick : array_like, shape (n,), integer
            The tick of each spike.
        neuron : array_like, shape (n,), integer
            The global number of the neuron that fired.

        Raises
        ------
        ValueError
            The shapes differ, a spike is outside the run, or the spikes do not strictly increase by
            (tick, neuron), within the call or after the last call.
        """
        ticks, neurons = np.atleast_1d(np.asarray(tick)), np.atleast_1d(np.asarray(neuron))
        if ticks.shape != neurons.shape or ticks.ndim != 1:
            raise ValueError(
                f"tick and neuron must have one length, got shapes {ticks.shape} and {neurons.shape}; "
                "give one entry for each spike"
            )
        if not ticks.size:
            return
        self._refuse_outside("tick", ticks, self.n_ticks)
        self._refuse_outside("neuron", neurons, self.n_neurons)
        spikes, last = self._spikes.copy(), self._last
        for begin in range(0, ticks.size, _PART):
            pairs = _pairs(ticks[begin : begin + _PART], neurons[begin : begin + _PART])
            last = _last_of(pairs, last)
            spikes.update(pairs.reshape(-1).data)
        self._spikes, self._last = spikes, last
        self.n_spikes += ticks.size

    def hexdigest(self, n_ticks: int | None = None) -> str:
        """Return the digest of the spikes so far, as 64 hexadecimal digits.

        Parameters
        ----------
        n_ticks : int, optional
            The ticks that were done, if the run ended early.

        Raises
        ------
        ValueError
            A spike lies beyond `n_ticks`.
        """
        ticks = self.n_ticks if n_ticks is None else n_ticks
        if self._last >> 32 >= ticks:
            last = self._last >> 32
            raise ValueError(f"n_ticks must be > {last}, the last spike's tick, got {ticks}; raise it")
        header = f"{float(self.timestep_ms).hex()}\n{ticks}\n{self.n_neurons}\n".encode("ascii")
        return hashlib.sha256(_MAGIC + header + self._spikes.digest()).hexdigest()

    @staticmethod
    def _refuse_outside(what: str, values: np.ndarray, limit: int) -> None:
        if values.dtype.kind not in "iu":
            raise ValueError(f"{what} must be an array of integers, got {values.dtype}; convert it")
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= limit:
            got = low if low < 0 else high
            raise ValueError(f"{what} must be >= 0 and < {limit}, got {got}; check the run's size")


def _pairs(ticks: np.ndarray, neurons: np.ndarray) -> NDArray[np.uint32]:
    """Return spikes as they are hashed."""
    pairs = np.empty((ticks.size, 2), dtype="<u4")
    pairs[:, 0], pairs[:, 1] = ticks, neurons
    return pairs


def _last_of(pairs: NDArray[np.uint32], before: int) -> int:
    """Return the last of spikes as one number, after making sure that all increase, from `before` on."""
    order = pairs[:, 0].astype(np.uint64)
    order <<= np.uint64(32)
    order |= pairs[:, 1]
    after = int(order[0])
    if after > before and not np.all(order[1:] > order[:-1]):
        first = int(np.argmax(order[1:] <= order[:-1]))
        before, after = int(order[first]), int(order[first + 1])
    if after <= before:
        raise ValueError(
            f"spikes must increase by (tick, neuron), got {_pair(after)} after {_pair(before)}; "
            "sort them and remove repeats"
        )
    return int(order[-1])


def _pair(key: int) -> tuple[int, int]:
    return key >> 32, key & 0xFFFFFFFF
