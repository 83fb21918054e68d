from __future__ import annotations

import io

import numpy as np
import pytest

from api.errors import InvalidRequest, NotAcceptable
from api.formats import CSV_ROWS, choose_format, csv, npz
from api.paging import decode_cursor, encode_cursor


@pytest.mark.parametrize(
    ("asked", "accept", "chosen"),
    [
        (None, None, "json"),
        (None, "*/*", "json"),
        ("csv", "application/json", "csv"),
        (None, "application/x-npz", "npz"),
        (None, "text/csv, application/json;q=0.5", "csv"),
        (None, "text/*;q=0.2, application/*;q=0.1", "csv"),
        (None, "application/json;q=0, */*", "npz"),
        (None, "text/html, */*;q=0.8", "json"),
        (None, "application/json;q=nonsense, text/csv;q=0.1", "csv"),
    ],
)
def test_the_format_is_negotiated(asked, accept, chosen):
    assert choose_format(asked, accept) == chosen


def test_nothing_that_is_accepted():
    with pytest.raises(NotAcceptable) as caught:
        choose_format(None, "image/png")
    assert str(caught.value) == (
        "Accept: must take one of application/json, application/x-npz, text/csv, got 'image/png'; "
        "or use ?format="
    )


def test_npz_needs_no_pickle():
    with np.load(io.BytesIO(npz({"tick": np.arange(3, dtype=np.uint32), "name": np.array(["a"])}))) as file:
        assert file["tick"].dtype == np.uint32
        assert file["name"].tolist() == ["a"]


def test_csv_comes_in_parts():
    parts = list(csv({"tick": np.arange(CSV_ROWS + 1), "neuron": np.zeros(CSV_ROWS + 1, np.uint32)}))
    assert parts[0] == b"tick,neuron\r\n"
    assert [part.count(b"\r\n") for part in parts] == [1, CSV_ROWS, 1]
    assert parts[2] == f"{CSV_ROWS},0\r\n".encode()


@pytest.mark.parametrize("numbers", [(0,), (2**63 - 1,), (3, 0), (10**12, 5)])
def test_cursors_come_back(numbers):
    assert decode_cursor(encode_cursor(*numbers), len(numbers)) == numbers


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", encode_cursor(1, 2), encode_cursor(1) + "A", "_" * 11, "=" * 4]
)
def test_cursors_of_others(cursor):
    with pytest.raises(InvalidRequest) as caught:
        decode_cursor(cursor, 1)
    assert str(caught.value) == (
        f"cursor: must be the `next` of an answer, got {cursor!r}; start without a cursor"
    )
