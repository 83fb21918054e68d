"""A stream of msgpack maps: one that says what comes, then the columns in chunks of typed bytes.

The first map is ``{"kind": "synapses", "n": 1000, "columns": {"sources": "<u4", "targets": "<u4"}}``; each
following one holds as many entries of every column, as bytes: ``{"sources": b"...", "targets": b"..."}``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgpack
import numpy as np

from api.containers.room import Room, malformed
from cluster.arrays import Draft
from network.arrays import ArraysError, column_of, require_columns, require_dtype
from network.errors import show

MAX_BIN_BYTES = 8 * 2**20
"""Bytes of one column in one map."""

MAX_BUFFER_BYTES = 5 * MAX_BIN_BYTES
"""A map of all columns has to fit; nothing else is ever waited for."""

_READ_BYTES = 2**20
_MAX_NAME_BYTES = 64
_MAX_ENTRIES = 8
_DTYPE = re.compile(r"[<>|][iu][1248]|[<>]f[48]")
_ADVICE = "see the description of this resource"

Dtypes = dict[str, np.dtype[Any]]


def read_packed(body: BinaryIO, draft: Draft, room: Room) -> None:
    """Bring a stream's columns into a draft.

    Parameters
    ----------
    body : file
        Seekable.
    draft : Draft
        Of the kind that is expected.
    room : Room
        How much there may be.

    Raises
    ------
    MalformedRequest
        It is no such stream, or broken.
    ArraysError
        It has a column that the kind has not, or an entry breaks a rule.
    OverLimit, NoCapacity
        It says that more will come than there is room for.
    """
    maps = _maps(body)
    n, dtypes = _announced(next(maps, None), draft)
    for name in dtypes:
        room.take(column_of(draft.kind, name), n)
    for name, dtype in dtypes.items():
        draft.extend(name, np.empty(0, dtype))
    done = 0
    for number, chunk in enumerate(maps):
        done += _add(chunk, f"chunk {number}", dtypes, draft, n - done)
    if done != n:
        raise malformed("body", f"must hold {n} entries as its first map says", str(done), "send all of them")


def _maps(body: BinaryIO) -> Iterator[Any]:
    """Give what the stream holds, one after the other, with a bound for each length."""
    size = body.seek(0, os.SEEK_END)
    body.seek(0)
    unpacker = msgpack.Unpacker(
        body,
        read_size=_READ_BYTES,
        max_buffer_size=MAX_BUFFER_BYTES,
        max_bin_len=MAX_BIN_BYTES,
        max_str_len=_MAX_NAME_BYTES,
        max_map_len=_MAX_ENTRIES,
        max_array_len=0,
        max_ext_len=0,
        object_pairs_hook=_without_repeats,
    )
    whole = 0
    while True:
        try:
            item = unpacker.unpack()
        except msgpack.OutOfData:
            break
        except (msgpack.UnpackException, ValueError, RecursionError) as error:
            got = f"an error: {str(error) or type(error).__name__}"
            raise malformed("body", "must be a stream of msgpack maps", got, _ADVICE) from None
        whole = unpacker.tell()
        yield item
    if whole != size:
        got = f"{size - whole} bytes of another"
        raise malformed("body", "must end with a whole map", got, "send the whole stream")


def _without_repeats(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated in a map")
    return found


def _announced(first: Any, draft: Draft) -> tuple[int, Dtypes]:
    """Return what the first map says: how many entries, and the dtype of each column."""
    if not isinstance(first, dict) or first.keys() != {"kind", "n", "columns"}:
        raise malformed("body", "must begin with a map of kind, n and columns", _told(first), _ADVICE)
    kind, n, columns = first["kind"], first["n"], first["columns"]
    if kind != draft.kind:
        advice = "let ?kind= and the first map agree"
        raise malformed("kind", f"must be {draft.kind} as the query says", show(kind), advice)
    if type(n) is not int or n < 0:
        raise malformed("n", "must be a whole number, 0 or more", show(n), "give the entries of a column")
    if not isinstance(columns, dict):
        raise malformed("columns", "must be a map of names to dtypes", _told(columns), _ADVICE)
    dtypes = {name: _dtype(draft, name, text) for name, text in columns.items()}
    require_columns(draft.kind, dtypes)
    return n, dtypes


def _dtype(draft: Draft, name: str, text: Any) -> np.dtype[Any]:
    column = column_of(draft.kind, name)
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        rule = f"must have a dtype as {column.dtype}, of integers or floats, got {show(text)}"
        raise ArraysError([(name, f"{rule}; give NumPy's `dtype.str`")])
    dtype = np.dtype(text)
    require_dtype(column, dtype)
    return dtype


def _add(chunk: Any, where: str, dtypes: Dtypes, draft: Draft, left: int) -> int:
    """Bring one map's entries into the draft; return how many there are of each column."""
    if not isinstance(chunk, dict) or chunk.keys() != dtypes.keys():
        rule = f"must be a map of {', '.join(dtypes)}"
        raise malformed(where, rule, _told(chunk), "put all columns into every map")
    lengths = [_length(where, name, raw, dtypes[name]) for name, raw in chunk.items()]
    if min(lengths) != max(lengths):
        got = " and ".join(map(str, lengths))
        raise malformed(where, "must hold as many entries of every column", got, "cut all at one place")
    if not left:
        rule = "must not come after the entries that the first map announces"
        raise malformed(where, rule, f"{lengths[0]} more", "let n be the sum of all maps")
    if not 1 <= lengths[0] <= left:
        advice = "leave out maps without entries, and let n be the sum"
        raise malformed(where, f"must hold 1 to {left} entries, which are left", str(lengths[0]), advice)
    for name, raw in chunk.items():
        draft.extend(name, np.frombuffer(raw, dtypes[name]))
    return lengths[0]


def _length(where: str, name: str, raw: Any, dtype: np.dtype[Any]) -> int:
    if not isinstance(raw, bytes):
        raise malformed(f"{where}.{name}", "must be bytes", _told(raw), "pack the array's bytes")
    if len(raw) % dtype.itemsize:
        rule = f"must be entries of {dtype.itemsize} bytes"
        raise malformed(f"{where}.{name}", rule, f"{len(raw)} bytes", "do not cut entries")
    return len(raw) // dtype.itemsize


def _told(value: Any) -> str:
    """Return what was found, by its names or its sort: its content may be large."""
    if isinstance(value, dict):
        return f"one of {', '.join(show(name) for name in value) or 'nothing'}"
    return "nothing" if value is None else show(value)
