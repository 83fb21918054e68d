"""Uploaded arrays: which columns each kind has, and what may stand in them.

Client and service both check with `stored_form`, so that an array is refused with the same words before it is
sent and after it has come.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from network.errors import NetworkError, names, show

ArrayKind: TypeAlias = Literal["synapses", "spikes"]

STOP = 2**32
"""One more than the greatest neuron that an array can name."""


class ArraysError(NetworkError):
    """Arrays that break the rules of their kind; nothing of them was kept."""


@dataclass(frozen=True)
class ArrayColumn:
    """One column of uploaded arrays.

    Attributes
    ----------
    name : str
    dtype : str
        How it is stored, little-endian: ``<u4`` for neurons, ``<f8`` for numbers.
    optional : bool
        Whether it may be left out.
    positive : str or None
        What to do about a number that is not above 0, where that is a rule.
    """

    name: str
    dtype: str
    optional: bool = False
    positive: str | None = None

    @property
    def of_neurons(self) -> bool:
        """Whether it holds neuron numbers."""
        return self.dtype == "<u4"


_ONE_TICK = "a delay is one tick or more"
_FIRST_SPIKE = "the first spike can be at timestep_ms"

ARRAY_KINDS: Mapping[ArrayKind, tuple[ArrayColumn, ...]] = {
    "synapses": (
        ArrayColumn("sources", "<u4"),
        ArrayColumn("targets", "<u4"),
        ArrayColumn("weights", "<f8", optional=True),
        ArrayColumn("delays_ms", "<f8", optional=True, positive=_ONE_TICK),
    ),
    "spikes": (ArrayColumn("times_ms", "<f8", positive=_FIRST_SPIKE), ArrayColumn("neurons", "<u4")),
}
"""The columns of each kind, in the order of their digest."""


def column_of(kind: ArrayKind, name: str) -> ArrayColumn:
    """Return the column of that name.

    Raises
    ------
    ArraysError
        The kind has none.
    """
    for column in ARRAY_KINDS[kind]:
        if column.name == name:
            return column
    known = ", ".join(column.name for column in ARRAY_KINDS[kind])
    raise ArraysError([("arrays", f"must be columns of {kind}, {known}, got {show(name)}; remove it")])


def as_array(column: ArrayColumn, values: ArrayLike) -> NDArray[Any]:
    """Return an array as it is, and a list of numbers as one that the column takes, if its numbers can be.

    Raises
    ------
    ArraysError
        It has not one dimension.
    """
    array = np.asarray(values)
    require_one_dimension(column, array.ndim)
    if isinstance(values, np.ndarray):
        return values
    whole = array.dtype.kind in "iu" and not column.of_neurons
    return array.astype(column.dtype) if whole or not array.size else array


def require_columns(kind: ArrayKind, given: Collection[str]) -> None:
    """Refuse arrays that lack a column.

    Raises
    ------
    ArraysError
        One that is not optional is not given.
    """
    for column in ARRAY_KINDS[kind]:
        if not column.optional and column.name not in given:
            got = f"only {names(given)}" if given else "no columns"
            raise ArraysError([(column.name, f"must be given, got {got}; add it")])


def require_lengths(kind: ArrayKind, lengths: Mapping[str, int]) -> None:
    """Refuse columns that are not equally long.

    Raises
    ------
    ArraysError
        One has more or fewer entries than the first.
    """
    first = ARRAY_KINDS[kind][0].name
    for name, n in lengths.items():
        if n != lengths[first]:
            rule = f"must have as many entries as {first}, {lengths[first]}, got {n}"
            raise ArraysError([(name, f"{rule}; give one entry for each of the {kind}")])


def require_dtype(column: ArrayColumn, dtype: np.dtype[Any]) -> None:
    """Refuse an array whose numbers are of another sort than the column's.

    Raises
    ------
    ArraysError
        It does not hold integers, or float32 or float64.
    """
    if column.of_neurons and (dtype.kind not in "iu" or dtype.names is not None):
        raise ArraysError([(column.name, f"must hold integers, got {show(str(dtype))}; convert it")])
    if not column.of_neurons and dtype.newbyteorder("=") not in (np.dtype("f4"), np.dtype("f8")):
        rule = f"must hold float32 or float64, got {show(str(dtype))}"
        raise ArraysError([(column.name, f"{rule}; convert it")])


def require_one_dimension(column: ArrayColumn, ndim: int) -> None:
    """Refuse an array that is no list.

    Raises
    ------
    ArraysError
        It has not one dimension.
    """
    if ndim != 1:
        rule = f"must have one dimension, got {ndim}"
        raise ArraysError([(column.name, f"{rule}; give one entry after the other")])


def stored_form(column: ArrayColumn, values: NDArray[Any], *, first: int = 0) -> NDArray[Any]:
    """Return a part of a column as it is stored.

    Parameters
    ----------
    column : ArrayColumn
    values : (n,) array of integers or floats
        The entries, in any byte order.
    first : int
        The index of the first of them in the whole column, for errors.

    Returns
    -------
    (n,) array of `column.dtype`, C-contiguous

    Raises
    ------
    ArraysError
        The dtype or the shape is wrong, or an entry is: the first that is wrong is named.
    """
    require_dtype(column, values.dtype)
    require_one_dimension(column, values.ndim)
    if column.of_neurons:
        _check_neurons(column, values, first)
    else:
        _check_numbers(column, values, first)
    if column.positive is not None and values.dtype.itemsize == 4:
        values = _decimal(values)
    return np.ascontiguousarray(values, column.dtype)


def _decimal(ms: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return times as the decimals of seven digits that they were rounded from, where they were.

    0.1 as a float32 is 1.5e-8 off the grid of any timestep; who stored it meant 0.1.
    """
    exact = ms.astype(np.float64)
    places = 10.0 ** (6.0 - np.floor(np.log10(exact)))
    decimal = np.rint(exact * places) / places
    return np.where(decimal.astype(np.float32) == ms, decimal, exact)


def _check_neurons(column: ArrayColumn, values: NDArray[Any], first: int) -> None:
    if not values.size or (int(values.min()) >= 0 and int(values.max()) < STOP):
        return
    k = int(np.flatnonzero((values < 0) | (values > STOP - 1))[0])
    rule = "must be >= 0" if values[k] < 0 else f"must be < {STOP}"
    _refuse(column, first + k, f"{rule}, got {int(values[k])}; neurons are counted from 0")


def _check_numbers(column: ArrayColumn, values: NDArray[Any], first: int) -> None:
    good = np.isfinite(values)
    if column.positive is not None:
        good &= values > 0
    if good.all():
        return
    k = int(np.flatnonzero(~good)[0])
    value = float(values[k])
    if not np.isfinite(value):
        _refuse(column, first + k, f"must be a finite number, got {value}; replace or remove it")
    _refuse(column, first + k, f"must be > 0, got {show(value)}; {column.positive}")


def _refuse(column: ArrayColumn, index: int, message: str) -> None:
    raise ArraysError([(f"{column.name}[{index}]", message)])
