"""Spikes and states as JSON, npz and CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from api.errors import NotAcceptable

Format = Literal["json", "npz", "csv"]

MEDIA_TYPES: dict[Format, str] = {"json": "application/json", "npz": "application/x-npz", "csv": "text/csv"}
CSV_ROWS = 50_000


def choose_format(asked: Format | None, accept: str | None) -> Format:
    """Return the format of an answer: what the query asks for, else the best that ``Accept`` takes.

    Raises
    ------
    NotAcceptable
        None of ours is accepted.
    """
    if asked is not None:
        return asked
    weights = {name: _weight(accept or "*/*", MEDIA_TYPES[name]) for name in get_args(Format)}
    best: Format = max(weights, key=lambda name: weights[name])
    if weights[best] <= 0:
        raise NotAcceptable(
            f"Accept: must take one of {', '.join(MEDIA_TYPES.values())}, got {accept!r}; or use ?format="
        )
    return best


def _weight(accept: str, media_type: str) -> float:
    """Return the q of the most specific range in an Accept header that covers `media_type`; 0 for none."""
    main = media_type.split("/")[0]
    specificity = {"*/*": 0, f"{main}/*": 1, media_type: 2}
    found = (-1, 0.0)
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if name in specificity:
            found = max(found, (specificity[name], _quality(quality)))
    return found[1]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as an npz file. Nothing in it needs pickle."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **dict(arrays))
    return file.getvalue()


def quoted(text: str) -> str:
    """Return text as a field of a CSV file (RFC 4180)."""
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def csv(columns: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    """Give a CSV file in parts of up to `CSV_ROWS` lines: names, then a line for each index."""
    yield (",".join(columns) + "\r\n").encode()
    values = list(columns.values())
    for begin in range(0, len(values[0]), CSV_ROWS):
        part = [column[begin : begin + CSV_ROWS].tolist() for column in values]
        yield "".join(",".join(map(str, row)) + "\r\n" for row in zip(*part, strict=True)).encode()
