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
PART = 2**14
"""Spikes that are checked and hashed at a time: what is made of them meanwhile stays in the cache."""
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


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

    @property
    def last_tick(self) -> int:
        """The tick of the last spike; -1 when there is none."""
        return self._last >> 32

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
        self.add(ticks.astype(np.uint64) << _HALF | neurons.astype(np.uint64))

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Add the next spikes, each as one number. Refused spikes change nothing.

        Parameters
        ----------
        keys : (n,) uint64 array
            tick << 32 | neuron.

        Raises
        ------
        ValueError
            A spike is outside the run, or the spikes do not strictly increase.
        """
        spikes, last = self._spikes.copy(), self._last
        for begin in range(0, keys.size, PART):
            part = keys[begin : begin + PART]
            last = _last_of(part, last)
            self._refuse_outside("neuron", part & _LOW, self.n_neurons)
            spikes.update(spike_pairs(part).data)
        self._refuse_outside("tick", keys[-1:] >> _HALF, self.n_ticks)
        self._spikes, self._last = spikes, last
        self.n_spikes += keys.size

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
        if self.last_tick >= ticks:
            raise ValueError(
                f"n_ticks must be > {self.last_tick}, the last spike's tick, got {ticks}; raise it"
            )
        header = f"{float(self.timestep_ms).hex()}\n{ticks}\n{self.n_neurons}\n".encode("ascii")
        return hashlib.sha256(_MAGIC + header + self._spikes.digest()).hexdigest()

    @staticmethod
    def _refuse_outside(what: str, values: np.ndarray, limit: int) -> None:
        if values.dtype.kind not in "iu":
            raise ValueError(f"{what} must be an array of integers, got {values.dtype}; convert it")
        low, high = (int(values.min()), int(values.max())) if values.size else (0, -1)
        if low < 0 or high >= limit:
            got = low if low < 0 else high
            raise ValueError(f"{what} must be >= 0 and < {limit}, got {got}; check the run's size")


def spike_pairs(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return spikes as they are hashed and kept in files: (n, 2) little-endian uint32, tick and neuron."""
    pairs: NDArray[np.uint32] = (keys >> _HALF | keys << _HALF).astype("<u8", copy=False).view("<u4")
    return pairs.reshape(-1, 2)


def _last_of(keys: NDArray[np.uint64], before: int) -> int:
    """Return the last of spikes, after making sure that all increase, from `before` on."""
    after = int(keys[0])
    if after > before and not np.all(keys[1:] > keys[:-1]):
        first = int(np.argmax(keys[1:] <= keys[:-1]))
        before, after = int(keys[first]), int(keys[first + 1])
    if after <= before:
        raise ValueError(
            f"spikes must increase by (tick, neuron), got {_pair(after)} after {_pair(before)}; "
            "sort them and remove repeats"
        )
    return int(keys[-1])


def _pair(key: int) -> tuple[int, int]:
    return key >> 32, key & 0xFFFFFFFF
