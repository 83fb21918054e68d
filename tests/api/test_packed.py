"""What is no stream of ours is refused whole, and says why."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from tests.api.uploads import KNOWN, MSGPACK, NPZ, SPIKES, SYNAPSES, first, malformed, npz, packed, refusal

SEE = "see the description of this resource"


@pytest.mark.parametrize("seed", range(40))
def test_a_stream_with_flipped_bytes(call, seed):
    rng = np.random.default_rng(seed)
    body = bytearray(packed(SYNAPSES))
    for place in rng.integers(0, len(body), 2):
        body[place] ^= int(rng.integers(1, 256))
    answer = call("POST", "/v1/arrays?kind=synapses", content=bytes(body), headers=MSGPACK)
    assert answer.status_code in {200, 201, 400, 422}, answer.text
    assert list(call.fleet.data.glob("arrays/.*")) == []


EIGHT = {"sources": bytes(8), "targets": bytes(8)}


BEGIN = "body: must begin with a map of kind, n and columns"
STREAM = "body: must be a stream of msgpack maps, got an error"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", f"{BEGIN}, got nothing; {SEE}"),
        (b"\xc0", f"{BEGIN}, got nothing; {SEE}"),
        (msgpack.packb(EIGHT), f"{BEGIN}, got one of 'sources', 'targets'; {SEE}"),
        (first(more=1), f"{BEGIN}, got one of 'kind', 'n', 'columns', 'more'; {SEE}"),
        (
            first(kind="spikes"),
            "kind: must be synapses as the query says, got 'spikes'; let ?kind= and the first map agree",
        ),
        (first(n=-1), "n: must be a whole number, 0 or more, got -1; give the entries of a column"),
        (first(n=2.0), "n: must be a whole number, 0 or more, got 2; give the entries of a column"),
        (first(n=True), "n: must be a whole number, 0 or more, got true; give the entries of a column"),
        (first(columns="all"), f"columns: must be a map of names to dtypes, got 'all'; {SEE}"),
        (first(), "body: must hold 2 entries as its first map says, got 0; send all of them"),
        (b"\xc1", f"{STREAM}: FormatError; {SEE}"),
        (b"\x82\xa1a\x01\xa1a\x02", f"{STREAM}: a name is repeated in a map; {SEE}"),
        (
            b"\x81\x01\x02",
            f"{STREAM}: int is not allowed for map key when strict_map_key=True; {SEE}",
        ),
        (
            b"\xa2\xff\xfe",
            f"{STREAM}: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; {SEE}",
        ),
        (
            first() + msgpack.packb(EIGHT) + b"\x82",
            "body: must end with a whole map, got 1 bytes of another; send the whole stream",
        ),
        (
            (first() + msgpack.packb(EIGHT))[:-5],
            "body: must end with a whole map, got 32 bytes of another; send the whole stream",
        ),
    ],
)
def test_streams_that_are_none(call, body, told):
    assert malformed(call, body, MSGPACK) == told


LEFT = "leave out maps without entries, and let n be the sum"


@pytest.mark.parametrize(
    ("chunk", "told"),
    [
        (
            {"sources": bytes(8)},
            ": must be a map of sources, targets, got one of 'sources'; put all columns into every map",
        ),
        (7, ": must be a map of sources, targets, got 7; put all columns into every map"),
        (EIGHT | {"sources": "text"}, ".sources: must be bytes, got 'text'; pack the array's bytes"),
        (
            EIGHT | {"sources": bytes(7)},
            ".sources: must be entries of 4 bytes, got 7 bytes; do not cut entries",
        ),
        (
            EIGHT | {"sources": bytes(4)},
            ": must hold as many entries of every column, got 1 and 2; cut all at one place",
        ),
        ({"sources": b"", "targets": b""}, f": must hold 1 to 2 entries, which are left, got 0; {LEFT}"),
        (
            {"sources": bytes(12), "targets": bytes(12)},
            f": must hold 1 to 2 entries, which are left, got 3; {LEFT}",
        ),
    ],
)
def test_chunks_that_are_none(call, chunk, told):
    assert malformed(call, first() + msgpack.packb(chunk), MSGPACK) == f"chunk 0{told}"


def test_a_chunk_too_many(call):
    assert malformed(call, first() + 2 * msgpack.packb(EIGHT), MSGPACK) == (
        "chunk 1: must not come after the entries that the first map announces, got 2 more; "
        "let n be the sum of all maps"
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\xdf\xff\xff\xff\xff", f"{STREAM}: 4294967295 exceeds max_map_len(8); {SEE}"),
        (b"\xdd\xff\xff\xff\xff", f"{STREAM}: 4294967295 exceeds max_array_len(0); {SEE}"),
        (b"\xd6\xff" + bytes(4), f"{STREAM}: 5 exceeds max_ext_len(0); {SEE}"),
        (b"\xd9\x41" + 65 * b"a", f"{STREAM}: 65 exceeds max_str_len(64); {SEE}"),
        (b"\x81\xa1a" * 100_000, f"{STREAM}: StackError; {SEE}"),
        (b"\x91" * 100_000, f"{STREAM}: 1 exceeds max_array_len(0); {SEE}"),
        (
            b"\xc6\xff\xff\xff\xff" + bytes(10),
            "body: must end with a whole map, got 15 bytes of another; send the whole stream",
        ),
    ],
)
def test_streams_that_claim_too_much(call, body, told):
    assert malformed(call, body, MSGPACK) == told


@pytest.mark.slow
def test_a_claim_that_is_kept_is_not_waited_for(call):
    """Of bytes that claim to be a gigabyte, no more is read than the largest map."""
    bin_of = b"\xc6" + (2**30).to_bytes(4, "big")
    body = first() + b"\x82\xa7sources" + bin_of + bytes(2**26)
    assert malformed(call, body, MSGPACK) == f"{STREAM}: BufferFull; {SEE}"
    too_long = b"\xc6" + (2**23 + 1).to_bytes(4, "big") + bytes(2**23 + 1)
    told = malformed(call, first() + b"\x82\xa7sources" + too_long, MSGPACK)
    assert told == f"{STREAM}: 8388609 exceeds max_bin_len(8388608); {SEE}"


DTYPE = "targets must have a dtype as <u4, of integers or floats, got"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"sources": "<u4"}, "targets must be given, got only 'sources'; add it"),
        ({"sources": "<u4", "targets": "|O"}, f"{DTYPE} '|O'; give NumPy's `dtype.str`"),
        ({"sources": "<u4", "targets": "u4,u4"}, f"{DTYPE} 'u4,u4'; give NumPy's `dtype.str`"),
        ({"sources": "<u4", "targets": 7}, f"{DTYPE} 7; give NumPy's `dtype.str`"),
        ({"sources": "<f8", "targets": "<u4"}, "sources must hold integers, got 'float64'; convert it"),
        ({"sources": "<u4", "neurons": "<u4"}, f"{KNOWN} 'neurons'; remove it"),
    ],
)
def test_streams_of_other_columns(call, columns, told):
    assert refusal(call, first(columns=columns), MSGPACK) == (422, "invalid-arrays", told)


def test_a_stream_of_spikes_and_of_nothing(call):
    answer = call("POST", "/v1/arrays?kind=spikes", content=packed(SPIKES, kind="spikes"), headers=MSGPACK)
    again = call("POST", "/v1/arrays?kind=spikes", content=npz(SPIKES), headers=NPZ)
    assert (answer.status_code, again.status_code, answer.json()) == (201, 200, again.json())
    nothing = call("POST", "/v1/arrays?kind=synapses", content=first(n=0), headers=MSGPACK)
    assert nothing.json()["connectivity"]["n"] == 0
