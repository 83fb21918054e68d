"""An npz file: a zip of ``.npy`` files, one a column, stored or deflated."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

import numpy as np

from api.containers.room import Room, malformed
from api.errors import MalformedRequest
from cluster.arrays import Draft
from network.arrays import ArrayColumn, column_of, require_dtype
from network.errors import show

CHUNK = 2**18
"""Entries that are read at once: 2 MiB of float64."""

MAX_MEMBERS = 8
MAX_DIRECTORY_BYTES = 2**12
MAX_HEADER_BYTES = 2**10

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_IN_END_64 = 0xFFFFFFFF
_ENCRYPTED = 0x1 | 0x40
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_ADVICE = "write it with numpy.savez"


def read_npz(body: BinaryIO, draft: Draft, room: Room) -> None:
    """Bring an npz file's columns into a draft.

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
        It is no such file, or broken.
    ArraysError
        A member is no column of the kind, or an entry breaks a rule.
    OverLimit, NoCapacity
        It holds more than there is room for.
    """
    _require_small_directory(body)
    with _reading("body", "an npz file"):
        archive = zipfile.ZipFile(body)
    for member, column in _columns(archive, draft):
        with _reading(member.filename, "a whole member"):
            opened = archive.open(member)
        with opened:
            _read_column(opened, member, column, draft, room)


@contextmanager
def _reading(where: str, what: str) -> Iterator[None]:
    """Turn all that zipfile raises about a file that is not as it should be into one error."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,  # a way of compressing, or a version, that it does not know
        RuntimeError,
        ValueError,
        OverflowError,
        OSError,  # a seek to before the beginning
    ) as error:
        if isinstance(error, MalformedRequest):
            raise
        raise malformed(where, f"must be {what}", f"an error: {error}", _ADVICE) from None


def _require_small_directory(body: BinaryIO) -> None:
    """Refuse a zip whose directory `zipfile` would read into memory whole, however large it is.

    Its end is looked for where `zipfile` looks first; with a comment behind it, it would be somewhere else.
    """
    size = body.seek(0, os.SEEK_END)
    body.seek(max(size - _END.size - _LOCATOR.size - _END_64.size, 0))
    tail = body.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or end[:4] != b"PK\5\6" or end[-2:] != b"\0\0":
        raise malformed("body", "must be an npz file", "something that does not end as one", _ADVICE)
    fields = _END.unpack(end)
    sizes = [(fields[4], fields[5])]
    locator = tail[-_END.size - _LOCATOR.size : -_END.size]
    if locator[:4] == b"PK\6\7" and len(tail) == _END.size + _LOCATOR.size + _END_64.size:
        fields_64 = _END_64.unpack(tail[: _END_64.size])
        sizes = [(fields_64[7], fields_64[8]), *(pair for pair in sizes if pair[1] != _IN_END_64)]
    for n_members, n_bytes in sizes:
        if n_members > MAX_MEMBERS or n_bytes > MAX_DIRECTORY_BYTES:
            rule = f"must have a directory of at most {MAX_MEMBERS} members and {MAX_DIRECTORY_BYTES} bytes"
            raise malformed("body", rule, f"{n_members} and {n_bytes}", "leave out all but the columns")


def _columns(archive: zipfile.ZipFile, draft: Draft) -> list[tuple[zipfile.ZipInfo, ArrayColumn]]:
    """Return the members with their columns; all are looked at before one is read."""
    found: list[tuple[zipfile.ZipInfo, ArrayColumn]] = []
    for member in archive.infolist():
        name, _, suffix = member.filename.rpartition(".")
        if suffix != "npy":
            raise malformed("body", "must hold .npy files", show(member.filename), _ADVICE)
        column = column_of(draft.kind, name)
        if any(column is other for _, other in found):
            raise malformed("body", "must hold each column once", f"{name} twice", "remove one")
        if member.flag_bits & _ENCRYPTED:
            raise malformed(member.filename, "must not be encrypted", "an encrypted member", _ADVICE)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            got = f"the method {member.compress_type}"
            raise malformed(member.filename, "must be stored or deflated", got, _ADVICE)
        found.append((member, column))
    return found


def _read_column(
    opened: IO[bytes], member: zipfile.ZipInfo, column: ArrayColumn, draft: Draft, room: Room
) -> None:
    dtype, n, n_header = _header(opened, member.filename)
    require_dtype(column, dtype)
    room.take(column, n)
    want = n_header + n * dtype.itemsize
    if member.file_size != want:
        rule = f"must have {want} bytes for {n} entries of {dtype.str}"
        raise malformed(member.filename, rule, str(member.file_size), "send the whole array")
    draft.extend(column.name, np.empty(0, dtype))
    for begin in range(0, n, CHUNK):
        raw = _exactly(opened, member.filename, min(CHUNK, n - begin) * dtype.itemsize)
        draft.extend(column.name, np.frombuffer(raw, dtype))
    with _reading(member.filename, "a whole member"):
        opened.read(1)  # At the end the checksum is looked at.


def _header(opened: IO[bytes], name: str) -> tuple[np.dtype[Any], int, int]:
    """Return a member's dtype, its entries, and the bytes of its header."""
    start = _exactly(opened, name, np.lib.format.MAGIC_LEN)
    version = (start[-2], start[-1])
    if start[:-2] != np.lib.format.MAGIC_PREFIX or version not in _HEADERS:
        raise malformed(name, "must be a .npy file of version 1.0 or 2.0", show(start), _ADVICE)
    length = _exactly(opened, name, 2 if version == (1, 0) else 4)
    n_bytes = int.from_bytes(length, "little")
    if n_bytes > MAX_HEADER_BYTES:
        raise malformed(
            name, f"must have a header of at most {MAX_HEADER_BYTES} bytes", str(n_bytes), _ADVICE
        )
    text = _exactly(opened, name, n_bytes)
    shape, fortran, dtype = _parsed(name, _HEADERS[version], length + text)
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise malformed(name, "must hold plain numbers", show(str(dtype)), "store each column on its own")
    if len(shape) != 1 or shape[0] < 0 or fortran:
        got = f"{show(shape)}{' in Fortran order' if fortran else ''}"
        raise malformed(name, "must have one dimension, in C order", got, "ravel it")
    return dtype, int(shape[0]), len(start) + len(length) + n_bytes


def _parsed(
    name: str, read: Callable[..., tuple[tuple[int, ...], bool, np.dtype[Any]]], raw: bytes
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        return read(io.BytesIO(raw), max_header_size=MAX_HEADER_BYTES)
    except Exception as error:  # NumPy evaluates a literal: what hostile text makes of that has no list.
        got = f"an error: {type(error).__name__}"
        raise malformed(name, "must have a header as NumPy writes it", got, _ADVICE) from None


def _exactly(opened: IO[bytes], name: str, n: int) -> bytes:
    with _reading(name, "a whole member"):
        raw = opened.read(n)
    if len(raw) != n:
        raise malformed(name, f"must have {n} bytes more", str(len(raw)), "send the whole file")
    return raw
